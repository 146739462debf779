"""The core group: names, short names, subresources and hashes of the two recorded /api/v1."""

from __future__ import annotations

from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.resources import ALL_VERBS, STATUS, Subresource
from keptn_doctor.lab.kube.rows import SCALE, Row

_ALL = ("all",)
_STREAM = ("create", "get")
_PROXY = ("create", "delete", "get", "patch", "update")
_NO_COLLECTION = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")
_FINALIZE = Subresource(name="finalize", verbs=("update",))
_NODE_PROXY = Subresource(name="proxy", kind="NodeProxyOptions", verbs=_PROXY)
_SERVICE_PROXY = Subresource(name="proxy", kind="ServiceProxyOptions", verbs=_PROXY)
_TOKEN = Subresource(
    name="token",
    kind="TokenRequest",
    verbs=("create",),
    group="authentication.k8s.io",
    version="v1",
)

_CORE = (
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
        subresources=(_FINALIZE, STATUS),
        storage_hash="Q3oi5N2YM8M=",
    ),
    Row(
        name="nodes",
        kind="Node",
        short=("no",),
        namespaced=False,
        subresources=(_NODE_PROXY, STATUS),
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
    Row(name="podtemplates", kind="PodTemplate", storage_hash="LIXB2x4IFpk="),
    Row(
        name="replicationcontrollers",
        kind="ReplicationController",
        short=("rc",),
        categories=_ALL,
        subresources=(SCALE, STATUS),
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
        subresources=(_TOKEN,),
        storage_hash="pbx9ZvyFpBE=",
    ),
)


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


def core_rows(generation: Generation) -> tuple[Row, ...]:
    """All rows of the core group; pods and services changed between the generations."""
    pods = Row(
        name="pods",
        kind="Pod",
        short=("po",),
        categories=_ALL,
        subresources=_pod_subresources(generation),
        storage_hash="xPOwRZ+Yhw8=",
    )
    services = Row(
        name="services",
        kind="Service",
        short=("svc",),
        categories=_ALL,
        verbs=ALL_VERBS if generation.is_new else _NO_COLLECTION,
        subresources=(_SERVICE_PROXY, STATUS),
        storage_hash="0/CO1lhkEBI=",
    )
    return (*_CORE, pods, services)
