"""The levers of a scenario: everything that can be made different in the lab's two clusters.

A lever is a *cause*. What follows from it (statuses, restarts, log lines, registrations, answers)
is derived by the world and cannot be set. Levers of the network and of Keptn itself are the records
of ``lab.settings``; those of Kubernetes and of the operator are here.

In a scenario file words are joined by ``-``, and a duration (``…_s`` here) is written without its
suffix as ``90s``, ``5m``, ``2h`` or ``3d``.
"""

from __future__ import annotations

from typing import Any, Literal

from keptn_doctor.lab import settings as sim
from keptn_doctor.lab.kube.misbehaviour import Misbehaviour
from keptn_doctor.model.base import Record

Platform = Literal[
    "", "k3s", "k3d", "kind", "minikube", "rke2", "gke", "eks", "aks", "openshift", "bare-metal"
]
Token = str  # current, old, wrong, empty, base64, newline, none, or the token itself


class ObjectChange(Record, frozen=True, kw_only=True):
    """One change to Kubernetes objects; exactly one of ``patch``, ``remove`` and ``add``.

    Targets are ``Kind namespace/name`` (``Kind name`` for cluster-wide kinds); the name may be a
    glob. ``merge`` is merged into each target: null removes a key, lists of named things (env,
    containers, ports) are merged by name. Declared objects are changed before anything is derived
    from them; a target that exists only afterwards (Pod, Event, Endpoints) is changed then.
    """

    patch: str = ""
    merge: dict[str, Any] = {}
    remove: str = ""
    add: dict[str, Any] = {}
    raw: bool = False  # add exactly as written, without the API server's defaults


class NodeLevers(Record, frozen=True, kw_only=True):
    """A node: its size, addresses and troubles."""

    name: str = "node-1"
    cpu: str = "4"
    memory: str = "16Gi"
    architecture: Literal["amd64", "arm64"] = "amd64"
    internal_address: str = ""  # "" = one of the cluster's own
    external_address: str = ""
    ready: bool = True
    pressure: tuple[Literal["memory", "disk", "pid"], ...] = ()
    taints: tuple[str, ...] = ()  # "key=value:NoSchedule"
    labels: dict[str, str] = {}


class ContainerFault(Record, frozen=True, kw_only=True):
    """What goes wrong inside one container.

    ``out-of-memory`` is killed at its limit, ``crash`` exits by itself, ``not-ready`` runs but
    fails its readiness probe, ``throttled`` is slowed by its CPU limit.
    """

    fault: Literal["out-of-memory", "crash", "not-ready", "throttled"] = "crash"
    exit_code: int = 1
    every_s: float = 0  # how long it runs each time; 0 = it dies at once, so it crash-loops
    restarts: int = 12
    last_ago_s: float = 120  # since the last restart
    ready_now: bool = False  # it is running again, and ready


class WorkloadLevers(Record, frozen=True, kw_only=True):
    """Changes to one workload by its name."""

    replicas: int | None = None
    absent: bool = False  # it and its Services were never installed
    containers: dict[str, ContainerFault] = {}  # by container name
    restarted_ago_s: float | None = None  # its pods were replaced then
    restarts: int = 0  # of long ago, at installation
    evicted: bool = False  # an evicted pod is left beside the running one
    terminating: bool = False  # a pod of before is still on its way out


class StorageLevers(Record, frozen=True, kw_only=True):
    """Storage classes and what their provisioner does."""

    classes: tuple[str, ...] = ("standard",)  # the first is the default
    default: bool = True  # false: none of them is marked as default
    provisioner: str = "rancher.io/local-path"
    provisioning: Literal["works", "missing", "no-capacity"] = "works"
    unbound_claims: tuple[str, ...] = ()  # globs of the claims it fails for; none = all


class ClusterLevers(Record, frozen=True, kw_only=True):
    """One Kubernetes cluster, apart from what runs of Keptn in it."""

    kubernetes: str = "1.24"
    platform: Platform = ""
    nodes: tuple[NodeLevers, ...] = (NodeLevers(),)
    load_balancer: Literal["auto", "metallb", "klipper", "cloud", "none"] = "auto"
    load_balancer_event: str = ""  # reason of a failed allocation: AllocationFailed…
    cluster_dns: Literal["up", "down"] = "up"
    storage: StorageLevers = StorageLevers()
    unpullable: dict[str, Literal[
        "not-found", "unauthorized", "rate-limited", "registry-unknown", "no-platform"
    ]] = {}  # globs of image references, and what the registry says
    workloads: dict[str, WorkloadLevers] = {}
    fillers: int = 0  # pods of other software, all well: they make a cluster as full as real ones
    objects: tuple[ObjectChange, ...] = ()
    clock_offset_s: float = 0  # of the cluster against true time
    api_server: tuple[Misbehaviour, ...] = ()  # faults of the Kubernetes API itself


