"""What the lab's network, Keptn and clients can be told: plain records, filled from a scenario.

Every lever here is a *cause* (a record that is gone, a port that is filtered, a token that was
changed); none of them is a symptom. Log lines, statuses, restarts and registrations follow from
the behaviour of the simulated clients and gateways, and cannot be set.

Words: a *vantage* is a place packets start from: ``operator`` (the doctor's own machine), the name
of a plane (its pods), or ``control-plane`` (pods beside Keptn). Addresses are virtual; the lab maps
each to a listener on the loopback. Durations are in seconds, and ``..._ago_s`` counts back from
the lab's clock.
"""

from __future__ import annotations

from typing import Literal

from keptn_doctor.model.base import Record

OPERATOR = "operator"
CONTROL_PLANE = "control-plane"

TcpBehaviour = Literal[
    "open",
    "refuse",  # RST to the SYN
    "drop",  # SYN never answered
    "no-route",  # ICMP host unreachable
    "reset",  # accepts, then RST at once
    "reset-after-client-hello",  # RST when the first bytes come: SNI filters, strict mTLS
    "silent",  # accepts, reads, never answers
    "close",  # accepts and closes: an EOF
    "drip",  # answers one byte at a time
    "cut",  # closes in the middle of the answer's body
    "half-open",  # the client's bytes vanish, as behind a dead NAT entry
    "resign",  # TLS inspection: the peer's certificate is replaced by a corporate CA's
]


class HopSettings(Record, frozen=True, kw_only=True):
    """What one vantage meets at an address and port."""

    vantage: str = "*"
    behaviour: TcpBehaviour = "open"
    latency_ms: int = 0
    after_bytes: int = 200  # where ``cut`` closes
    every: int = 1  # the behaviour hits every n-th connection, the others are open
    on: Literal["any", "tls", "plain"] = "any"


CertificateKind = Literal[
    "good",
    "expired",
    "not-yet-valid",
    "wrong-name",
    "self-signed",
    "unknown-ca",
    "missing-intermediate",
    "no-san",
    "ingress-fake",
]


class CertificateSettings(Record, frozen=True, kw_only=True):
    """A certificate, made at start; ``good`` is signed by a CA that all clients trust."""

    kind: CertificateKind = "good"
    names: tuple[str, ...] = ()  # DNS names and addresses in the SAN
    expired_ago_s: float = 86_400  # of ``expired``
    valid_in_s: float = 86_400  # of ``not-yet-valid``
    valid_for_s: float = 90 * 86_400


class TlsSettings(Record, frozen=True, kw_only=True):
    """How a listener speaks TLS."""

    certificate: CertificateSettings = CertificateSettings()
    client_certificate_required: bool = False
    maximum_version: Literal["", "1.2", "1.3"] = ""


class ListenerSettings(Record, frozen=True, kw_only=True):
    """Something that listens at a virtual address; all other addresses swallow packets.

    ``serves`` names a control plane (its gateway), ``<control plane>/<component>``, a front, an
    identity provider or an egress proxy.
    """

    address: str
    port: int
    serves: str = "keptn"
    tls: TlsSettings | None = None
    hops: tuple[HopSettings, ...] = ()  # the first whose vantage matches decides


class EgressRule(Record, frozen=True, kw_only=True):
    """Destinations, by CIDR and ports (none = every port)."""

    cidr: str = "0.0.0.0/0"
    ports: tuple[int, ...] = ()


