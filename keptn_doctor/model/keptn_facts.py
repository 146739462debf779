"""Facts about Keptn itself: its API's answers, pod logs, the service's own path."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Literal

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.path_facts import HttpAnswer


class KeptnVersion(Record, frozen=True, kw_only=True, tag_field="kind", tag="KeptnVersion"):
    """The control plane's version and where it was read. Subject: the ControlPlane."""

    version: str
    source: Literal["swagger", "metadata", "label", "image"] = "swagger"
    bridge_version: str = ""
    automatic_provisioning: bool | None = None


class TokenCheck(Record, frozen=True, kw_only=True, tag_field="kind", tag="TokenCheck"):
    """What the control plane says of the operator's token. Subject: the ControlPlane."""

    accepted: bool
    status: int
    fingerprint: str = ""
    masked_by: Literal["", "rate-limit", "auth-backend-down"] = ""


class ReferenceToken(Record, frozen=True, kw_only=True, tag_field="kind", tag="ReferenceToken"):
    """The token of the control plane's Secret, fingerprinted. Subject: the ControlPlane."""

    namespace: str
    name: str
    fingerprint: str = ""
    decoded_fingerprint: str = ""  # when the stored value is itself base64 of something printable
    changed_at: datetime | None = None  # newest managedFields time, None when absent
    api_service_started_at: datetime | None = None  # api-service reads the secret at start only
    managers: tuple[str, ...] = ()  # field managers of the Secret, newest last: "argocd-controller"
    standard_name: bool = True  # false: api-service reads another Secret than keptn-api-token


class Subscription(Record, frozen=True, kw_only=True):
    """One subscription of an integration; an empty filter list matches everything."""

    id: str = ""
    event: str = ""
    projects: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


class Integration(Record, frozen=True, kw_only=True):
    """One record of the uniform (``go-utils pkg/api/models/uniform.go``)."""

    id: str
    name: str = ""
    namespace: str = ""
    hostname: str = ""  # node name at first registration: weak evidence
    pod_name: str = ""
    deployment_name: str = ""
    location: str = ""
    distributor_version: str = ""
    integration_version: str = ""
    last_seen: datetime | None = None  # control plane's clock; absent before 0.8.7
    last_seen_again: datetime | None = None  # at the second read, None when read once
    subscriptions: tuple[Subscription, ...] = ()


class IntegrationListing(
    Record, frozen=True, kw_only=True, tag_field="kind", tag="IntegrationListing", dict=True,
    gc=True,
):  # fmt: skip
    """The control plane's list of integrations. Subject: the ControlPlane.

    Ages are to be measured against ``server_time`` (the answer's Date header), never a local clock.
    It is asked for one record by every service, so it carries its own index (``dict=True``).
    """

    integrations: tuple[Integration, ...] = ()
    server_time: datetime | None = None
    server_time_again: datetime | None = None
    malformed: int = 0  # records that could not be read

    @cached_property
    def by_id(self) -> dict[str, Integration]:
        """The integrations by their ids."""
        return {integration.id: integration for integration in self.integrations}

    @cached_property
    def by_name(self) -> dict[str, tuple[Integration, ...]]:
        """The integrations by their names, which several namespaces and planes may share."""
        found: dict[str, list[Integration]] = {}
        for integration in self.integrations:
            found.setdefault(integration.name, []).append(integration)
        return {name: tuple(alike) for name, alike in found.items()}


class ProjectStage(Record, frozen=True, kw_only=True):
    """A stage with its services, and the task names of its sequences when the shipyard is known."""

    name: str
    services: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


class Project(Record, frozen=True, kw_only=True):
    """A Keptn project."""

    name: str
    stages: tuple[ProjectStage, ...] = ()


class ProjectListing(Record, frozen=True, kw_only=True, tag_field="kind", tag="ProjectListing"):
    """All projects. Subject: the ControlPlane."""

    projects: tuple[Project, ...] = ()


class IntegrationError(Record, frozen=True, kw_only=True):
    """A line of the control plane's log of an integration (GET …/log)."""

    integration_id: str
    message: str
    at: datetime | None = None
    task: str = ""


class IntegrationLog(Record, frozen=True, kw_only=True, tag_field="kind", tag="IntegrationLog"):
    """Recent error entries of all integrations. Subject: the ControlPlane."""

    entries: tuple[IntegrationError, ...] = ()


class OpenEvent(Record, frozen=True, kw_only=True):
    """A ``.triggered`` event nobody has answered yet."""

    id: str
    type: str
    project: str = ""
    stage: str = ""
    service: str = ""
    at: datetime | None = None
    context: str = ""  # the keptnContext of all events of its sequence