class ExposureLevers(Record, frozen=True, kw_only=True):
    """How the gateway is reached from outside its cluster.

    With ``ingress``, ``route`` and ``virtual-service`` the address is that of the controller.
    """

    by: Literal[
        "load-balancer", "node-port", "ingress", "route", "virtual-service", "cluster-ip"
    ] = "load-balancer"
    address: str = "203.0.113.20"
    host: str = "keptn.example.com"  # in public DNS with this address, and in the endpoint
    load_balancer_hostname: str = ""  # status shows a name instead of an address, as on AWS
    pending: bool = False  # no address was ever assigned
    announced: bool = True  # false: assigned, but the network does not know the way
    port: int = 80
    node_port: int = 31090
    tls: sim.TlsSettings | None = None  # who terminates it is a matter of ``by``
    plain: Literal["open", "closed"] = "open"  # port 80 beside 443
    controller: Literal["ingress-nginx", "traefik"] = "ingress-nginx"
    front: sim.FrontSettings | None = None  # what stands before it all: a WAF, an SSO proxy…


class GatewayLevers(Record, frozen=True, kw_only=True):
    """The API gateway and the authentication behind it."""

    prefix_path: str = ""  # "/keptn"
    body_limit: int = 0  # bytes; 0 = what the version's chart sets
    auth_limit_enabled: bool = True
    auth_rate_per_s: float = 1.0
    auth_burst: int = 2
    auth_load: tuple[sim.AuthLoad, ...] = ()  # of others, from their addresses


class TokenLevers(Record, frozen=True, kw_only=True):
    """The API token on the control plane's side."""

    secret: str = "keptn-api-token"  # noqa: S105 - apiService.tokenSecretName; the key keeps its name
    leftover_secret: bool = False  # an old keptn-api-token is still there beside another one
    api_service: Literal["current", "old"] = "current"  # old: not restarted since a rotation
    changed_ago_s: float | None = None  # the Secret was written again then
    changed_by: str = "helm"  # and by whom: helm, argocd-controller…


class ControlPlaneLevers(Record, frozen=True, kw_only=True):
    """The Keptn control plane and its cluster."""

    version: str = ""  # "" = the scenario's ``keptn``
    context: str = "keptn-cp"
    namespace: str = "keptn"
    cluster: ClusterLevers = ClusterLevers()
    exposure: ExposureLevers = ExposureLevers()
    gateway: GatewayLevers = GatewayLevers()
    token: TokenLevers = TokenLevers()
    event_validation: bool = False
    registration_ttl: str = ""  # UNIFORM_INTEGRATION_TTL, e.g. "2m"; "" = the chart's
    automatic_provisioning: bool = False
    backends: tuple[sim.BackendSettings, ...] = ()  # beyond what the workloads' state says
    store: sim.StoreSettings = sim.StoreSettings()
    delivery: sim.DeliverySettings = sim.DeliverySettings()
    own_services: bool = True
    registrations: tuple[sim.RegistrationSettings, ...] = ()
    deleted_registrations: tuple[sim.DeletedRegistration, ...] = ()
    edited_subscriptions: tuple[sim.EditedSubscriptions, ...] = ()
    projects: tuple[sim.ProjectSettings, ...] = (sim.ProjectSettings(),)
    events: tuple[sim.EventSettings, ...] = ()
    sequences: tuple[sim.SequenceSettings, ...] = ()


class ServiceLevers(Record, frozen=True, kw_only=True):
    """One Keptn service of an execution plane, installed by its chart.

    ``chart`` is taken from the end of the name when it is left out.
    """

    chart: Literal["", "helm-service", "jmeter-service", "job-executor-service", "custom"] = ""
    version: str = ""  # of the service: chart and image; "" = what fits the control plane
    distributor: str = ""  # version of the sidecar; "" = what the chart pins
    client: Literal["", "distributor", "sdk"] = ""
    namespace: str = ""  # "" = the plane's
    integration_name: str = ""  # nameOverride; "" = the service's own name
    replicas: int = 1
    workload: Literal["Deployment", "StatefulSet", "DaemonSet"] = "Deployment"
    remote: bool = True  # remoteControlPlane.enabled
    endpoint: str = ""  # KEPTN_API_ENDPOINT; "" = what the exposure gives
    token: Token = "current"  # noqa: S105 - which one
    token_from: Literal["value", "secret"] = "value"  # noqa: S105 - where from
    token_secret: str = "keptn-api-token"  # noqa: S105 - a name
    ssl_verify: bool | None = None  # None = the chart's
    topics: str | None = None  # PUBSUB_TOPIC; None = the chart's
    project_filter: str = ""
    stage_filter: str = ""
    service_filter: str = ""
    env: dict[str, str | None] = {}  # of the client's container; null takes a variable away
    running_for_s: float | None = None  # None = the scenario's
    connected_until_ago_s: float | None = None  # it worked until then
    changed_by: Literal["world", "rollout"] = "world"
    registered_before: bool = False
    stopped_ago_s: float | None = None
    out_of_memory_every_s: float = 0  # of the client's container
    started_without_keptn: bool = False  # the control plane was away when it wanted to register
    resolver: Literal["go", "musl"] = "go"
    trusts_corporate_ca: bool = False
    service: sim.ServiceContainerSettings = sim.ServiceContainerSettings()