class EgressSettings(Record, frozen=True, kw_only=True):
    """A policy or firewall on the way out of a plane. Several may apply: each can stop a packet.

    ``applies_to`` are ``namespace/name`` patterns of Keptn services, as a NetworkPolicy selects
    pods. ``default`` decides for destinations in neither list.
    """

    applies_to: tuple[str, ...] = ("*/*",)
    default: Literal["open", "drop", "no-route", "refuse", "reset"] = "open"
    allow: tuple[EgressRule, ...] = ()
    deny: tuple[EgressRule, ...] = ()
    denied_with: Literal["drop", "no-route", "refuse", "reset"] = "drop"
    dns: Literal["allow", "drop", "refuse"] = "allow"
    inspection: Literal["", "reset-after-client-hello", "resign"] = ""
    inspected_hosts: tuple[str, ...] = ()  # SNI; none = all
    registry_only: bool = False  # mesh sidecar without ServiceEntry: envoy's 502, RST for TLS


class PlaneNetworkSettings(Record, frozen=True, kw_only=True):
    """A vantage's way out: the address its packets arrive from, and what may leave."""

    vantage: str
    nat_address: str = ""  # "" = one of its own; two planes may share one
    egress: tuple[EgressSettings, ...] = ()


class ProxySettings(Record, frozen=True, kw_only=True):
    """An egress HTTP proxy: absolute-form requests and CONNECT. Listens through a listener."""

    name: str
    vantage: str = ""  # whose rules and DNS the proxy itself is subject to; "" = unrestricted
    needs_authentication: bool = False
    denied_hosts: tuple[str, ...] = ()
    allowed_ports: tuple[int, ...] = ()  # none = all


class DnsRecord(Record, frozen=True, kw_only=True):
    """A record set; a leading ``*.`` makes it a wildcard (RFC 4592)."""

    name: str
    type: Literal["A", "AAAA", "CNAME"] = "A"
    values: tuple[str, ...] = ()
    ttl: int = 300


class DnsRule(Record, frozen=True, kw_only=True):
    """How queries for some names go, before any record is looked at. ``name`` is a glob."""

    name: str = "*"
    types: tuple[str, ...] = ()  # none = all
    answer: Literal[
        "record", "nxdomain", "nodata", "servfail", "refused", "drop", "truncate", "garbage", "loop"
    ] = "record"
    delay_ms: int = 0
    every: int = 1  # hits every n-th query


class DnsViewSettings(Record, frozen=True, kw_only=True):
    """What the name server of one vantage answers, and the resolv.conf of its pods."""

    vantage: str
    sees_public: bool = True
    records: tuple[DnsRecord, ...] = ()  # before the public ones
    rules: tuple[DnsRule, ...] = ()  # the first that matches decides
    nameserver: str = "10.96.0.10"  # the address that shows in logs
    server: Literal["up", "drop", "refuse"] = "up"
    search: tuple[str, ...] = ()  # "" namespace parts are up to the caller
    ndots: int = 5


class DnsSettings(Record, frozen=True, kw_only=True):
    """The names of the world. Names that no record knows do not exist (NXDOMAIN)."""

    public: tuple[DnsRecord, ...] = ()
    views: tuple[DnsViewSettings, ...] = ()
    nip_io: bool = True  # 192.0.2.1.nip.io and 192-0-2-1.nip.io resolve to what they say


FrontProduct = Literal[
    "ingress-nginx",
    "traefik",
    "openshift-router",
    "envoy",
    "load-balancer",
    "waf",
    "oauth2-proxy",
    "web-server",
]


