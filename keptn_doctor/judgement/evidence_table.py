"""The table from evidence to verdict for one Keptn service, read from the top; first match wins.

Rows on what the service's own requests come to stand first, because they are the service's own;
then what its registration says; then its log alone. "connected" needs positive proof in every row
that says so, and the last row is "unknown". What the findings add is joined in ``decide``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from keptn_doctor.judgement import evidence_table_circumstance as circumstance
from keptn_doctor.judgement import evidence_table_requests as requests
from keptn_doctor.judgement.attribution import spoken_age
from keptn_doctor.judgement.evidence import ServiceEvidence
from keptn_doctor.judgement.evidence_table_words import (
    NO_WAY_OUT,
    Ruling,
    from_log,
    heartbeat,
    inside,
    last_heartbeat,
    next_look,
    only,
    own_request,
    restarted_lately,
    settled,
    since_restart,
)
from keptn_doctor.model.findings import Layer
from keptn_doctor.reading.log import ongoing, quoted, troubles

_READ_APART_S = 10.0  # two ages of one report: listing and pods are read at moments that lie apart
BACKED_OFF_S = 600.0  # the kubelet waits up to five minutes between two starts
NEVER_BEGAN = ("ErrImage", "ImagePull", "InvalidImage", "CreateContainer")
STARTING_S = 60.0  # registration, and the first heartbeat ten seconds after it
_POLLABLE = re.compile(r"^sh\.keptn\.event\.[^.*>]+\.triggered$")


class Row(msgspec.Struct, frozen=True):
    """One row: its id, the rung it speaks of, when it applies, the function that decides."""

    id: str
    layer: Layer  # where the path breaks when the row says that it does
    when: str
    rule: Callable[[ServiceEvidence], Ruling | None]


def rule_on(evidence: ServiceEvidence) -> tuple[Row, Ruling]:
    """The first row that applies, and its ruling."""
    for row in TABLE:
        ruling = row.rule(evidence)
        if ruling is not None:
            return row, ruling
    raise AssertionError("the last row applies to everything")


# ------------------------------------------------------------------ the workload


def _starting(e: ServiceEvidence) -> Ruling | None:
    ages = [(e.now - pod.created_at).total_seconds() for pod in e.pods if pod.created_at]
    if not ages or len(ages) < len(e.pods) or max(ages) >= STARTING_S or e.fresh.state == "fresh":
        return None
    if e.local and not only(e, "ok"):
        return None
    if any(c.reason.startswith(NEVER_BEGAN) for c in (*e.clients, *e.workers)):
        return None
    return Ruling(
        connection="unknown",
        because=f"Its pod is {max(ages):.0f} s old and may still be starting.",
        next_step="Run the check again in a minute.",
    )


def _client_not_running(e: ServiceEvidence) -> Ruling | None:
    if e.workload is None or e.client_runs:
        return None
    if not e.clients and any(pod.phase == "Running" for pod in e.pods):
        return None  # the container is not known by name
    if e.record.integration and e.record.strength != "shared" and _came_back_lately(e):
        return Ruling(
            connection="degraded",
            because="Its client keeps stopping: it is not running now, but sent a heartbeat "
            f"{spoken_age(e.fresh.age_s)} ago.",
            proof=heartbeat(e),
            vantage="control plane",
        )
    return Ruling(
        connection="disconnected",
        because=_why_not_running(e),
        proof="state of its pods",
        vantage="Kubernetes API",
    )


def _never_started(e: ServiceEvidence) -> Ruling | None:
    """The sidecar runs and may even register, but the service itself is not there at all."""
    waiting = [c for c in e.workers if c.state == "waiting" and c.reason.startswith(NEVER_BEGAN)]
    if not e.workers or len(waiting) < len(e.workers):
        return None
    return Ruling(
        connection="disconnected",
        because=f"{waiting[0].name} itself has never started ({waiting[0].reason}); only its "
        "sidecar runs.",
        proof="state of its pods",
        vantage="Kubernetes API",
    )


def _came_back_lately(e: ServiceEvidence) -> bool:
    """It ran before, and its heartbeat comes from one of its last runs."""
    beat = e.fresh.age_s
    backs_off = any(c.reason == "CrashLoopBackOff" for c in e.clients)
    if beat is None or not (backs_off or any(c.restarts for c in e.clients)):
        return False
    starts = [c.last_started_at for c in e.clients if c.last_started_at]
    if starts and beat > (e.now - min(starts)).total_seconds() + _READ_APART_S:
        return False  # from before its last run, which never got through
    return e.alive or (backs_off and beat <= BACKED_OFF_S)


def _why_not_running(e: ServiceEvidence) -> str:
    name = e.service.container or e.service.name
    if e.workload is not None and e.workload.desired == 0:
        return f"{e.service.workload_kind} {e.service.name} is scaled to zero: nothing runs."
    if not e.pods:
        return f"{e.service.workload_kind} {e.service.name} has no pod."
    reasons = sorted({c.reason for c in e.clients if c.reason} or {p.phase for p in e.pods})
    return f"No pod has a running container {name} ({', '.join(reasons)})."


def _nats_without_control_plane(e: ServiceEvidence) -> Ruling | None:
    if e.service.mode != "nats" or e.beside_control_plane is not False:
        return None
    return Ruling(
        connection="disconnected",
        because="KEPTN_API_ENDPOINT is not set, so it looks for a control plane inside its own "
        "cluster, where there is none.",
        proof="its environment, and the identities of both clusters",
        vantage="Kubernetes API",
    )


def _nats_failing(e: ServiceEvidence) -> Ruling | None:
    if e.service.mode != "nats" or e.fresh.state == "fresh":
        return None
    return from_log(
        e, troubles(e.logs, event=("nats_mode", "not_registered", "heartbeat", "crash_exit")),
        "It looks for the control plane inside its own cluster and does not get through",
    )  # fmt: skip


# ----------------------------------------------------------- its registration


def _registration_off(e: ServiceEvidence) -> Ruling | None:
    service = e.service
    off = service.registration_disabled or not (
        service.integration_name and service.integration_namespace
    )
    if not off or not e.names_known or service.client == "sdk" or service.mode == "nats":
        return None
    if service.behaviour.polls_without_registration:
        return None
    if e.local and not only(e, "ok"):
        return None
    return Ruling(
        connection="disconnected",
        because="It does not register, and without a registration this client polls nothing.",
        proof="its environment",
        vantage="Kubernetes API",
    )


def _record_absent(e: ServiceEvidence) -> Ruling | None:
    if e.listing is None or e.record.integration or not settled(e) or e.service.mode == "nats":
        return None  # in NATS mode a client works unregistered
    if not e.record.lost_id and not (e.names_known and e.service.integration_name):
        return None
    if not (only(e, "ok") or not e.local):
        return None
    if e.record.lost_id:
        because = (
            f"Its registration {e.record.lost_id[:12]} is no longer known to the control plane."
        )
    else:
        because = "The control plane has no registration of it."
    if e.service.behaviour.polls_without_registration:
        if not only(e, "ok"):
            return None
        if not e.service.registration_disabled:
            return own_request(e, "degraded", because)
        if not any(_POLLABLE.match(topic) for topic in e.service.topics):
            return own_request(e, "degraded", "PUBSUB_TOPIC names nothing that it could poll.")
        return own_request(e, "connected", "It polls without being registered, as set.")
    return Ruling(
        connection="disconnected",
        because=because,
        proof=f"list of {len(e.listing.integrations)} integrations",
        vantage="control plane",
    )


def _identity_shared(e: ServiceEvidence) -> Ruling | None:
    if not only(e, "ok") or e.record.strength != "shared":
        return None
    return own_request(
        e, "degraded",
        f"Its registration is shared with {', '.join(e.record.sharers)}: both get the same "
        "subscriptions, and no heartbeat can be told to be its own.",
    )  # fmt: skip


def _stale(e: ServiceEvidence) -> Ruling | None:
    if e.fresh.state != "stale" or not settled(e) or not (only(e, "ok") or not e.local):
        return None
    if e.service.behaviour.polls_without_registration and only(e, "ok"):
        return own_request(e, "degraded", f"It polls, but {last_heartbeat(e)}.")
    return Ruling(
        connection="disconnected",
        because=f"It runs, but {last_heartbeat(e)}.",
        proof=heartbeat(e),
        vantage="control plane",
        next_step="" if e.logs else next_look(e),
    )


def _hears_nothing(e: ServiceEvidence) -> Ruling | None:
    """Alive and authenticated, but no event can come: there is nothing that it may poll."""
    record = e.record.integration
    if not e.alive or record is None or not (only(e, "ok") or not e.local):
        return None
    if e.service.behaviour.polls_without_registration:
        wanted = e.service.topics
        what = "PUBSUB_TOPIC names nothing that can be polled"
    else:
        wanted = tuple(s.event for s in record.subscriptions)
        what = "it has no subscription" if not wanted else "none of its subscriptions can be polled"
    if e.service.mode == "nats" or any(_POLLABLE.match(topic) for topic in wanted):
        return None
    return Ruling(
        connection="degraded",
        because=f"It is connected but will receive nothing: {what}.",
        proof=heartbeat(e),
        vantage="control plane",
    )


def _flapping(e: ServiceEvidence) -> Ruling | None:
    if not e.alive or not (only(e, "ok") or not e.local):
        return None
    hot = [c for c in e.clients if restarted_lately(c, e)]
    if not hot:
        return None
    return Ruling(
        connection="degraded",
        because=f"It is connected now, but its client was restarted {hot[0].restarts} times, last "
        f"{spoken_age(since_restart(hot[0], e))} ago.",
        proof=heartbeat(e),
        vantage="control plane",
    )


def _troubled(e: ServiceEvidence) -> Ruling | None:
    """Authenticated and alive, while the log tells of polls, results or heartbeats that fail."""
    if not e.alive or not (only(e, "ok") or not e.local):
        return None
    deaf = ongoing(e.logs, event="poll", cause=NO_WAY_OUT)
    if deaf and not e.local:
        return from_log(e, deaf, "It is registered but deaf: its polls fail")
    found = troubles(e.logs, event=("poll", "send", "heartbeat", "local_delivery"))
    if not found:
        return None
    return Ruling(
        connection="degraded",
        because="It is connected, but its log tells of requests that fail.",
        proof=f"{heartbeat(e)}; log of its pod: {quoted(found[0])}",
        vantage=inside(e),
    )


def _proven(e: ServiceEvidence) -> Ruling | None:
    if not only(e, "ok") or not e.record.integration or e.record.strength == "shared":
        return None
    known_alive = e.fresh.state == "fresh"
    times_kept = e.record.integration.last_seen is not None  # not before control plane 0.8.7
    if not known_alive and times_kept:
        return None
    return own_request(e, "connected", "Its own requests are answered and its heartbeat is alive.")


def _some_other_control_plane(e: ServiceEvidence) -> Ruling | None:
    """It works with a control plane, but the one that was named is not where it was named to be."""
    works = only(e, "ok") or any(health.status == 200 for health in e.health)
    if not works or e.listing is not None or not e.control_plane_absent:
        return None
    return Ruling(
        connection="unknown",
        because="It is connected to a control plane, but the one that was named was not found "
        f"({e.control_plane_absent}).",
        next_step="Name the cluster and namespace of the control plane and run again.",
    )


def _proven_by_itself(e: ServiceEvidence) -> Ruling | None:
    """The list of integrations cannot be read by the operator, but the service itself reads it."""
    if not only(e, "ok") or e.listing is not None or not e.logs:
        return None
    listed = {key for local in e.local for key in local.integrations}
    printed = {key for log in e.logs for key in log.registration_ids}
    if not (listed & printed or e.service.behaviour.polls_without_registration):
        return None
    found = troubles(e.logs)
    if found:
        ruling = own_request(
            e, "degraded", "Its own requests are answered, but its log tells of others that fail."
        )
        return replace(ruling, proof=f"{ruling.proof}; log of its pod: {quoted(found[0])}")
    return own_request(
        e, "connected",
        "Its own requests are answered, its registration is listed and its log shows no fault.",
    )  # fmt: skip


TABLE: tuple[Row, ...] = (
    Row("starting", Layer.WORKLOAD, "the pod is younger than a minute", _starting),
    Row("client-not-running", Layer.WORKLOAD, "no pod has a running client", _client_not_running),
    Row("never-started", Layer.WORKLOAD, "only the sidecar was ever started", _never_started),
    Row(
        "nats-elsewhere",
        Layer.CONFIGURATION,
        "NATS mode, no control plane here",
        _nats_without_control_plane,
    ),
    Row("nats-failing", Layer.CONNECT, "NATS mode, and the log says it fails", _nats_failing),
    Row("token-refused", Layer.AUTH, "own request: 401", requests.token_refused),
    Row("path-wrong", Layer.HTTP, "own request: 404 or 405", requests.path_wrong),
    Row("not-keptn", Layer.HTTP, "own request: answered, not by Keptn", requests.not_keptn),
    Row("never-arrived", Layer.HTTP, "own request: nobody was reached", requests.never_arrived),
    Row("gateway-errors", Layer.HTTP, "own request: 429 or 5xx each time", requests.gateway_errors),
    Row("deaf", Layer.HTTP, "own requests: every poll is turned away", requests.deaf),
    Row("mixed-answers", Layer.HTTP, "own requests: some work", requests.mixed_answers),
    Row(
        "no-uniform",
        Layer.REGISTRATION,
        "own requests: polls work, no registration API",
        requests.no_uniform,
    ),
    Row(
        "other-control-plane",
        Layer.HTTP,
        "own request sees other integrations",
        requests.other_control_plane,
    ),
    Row("registration-off", Layer.REGISTRATION, "registration switched off", _registration_off),
    Row(
        "unregistered-health",
        Layer.REGISTRATION,
        "SDK health: 412",
        circumstance.health_says_unregistered,
    ),
    Row("record-absent", Layer.REGISTRATION, "no registration of it", _record_absent),
    Row(
        "identity-shared",
        Layer.REGISTRATION,
        "works, but the registration is shared",
        _identity_shared,
    ),
    Row(
        "log-says-failing",
        Layer.HTTP,
        "no own request, the log tells of failures",
        circumstance.log_says_failing,
    ),
    Row("probe-stopped", Layer.CONNECT, "no own request, a probe pod stops", requests.probe_stops),
    Row("heartbeat-stale", Layer.REGISTRATION, "registration without a live heartbeat", _stale),
    Row("hears-nothing", Layer.SUBSCRIPTION, "alive, without anything to poll", _hears_nothing),
    Row("flapping", Layer.WORKLOAD, "alive, restarted lately", _flapping),
    Row("troubled", Layer.DELIVERY, "alive, the log tells of failures", _troubled),
    Row("proven", Layer.DELIVERY, "own request works, heartbeat alive", _proven),
    Row(
        "round-trip",
        Layer.DELIVERY,
        "a task sent to it came back finished",
        circumstance.answered_an_event,
    ),
    Row(
        "control-plane-not-found",
        Layer.ACCESS,
        "works, but the control plane that was named is not there",
        _some_other_control_plane,
    ),
    Row(
        "control-plane-not-told",
        Layer.ACCESS,
        "works, with which control plane is not known",
        circumstance.whose_control_plane,
    ),
    Row("proven-by-itself", Layer.DELIVERY, "own request works and lists it", _proven_by_itself),
    Row(
        "beats-missing",
        Layer.REGISTRATION,
        "no own request, heartbeats stopped lately",
        circumstance.beats_missing,
    ),
    Row(
        "indirect",
        Layer.DELIVERY,
        "heartbeat alive and its own, no own request",
        circumstance.indirect,
    ),
    Row(
        "health-and-silence",
        Layer.DELIVERY,
        "registered by its own word",
        circumstance.health_and_silence,
    ),
    Row(
        "shared-unseen",
        Layer.REGISTRATION,
        "heartbeat alive, whose is not known",
        circumstance.shared_and_unseen,
    ),
    Row("no-proof", Layer.DELIVERY, "everything else", circumstance.nothing_to_go_by),
)
