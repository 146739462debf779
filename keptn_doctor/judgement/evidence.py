"""Gathers what is known of one Keptn service, in the words that the evidence table asks in.

P is the answer through the service's own API proxy, R its registration, L its log, S its pods:
the same request seen from four places. Gathering judges nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeVar

from msgspec.structs import replace

from keptn_doctor.judgement.attribution import Attribution, Freshness, attribute, freshness
from keptn_doctor.judgement.needs import Bound, Evidence, Missing, Need
from keptn_doctor.judgement.whose_control_plane import beats_alone, leads_here
from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import (
    IntegrationListing,
    LocalApiAnswer,
    PodLog,
    PodProbe,
    RoundTrip,
    SdkHealth,
)
from keptn_doctor.model.kube_facts import Container, GatewayService, Pod, Workload
from keptn_doctor.model.path_facts import (
    DnsAnswer,
    GatewayAnswers,
    HttpAnswer,
    TcpConnection,
    TlsSession,
)
from keptn_doctor.model.topology import Endpoint, ExecutionPlane, KeptnService
from keptn_doctor.reading.log import troubles

F = TypeVar("F")

_SLACK_S = 5.0  # heartbeats and processes are timed by two clocks, each in whole seconds
SETTLED_S = 120.0  # a client that has run for as long has sent heartbeats, or failed to

Outside = DnsAnswer | TcpConnection | TlsSession | GatewayAnswers | Failure
_OUTSIDE = (DnsAnswer, TcpConnection, TlsSession, GatewayAnswers)

Answer = Literal[
    "ok", "refused", "path", "not-keptn", "unreached", "gateway-error", "no-uniform", "other"
]


class ServiceEvidence(Record, frozen=True, kw_only=True):
    """All that the table needs; a fact that is absent has its failed look beside it."""

    service: KeptnService
    plane: ExecutionPlane | None
    endpoint: Endpoint | None
    beside_control_plane: bool | None  # None = it cannot be told whether one runs in this cluster
    taken_at: datetime
    workload: Workload | None = None
    local: tuple[LocalApiAnswer, ...] = ()
    health: tuple[SdkHealth, ...] = ()
    logs: tuple[PodLog, ...] = ()
    probes: tuple[PodProbe, ...] = ()
    trip: RoundTrip | None = None  # of an event that was sent to this very service
    outside: tuple[Outside, ...] = ()  # the way to its endpoint as the operator's machine sees it
    listing: IntegrationListing | None = None
    record: Attribution = Attribution()
    fresh: Freshness = Freshness()
    leads_here: bool | None = None  # what it talks to is the control plane that was named
    beats_alone: bool | None = None  # the gateway saw its heartbeats, as many as one sends
    control_plane_absent: str = ""  # it was looked for and is not there: in what words
    gaps: dict[str, Missing] = {}  # by name of the fact

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The workload's pods that are not on their way out."""
        pods = self.workload.pods if self.workload else ()
        return tuple(pod for pod in pods if pod.deleted_at is None)

    @property
    def clients(self) -> tuple[Container, ...]:
        """The container that talks to the control plane, of every pod."""
        return tuple(
            c for pod in self.pods for c in pod.containers if c.name == self.service.container
        )

    @property
    def workers(self) -> tuple[Container, ...]:
        """The container that does the work, of every pod, where that is another than the client."""
        name = self.service.service_container
        if name in ("", self.service.container):
            return ()
        return tuple(c for pod in self.pods for c in pod.containers if c.name == name)

    @property
    def alive(self) -> bool:
        """Whether a fresh heartbeat is known to be its own."""
        return self.fresh.state == "fresh" and self.record.strength != "shared"

    @property
    def names_known(self) -> bool:
        """False when the variables that make its registered name could not be read."""
        read = {"K8S_DEPLOYMENT_NAME", "K8S_NAMESPACE", "DISABLE_REGISTRATION"}
        return not any(problem.variable in read for problem in self.service.env_problems)

    @property
    def client_runs(self) -> bool:
        return any(container.state == "running" for container in self.clients)

    @property
    def age_s(self) -> float | None:
        """Seconds since the oldest running client started, None when not known."""
        started = [c.started_at for c in self.clients if c.state == "running" and c.started_at]
        return (self.now - min(started)).total_seconds() if started else None

    @property
    def now(self) -> datetime:
        """By the cluster's own clock where that was seen, which may differ from the operator's."""
        read = [log.read_at for log in self.logs if log.read_at]
        return max(read, default=self.taken_at)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What the service's own requests come to, each kind once; empty when none was made."""
        kinds = [kind for local in self.local for kind in local_answers(local)]
        return tuple(dict.fromkeys(kinds))