class FrontSettings(Record, frozen=True, kw_only=True):
    """Something that speaks HTTP in front of the gateway, or instead of it.

    ``product`` gives the answers of its own (default backend, 502, 503 pages). Fronts may be
    chained: ``to`` names the next front or a control plane; "" has nothing behind.
    """

    name: str
    product: FrontProduct = "ingress-nginx"
    to: str = "keptn"
    hosts: tuple[str, ...] = ()  # rules by Host; none = every host; else the default backend
    path_prefix: str = ""  # only paths under it are forwarded
    rewrite_from: str = ""  # a leading part of the path...
    rewrite_to: str = ""  # ...and what takes its place
    redirect_status: Literal[0, 301, 302, 303, 307, 308] = 0
    redirect_to: str = ""  # scheme and host; "" = https of the same host, for plain requests only
    redirect_loop: bool = False  # redirects TLS requests to itself as well
    strips_headers: tuple[str, ...] = ()
    blocked_methods: tuple[str, ...] = ()
    blocked_status: int = 405
    blocked_paths: tuple[str, ...] = ()  # globs; answered 403
    source_ranges: tuple[str, ...] = ()  # CIDRs that may pass; others get 403
    body_limit: int = 0  # bytes; 0 = none
    merge_slashes: bool = True
    sso: Literal["", "redirect", "page"] = ""  # a login in front of everything
    sso_url: str = "https://login.example.com/oauth2/auth"
    needs_client_certificate: bool = False  # 400 "No required SSL certificate was sent"
    no_backend: bool = False  # no ready endpoint behind: the product's own page
    forwarded_for: Literal["append", "replace", "drop"] = "append"
    answer_status: int = 0  # a fixed answer instead of forwarding
    answer_type: str = "text/html"
    answer_body: str = ""
    timeout_s: float = 60


Component = Literal[
    "api-service",
    "shipyard-controller",
    "mongodb-datastore",
    "configuration-service",
    "resource-service",
    "secret-service",
    "statistics-service",
    "bridge",
]


class BackendSettings(Record, frozen=True, kw_only=True):
    """The state of one component behind the gateway."""

    component: Component
    state: Literal["up", "down", "hang", "stale-address", "missing-service"] = "up"
    slow_ms: int = 0  # extra time of an answer, in the lab's shortened seconds (1 s = 10 ms)
    every: int = 1  # ``slow_ms`` or ``hang`` hits every n-th request


class StoreSettings(Record, frozen=True, kw_only=True):
    """MongoDB and NATS behind the components."""

    mongodb: Literal["up", "down", "wrong-credentials", "disk-full"] = "up"
    mongodb_ago_s: float = 3600  # since when it is so: lastseen stops there
    nats: Literal["up", "down", "full"] = "up"  # full: JetStream takes no more messages
    unmapped_events_lost: bool = False  # NATS accepts; mongodb-datastore, not subscribed, gets none


class DeliverySettings(Record, frozen=True, kw_only=True):
    """How events go on behind api-service: who gets them, and when a sequence moves.

    Keptn's own pace, 10 s between the dispatcher's looks and between polls, is shortened here.
    """

    controller: Literal["subscribed", "deaf"] = "subscribed"  # shipyard-controller, to NATS
    datastore_delay_s: float = 0  # it stores an event only so long after it came
    dispatcher: Literal["running", "stuck"] = "running"  # stuck: nobody takes sequences (0.9.0..)
    dispatch_every_s: float = 0.1  # SEQUENCE_DISPATCH_INTERVAL_SEC; 10 s in Keptn
    poll_every_s: float = 0.1  # by the services that answer; in Keptn 10 s, with the SDK 1 s
    started_within_s: float = 600  # TASK_STARTED_WAIT_DURATION (0.9.0..), then it has timed out
    clock_ahead_s: float = 0  # the clock that stamps events is ahead of the one that shows them
    max_event_size_kb: int = 64  # MAX_EVENT_SIZE_KB, with event validation
    new_upstream: Literal["ok", "not-found", "credentials", "initialised"] = "ok"  # of new projects


class SubscriptionSettings(Record, frozen=True, kw_only=True):
    """A subscription of a registration."""

    event: str
    projects: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    id: str = ""  # "" = made from the rest


class RegistrationSettings(Record, frozen=True, kw_only=True):
    """A registration of earlier days, or of something the lab does not run.

    The id follows the rule of the control plane's version unless it is given.
    """

    name: str
    namespace: str = "keptn-exec"
    node: str = "node-1"
    pod: str = ""
    deployment: str = ""
    location: str = "remote-execution-plane"
    integration_version: str = ""
    distributor_version: str = ""
    seen_ago_s: float = 0  # the last heartbeat
    beats_every_s: float = 0  # > 0: somebody still sends heartbeats
    subscriptions: tuple[SubscriptionSettings, ...] = ()
    project_filter: str = ""  # 0.8: parts of the id
    stage_filter: str = ""
    service_filter: str = ""
    id: str = ""


