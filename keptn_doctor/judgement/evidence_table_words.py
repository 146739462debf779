"""The words and measures that the rows of the evidence table share; they decide nothing."""

from __future__ import annotations

from keptn_doctor.judgement.attribution import spoken_age
from keptn_doctor.judgement.evidence import (
    SETTLED_S,
    Answer,
    ServiceEvidence,
    missing_rights,
)
from keptn_doctor.model.base import Record
from keptn_doctor.model.findings import Connection
from keptn_doctor.model.keptn_facts import (
    IntegrationListing,
    LocalApiAnswer,
    LogMatch,
    PodLog,
    SdkHealth,
)
from keptn_doctor.model.kube_facts import Container, Workload
from keptn_doctor.reading.log import quoted

FLAPPING_S = 900.0
FLAKY_S = 3600.0  # an SDK service stops after ten failed polls in its life: restarts tell of a link

NO_WAY_OUT = (
    "dns", "tcp_refused", "tcp_timeout", "tcp_reset", "tls_untrusted", "tls_protocol",
    "egress_proxy", "bad_token", "token_malformed", "wrong_path", "wrong_scheme", "bad_endpoint",
    "html_answer", "oauth", "forbidden",
)  # fmt: skip


class Ruling(Record, frozen=True, kw_only=True):
    """What one row says of one service."""

    connection: Connection
    because: str
    proof: str = ""
    vantage: str = ""
    next_step: str = ""


def only(e: ServiceEvidence, *kinds: Answer) -> bool:
    return bool(e.answers) and all(answer in kinds for answer in e.answers)


def own_request(e: ServiceEvidence, connection: Connection, because: str) -> Ruling:
    answer = e.local[0].registration
    proof = f"its own request answered {answer.status}"
    if connection == "connected" and e.record.integration:
        proof += f"; {heartbeat(e)}"
    return Ruling(connection=connection, because=because, proof=proof, vantage=inside(e))


def from_log(e: ServiceEvidence, found: tuple[LogMatch, ...], says: str) -> Ruling | None:
    if not found:
        return None
    return Ruling(
        connection="disconnected",
        because=f"{says}.",
        proof=f"log of its pod: {quoted(found[0])}",
        vantage=inside(e),
    )


def inside(e: ServiceEvidence) -> str:
    facts: tuple[LocalApiAnswer | SdkHealth | PodLog, ...] = (*e.local, *e.health, *e.logs)
    pod = facts[0].pod if facts else ""
    return f"inside:{e.service.plane}/{e.service.namespace}/{pod}"


def heartbeat(e: ServiceEvidence) -> str:
    record = e.record.integration
    return f"heartbeat of {record.id[:12] if record else '?'} {spoken_age(e.fresh.age_s)} old"


def last_heartbeat(e: ServiceEvidence) -> str:
    return f"its last heartbeat came {spoken_age(e.fresh.age_s)} ago"


def settled(e: ServiceEvidence) -> bool:
    return e.age_s is None or e.age_s >= SETTLED_S


def since_restart(container: Container, e: ServiceEvidence) -> float | None:
    ended = container.last_finished_at
    return (e.now - ended).total_seconds() if ended else None


def restarted_lately(container: Container, e: ServiceEvidence) -> bool:
    since = since_restart(container, e)
    if since is None or not container.restarts:
        return False
    if e.service.client == "sdk":
        return since <= FLAKY_S
    return container.restarts > 1 and since <= FLAPPING_S


def next_look(e: ServiceEvidence) -> str:
    rights = missing_rights(
        e.gaps, LocalApiAnswer, SdkHealth, PodLog, IntegrationListing, Workload
    )  # fmt: skip
    return f"Make this possible and run again: {rights[0]}." if rights else ""