def gather(evidence: Evidence, service: KeptnService) -> ServiceEvidence:
    """The evidence on one service."""
    gaps: dict[str, Missing] = {}

    def all_of(kind: type[F]) -> tuple[F, ...]:
        need = Need(parameter="", kind=kind, many=True)
        bound = evidence.bind(need, service)
        if isinstance(bound, Bound):
            found: tuple[F, ...] = bound.value
            return found
        gaps[kind.__name__] = bound
        return ()

    logs = all_of(PodLog)
    listing = next(iter(all_of(IntegrationListing)), None)
    record = attribute(service, listing, logs) if listing else Attribution()
    live = freshness(record.integration, listing) if listing and record.integration else Freshness()
    beside = _beside_control_plane(evidence, service)
    found = ServiceEvidence(
        service=service,
        plane=evidence.plane_of(service),
        endpoint=evidence.endpoint_of(service),
        beside_control_plane=beside,
        taken_at=evidence.snapshot.taken_at,
        workload=next(iter(all_of(Workload)), None),
        local=all_of(LocalApiAnswer),
        health=all_of(SdkHealth),
        logs=logs,
        probes=all_of(PodProbe),
        trip=next((t for t in all_of(RoundTrip) if t.level == "service"), None),
        outside=_outside(evidence, service),
        listing=listing,
        record=record,
        fresh=live,
        leads_here=leads_here(evidence, service, logs, beside=beside),
        control_plane_absent=_absent_control_plane(evidence),
        gaps=gaps,
    )
    alone = beats_alone(evidence, service, record.integration, pods=len(found.pods))
    found = replace(found, fresh=_of_present_process(found), beats_alone=alone)
    if record.strength == "id-in-log" and record.sharers and not _would_have_complained(found):
        return replace(found, record=replace(record, strength="shared"))
    return found


def _of_present_process(e: ServiceEvidence) -> Freshness:
    """A heartbeat from before the oldest running client started is not that of a living one."""
    beat, age = e.fresh.age_s, e.age_s
    if e.fresh.state != "fresh" or beat is None or age is None or age < 0:
        return e.fresh
    return replace(e.fresh, state="stale") if beat > age + _SLACK_S else e.fresh


def _would_have_complained(e: ServiceEvidence) -> bool:
    """Whether a shared heartbeat may count as its own: it registered, and its log is at peace.

    A client whose heartbeats fail says so within seconds, or ends; the id that it printed proves
    only that it got through once.
    """
    settled = e.age_s is not None and e.age_s >= SETTLED_S
    return settled and bool(e.logs) and not troubles(e.logs)


def _outside(evidence: Evidence, service: KeptnService) -> tuple[Outside, ...]:
    looks: list[Outside] = []
    for kind in _OUTSIDE:
        need = Need(parameter="", kind=kind, marker="operator", optional=True, takes_failure=True)
        bound = evidence.bind(need, service)
        if isinstance(bound, Bound) and bound.value is not None:
            looks.append(bound.value)
    return tuple(looks)


def local_answers(local: LocalApiAnswer) -> tuple[Answer, ...]:
    """The kinds of the one or two answers of a look through the API proxy."""
    registration = _kind(local.registration, local.origin)
    if local.poll is None:
        return (registration,)
    if isinstance(local.poll, Failure):
        return (registration, "unreached")
    poll = _kind(local.poll, "keptn")
    if registration == "path" and poll == "ok":
        return ("no-uniform",)  # control planes before 0.8.4 know no registrations
    return (registration, poll)


def _kind(answer: HttpAnswer, origin: str) -> Answer:
    status = answer.status
    if origin == "distributor" or (status == 500 and answer.body == "empty" and not answer.server):
        return "unreached"
    if 200 <= status < 300:
        return "ok" if answer.body == "json" else "not-keptn"
    if status == 401:
        return "refused"
    if status in (404, 405):
        return "path"
    if status == 429 or status >= 500:
        return "gateway-error"
    return "other"


def _absent_control_plane(evidence: Evidence) -> str:
    """What was said when no gateway was found where the control plane was named to be."""
    need = Need(parameter="", kind=GatewayService)
    bound = evidence.bind(need, evidence.topology.control_plane)
    failures = [look.result for look in bound.failed] if isinstance(bound, Missing) else []
    told = [f for f in failures if isinstance(f, Failure) and f.code == "not-found"]
    return told[0].detail or "no Keptn gateway" if told else ""


def _beside_control_plane(evidence: Evidence, service: KeptnService) -> bool | None:
    if service.belongs_to == "control-plane":
        return True
    plane, control_plane = evidence.plane_of(service), evidence.topology.control_plane
    if plane is None or not plane.cluster_uid or not control_plane.cluster_uid:
        return None
    return plane.cluster_uid == control_plane.cluster_uid


def missing_rights(gaps: dict[str, Missing], *kinds: type) -> tuple[str, ...]:
    """What would open the looks that were not had: rules to be granted, options to be given."""
    texts: list[str] = []
    for kind in kinds:
        gap = gaps.get(kind.__name__)
        if gap is None:
            continue
        texts += [look.result.right for look in gap.failed if isinstance(look.result, Failure)]
        texts += [note.unlock for note in gap.not_attempted]
    return tuple(dict.fromkeys(text for text in texts if text))