class DeletedRegistration(Record, frozen=True, kw_only=True):
    """A record that was taken away under a running client: by hand, or with a wiped MongoDB."""

    name: str
    namespace: str = "*"
    plane: str = "*"
    ago_s: float = 600


class EditedSubscriptions(Record, frozen=True, kw_only=True):
    """Subscriptions changed in Bridge after a client had registered; replaces the whole set."""

    name: str
    namespace: str = "*"
    subscriptions: tuple[SubscriptionSettings, ...] = ()


class ProjectSettings(Record, frozen=True, kw_only=True):
    """A project as the control plane knows it."""

    name: str = "sockshop"
    stages: tuple[str, ...] = ("dev", "prod")
    services: tuple[str, ...] = ("carts",)
    upstream: Literal["ok", "none", "not-found", "credentials", "slow"] = "ok"
    resource_bytes: int = 2_000
    shipyard: str = ""  # YAML; "" = the stages, with what ``sequences`` names and no tasks


class EventSettings(Record, frozen=True, kw_only=True):
    """An event of the past, ``ago_s`` old. ``open`` ones are still offered to pollers."""

    type: str
    project: str = "sockshop"
    stage: str = "dev"
    service: str = "carts"
    source: str = "shipyard-controller"
    ago_s: float = 60
    id: str = ""
    context: str = ""
    triggered_id: str = ""
    open: bool = False


class SequenceSettings(Record, frozen=True, kw_only=True):
    """A sequence and the state it is in."""

    project: str = "sockshop"
    name: str = "delivery"
    service: str = "carts"
    stage: str = "dev"
    state: Literal[
        "triggered",
        "started",
        "waiting",
        "waitingForApproval",
        "finished",
        "timedOut",
        "paused",
        "aborted",
    ] = "finished"
    ago_s: float = 600
    latest_event: str = "sh.keptn.event.deployment.finished"
    context: str = ""


class AuthLoad(Record, frozen=True, kw_only=True):
    """Authentication requests of others that count against the rate limit, bad token or good."""

    source: str  # NAT address they come from
    per_second: float = 2.0
    valid: bool = False


class ControlPlaneSettings(Record, frozen=True, kw_only=True):
    """One Keptn installation: version, token, gateway, components, data.

    ``token`` is the one api-service read when it started, which may not be the Secret's any more.
    """

    name: str = "keptn"
    version: str = "0.19.3"
    namespace: str = "keptn"
    token: str = ""  # "" = made when the lab starts
    prefix_path: str = ""
    gateway: Literal["up", "down"] = "up"  # down: crash-looping or absent, nobody listens
    body_limit: int = 0  # bytes; 0 = what the version's chart sets
    registration_ttl_s: float | None = None  # None = what the version's chart sets
    event_validation: bool = False
    automatic_provisioning: bool = False
    auth_rate_per_s: float = 1.0
    auth_burst: int = 2
    auth_limit_enabled: bool = True
    auth_load: tuple[AuthLoad, ...] = ()
    backends: tuple[BackendSettings, ...] = ()
    backend_addresses: dict[str, str] = {}  # cluster addresses, for the gateway's error log
    store: StoreSettings = StoreSettings()
    delivery: DeliverySettings = DeliverySettings()
    silent_services: tuple[str, ...] = ()  # of the own services, those that do not run
    own_services: bool = True  # register approval-, lighthouse-, ...service beside Keptn
    registrations: tuple[RegistrationSettings, ...] = ()
    deleted: tuple[DeletedRegistration, ...] = ()
    edited: tuple[EditedSubscriptions, ...] = ()
    projects: tuple[ProjectSettings, ...] = (ProjectSettings(),)
    events: tuple[EventSettings, ...] = ()
    sequences: tuple[SequenceSettings, ...] = ()


