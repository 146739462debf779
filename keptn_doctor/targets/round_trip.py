"""What the options and the configuration file say of round trips; a file alone starts none."""

from __future__ import annotations

import re

from keptn_doctor.probes.round_trip_settings import Level, TripSettings, Upstream
from keptn_doctor.secret import Secret
from keptn_doctor.targets.config_file import RoundTripSection
from keptn_doctor.targets.options import Options, parse_endpoint
from keptn_doctor.usage import UsageError

_OF_LEVEL = {
    "--project": "controller",
    "--stage": "controller",
    "--service": "controller",
    "--keptn-service": "service",
    "--allow-deploying": "service",
}
_SHORTEST_S, _LONGEST_S = 1.0, 1800.0
_SERVICE = re.compile(r"[^/\s]+(/[^/\s]+){0,2}")


def trip_settings(
    options: Options, section: RoundTripSection, *, where: str = "", token: Secret | None = None
) -> TripSettings:
    """The settings of a run's round trips; raises UsageError.

    ``section`` stands in the file ``where``; ``token`` is that of its Git upstream, read already.
    """
    _refuse_misplaced(options)
    level: Level = options.round_trip or "datastore"
    settings = TripSettings(
        level=level,
        project=options.project or section.project,
        stage=options.stage or section.stage,
        service=options.service or section.service,
        keptn_services=options.keptn_services or section.keptn_services,
        allow_deploying=options.allow_deploying,
        timeout_s=_timeout(options, section, where),
        upstream=_upstream(section, where, token),
    )
    if level == "controller":
        _refuse_half_a_place(settings)
    for name in settings.keptn_services:
        if not _SERVICE.fullmatch(name):
            raise UsageError(f"--keptn-service: {name} is not of the form [PLANE/][NAMESPACE/]NAME")
    return settings


def _refuse_misplaced(options: Options) -> None:
    given = {
        "--project": options.project,
        "--stage": options.stage,
        "--service": options.service,
        "--keptn-service": options.keptn_services,
        "--allow-deploying": options.allow_deploying,
    }
    for name, value in given.items():
        if value and options.round_trip != _OF_LEVEL[name]:
            raise UsageError(f"{name} is of use with --round-trip={_OF_LEVEL[name]} only")
    if options.round_trip_timeout is not None and not options.round_trip:
        raise UsageError("--round-trip-timeout is of use with --round-trip only")


def _refuse_half_a_place(settings: TripSettings) -> None:
    place = {
        "--project": settings.project,
        "--stage": settings.stage,
        "--service": settings.service,
    }
    missing = [name for name, value in place.items() if not value]
    if missing:
        raise UsageError(
            f"--round-trip=controller leaves one failed sequence, so it must be told where: "
            f"{' and '.join(missing)} missing"
        )


def _timeout(options: Options, section: RoundTripSection, where: str) -> float:
    value, place = options.round_trip_timeout, "--round-trip-timeout"
    if value is None:
        value, place = section.timeout, f"{where}: round-trip.timeout"
    if value is None:
        return 0.0
    if not _SHORTEST_S <= value <= _LONGEST_S:
        raise UsageError(f"{place}: {value:g} s is not between {_SHORTEST_S:g} and {_LONGEST_S:g}")
    return value


def _upstream(section: RoundTripSection, where: str, token: Secret | None) -> Upstream | None:
    if section.upstream is None:
        return None
    place = f"{where}: round-trip.upstream.url"
    # A repository's URL has the form of an endpoint; user and password have fields of their own.
    url = parse_endpoint(section.upstream.url, place)
    return Upstream(url=url, user=section.upstream.user, token=token)


def with_room(run_s: float, trip: TripSettings, *, wanted: bool) -> float:
    """The limit of a run that has to hold its round trips too; raises UsageError when it cannot.

    The one to the datastore takes a second as a rule, whatever its limit.
    """
    trip_s = trip.whole_s if wanted and trip.level != "datastore" else 0.0
    if run_s < trip_s:
        raise UsageError(
            f"the run may take {run_s:g} s, and its round trips up to {trip_s:g} s: give it more "
            "with --timeout, or the round trips less with --round-trip-timeout"
        )
    return run_s
