"""Who was heard on one Keptn service, what each says, and what it means when they disagree.

The service's own requests, the control plane's record of it, its log, its health endpoint and a
probe pod are witnesses of one connection. Each can be wrong in a known way, so a disagreement is
evidence of its own: it names which one, and what that implies. Pure; decides no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator

from keptn_doctor.judgement.attribution import spoken_age
from keptn_doctor.judgement.evidence import ServiceEvidence
from keptn_doctor.judgement.evidence_table_words import only
from keptn_doctor.model.keptn_facts import LogMatch
from keptn_doctor.model.report import Says, Witness, WitnessName
from keptn_doctor.reading.log import ongoing


def heard(e: ServiceEvidence) -> tuple[Witness, ...]:
    """The witnesses that were heard, the strongest first."""
    return tuple(_witnesses(e))


def _witnesses(e: ServiceEvidence) -> Iterator[Witness]:
    place = f"inside:{e.service.plane}/{e.service.namespace}"
    if e.local:
        statuses = ", ".join(str(local.registration.status) for local in e.local)
        says: Says = "works" if only(e, "ok", "no-uniform") else "fails"
        if says == "fails" and "ok" in e.answers:
            says = "in part"
        yield Witness(
            who="own request", says=says, words=f"answered {statuses}",
            vantage=f"{place}/{e.local[0].pod}",
        )  # fmt: skip
    yield from _control_plane(e)
    if e.logs:
        told = ongoing(e.logs)
        yield Witness(
            who="log", says="fails" if told else "nothing",
            words=_in_short(told[0]) if told else "no fault in it",
            vantage=f"{place}/{e.logs[0].pod}",
        )  # fmt: skip
    if e.health:
        registered = e.health[0].status == 200
        yield Witness(
            who="health endpoint", says="works" if registered else "fails",
            words=f"answered {e.health[0].status}", vantage=f"{place}/{e.health[0].pod}",
        )  # fmt: skip
    if e.probes:
        stop = e.probes[0].stopped_at
        yield Witness(
            who="probe pod", says="fails" if stop else "works",
            words=f"stopped at {stop}" if stop else "reaches the endpoint",
            vantage=f"{place}/{e.probes[0].pod}",
        )  # fmt: skip


def _in_short(match: LogMatch) -> str:
    times = f", {match.count} times" if match.count > 1 else ""
    return f"{match.event}: {match.cause or match.signature}{times}"


def _control_plane(e: ServiceEvidence) -> Iterator[Witness]:
    if e.listing is None:
        return
    record = e.record.integration
    if record is None:
        yield Witness(
            who="control plane", says="fails", words="knows no registration of it",
            vantage="control plane",
        )  # fmt: skip
        return
    shared = e.record.strength == "shared"
    alive = e.fresh.state == "fresh" and not shared
    dead = e.fresh.state == "stale"
    whose = " of a registration that others use as well" if shared else ""
    yield Witness(
        who="control plane", says="works" if alive else "fails" if dead else "nothing",
        words=f"last heartbeat{whose} {spoken_age(e.fresh.age_s)} ago", vantage="control plane",
    )  # fmt: skip


def disagreement(e: ServiceEvidence, witnesses: tuple[Witness, ...]) -> str:
    """One sentence on which witness stands against which, and what follows; "" when none does."""
    says: dict[WitnessName, str] = {witness.who: witness.says for witness in witnesses}
    own, plane, log = (says.get(who, "") for who in ("own request", "control plane", "log"))
    if own == "fails" and plane == "works":
        return _deaf(e)
    if own == "fails" and e.fresh.state == "fresh" and e.record.strength == "shared":
        return (
            "Its own requests fail while the shared registration is alive: the heartbeats are "
            f"those of {', '.join(e.record.sharers) or 'another service'}."
        )
    if own == "works" and plane == "fails":
        return _unregistered(e)
    if own == "works" and log == "fails":
        return (
            "Its own requests work while its log tells of failures: what fails is another call "
            "(registration, heartbeat, sending), or it has just come right."
        )
    if says.get("health endpoint") == "works" and plane == "fails":
        return (
            "Its health endpoint says registered while no heartbeat arrives: that answer tells "
            "of the start of the process, not of now."
        )
    if says.get("probe pod") == "fails" and plane == "works":
        return (
            "A probe pod does not get through while heartbeats arrive: the way was cut just now, "
            "or the service goes another way than its network settings say."
        )
    if says.get("probe pod") == "works" and "works" not in (own, plane) and "fails" in (own, plane):
        return (
            "A probe pod beside it gets through and the service does not: look at the service "
            "itself (token, path, process), not at the network."
        )
    return ""


def _deaf(e: ServiceEvidence) -> str:
    if not e.service.behaviour.verifies_tls_on_registration and (
        e.service.behaviour.verifies_tls_on_poll
    ):
        return (
            "Its heartbeats arrive and its own requests do not: this client verifies certificates "
            "and uses proxies for its polls only."
        )
    return (
        "Its own requests fail now and a heartbeat came through a short time ago: it broke just "
        "now, or not every request fails."
    )


def _unregistered(e: ServiceEvidence) -> str:
    if e.record.lost_id:
        return (
            "Its own requests work, but the registration it was given is gone: somebody deleted "
            "it, the database was reset, or it lapsed."
        )
    if e.record.integration is None:
        return "Its own requests work, but it has not registered: only the registration is missing."
    return (
        "Its own requests work, but no heartbeat arrives: what is listed is of an earlier run, or "
        "what sends heartbeats takes another way than the polls."
    )
