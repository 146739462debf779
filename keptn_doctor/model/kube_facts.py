"""Facts read from a Kubernetes API: narrow, decoded, free of secrets.

Quantities are integers: CPU in millicores, memory and storage in MiB. Missing numbers are None.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from keptn_doctor.model.base import Record


class Condition(Record, frozen=True, kw_only=True):
    """A condition of any object."""

    type: str
    status: str = "Unknown"  # "True", "False", "Unknown"
    reason: str = ""
    message: str = ""
    since: datetime | None = None


class KubeEvent(Record, frozen=True, kw_only=True):
    """A Kubernetes Event, newest occurrence."""

    object_kind: str
    object_name: str
    namespace: str = ""
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    count: int = 1
    last_seen: datetime | None = None


class Container(Record, frozen=True, kw_only=True):
    """One container of a pod with its present and last state."""

    name: str
    image: str = ""
    init: bool = False
    ready: bool = False
    started: bool | None = None
    restarts: int = 0
    state: Literal["running", "waiting", "terminated", "unknown"] = "unknown"
    reason: str = ""  # of waiting or terminated: CrashLoopBackOff, ImagePullBackOff...
    message: str = ""
    exit_code: int | None = None  # when terminated now
    started_at: datetime | None = None
    last_exit_code: int | None = None  # of the previous run
    last_reason: str = ""  # OOMKilled, Error, Completed
    last_started_at: datetime | None = None
    last_finished_at: datetime | None = None
    request_cpu_m: int | None = None
    request_memory_mi: int | None = None
    limit_cpu_m: int | None = None
    limit_memory_mi: int | None = None
    ports: tuple[int, ...] = ()
    liveness: str = ""  # "http:8080/health", "tcp:8080", "exec"
    readiness: str = ""


class Pod(Record, frozen=True, kw_only=True):
    """One pod as far as the doctor cares."""

    namespace: str
    name: str
    phase: str = "Unknown"
    reason: str = ""  # Evicted...
    message: str = ""
    node: str = ""
    ip: str = ""
    created_at: datetime | None = None
    deleted_at: datetime | None = None  # set while terminating
    labels: dict[str, str] = {}
    owner_kind: str = ""  # the outermost known owner: Deployment, Job...
    owner_name: str = ""
    dns_policy: str = "ClusterFirst"
    service_account: str = ""
    conditions: tuple[Condition, ...] = ()
    containers: tuple[Container, ...] = ()
    events: tuple[KubeEvent, ...] = ()


class Workload(Record, frozen=True, kw_only=True, tag_field="kind", tag="Workload"):
    """A Deployment, StatefulSet or DaemonSet with its pods; one per KeptnService."""

    workload_kind: str
    namespace: str
    name: str
    desired: int | None = None
    ready: int = 0
    created_at: datetime | None = None
    labels: dict[str, str] = {}
    images: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    pods: tuple[Pod, ...] = ()
    events: tuple[KubeEvent, ...] = ()  # on the workload and its replica sets
    last_rollout_at: datetime | None = None  # creation of the newest replica set


class ExpectedComponent(Record, frozen=True, kw_only=True):
    """A workload that the control-plane chart of this Keptn version installs.

    Source: ``knowledge/components.json`` (rendered charts of every tag).
    """

    name: str
    workload_kind: str = "Deployment"
    role: str = ""
    event_path: bool = False  # needed for events to reach an execution plane
    optional: bool = False


class Components(Record, frozen=True, kw_only=True, tag_field="kind", tag="Components"):
    """The control plane's workloads, expected and found. Subject: the ControlPlane."""

    keptn_version: str = ""
    expected: tuple[ExpectedComponent, ...] = ()  # empty when the version is not known
    found: tuple[Workload, ...] = ()
    settings: dict[str, str] = {}  # plain variables: "shipyard-controller/UNIFORM_INTEGRATION_TTL"


class ServiceState(Record, frozen=True, kw_only=True):
    """A Kubernetes Service with the count of its ready backends."""

    name: str
    cluster_ip: str = ""
    ports: tuple[int, ...] = ()
    created_at: datetime | None = None
    ready: int | None = None  # None = endpoints not readable
    not_ready: int | None = None


