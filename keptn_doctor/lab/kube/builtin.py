"""The resources of a stock Kubernetes API server, per minor version.

Names, verbs, short names and subresources of the core group are those of the two recorded
``/api/v1`` documents; the served versions of the other groups follow Kubernetes' deprecation
guide (https://kubernetes.io/docs/reference/using-api/deprecation-guide/). A group is listed with
the resources that the lab can hold; alpha versions are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from keptn_doctor.lab.kube.generation import NEWEST, OLDEST, Generation
from keptn_doctor.lab.kube.resources import ALL_VERBS, STATUS, Catalogue, Resource, Subresource
from keptn_doctor.model.base import Record

_STREAM = ("create", "get")
_PROXY = ("create", "delete", "get", "patch", "update")
_NO_COLLECTION = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")

_SCALE = Subresource(name="scale", kind="Scale", group="autoscaling", version="v1")


class Served(Record, frozen=True, kw_only=True):
    """A version and the minors that serve it, both ends included."""

    version: str
    since: int = OLDEST
    until: int = NEWEST


class Row(Record, frozen=True, kw_only=True):
    """One kind of the table; ``versions`` in the order in which discovery lists them."""

    name: str
    kind: str
    versions: tuple[Served, ...] = (Served(version="v1"),)
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    namespaced: bool = True
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    storage: tuple[str, str] = ("", "")
    storage_hash: str = ""


def _pod_subresources(generation: Generation) -> tuple[Subresource, ...]:
    policy = "v1" if generation.minor >= 22 else "v1beta1"
    changing = [
        Subresource(name="attach", kind="PodAttachOptions", verbs=_STREAM),
        Subresource(name="binding", kind="Binding", verbs=("create",)),
        Subresource(
            name="eviction", kind="Eviction", verbs=("create",), group="policy", version=policy
        ),
        Subresource(name="exec", kind="PodExecOptions", verbs=_STREAM),
        Subresource(name="log", verbs=("get",)),
        Subresource(name="portforward", kind="PodPortForwardOptions", verbs=_STREAM),
        Subresource(name="proxy", kind="PodProxyOptions", verbs=_PROXY),
        STATUS,
    ]
    if generation.minor >= 23:
        changing.insert(2, Subresource(name="ephemeralcontainers"))
    if generation.minor >= 33:
        changing.insert(-1, Subresource(name="resize"))
    return tuple(changing)


def _core(generation: Generation) -> tuple[Row, ...]:
    token = Subresource(
        name="token",
        kind="TokenRequest",
        verbs=("create",),
        group="authentication.k8s.io",
        version="v1",
    )
    node_proxy = Subresource(name="proxy", kind="NodeProxyOptions", verbs=_PROXY)
    service_proxy = Subresource(name="proxy", kind="ServiceProxyOptions", verbs=_PROXY)
    finalize = Subresource(name="finalize", verbs=("update",))
    everything = ("all",)
    return (
        Row(name="bindings", kind="Binding", verbs=("create",)),
        Row(
            name="componentstatuses",
            kind="ComponentStatus",
            short=("cs",),
            namespaced=False,
            verbs=("get", "list"),
        ),
        Row(name="configmaps", kind="ConfigMap", short=("cm",), storage_hash="qFsyl6wFWjQ="),
        Row(name="endpoints", kind="Endpoints", short=("ep",), storage_hash="fWeeMqaN/OA="),
        Row(name="events", kind="Event", short=("ev",), storage_hash="r2yiGXH7wu8="),
        Row(name="limitranges", kind="LimitRange", short=("limits",), storage_hash="EBKMFVe6cwo="),
        Row(
            name="namespaces",
            kind="Namespace",
            short=("ns",),
            namespaced=False,
            verbs=_NO_COLLECTION,
            subresources=(finalize, STATUS),
            storage_hash="Q3oi5N2YM8M=",
        ),
        Row(
            name="nodes",
            kind="Node",
            short=("no",),
            namespaced=False,
            subresources=(node_proxy, STATUS),
            storage_hash="XwShjMxG9Fs=",
        ),
        Row(
            name="persistentvolumeclaims",
            kind="PersistentVolumeClaim",
            short=("pvc",),
            subresources=(STATUS,),
            storage_hash="QWTyNDq0dC4=",
        ),
        Row(
            name="persistentvolumes",
            kind="PersistentVolume",
            short=("pv",),
            namespaced=False,
            subresources=(STATUS,),
            storage_hash="HN/zwEC+JgM=",
        ),
        Row(
            name="pods",
            kind="Pod",
            short=("po",),
            categories=everything,
            subresources=_pod_subresources(generation),
            storage_hash="xPOwRZ+Yhw8=",
        ),
        Row(name="podtemplates", kind="PodTemplate", storage_hash="LIXB2x4IFpk="),
        Row(
            name="replicationcontrollers",
            kind="ReplicationController",
            short=("rc",),
            categories=everything,
            subresources=(_SCALE, STATUS),
            storage_hash="Jond2If31h0=",
        ),
        Row(
            name="resourcequotas",
            kind="ResourceQuota",
            short=("quota",),
            subresources=(STATUS,),
            storage_hash="8uhSgffRX6w=",
        ),
        Row(name="secrets", kind="Secret", storage_hash="S6u1pOWzb84="),
        Row(
            name="serviceaccounts",
            kind="ServiceAccount",
            short=("sa",),
            subresources=(token,),
            storage_hash="pbx9ZvyFpBE=",
        ),
        Row(
            name="services",
            kind="Service",
            short=("svc",),
            categories=everything,
            verbs=ALL_VERBS if generation.is_new else _NO_COLLECTION,
            subresources=(service_proxy, STATUS),
            storage_hash="0/CO1lhkEBI=",
        ),
    )


def _both(since: int, until: int, *, beta: str = "v1beta1") -> tuple[Served, ...]:
    """The version v1 since a minor, and its beta until another."""
    return (Served(version="v1", since=since), Served(version=beta, until=until))


_OLD_RBAC = _both(OLDEST, 21)
_REVIEW = ("create",)


def _workload(name: str, kind: str, short: str, *subresources: Subresource) -> Row:
    return Row(name=name, kind=kind, short=(short,), categories=("all",), subresources=subresources)


def _cluster(name: str, kind: str, **fields: object) -> Row:
    return Row(name=name, kind=kind, namespaced=False, **fields)  # type: ignore[arg-type]


_INGRESS = ("networking.k8s.io", "ingresses")
_WEBHOOKS = _both(16, 21)

_GROUPS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "apiregistration.k8s.io",
        (
            _cluster(
                "apiservices",
                "APIService",
                versions=_both(OLDEST, 21),
                categories=("api-extensions",),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "apps",
        (
            Row(name="controllerrevisions", kind="ControllerRevision"),
            _workload("daemonsets", "DaemonSet", "ds", STATUS),
            _workload("deployments", "Deployment", "deploy", _SCALE, STATUS),
            _workload("replicasets", "ReplicaSet", "rs", _SCALE, STATUS),
            _workload("statefulsets", "StatefulSet", "sts", _SCALE, STATUS),
        ),
    ),
    (
        "events.k8s.io",
        (
            Row(
                name="events",
                kind="Event",
                versions=_both(19, 24),
                short=("ev",),
                storage=("", "events"),
            ),
        ),
    ),
    (
        "authentication.k8s.io",
        (
            _cluster(
                "selfsubjectreviews",
                "SelfSubjectReview",
                versions=(Served(version="v1", since=28),),
                verbs=_REVIEW,
            ),
            _cluster("tokenreviews", "TokenReview", versions=_OLD_RBAC, verbs=_REVIEW),
        ),
    ),
    (
        "authorization.k8s.io",
        (
            Row(
                name="localsubjectaccessreviews",
                kind="LocalSubjectAccessReview",
                versions=_OLD_RBAC,
                verbs=_REVIEW,
            ),
            _cluster(
                "selfsubjectaccessreviews",
                "SelfSubjectAccessReview",
                versions=_OLD_RBAC,
                verbs=_REVIEW,
            ),
            _cluster(
                "selfsubjectrulesreviews",
                "SelfSubjectRulesReview",
                versions=_OLD_RBAC,
                verbs=_REVIEW,
            ),
            _cluster(
                "subjectaccessreviews", "SubjectAccessReview", versions=_OLD_RBAC, verbs=_REVIEW
            ),
        ),
    ),
    (
        "autoscaling",
        (
            Row(
                name="horizontalpodautoscalers",
                kind="HorizontalPodAutoscaler",
                short=("hpa",),
                categories=("all",),
                versions=(
                    Served(version="v2", since=23),
                    Served(version="v1"),
                    Served(version="v2beta1", until=24),
                    Served(version="v2beta2", until=25),
                ),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "batch",
        (
            Row(name="jobs", kind="Job", categories=("all",), subresources=(STATUS,)),
            Row(
                name="cronjobs",
                kind="CronJob",
                short=("cj",),
                categories=("all",),
                versions=_both(21, 24),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "certificates.k8s.io",
        (
            _cluster(
                "certificatesigningrequests",
                "CertificateSigningRequest",
                short=("csr",),
                versions=_both(19, 21),
                subresources=(Subresource(name="approval"), STATUS),
            ),
        ),
    ),
    (
        "networking.k8s.io",
        (
            _cluster("ingressclasses", "IngressClass", versions=_both(19, 21)),
            Row(
                name="ingresses",
                kind="Ingress",
                short=("ing",),
                versions=_both(19, 21),
                subresources=(STATUS,),
            ),
            Row(name="networkpolicies", kind="NetworkPolicy", short=("netpol",)),
        ),
    ),
    (
        "extensions",
        (
            Row(
                name="ingresses",
                kind="Ingress",
                short=("ing",),
                versions=(Served(version="v1beta1", until=21),),
                subresources=(STATUS,),
                storage=_INGRESS,
            ),
        ),
    ),
    (
        "policy",
        (
            Row(
                name="poddisruptionbudgets",
                kind="PodDisruptionBudget",
                short=("pdb",),
                versions=_both(21, 24),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "rbac.authorization.k8s.io",
        (
            _cluster("clusterrolebindings", "ClusterRoleBinding", versions=_OLD_RBAC),
            _cluster("clusterroles", "ClusterRole", versions=_OLD_RBAC),
            Row(name="rolebindings", kind="RoleBinding", versions=_OLD_RBAC),
            Row(name="roles", kind="Role", versions=_OLD_RBAC),
        ),
    ),
    (
        "storage.k8s.io",
        (_cluster("storageclasses", "StorageClass", short=("sc",), versions=_OLD_RBAC),),
    ),
    (
        "admissionregistration.k8s.io",
        (
            _cluster(
                "mutatingwebhookconfigurations",
                "MutatingWebhookConfiguration",
                versions=_WEBHOOKS,
                categories=("api-extensions",),
            ),
            _cluster(
                "validatingwebhookconfigurations",
                "ValidatingWebhookConfiguration",
                versions=_WEBHOOKS,
                categories=("api-extensions",),
            ),
        ),
    ),
    (
        "apiextensions.k8s.io",
        (
            _cluster(
                "customresourcedefinitions",
                "CustomResourceDefinition",
                short=("crd", "crds"),
                versions=_WEBHOOKS,
                categories=("api-extensions",),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "scheduling.k8s.io",
        (_cluster("priorityclasses", "PriorityClass", short=("pc",), versions=_OLD_RBAC),),
    ),
    ("coordination.k8s.io", (Row(name="leases", kind="Lease", versions=_OLD_RBAC),)),
    ("node.k8s.io", (_cluster("runtimeclasses", "RuntimeClass", versions=_both(20, 24)),)),
    (
        "discovery.k8s.io",
        (Row(name="endpointslices", kind="EndpointSlice", versions=_both(21, 24)),),
    ),
    (
        "resource.k8s.io",
        (
            Row(
                name="resourceclaims",
                kind="ResourceClaim",
                versions=(Served(version="v1", since=34),),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        (
            _cluster(
                "flowschemas",
                "FlowSchema",
                versions=(
                    Served(version="v1", since=29),
                    Served(version="v1beta1", since=20, until=25),
                    Served(version="v1beta2", since=23, until=28),
                    Served(version="v1beta3", since=26, until=31),
                ),
                subresources=(STATUS,),
            ),
        ),
    ),
)


def _warning(group: str, row: Row, served: Served, generation: Generation) -> str:
    """The deprecation warning that a server of this generation sends with every answer."""
    if row.name == "endpoints" and generation.warns_about_endpoints:
        return "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    # Warning headers exist since 1.19; the recorded one is the Ingress's.
    if row.name == "ingresses" and served.version == "v1beta1" and generation.minor >= 19:
        since = "v1.14+" if group == "extensions" else "v1.19+"
        return (
            f"{group}/v1beta1 Ingress is deprecated in {since}, unavailable in v1.22+; "
            "use networking.k8s.io/v1 Ingress"
        )
    return ""


def _resources(group: str, rows: tuple[Row, ...], generation: Generation) -> Iterator[Resource]:
    for row in rows:
        for served in row.versions:
            if served.since <= generation.minor <= served.until:
                yield Resource(
                    group=group,
                    version=served.version,
                    name=row.name,
                    kind=row.kind,
                    namespaced=row.namespaced,
                    short_names=row.short,
                    categories=row.categories,
                    verbs=row.verbs,
                    subresources=row.subresources,
                    storage=row.storage,
                    storage_hash=row.storage_hash,
                    singular="endpoints" if row.name == "endpoints" else "",
                    warning=_warning(group, row, served, generation),
                    custom=False,
                )


def builtin_catalogue(generation: Generation) -> Catalogue:
    """Everything a stock server of this generation serves."""
    catalogue = Catalogue(_resources("", _core(generation), generation))
    for group, rows in _GROUPS:
        for resource in _resources(group, rows, generation):
            catalogue.add(resource)
    return catalogue