class IdentityProviderSettings(Record, frozen=True, kw_only=True):
    """An OAuth 2 token endpoint and its discovery document, for clients in OAuth mode."""

    name: str
    issuer: str = "https://login.example.com"
    client_id: str = "keptn-doctor-lab"
    client_secret: str = "lab-client-secret"  # noqa: S105 - opens nothing but the lab
    scopes: tuple[str, ...] = ("keptn:integrations:write",)
    state: Literal["up", "no-discovery", "invalid-client", "invalid-scope", "error"] = "up"


class PodSettings(Record, frozen=True, kw_only=True):
    """One replica of a client, as Kubernetes runs it."""

    name: str
    node: str = "node-1"
    ip: str = "10.1.0.10"


class ServiceContainerSettings(Record, frozen=True, kw_only=True):
    """The container beside a distributor that does the work."""

    listens_on: int = 8080  # 0 = nothing listens
    sends_events: bool = True  # it answers with .started and .finished
    task: Literal["done", "hangs"] = "done"  # hangs: it starts and never finishes
    takes_s: float = 0  # between .started and .finished
    event_fields_missing: tuple[str, ...] = ()  # left out of the events it sends
    reads_resources: bool = True
    resource_bytes: int = 2_000  # size of what it uploads


class ClientSettings(Record, frozen=True, kw_only=True):
    """One Keptn service's client: what runs, with which environment, and for how long.

    ``env`` is what the process sees: values, Secrets, ConfigMaps and field references resolved.
    Variables that differ per pod (K8S_POD_NAME, K8S_NODE_NAME) are filled from ``pods`` unless
    they are in ``omit_env``.
    """

    plane: str
    namespace: str = "keptn-exec"
    name: str = "helm-service"  # the workload's name
    client: Literal["distributor", "sdk"] = "distributor"
    does: str = "custom"  # what it does with a task: the chart's name
    reads_from: str = ""  # the component that has its files; "" = as its version knows it
    version: str = "0.19.3"  # of the distributor; of go-utils (0.20.4) or the service for SDK
    product: Literal["", "job-executor-service", "prometheus-service"] = ""
    env: dict[str, str] = {}
    omit_env: tuple[str, ...] = ()
    pods: tuple[PodSettings, ...] = (PodSettings(name="helm-service-0"),)
    running_for_s: float = 7200
    resolver: Literal["go", "musl"] = "go"
    trusts_corporate_ca: bool = False
    service: ServiceContainerSettings = ServiceContainerSettings()
    connected_until_ago_s: float | None = None  # it worked until then; the present began there
    changed_by: Literal["world", "rollout"] = "world"  # rollout: its pods were replaced then
    registered_before: bool = False  # a record of earlier runs exists, as old as running_for_s
    stopped_ago_s: float | None = None  # not running any more: leaves its record behind
    out_of_memory_every_s: float = 0  # the client container is OOM-killed at this interval
    started_without_keptn: bool = False  # the control plane was away when it wanted to register


class SimulationSettings(Record, frozen=True, kw_only=True):
    """Everything the simulated network and Keptn need; Kubernetes objects are not part of it."""

    control_planes: tuple[ControlPlaneSettings, ...] = (ControlPlaneSettings(),)
    listeners: tuple[ListenerSettings, ...] = ()
    fronts: tuple[FrontSettings, ...] = ()
    planes: tuple[PlaneNetworkSettings, ...] = ()
    proxies: tuple[ProxySettings, ...] = ()
    identity_providers: tuple[IdentityProviderSettings, ...] = ()
    dns: DnsSettings = DnsSettings()
    clients: tuple[ClientSettings, ...] = ()
