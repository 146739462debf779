"""From options, environment and file to ``Targets``: who plays which part, and who said so.

**Precedence**, for every setting alone: option, then environment variable, then configuration
file, then default. ``--execution-plane`` names a plane of the file, or else a context. With
nothing at all the current context plays both parts; without a kubeconfig the pod's own cluster
does, when the doctor runs in a pod.

==============================  ===========================================================
variable                        stands for
==============================  ===========================================================
KEPTN_DOCTOR_CONFIG             ``--config``
KEPTN_DOCTOR_KUBECONFIG         ``--kubeconfig`` (before KUBECONFIG)
KEPTN_DOCTOR_CONTROL_PLANE      ``--control-plane``
KEPTN_DOCTOR_EXECUTION_PLANES   ``--execution-plane``, separated by commas
KEPTN_DOCTOR_NAMESPACES         ``--namespace``, separated by commas
KEPTN_DOCTOR_TOKEN_FILE         ``--token-file`` ("-" is standard input)
KEPTN_ENDPOINT                  ``--endpoint``; KEPTN_API_ENDPOINT means the same
KEPTN_API_TOKEN                 the token of the Keptn API
==============================  ===========================================================
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from keptn_doctor.named_file import read_named
from keptn_doctor.network_settings import Deadlines, NetworkSettings
from keptn_doctor.probes.probe_pod_manifest import ProbeOptions
from keptn_doctor.probes.round_trip_settings import TripSettings
from keptn_doctor.secret import Secret
from keptn_doctor.targets.cluster_choice import choose_clusters
from keptn_doctor.targets.options import (
    Options,
    parse_budget,
    parse_connect_to,
    parse_duration,
    parse_endpoint,
    parse_image,
    parse_nameserver,
    parse_ndots,
    parse_proxy,
    parse_search,
)
from keptn_doctor.targets.records import ApiTarget, Targets
from keptn_doctor.targets.round_trip import trip_settings, with_room
from keptn_doctor.targets.sources import Sources
from keptn_doctor.usage import UsageError

_MAX_TOKEN = 16 * 1024  # no server takes a longer header


def resolve(
    options: Options,
    environ: Mapping[str, str],
    *,
    ask: Callable[[], str] | None = None,
    cwd: Path | None = None,
) -> Targets:
    """Everything a run will look at.

    ``ask`` asks the user for a token without showing it; it is needed with ``ask_token`` only.
    ``cwd`` is where ``keptn-doctor.yaml`` is looked for.

    Raises:
        UsageError: one line that says what is wrong, where, and what to do.
    """
    sources = Sources(options, environ, cwd or _current_folder())
    api = _api(sources, ask)
    chosen = choose_clusters(sources, has_api=bool(api and api.endpoint))
    trip = _round_trip(sources)
    return Targets(
        control_plane=chosen.control_plane,
        execution_planes=chosen.planes,
        api=api,
        network=_network(sources),
        deadlines=_deadlines(sources, trip=trip),
        log_window_s=_log_window(sources),
        probe_pod=options.probe_pod,
        probe=probe_options(options),
        active=options.probe_pod,
        round_trip=bool(options.round_trip),
        trip=trip,
        guessed=chosen.guessed,
    )


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed under the shell's feet
        return Path()


def probe_options(options: Options) -> ProbeOptions:
    """What was chosen for probe pods; raises UsageError."""
    given = [
        name
        for name, value in (
            ("--probe-image", options.probe_image),
            ("--probe-service-account", options.probe_service_account),
        )
        if value
    ]
    if given and not options.probe_pod:
        raise UsageError(f"{given[0]} is of use with --probe-pod only: add it, or drop the option")
    image = parse_image(options.probe_image, "--probe-image") if options.probe_image else ""
    return ProbeOptions(image=image, service_account=options.probe_service_account)


def _api(sources: Sources, ask: Callable[[], str] | None) -> ApiTarget | None:
    options, section = sources.options, sources.content.control_plane
    given, variable = sources.first(options.endpoint, "KEPTN_ENDPOINT", "KEPTN_API_ENDPOINT")
    endpoint = parse_endpoint(given, variable or "--endpoint") if given else ""
    if not endpoint and section and section.endpoint:
        assert sources.file is not None
        endpoint = parse_endpoint(section.endpoint, f"{sources.file.path}: control-plane.endpoint")
    token = _token(sources, ask)
    return ApiTarget(endpoint=endpoint, token=token) if endpoint or token else None


def _token(sources: Sources, ask: Callable[[], str] | None) -> Secret | None:
    """The first source that was given: prompt, file, variable, then what the file refers to."""
    options, section, environ = sources.options, sources.content.control_plane, sources.environ
    if options.ask_token and options.token_file:
        raise UsageError("--ask-token and --token-file: give one of them")
    if options.ask_token:
        if ask is None:
            raise UsageError("--ask-token needs a terminal: use --token-file or KEPTN_API_TOKEN")
        return _checked_token(ask(), "--ask-token")
    file, variable = sources.first(options.token_file, "KEPTN_DOCTOR_TOKEN_FILE")
    if file:
        return _token_of_file(file, variable or "--token-file")
    if environ.get("KEPTN_API_TOKEN", "").strip():
        return _checked_token(environ["KEPTN_API_TOKEN"], "KEPTN_API_TOKEN")
    if section and section.token_file and sources.file:
        where = f"{sources.file.path}: control-plane.token-file"
        return _token_of_file(sources.file.beside(section.token_file), where)
    if section and section.token_env and sources.file:
        if not environ.get(section.token_env, "").strip():
            raise sources.file.error(
                "control-plane.token-env", f"names {section.token_env}, which is not set"
            )
        return _checked_token(environ[section.token_env], section.token_env)
    return None


def _token_of_file(name: str, where: str) -> Secret:
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(_MAX_TOKEN + 1)
        else:
            raw = read_named(Path(name).expanduser(), most=_MAX_TOKEN + 1)
        text = raw.decode()
    except OSError as error:
        raise UsageError(f"{where}: {name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: {name} is not a text file, so it holds no token") from error
    return _checked_token(text, f"{where} {name}")


def _checked_token(text: str, where: str) -> Secret:
    """Surrounding blanks are an accident of files and clipboards; others make no valid header."""
    token = text.strip()
    if not token:
        raise UsageError(f"{where}: the token is empty")
    if len(token) > _MAX_TOKEN:
        raise UsageError(f"{where}: more than {_MAX_TOKEN >> 10} KiB is no token")
    if any(not 0x21 <= ord(c) <= 0x7E for c in token):
        raise UsageError(f"{where}: the token holds a blank, a line break or a special character")
    return Secret(token)


def _network(sources: Sources) -> NetworkSettings:
    options, section, file = sources.options, sources.content.network, sources.file
    place = f"{file.path}: network." if file else ""
    servers, where = options.nameservers, "--nameserver"
    if not servers:
        servers, where = section.nameservers, f"{place}nameservers"
    detours, detour_place = options.connect_to, "--connect-to"
    if not detours:
        detours, detour_place = section.connect_to, f"{place}connect-to"
    ca_file, ca_place = options.ca_file, "--ca-file"
    if not ca_file and file:
        ca_file, ca_place = file.beside(section.ca_file), f"{place}ca-file"
    proxy, proxy_place = options.proxy, "--proxy"
    if not proxy:
        proxy, proxy_place = section.proxy, f"{place}proxy"
    return NetworkSettings(
        nameservers=tuple(parse_nameserver(text, where) for text in servers),
        search=tuple(parse_search(text, f"{place}search") for text in section.search),
        ndots=parse_ndots(section.ndots, f"{place}ndots"),
        connect_to=tuple(parse_connect_to(text, detour_place) for text in detours),
        trust_ca_file=_authorities(ca_file, ca_place),
        proxy=parse_proxy(proxy, proxy_place) if proxy else "",
    )


def _authorities(name: str, where: str) -> str:
    path = Path(name).expanduser()
    if not name:
        return ""
    if not path.is_file():
        raise UsageError(f"{where}: there is no file {name}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise UsageError(f"{where}: {name} holds no certificates in PEM form") from error
    except OSError as error:
        raise UsageError(f"{where}: {name} cannot be read: {error.strerror}") from error
    return str(path)


def _round_trip(sources: Sources) -> TripSettings:
    section, file = sources.content.round_trip, sources.file
    where = str(file.path) if file else ""
    wanted = sources.options.round_trip == "service" and section.upstream is not None
    token = _upstream_token(sources) if wanted else None
    return trip_settings(sources.options, section, where=where, token=token)


def _upstream_token(sources: Sources) -> Secret | None:
    section, file = sources.content.round_trip.upstream, sources.file
    if section is None or file is None:
        return None
    if section.token_file:
        where = f"{file.path}: round-trip.upstream.token-file"
        return _token_of_file(file.beside(section.token_file), where)
    if not section.token_env:
        return None
    value = sources.environ.get(section.token_env, "")
    if not value.strip():
        what = f"names {section.token_env}, which is not set"
        raise file.error("round-trip.upstream.token-env", what)
    return _checked_token(value, section.token_env)


def _deadlines(sources: Sources, *, trip: TripSettings) -> Deadlines:
    options, section, usual = sources.options, sources.content.timeouts, Deadlines()

    def limit(name: str, option: float | None, configured: float | None, default: float) -> float:
        value = option if option is not None else configured
        if value is None:
            return default
        if not 0 < value < 86_400:
            raise UsageError(f"{name}: {value:g} s is no sensible time limit")
        return value

    wanted = bool(options.round_trip)
    longer_s = usual.run_s + (trip.whole_s if wanted else 0.0)
    run_s = limit("timeout", options.timeout, section.run, longer_s)
    return Deadlines(
        connect_s=limit(
            "connect timeout", options.connect_timeout, section.connect, usual.connect_s
        ),
        request_s=limit(
            "request timeout", options.request_timeout, section.request, usual.request_s
        ),
        kube_s=limit("Kubernetes timeout", options.kube_timeout, section.kubernetes, usual.kube_s),
        run_s=with_room(run_s, trip, wanted=wanted),
        budget_s=parse_budget(options.budget),
    )


def _log_window(sources: Sources) -> float:
    if sources.options.log_window:
        return parse_duration(sources.options.log_window, "--log-window")
    if sources.content.log_window and sources.file:
        where = f"{sources.file.path}: log-window"
        return parse_duration(sources.content.log_window, where)
    return Targets().log_window_s
