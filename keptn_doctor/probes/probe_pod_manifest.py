"""The probe pod: what stands beside a pod of a Keptn service and looks out as that pod does.

Pure: from the pod as the cluster shows it to a manifest. The probe pod shares with its model what
decides the way out (node, DNS, host aliases, proxy variables, the labels that network policies
read) and nothing else: no token, no service-account token, no volume, no privilege. Two traps are
avoided here. A ReplicaSet or DaemonSet adopts a pod without controller whose labels it selects, and
may then delete a real one: so the model pod is named as controller, which also lets the cluster
collect what is left when the model goes. And a Service sends traffic to every ready pod that it
selects: so a readiness gate that nobody ever opens keeps the probe pod unready.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from keptn_doctor.model.base import Record
from keptn_doctor.model.topology import Endpoint, KeptnService

RUN_LABEL = "keptn-doctor/run"
CONTAINER = "probe"
LIFE_S = 60  # the kubelet ends it then, whatever became of the doctor
NEVER_READY = "keptn-doctor/never-ready"
SHOWN_PATH = "/swagger-ui/swagger.yaml"  # asks for no token, so it costs no turn of the limiter
_USER = 65_532  # the id that Keptn's own images run as
_PROXY_VARIABLES = frozenset(
    name for stem in ("http_proxy", "https_proxy", "no_proxy") for name in (stem, stem.upper())
)
_MESH = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
Json = dict[str, Any]


class PodSelector(Record, frozen=True, kw_only=True):
    """The label keys that one network policy reads."""

    keys: tuple[str, ...]


class ServiceSelector(Record, frozen=True, kw_only=True):
    """What a Service selects, and whether it does so before a pod is ready."""

    name: str
    labels: Mapping[str, str]
    unready_too: bool = False


class ProbeOptions(Record, frozen=True, kw_only=True):
    """What a user may choose."""

    image: str = ""  # "" = the client's own image, which the node has already
    service_account: bool = False  # run under the Keptn service's account; its token stays out


def script() -> str:
    """The look itself, for ``/bin/sh -c``."""
    return files("keptn_doctor.probes").joinpath("probe_pod.sh").read_text("utf-8")


def why_not(model: Json) -> str:
    """Why a probe pod beside this one would see another way out than it does; "" if it would."""
    spec = model.get("spec") or {}
    if not spec.get("nodeName"):
        return "its pod is not on a node yet"
    if spec.get("hostNetwork"):
        return "its pods use the node's network, which a pod without privilege cannot"
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    meshes = {"istio-proxy", "linkerd-proxy"} & {str(c.get("name")) for c in containers}
    if meshes:
        return f"its pods go out through {meshes.pop()}, which a probe pod has not"
    return ""


def without_image(model: Json, container: str) -> str:
    """Why the node cannot have the container's own image, "" when nothing says that it cannot."""
    for status in (model.get("status") or {}).get("containerStatuses") or []:
        waiting = (status.get("state") or {}).get("waiting") or {}
        if status.get("name") == container and waiting.get("reason") in _NO_IMAGE:
            return f"its own image is not to be had ({waiting['reason']}): see --probe-image"
    return ""


def copied_labels(model: Json, policies: Iterable[PodSelector]) -> dict[str, str]:
    """The labels by which network policies tell pods apart: with them the same policies apply.

    A policy's choice depends on the keys that its selector names and on nothing else.
    """
    keys = {key for policy in policies for key in policy.keys}
    labels: dict[str, str] = (model.get("metadata") or {}).get("labels") or {}
    return {key: value for key, value in labels.items() if key in keys}


def drawn_in_by(labels: Mapping[str, str], services: Iterable[ServiceSelector]) -> str:
    """The Service that would send traffic to an unready pod with these labels, "" for none."""
    for service in services:
        if service.unready_too and service.labels and service.labels.items() <= labels.items():
            return service.name
    return ""


def own_image(model: Json, container: str) -> str:
    """The image of a container as the node has it: by digest where the kubelet told one."""
    statuses = (model.get("status") or {}).get("containerStatuses") or []
    for status in statuses:
        pulled = str(status.get("imageID") or "").rpartition("://")[2]
        if status.get("name") == container and "@sha256:" in pulled:
            return pulled
    declared = (model.get("spec") or {}).get("containers") or []
    return next((str(c.get("image") or "") for c in declared if c.get("name") == container), "")


def probe_pod(
    model: Json,
    service: KeptnService,
    endpoint: Endpoint,
    *,
    name: str,
    run: str,
    labels: Mapping[str, str],
    options: ProbeOptions,
) -> Json:
    """The manifest of a probe pod beside ``model``, a pod of ``service``."""
    meta = model.get("metadata") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": meta.get("namespace"),
            "labels": {
                **labels,
                RUN_LABEL: run,
                "app.kubernetes.io/managed-by": "keptn-doctor",
                "sidecar.istio.io/inject": "false",
            },
            "annotations": _MESH,
            "ownerReferences": _owner(meta),
        },
        "spec": _spec(model, service, endpoint, options),
    }


def _owner(meta: Json) -> list[Json]:
    if not meta.get("uid"):
        return []
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": meta.get("name"),
            "uid": meta["uid"],
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


def _spec(model: Json, service: KeptnService, endpoint: Endpoint, options: ProbeOptions) -> Json:
    spec = model.get("spec") or {}
    kept = ("dnsPolicy", "dnsConfig", "hostAliases", "imagePullSecrets", "tolerations")
    made: Json = {key: spec[key] for key in kept if spec.get(key)}
    if options.service_account and spec.get("serviceAccountName"):
        made["serviceAccountName"] = spec["serviceAccountName"]
    return made | {
        "affinity": _same_node(str(spec["nodeName"])),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": LIFE_S,
        "terminationGracePeriodSeconds": 1,
        "readinessGates": [{"conditionType": NEVER_READY}],
        "securityContext": {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            **_user(spec, service.container),
        },
        "containers": [_container(model, service, endpoint, options)],
    }


def _same_node(node: str) -> Json:
    """As DaemonSets place their pods: the scheduler still checks that there is room."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _user(spec: Json, container: str) -> Json:
    """The model's own user id (OpenShift admits only those of the namespace), never root."""
    containers = spec.get("containers") or []
    declared: Json = next((c for c in containers if c.get("name") == container), {})
    for context in (declared.get("securityContext"), spec.get("securityContext")):
        user = (context or {}).get("runAsUser")
        if user:
            return {"runAsUser": user}
    return {"runAsUser": _USER}


def _container(
    model: Json, service: KeptnService, endpoint: Endpoint, options: ProbeOptions
) -> Json:
    return {
        "name": CONTAINER,
        "image": options.image or own_image(model, service.container),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", script()],
        "env": _environment(model, service, endpoint),
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "100m", "memory": "32Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


def _environment(model: Json, service: KeptnService, endpoint: Endpoint) -> list[Json]:
    said = {
        "PROBE_HOST": endpoint.host,
        "PROBE_PORT": str(endpoint.port),
        "PROBE_SCHEME": endpoint.scheme,
        "PROBE_PATH": f"{endpoint.path.rstrip('/')}{SHOWN_PATH}",
    }
    made: list[Json] = [{"name": name, "value": value} for name, value in said.items()]
    if not service.behaviour.proxy_on_poll:
        return made  # this client goes directly, whatever its environment says
    containers = (model.get("spec") or {}).get("containers") or []
    client: Json = next((c for c in containers if c.get("name") == service.container), {})
    made += [v for v in client.get("env") or [] if v.get("name") in _PROXY_VARIABLES]
    return made
