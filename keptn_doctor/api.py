"""The only module a check may import: the decorator, the words of a finding, the facts.

A check is one file with one decorated function. Its parameters say what it needs::

    service: KeptnService          the entity it is about, or one that belongs to it
    workload: Workload             a fact; missing or failed, the engine writes "unknown"
    dns: DnsAnswer | Failure       a fact whose failing is the check's business
    log: PodLog | None             a fact that helps but is not needed
    logs: tuple[PodLog, ...]       every such fact in reach, one at least (``| None``: may be none)
    inside: Annotated[DnsAnswer, INSIDE]   only as seen from inside the plane (or ``OPERATOR_SIDE``)
    there: Annotated[NetworkPolicies, CONTROL_PLANE]   the control plane's, not the nearest one
    all_logs: Annotated[tuple[PodLog, ...], EVERYWHERE]   those of all entities
    taken_at: datetime             when the evidence was taken; a check has no other clock
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from keptn_doctor.judgement.attribution import (
    Attribution,
    Freshness,
    attribute,
    freshness,
    is_same_list,
    known_integrations,
    shown_integrations,
    spoken_age,
)
from keptn_doctor.knowledge.support import (
    ClusterSize,
    control_plane_size,
    control_plane_sums,
    kubernetes_range,
)
from keptn_doctor.model.failure import Code, Failure, Phase
from keptn_doctor.model.findings import Breaks, Check, Finding, Layer, ProvenBy, Severity
from keptn_doctor.model.keptn_facts import (
    GatewayLog,
    Hop,
    Integration,
    IntegrationError,
    IntegrationListing,
    IntegrationLog,
    KeptnVersion,
    LocalApiAnswer,
    LogMatch,
    OldEvent,
    OldEvents,
    OpenEvent,
    OpenEvents,
    PastAnswer,
    PastAnswers,
    Pings,
    PodLog,
    PodProbe,
    Project,
    ProjectListing,
    ProjectStage,
    ReferenceToken,
    RoundTrip,
    SdkHealth,
    Sequence,
    Sequences,
    Subscription,
    TokenCheck,
)
from keptn_doctor.model.kube_facts import (
    Claim,
    Claims,
    ClusterFacts,
    Components,
    ComponentServices,
    Condition,
    Container,
    EgressRule,
    ExpectedComponent,
    ExposureRoute,
    ExposureRoutes,
    GatewayService,
    KubeEvent,
    LoadBalancerIngress,
    LoadBalancerProvider,
    NamespaceFacts,
    NetworkPolicies,
    NetworkPolicy,
    Nodes,
    NodeState,
    Pod,
    Quota,
    Right,
    RightsReview,
    ServicePort,
    ServiceState,
    Workload,
)
from keptn_doctor.model.path_facts import (
    Certificate,
    DnsAnswer,
    GatewayAnswers,
    HttpAnswer,
    RouteAnswer,
    TcpConnection,
    TlsSession,
)
from keptn_doctor.model.topology import (
    ClientBehaviour,
    ControlPlane,
    Endpoint,
    EnvProblem,
    ExecutionPlane,
    KeptnService,
    OAuthSettings,
    TokenState,
    Topology,
    Vantage,
)
from keptn_doctor.reading.access import (
    Denied,
    denied,
    in_words,
    refused_credentials,
    unreached_server,
)
from keptn_doctor.reading.address import (
    Called,
    Exposed,
    called,
    exposed_addresses,
    is_private,
    written_address,
)
from keptn_doctor.reading.broken_things import (
    closed_nodes,
    cluster_of,
    missing_objects,
    missing_source,
    refusing_policy,
    refusing_quota,
)
from keptn_doctor.reading.component import (
    BROKERS,
    DATABASES,
    bites,
    breaks_most,
    felt,
    on_the_way,
    reasons,
)
from keptn_doctor.reading.images import RefusedImage, broken_images, refused_images
from keptn_doctor.reading.lists import first_of, in_a_sentence
from keptn_doctor.reading.log import (
    ongoing,
    quoted,
    registration_ids,
    troubles,
    without_quote,
)
from keptn_doctor.reading.path import (
    address,
    answered,
    gets_through,
    keptn_answered,
    meets_tls,
    no_proxy_names,
    registered,
)
from keptn_doctor.reading.policy import (
    names_of,
    permits,
    permits_dns,
    pinned_addresses,
    restricting,
)
from keptn_doctor.reading.remedies import (
    kubectl,
    read_all_logs,
    read_log,
    restart,
    set_variable,
)
from keptn_doctor.reading.round_trip import PARTS_AWAY, broken, held, hop_of
from keptn_doctor.reading.subscription import from_variables, subscriptions_of, takes
from keptn_doctor.reading.workload import (
    component,
    containers,
    crash_loops,
    fails_on_processor,
    is_limit,
    is_running,
    lacks_free_port,
    last_end,
    live_pods,
    misconfigured,
    node_trouble,
    pull_failures,
    refused_creation,
    unscheduled,
    waits_for_volume,
    why_not_ready,
)

INSIDE = "inside"
OPERATOR_SIDE = "operator"
CONTROL_PLANE = "control-plane"
EVERYWHERE = "everywhere"

_DECLARATION = "__keptn_doctor_check__"


def check(
    *,
    about: type,
    layer: Layer,
    severity: Severity = "error",
    breaks: Breaks = "nothing",
    proven_by: ProvenBy = "behaviour",
    explained_by: tuple[str, ...] = (),
    explains: tuple[str, ...] = (),
    since: str,
) -> Callable[[Callable[..., Finding]], Callable[..., Finding]]:
    """Declare a function as a check; id, title and documentation come from its file.

    ``breaks`` is what a fail alone proves about the connection of every service it covers;
    "nothing" makes an advisory check. ``layer`` is the rung of the path at which the bad state
    bites: a dead database bites at registration, not at the workload. ``proven_by="state"`` says
    that a fail rests on settings and objects alone: no break lower on the path can have produced
    it. ``explained_by`` names checks whose fail on the same or a wider subject is the cause of
    this one; ``explains`` is the same edge told from the cause's side, so that a narrower check can
    take the place of a general one without a change to it. ``since`` is the version of the package
    that first had the check.
    """

    def declare(judge: Callable[..., Finding]) -> Callable[..., Finding]:
        declaration: dict[str, Any] = {
            "about": about,
            "layer": layer,
            "severity": severity,
            "breaks": breaks,
            "proven_by": proven_by,
            "explained_by": explained_by,
            "explains": explains,
            "since": since,
        }
        setattr(judge, _DECLARATION, declaration)
        return judge

    return declare


def passed(summary: str) -> Finding:
    """The bad state is not there, by positive evidence."""
    return Finding(status="pass", summary=summary)


def failed(
    summary: str,
    *,
    remedy: str,
    command: str = "",
    severity: Severity = "error",
    breaks: Breaks | Literal["as-declared"] = "as-declared",
    detail: str = "",
    layer: Layer = Layer.WORKLOAD,
    parts: tuple[str, ...] = (),
    through: tuple[str, ...] = (),
    at_fault: tuple[str, ...] = (),
) -> Finding:
    """The bad state is there; ``breaks`` and a higher ``layer`` override what the check declares.

    ``parts`` are the control plane's workloads that it is about, ``through`` those whose trouble
    can be the reason of it (the same, when left out): only what has one of them in common explains.
    ``at_fault`` is what is broken and mended once, by its identity and state, where others can
    break on it, too: "secret keptn-exec/keptn-api-token of exec-a is missing". Findings that name
    one thing in common are one cause.
    A log line that ``summary`` quotes after a colon becomes part of the detail.
    """
    summary, line = without_quote(summary)
    return Finding(
        status="fail",
        summary=summary,
        remedy=remedy,
        command=command,
        severity=severity,
        breaks=breaks,
        detail="\n".join(part for part in (line, detail) if part),
        layer=layer,
        parts=parts,
        through=through,
        at_fault=at_fault,
    )


def suspected(summary: str, *, remedy: str, command: str = "") -> Finding:
    """Points to the bad state without proving it for the service: seen from elsewhere, say."""
    summary, line = without_quote(summary)
    return Finding(
        status="fail",
        severity="warning",
        summary=summary,
        remedy=remedy,
        command=command,
        breaks="nothing",
        suspected=True,
        detail=line,
    )


def skipped(summary: str) -> Finding:
    """The question does not arise here."""
    return Finding(status="skip", summary=summary)


def undecided(summary: str, *, missing: tuple[str, ...] = ()) -> Finding:
    """The facts at hand cannot settle it; ``missing`` says what would."""
    return Finding(status="unknown", summary=summary, missing=missing)


__all__ = [  # noqa: RUF022 - grouped by what a check author looks for
    "check", "passed", "failed", "suspected", "skipped", "undecided",
    "Check", "Finding", "Layer", "Severity", "Breaks", "ProvenBy",
    "INSIDE", "OPERATOR_SIDE", "CONTROL_PLANE", "EVERYWHERE",
    "Topology", "ControlPlane", "ExecutionPlane", "Endpoint", "KeptnService", "ClientBehaviour",
    "TokenState", "OAuthSettings", "EnvProblem", "Vantage",
    "Failure", "Phase", "Code",
    "DnsAnswer", "TcpConnection", "TlsSession", "Certificate", "HttpAnswer", "RouteAnswer",
    "GatewayAnswers",
    "KeptnVersion", "TokenCheck", "ReferenceToken", "IntegrationListing", "Integration",
    "Subscription", "ProjectListing", "Project", "ProjectStage", "IntegrationLog",
    "IntegrationError", "OpenEvents", "OpenEvent", "OldEvents", "OldEvent", "PastAnswers",
    "PastAnswer", "Sequences", "Sequence", "PodLog", "LogMatch",
    "LocalApiAnswer", "SdkHealth", "GatewayLog", "Pings", "PodProbe", "RoundTrip", "Hop",
    "Workload", "Pod", "Container", "Condition", "KubeEvent", "Components", "ExpectedComponent",
    "ComponentServices", "ServiceState", "ClusterFacts", "Nodes", "NodeState", "GatewayService",
    "ServicePort", "LoadBalancerIngress", "ExposureRoutes", "ExposureRoute",
    "LoadBalancerProvider", "Claims", "Claim", "NamespaceFacts", "Quota", "NetworkPolicies",
    "NetworkPolicy", "EgressRule", "RightsReview", "Right",
    # reading logs, registrations and workloads
    "ongoing", "troubles", "quoted", "registration_ids", "attribute", "Attribution",
    "freshness", "Freshness", "is_same_list", "known_integrations", "shown_integrations",
    "spoken_age",
    "component", "containers",
    "crash_loops", "is_running", "lacks_free_port", "last_end", "live_pods", "pull_failures",
    "why_not_ready",
    "refused_images", "broken_images", "RefusedImage",
    "misconfigured", "fails_on_processor", "node_trouble", "refused_creation", "is_limit",
    "unscheduled", "waits_for_volume",
    "answered", "gets_through", "keptn_answered", "meets_tls", "registered", "address",
    "no_proxy_names",
    # addresses and network policies
    "called", "Called", "exposed_addresses", "Exposed", "is_private", "written_address",
    "restricting", "permits", "permits_dns", "pinned_addresses", "names_of",
    "bites", "breaks_most", "felt", "on_the_way", "reasons", "DATABASES", "BROKERS",
    "denied", "Denied", "in_words", "refused_credentials", "unreached_server",
    # subscriptions, events and round trips
    "subscriptions_of", "from_variables", "takes", "hop_of", "broken", "held", "PARTS_AWAY",
    # things that several Keptn services can break on, for ``at_fault``
    "cluster_of", "missing_objects", "missing_source", "refusing_quota", "refusing_policy",
    "closed_nodes",
    # lists of names in a sentence
    "first_of", "in_a_sentence",
    # commands ready to paste
    "kubectl", "read_log", "read_all_logs", "restart", "set_variable",
    # what the documentation supports
    "kubernetes_range", "control_plane_size", "control_plane_sums", "ClusterSize",
]