class ComponentServices(
    Record, frozen=True, kw_only=True, tag_field="kind", tag="ComponentServices"
):
    """All Services in the control plane's namespace. Subject: the ControlPlane."""

    namespace: str
    services: tuple[ServiceState, ...] = ()


class NodeState(Record, frozen=True, kw_only=True):
    """One node."""

    name: str
    ready: bool = True
    architecture: str = ""
    os: str = ""
    kubelet_version: str = ""
    allocatable_cpu_m: int | None = None
    allocatable_memory_mi: int | None = None
    internal_addresses: tuple[str, ...] = ()
    external_addresses: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()  # pressures and Ready
    taints: tuple[str, ...] = ()  # "key=value:effect"


class ClusterFacts(Record, frozen=True, kw_only=True, tag_field="kind", tag="ClusterFacts"):
    """A cluster: version and identity. Subject: the ControlPlane or an ExecutionPlane."""

    version: str = ""  # "1.24"
    git_version: str = ""  # "v1.24.9+k3s1"
    platform: str = ""  # k3s, gke, eks, aks, openshift, rke2, kind, minikube; "" = plain or unknown
    uid: str = ""
    server: str = ""  # API server host:port
    served_groups: tuple[str, ...] = ()  # "networking.k8s.io/v1"
    dns_pods: int | None = None  # of the cluster's own DNS; None = not readable, 0 = none seen
    dns_pods_ready: int | None = None


class Nodes(Record, frozen=True, kw_only=True, tag_field="kind", tag="Nodes"):
    """The nodes of a cluster. Subject: the ControlPlane or an ExecutionPlane."""

    nodes: tuple[NodeState, ...] = ()
    requested_cpu_m: int | None = None  # sum over all scheduled pods; None = not all listable
    requested_memory_mi: int | None = None


class LoadBalancerIngress(Record, frozen=True, kw_only=True):
    """An address a load balancer was given."""

    ip: str = ""
    hostname: str = ""


class ServicePort(Record, frozen=True, kw_only=True):
    """A port of a Service."""

    name: str = ""
    port: int
    target: str = ""
    node_port: int = 0


class GatewayService(Record, frozen=True, kw_only=True, tag_field="kind", tag="GatewayService"):
    """The Service ``api-gateway-nginx``. Subject: the ControlPlane."""

    namespace: str
    name: str = "api-gateway-nginx"
    type: str = "ClusterIP"
    cluster_ip: str = ""
    ports: tuple[ServicePort, ...] = ()
    load_balancer: tuple[LoadBalancerIngress, ...] = ()
    load_balancer_class: str = ""
    external_ips: tuple[str, ...] = ()
    source_ranges: tuple[str, ...] = ()
    external_traffic_policy: str = ""
    ready_endpoints: int | None = None  # None = not readable
    not_ready_endpoints: int | None = None
    endpoint_nodes: tuple[str, ...] = ()  # nodes that hold a ready gateway pod
    created_at: datetime | None = None
    selector: dict[str, str] = {}
    annotations: dict[str, str] = {}
    events: tuple[KubeEvent, ...] = ()


class ExposureRoute(Record, frozen=True, kw_only=True):
    """An Ingress, OpenShift Route, Istio VirtualService or HTTPRoute towards the gateway."""

    route_kind: Literal["Ingress", "Route", "VirtualService", "HTTPRoute"]
    namespace: str
    name: str
    api_version: str = ""
    ingress_class: str = ""
    class_exists: bool | None = None  # None = ingress classes not readable
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tls_hosts: tuple[str, ...] = ()
    tls_secret: str = ""
    tls_secret_exists: bool | None = None
    tls_termination: str = ""  # OpenShift: edge, passthrough, reencrypt
    insecure_policy: str = ""  # OpenShift: None, Allow, Redirect
    backend_service: str = ""
    backend_port: str = ""
    targets_gateway: bool = True  # false: a route whose backend does not exist or is another one
    addresses: tuple[str, ...] = ()
    admitted: bool | None = None
    reason: str = ""
    annotations: dict[str, str] = {}
    events: tuple[KubeEvent, ...] = ()


class ExposureRoutes(Record, frozen=True, kw_only=True, tag_field="kind", tag="ExposureRoutes"):
    """All routes that lead, or mean to lead, to the gateway. Subject: the ControlPlane."""

    routes: tuple[ExposureRoute, ...] = ()
    unreadable: tuple[str, ...] = ()  # kinds that could not be listed, e.g. "Ingress: forbidden"