class OpenEvents(Record, frozen=True, kw_only=True, tag_field="kind", tag="OpenEvents"):
    """Open events of the types somebody subscribes to. Subject: the ControlPlane."""

    asked_types: tuple[str, ...] = ()
    events: tuple[OpenEvent, ...] = ()
    server_time: datetime | None = None


class OldEvent(Record, frozen=True, kw_only=True):
    """An open event that was old at the first read and is open still at the second."""

    event: OpenEvent
    started_by: tuple[str, ...] = ()  # sources of the ``.started`` events that answer it


class OldEvents(Record, frozen=True, kw_only=True, tag_field="kind", tag="OldEvents"):
    """The old ones among the open events, read again at the end. Subject: the ControlPlane.

    An event stays open until its ``.finished``: with a ``.started`` it is work in progress.
    """

    events: tuple[OldEvent, ...] = ()
    answered: int = 0  # were open at the first read, and no more at the second
    left_out: int = 0  # old ones beyond the number that a run asks about
    apart_s: float = 0.0  # between the two reads, by the server's clock in whole seconds
    server_time: datetime | None = None  # at the second read


class PastAnswer(Record, frozen=True, kw_only=True):
    """The newest ``.started`` and ``.finished`` of one source, by the time in the event."""

    source: str
    started: str = ""  # "sh.keptn.event.deployment.started", "" when none was found
    started_at: datetime | None = None
    finished: str = ""
    finished_at: datetime | None = None


class PastAnswers(Record, frozen=True, kw_only=True, tag_field="kind", tag="PastAnswers"):
    """What the sources that were asked for have answered last. Subject: the ControlPlane.

    Events carry no plane: two Keptn services of one name are one source.
    """

    asked_sources: tuple[str, ...] = ()
    asked_projects: tuple[str, ...] = ()
    answers: tuple[PastAnswer, ...] = ()  # of sources of which an answer was found
    server_time: datetime | None = None


class Sequence(Record, frozen=True, kw_only=True):
    """A sequence, with the last event of the stage it is in."""

    project: str
    name: str = ""
    service: str = ""
    stage: str = ""
    state: str = ""  # triggered, waiting, started, paused, suspended, timedOut
    context: str = ""  # the keptnContext of all its events
    latest_event: str = ""
    latest_at: datetime | None = None


class Sequences(Record, frozen=True, kw_only=True, tag_field="kind", tag="Sequences"):
    """Sequences that are under way, wait or have timed out lately. Subject: the ControlPlane."""

    sequences: tuple[Sequence, ...] = ()
    server_time: datetime | None = None


class LogMatch(Record, frozen=True, kw_only=True):
    """One kind of log line that means something, counted; text is redacted and cut to 300."""

    signature: str  # id in knowledge/log_signatures.yaml
    event: str  # class: WHERE, e.g. heartbeat, poll, not_registered
    cause: str = ""  # class: WHY, e.g. dns, tcp_refused, bad_token; "" when the line tells none
    strength: Literal["decisive", "supporting", "context"] = "supporting"
    text: str = ""
    count: int = 1
    first_at: datetime | None = None
    last_at: datetime | None = None
    captures: dict[str, str] = {}  # named groups: url, host, id…; "dialled" = address called


class PodLog(Record, frozen=True, kw_only=True, tag_field="kind", tag="PodLog"):
    """What one container's log says. Subject: the KeptnService, or the ControlPlane.

    ``since`` is where reading began: a line older than that was not looked for.
    """

    pod: str
    container: str
    previous: bool = False  # the run before the last restart
    lines: int = 0
    truncated: bool = False
    since: datetime | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    read_at: datetime | None = None  # API server's clock
    matches: tuple[LogMatch, ...] = ()
    registration_ids: tuple[str, ...] = ()  # oldest first
    banner_endpoint: str = ""  # effective settings printed at start, from 0.14.0
    banner_mode: Literal["", "remote", "nats"] = ""


class LocalApiAnswer(Record, frozen=True, kw_only=True, tag_field="kind", tag="LocalApiAnswer"):
    """GET through a distributor's own API proxy, over port-forward. Vantage: inside.

    Same process, endpoint, token, TLS and proxy as the service's polls. ``origin`` tells who
    answered: ``distributor`` = it never reached the control plane (500, empty, no Server header).
    Source: ``distributor/pkg/lib/forwarder.go@0.8.7 … 1.4.5``.
    """

    pod: str
    port: int
    registration: HttpAnswer
    poll: HttpAnswer | Failure | None = None
    origin: Literal["keptn", "gateway", "other", "distributor"] = "keptn"
    integrations: tuple[str, ...] = ()  # ids listed, when 200: whose control plane it is
    listed: int | None = None  # how many integrations it lists; None = its answer is no list
    only_name: str = ""  # it was asked for integrations of this name alone


