"""Every host, verb and object that a run would touch, before it touches anything.

Only the user's own files are read for it: no credential plugin runs, no name is looked up. What
only discovery can tell (which Keptn services there are, which endpoint each of them calls) stands
there in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from keptn_doctor.model.base import Record
from keptn_doctor.probes.kube_config import Kubeconfig, read_kubeconfig
from keptn_doctor.probes.probe_pod_manifest import SHOWN_PATH
from keptn_doctor.probes.round_trip_settings import TripSettings
from keptn_doctor.probes.round_trip_writes import EVENTS, NO_SEQUENCE, OWN_PREFIX, PROJECTS
from keptn_doctor.rights.needed import Need, Role, needs
from keptn_doctor.targets.records import ClusterTarget, Targets

_EVERY = "every namespace"
_READ_BACK = "/mongodb-datastore/event and the project, with the token"


class PlanLine(Record, frozen=True, kw_only=True):
    """One thing that the run would do."""

    host: str  # "kubernetes.example.com:6443", or where it runs when that is this machine
    verb: str  # Kubernetes verb, or resolve, connect, GET, run
    object: str
    why: str = ""


def plan(targets: Targets, environ: Mapping[str, str]) -> tuple[PlanLine, ...]:
    """The lines in the order of the run; raises UsageError when a kubeconfig cannot be read."""
    lines: list[PlanLine] = []
    if targets.control_plane:
        lines += _cluster(targets, targets.control_plane, "control-plane", environ)
    for plane in targets.execution_planes:
        lines += _cluster(targets, plane, "execution-plane", environ)
    lines += _endpoint(targets)
    if targets.round_trip:
        lines += _round_trip(targets.trip)
    if targets.probe_pod:
        lines += _from_probe_pods()
    return tuple(dict.fromkeys(lines))


def _cluster(
    targets: Targets, target: ClusterTarget, role: Role, environ: Mapping[str, str]
) -> Iterator[PlanLine]:
    host, plugin = _host(target, environ)
    if plugin:
        yield PlanLine(
            host="this machine", verb="run", object=plugin, why="the kubeconfig's credential plugin"
        )
    review = "selfsubjectrulesreviews and selfsubjectaccessreviews"
    yield PlanLine(host=host, verb="create", object=review, why="ask what may be read")
    yield PlanLine(host=host, verb="get", object="/version and /apis", why="know the cluster")
    for need in needs(role, active=targets.active):
        yield PlanLine(host=host, verb=need.verb, object=_object(need, target, role), why=need.why)


def _object(need: Need, target: ClusterTarget, role: Role) -> str:
    named = " ".join((need.resource, *need.names))
    if need.cluster:
        return f"{named} in the whole cluster"
    usual = "the control plane's namespace" if role == "control-plane" else _EVERY
    where = " and ".join(target.namespaces)
    return f"{named} in {f'namespace {where}' if where else usual}"


def _host(target: ClusterTarget, environ: Mapping[str, str]) -> tuple[str, str]:
    """Host and port of the API server, and the credential plugin that would run."""
    if target.in_cluster:
        host, port = (environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
        return f"{host}:{port or 443}", ""
    config = read_kubeconfig(target.kubeconfig, environ)
    if config is None:
        return "?", ""
    context = config.context(target.context)
    return _server(config, context.body), _plugin(config, context.body)


def _server(config: Kubeconfig, context: Mapping[str, object]) -> str:
    cluster = config.clusters.get(str(context.get("cluster")))
    parts = urlsplit(str(cluster.body.get("server") or "")) if cluster else urlsplit("")
    return f"{parts.hostname or '?'}:{parts.port or (80 if parts.scheme == 'http' else 443)}"


def _plugin(config: Kubeconfig, context: Mapping[str, object]) -> str:
    user = config.users.get(str(context.get("user")))
    section = user.body.get("exec") if user else None
    return str(section.get("command") or "") if isinstance(section, dict) else ""


def _from_probe_pods() -> Iterator[PlanLine]:
    host = "from probe pods: every KEPTN_API_ENDPOINT whose service needs one"
    yield PlanLine(host=host, verb="resolve", object="as the service's pod does")
    yield PlanLine(host=host, verb="connect", object="TCP, and TLS for https")
    yield PlanLine(host=host, verb="GET", object=SHOWN_PATH, why="without a token")


def what_round_trips_leave(targets: Targets) -> str:
    """What stays of them, or may be made meanwhile, as the end of "It may ..."."""
    trip = targets.trip
    if trip.level == "datastore":
        return "leave one event in Keptn for good"
    if trip.level == "controller":
        return (
            f"leave one failed sequence {NO_SEQUENCE} in project {trip.project}, stage "
            f"{trip.stage}, for good"
        )
    made = "make a Keptn project of its own for each round trip, and remove it"
    return f"{made}, but not its shipyard in {trip.upstream.url}" if trip.upstream else made


def _round_trip(trip: TripSettings) -> Iterator[PlanLine]:
    host = "the control plane's endpoint"
    look = PlanLine(host=host, verb="GET", object=_READ_BACK, why="look for what comes of it")
    if trip.level == "datastore":
        why = "send one event that nobody acts on, and look for it again"
        yield PlanLine(host=host, verb="POST", object=EVENTS, why=why)
        yield look
        return
    if trip.level == "controller":
        where = f"project {trip.project}, stage {trip.stage}, service {trip.service}"
        why = f"ask {where} for a sequence that it does not have"
        yield PlanLine(host=host, verb="POST", object=EVENTS, why=why)
        yield look
        return
    whom = " and ".join(trip.keptn_services) or "the one Keptn service with a harmless task"
    own = f"{PROJECTS}/{OWN_PREFIX}*"
    yield PlanLine(host=host, verb="POST", object=PROJECTS, why=f"a project of its own: {own}")
    yield PlanLine(host=host, verb="POST", object=f"{own}/service", why="a service in it")
    job = "its resource job/config.yaml"
    why = "a job without tasks, for a job-executor-service alone"
    yield PlanLine(host=host, verb="POST", object=job, why=why)
    yield PlanLine(host=host, verb="POST", object=EVENTS, why=f"start its one task, for {whom}")
    yield look
    yield PlanLine(host=host, verb="DELETE", object=own, why="remove the project")


def _endpoint(targets: Targets) -> Iterator[PlanLine]:
    given = targets.api.endpoint if targets.api else ""
    parts = urlsplit(given)
    host = (
        f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        if given
        else "the control plane's address, as discovery finds it"
    )
    hosts = [host, "every other KEPTN_API_ENDPOINT that discovery finds"]
    for name in hosts:
        yield PlanLine(host=name, verb="resolve", object="A and AAAA", why="the first rung")
        yield PlanLine(host=name, verb="connect", object="TCP, and TLS for https")
        yield PlanLine(host=name, verb="GET", object="Keptn's routes without a token")
    if targets.api and targets.api.token:
        yield PlanLine(
            host=host,
            verb="GET",
            object="metadata, auth, registrations, projects, sequences, open events, log, and "
            "the last events of each Keptn service; with the token",
            why="the control plane's own view",
        )