class LoadBalancerProvider(
    Record, frozen=True, kw_only=True, tag_field="kind", tag="LoadBalancerProvider"
):
    """What in the control plane's cluster could hand out addresses. Subject: the ControlPlane."""

    providers: tuple[str, ...] = ()  # metallb, cloud-controller-manager, klipper...
    svclb_pods: tuple[Pod, ...] = ()  # k3s: pods of the gateway's svclb DaemonSet
    same_port_services: tuple[str, ...] = ()  # other LoadBalancer Services that claim its port
    defects: tuple[str, ...] = ()  # "metallb: nothing announces its addresses (…)"


class Claim(Record, frozen=True, kw_only=True):
    """A PersistentVolumeClaim."""

    namespace: str
    name: str
    phase: str = ""
    storage_class: str = ""
    storage_class_exists: bool | None = None
    size_mi: int | None = None
    created_at: datetime | None = None
    events: tuple[KubeEvent, ...] = ()


class Claims(Record, frozen=True, kw_only=True, tag_field="kind", tag="Claims"):
    """PersistentVolumeClaims of the control plane's namespace. Subject: the ControlPlane."""

    claims: tuple[Claim, ...] = ()
    default_storage_class: str | None = None  # "" = none is default; None = not readable


class Quota(Record, frozen=True, kw_only=True):
    """One limit of a ResourceQuota."""

    namespace: str
    name: str
    resource: str
    hard: str
    used: str
    exhausted: bool = False


class NamespaceFacts(Record, frozen=True, kw_only=True, tag_field="kind", tag="NamespaceFacts"):
    """One searched namespace. Subject: its plane (or the ControlPlane)."""

    namespace: str
    exists: bool | None = True
    labels: dict[str, str] = {}
    quotas: tuple[Quota, ...] = ()
    pods: tuple[Pod, ...] = ()  # pods that belong to no Keptn service (jobs, leftovers)
    events: tuple[KubeEvent, ...] = ()  # warnings not tied to a listed object
    keptn_services: int = 0


class EgressRule(Record, frozen=True, kw_only=True):
    """One egress rule of a NetworkPolicy, flattened; empty tuples mean "any"."""

    cidrs: tuple[str, ...] = ()
    except_cidrs: tuple[str, ...] = ()
    selectors: bool = False  # peers chosen by pod or namespace selector
    ports: tuple[str, ...] = ()  # "UDP/53", "TCP/443", "TCP/8000-9000"


class NetworkPolicy(Record, frozen=True, kw_only=True):
    """A NetworkPolicy that selects pods of a Keptn service, or of the gateway."""

    namespace: str
    name: str
    selects: tuple[str, ...] = ()  # subject paths of the services it selects
    egress: tuple[EgressRule, ...] | None = None  # None = does not restrict egress
    ingress_restricted: bool = False
    ingress_cidrs: tuple[str, ...] = ()


class NetworkPolicies(Record, frozen=True, kw_only=True, tag_field="kind", tag="NetworkPolicies"):
    """NetworkPolicies of a plane's namespaces. Subject: the plane (or the ControlPlane)."""

    policies: tuple[NetworkPolicy, ...] = ()
    mesh: tuple[str, ...] = ()  # "istio sidecar in helm-…", "PeerAuthentication keptn STRICT"


class Right(Record, frozen=True, kw_only=True):
    """One rule asked of the API server."""

    verb: str
    resource: str  # "pods", "pods/log", "deployments.apps"
    namespace: str = ""  # "" = cluster wide
    allowed: bool | None = None  # None = the review itself was refused
    purpose: str = ""  # what the doctor reads it for: "find Keptn services in every namespace"
    optional: bool = False  # without it only something advisory stays unknown


class RightsReview(Record, frozen=True, kw_only=True, tag_field="kind", tag="RightsReview"):
    """What the operator may do. Subject: the plane or the ControlPlane."""

    user: str = ""
    rights: tuple[Right, ...] = ()


KubeFact = (
    Workload | Components | ComponentServices | ClusterFacts | Nodes | GatewayService
    | ExposureRoutes | LoadBalancerProvider | Claims | NamespaceFacts | NetworkPolicies
    | RightsReview
)