class SdkHealth(Record, frozen=True, kw_only=True, tag_field="kind", tag="SdkHealth"):
    """``/health`` of an SDK service: 200 once registered, 412 before. Vantage: inside.

    Source: ``go-sdk/pkg/sdk/keptn.go@0.16.2``.
    """

    pod: str
    port: int
    status: int


class Pings(Record, frozen=True, kw_only=True):
    """Heartbeats of one registration id in the gateway's access log."""

    integration_id: str
    count: int
    statuses: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()


class GatewayLog(Record, frozen=True, kw_only=True, tag_field="kind", tag="GatewayLog"):
    """What the gateway's access and error log show of a window. Subject: the ControlPlane."""

    window_s: float
    lines: int = 0
    pings: tuple[Pings, ...] = ()
    rejected: int = 0  # answers 401
    limited: int = 0  # answers 429
    rejected_sources: tuple[str, ...] = ()  # addresses that were answered 401, the most often first
    limited_sources: tuple[str, ...] = ()
    upstream_errors: tuple[str, ...] = ()  # "connect() failed … shipyard-controller"


class PodProbe(Record, frozen=True, kw_only=True, tag_field="kind", tag="PodProbe"):
    """What an opt-in probe pod saw on its way out, rung by rung. Vantage: inside.

    A rung is "ok", a failure code, or "" when it was not looked at. With ``proxy`` the first two
    rungs are those of the way to the proxy, which the Keptn service's own client would use.
    """

    pod: str = ""
    resolve: str = ""
    addresses: tuple[str, ...] = ()
    connect: str = ""
    tls: str = ""  # nothing is verified, as Keptn's clients do
    http_status: int | None = None
    http: str = ""  # failure code when no answer came, or ("truncated") not the whole of it
    proxy: str = ""  # "host:port", never with credentials
    detail: str = ""

    @property
    def stopped_at(self) -> str:
        """The first rung that did not hold, as "resolve: name-unknown"; "" when all held."""
        rungs = {"resolve": self.resolve, "connect": self.connect, "tls": self.tls}
        rungs["http"] = self.http if self.http_status is None else ""
        return next((f"{k}: {v}" for k, v in rungs.items() if v not in ("", "ok")), "")


Leg = Literal[
    "project-made",  # level service: the run's own project exists
    "accepted",  # gateway, token and api-service: the post was answered 200
    "stored",  # NATS, mongodb-datastore, MongoDB: the event can be read back
    "sequence-answered",  # shipyard-controller took it and, at level controller, read the shipyard
    "task-sent",  # its dispatcher sent the task's event
    "picked-up",  # a Keptn service answered .started
    "finished",  # and .finished
    "project-removed",
]


class Hop(Record, frozen=True, kw_only=True):
    """One leg of a round trip."""

    leg: Leg
    state: Literal["ok", "failed", "unknown", "not-reached"]
    seconds: float = 0.0  # that this leg took; what was waited for it when it failed
    detail: str = ""  # why it failed, in words


class RoundTrip(Record, frozen=True, kw_only=True, tag_field="kind", tag="RoundTrip"):
    """An event sent through Keptn and looked for again, leg by leg (only on request).

    Subject: the ControlPlane, at level "service" the KeptnService it was meant for.
    """

    level: Literal["datastore", "controller", "service"] = "datastore"
    hops: tuple[Hop, ...] = ()  # in the order of the way; those after a break are "not-reached"
    context: str = ""  # the keptnContext of all its events
    project: str = ""
    stage: str = ""
    service: str = ""  # the application's name in Keptn, no Keptn service
    task: str = ""  # "sh.keptn.event.<task>.triggered", level service
    offered: bool | None = None  # whether the task is shown to those who poll; None = not asked
    answered_by: tuple[str, ...] = ()  # sources of .started events, in the order of their arrival
    left_behind: tuple[str, ...] = ()  # what stays in Keptn, in words

    @property
    def broken_at(self) -> Hop | None:
        """The first leg that is known not to have held."""
        return next((hop for hop in self.hops if hop.state == "failed"), None)

    @property
    def came_back(self) -> bool:
        """Whether every leg held."""
        return bool(self.hops) and all(hop.state == "ok" for hop in self.hops)

    @property
    def seconds(self) -> float:
        return round(sum(hop.seconds for hop in self.hops), 2)


KeptnFact = (
    KeptnVersion | TokenCheck | ReferenceToken | IntegrationListing | ProjectListing
    | IntegrationLog | OpenEvents | OldEvents | PastAnswers | Sequences | PodLog | LocalApiAnswer
    | SdkHealth | GatewayLog | PodProbe | RoundTrip
)
