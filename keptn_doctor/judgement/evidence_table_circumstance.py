"""Rows of the evidence table for a service whose own requests could not be looked at.

Its heartbeat, its log, its health endpoint and its pods speak in their place. "connected" needs a
heartbeat that is alive now and that something of the service itself confirms.
"""

from __future__ import annotations

from keptn_doctor.judgement.attribution import spoken_age
from keptn_doctor.judgement.evidence import SETTLED_S, ServiceEvidence
from keptn_doctor.judgement.evidence_table_words import (
    NO_WAY_OUT,
    Ruling,
    from_log,
    heartbeat,
    inside,
    next_look,
    only,
    settled,
)
from keptn_doctor.reading.log import ongoing, troubles
from keptn_doctor.reading.round_trip import hop_of

DUE_BEATS = 2.5  # one may have been lost, and one may be under way
YOUNG_S = 20.0  # no reason for doubt, whatever the interval


def health_says_unregistered(e: ServiceEvidence) -> Ruling | None:
    if not any(health.status == 412 for health in e.health) or not settled(e):
        return None
    return Ruling(
        connection="disconnected",
        because="Its health endpoint says that it is not registered (412).",
        proof=f"/health of pod {e.health[0].pod}",
        vantage=f"inside:{e.service.plane}/{e.service.namespace}/{e.health[0].pod}",
    )


def log_says_failing(e: ServiceEvidence) -> Ruling | None:
    if e.local or e.alive:
        return None
    found = ongoing(
        e.logs, event=("not_registered", "heartbeat", "crash_exit", "bad_env", "bad_endpoint"),
    ) or ongoing(e.logs, event="poll", cause=NO_WAY_OUT)  # fmt: skip
    return from_log(e, found, "It does not get through to the control plane")


def beats_missing(e: ServiceEvidence) -> Ruling | None:
    """A record stays young for two minutes, a client that was cut off goes on running as long."""
    beat = e.fresh.age_s
    if e.local or not e.alive or beat is None:
        return None
    if beat <= max(YOUNG_S, DUE_BEATS * e.service.behaviour.heartbeat_interval_s):
        return None
    return Ruling(
        connection="unknown",
        because=f"Its last heartbeat came {spoken_age(beat)} ago, where one is due every "
        f"{e.service.behaviour.heartbeat_interval_s} s: some are missing.",
        next_step=next_look(e) or "Run the check again in a minute.",
    )


def indirect(e: ServiceEvidence) -> Ruling | None:
    """No look through its own path was possible, but its heartbeat is alive and its own."""
    if e.local or not e.alive:
        return None
    healthy = any(health.status == 200 for health in e.health)
    link = "the id in its log" if e.record.strength == "id-in-log" else "its name, used only here"
    if not (e.logs or healthy or _would_have_ended(e)):
        return None  # a namesake in a cluster that nobody looks at may send the heartbeats
    seen = "its health endpoint says so too" if healthy else "judged by its heartbeat only"
    return Ruling(
        connection="connected",
        because=f"Its heartbeat is alive, linked to it by {link}.",
        proof=f"{heartbeat(e)}; {seen}",
        vantage=inside(e) if healthy else "control plane",
    )


def _would_have_ended(e: ServiceEvidence) -> bool:
    """It has run for a while, and is of a version that ends itself when heartbeats fail.

    That takes a minute or two, in which another can send them: the gateway's log would show both.
    """
    settled_for = e.age_s is not None and e.age_s >= SETTLED_S
    ends = e.service.behaviour.known and e.service.behaviour.exits_when_heartbeat_fails
    return settled_for and ends and e.beats_alone is not False and e.leads_here is not False


def answered_an_event(e: ServiceEvidence) -> Ruling | None:
    """A task was sent to it in this run, and started and finished under its name alone.

    It fetched the task from the control plane that was named, and its answers arrived there: that
    proves what a look through its own path would. Two of one name prove it for neither.
    """
    if e.trip is None or e.service.namesakes or e.record.sharers:
        return None
    started, finished = hop_of(e.trip, "picked-up"), hop_of(e.trip, "finished")
    if started is None or finished is None or (started.state, finished.state) != ("ok", "ok"):
        return None
    return Ruling(
        connection="connected",
        because="It started and finished a task that was sent to it in this run.",
        proof=f"round trip: .started after {started.seconds:.1f} s, .finished after "
        f"{finished.seconds:.1f} s more",
        vantage="control plane",
    )


def whose_control_plane(e: ServiceEvidence) -> Ruling | None:
    """It works; but two Keptns can look alike, and nothing leads from it to the one named."""
    works = only(e, "ok") or any(health.status == 200 for health in e.health)
    if not works or e.listing is not None or e.leads_here is not False:
        return None
    return Ruling(
        connection="unknown",
        because=f"It is connected to a control plane at {e.service.endpoint}, and nothing shows "
        "that this is the one that was named.",
        next_step=next_look(e) or "Give the control plane's API token with --token.",
    )


def health_and_silence(e: ServiceEvidence) -> Ruling | None:
    """The list of integrations cannot be read; the SDK says that it is registered.

    It ends itself when ten heartbeats or polls fail, and tells each failure in its log; so one
    that has run for a while, healthy and without a complaint, is connected.
    """
    healthy = any(health.status == 200 for health in e.health)
    settled_for = e.age_s is not None and e.age_s >= SETTLED_S
    if not healthy or e.listing is not None or not e.logs or not settled_for:
        return None
    if not e.service.behaviour.exits_when_heartbeat_fails or troubles(e.logs):
        return None
    return Ruling(
        connection="connected",
        because="It says that it is registered, and has complained of nothing since.",
        proof=f"/health of pod {e.health[0].pod} answered 200; no failure in its log",
        vantage=inside(e),
    )


def shared_and_unseen(e: ServiceEvidence) -> Ruling | None:
    if e.local or e.record.strength != "shared":
        return None
    return Ruling(
        connection="unknown",
        because=f"A heartbeat is alive, but {', '.join(e.record.sharers)} uses the same "
        "registration and nothing tells whose it is.",
        next_step=next_look(e),
    )


def nothing_to_go_by(e: ServiceEvidence) -> Ruling:
    seen = [
        words
        for known, words in (
            (only(e, "ok"), "its own requests are answered"),
            (e.health and e.health[0].status == 200, "its health endpoint is fine"),
            (e.client_runs, "its client runs"),
        )
        if known
    ]
    known_part = f"{', '.join(seen)}; but " if seen else ""
    because = f"{known_part}nothing proves that it is connected, and nothing that it is not."
    return Ruling(
        connection="unknown",
        because=because[0].upper() + because[1:],
        next_step=next_look(e),
    )