class Hop(Record, frozen=True, kw_only=True):
    """How TCP goes from here to an address; ``to`` is ``address:port``, each may be ``*``."""

    to: str
    behaviour: sim.TcpBehaviour = "open"
    latency_ms: int = 0
    after_bytes: int = 200
    every: int = 1
    on: Literal["any", "tls", "plain"] = "any"


class VantageDns(Record, frozen=True, kw_only=True):
    """Name resolution as one vantage has it, on top of the public records."""

    records: tuple[sim.DnsRecord, ...] = ()
    rules: tuple[sim.DnsRule, ...] = ()
    sees_public: bool = True
    nameserver: str = ""
    server: Literal["up", "drop", "refuse"] = "up"
    search: tuple[str, ...] = ()  # beyond those of Kubernetes
    ndots: int = 5


class PlaneLevers(Record, frozen=True, kw_only=True):
    """One execution plane: a cluster, or a namespace of one, with its Keptn services.

    ``services`` are merged over the plane's own ones by name; null takes one away. What is said in
    ``all_services`` holds for each that does not say otherwise.
    """

    context: str = ""  # "" = the plane's name
    same_cluster_as: str = ""  # "control-plane" or another plane
    namespace: str = ""
    cluster: ClusterLevers = ClusterLevers()
    all_services: ServiceLevers = ServiceLevers()
    services: dict[str, ServiceLevers | None] = {}
    nat_address: str = ""  # where its packets seem to come from
    hops: tuple[Hop, ...] = ()
    egress: tuple[sim.EgressSettings, ...] = ()
    dns: VantageDns = VantageDns()


Credentials = Literal[
    "good", "expired", "revoked", "blank-padded", "client-certificate",
    "client-certificate-expired", "plugin", "plugin-fails", "plugin-missing", "plugin-hangs",
    "plugin-prints-garbage", "token-file", "token-file-missing", "none",
]  # fmt: skip


class ContextLevers(Record, frozen=True, kw_only=True):
    """One context of the operator's kubeconfig and what its user may do.

    ``only_in`` restricts every right to these namespaces; ``cannot`` are resources (``secrets``,
    ``pods/log``, ``nodes``, ``*``) it may not read at all, or ``verb resource``.
    """

    given: bool = True  # false: the doctor is not told of this cluster
    points_to: str = ""  # another context's cluster, by mistake
    credentials: Credentials = "good"
    server: Literal[
        "right", "unreachable", "refused", "unknown-host", "other-ca", "wrong-name"
    ] = "right"
    only_in: tuple[str, ...] | None = None
    cannot: tuple[str, ...] = ()
    may_write: bool = False  # pods create and delete, for the probe pod
    namespaces: tuple[str, ...] = ()  # what the operator names with --namespace


class OperatorLevers(Record, frozen=True, kw_only=True):
    """The machine of whoever runs the doctor: kubeconfig, rights, token, network."""

    contexts: dict[str, ContextLevers] = {}
    kubeconfig: Literal["good", "missing", "empty", "malformed", "dangling-user"] = "good"
    endpoint: str = ""  # "" = none is given; "exposed" = what the exposure gives
    token: Token = "none"  # noqa: S105 - none: the doctor reads the Secret if it may
    nat_address: str = "198.51.100.10"
    hops: tuple[Hop, ...] = ()
    egress: tuple[sim.EgressSettings, ...] = ()
    dns: VantageDns = VantageDns(ndots=1, nameserver="198.51.100.53")


Verdict = Literal["connected", "degraded", "disconnected", "unknown"]


class Expectation(Record, frozen=True, kw_only=True):
    """What a diagnosis of this world should say: for tests only, the world never reads it.

    ``verdicts`` are by ``plane/service`` glob (``exec-a/*``); services not named are connected.
    ``causes`` are ids of checks, the active one first: all must be named, as often as they stand
    here, and no others.
    """

    area: str = ""  # of the fault, for the totals of the detection matrix
    difficulty: Literal[0, 1, 2, 3] = 0  # 0 = a healthy setup
    verdicts: dict[str, Verdict] = {}
    causes: tuple[str, ...] = ()
    must_not_blame: tuple[str, ...] = ()
