"""The declared objects of a bare cluster: nodes, storage classes, cluster DNS, load balancers.

Only what a diagnosis looks at is there; a real cluster has more of everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from keptn_doctor.lab import objects
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.levers import ClusterLevers, NodeLevers, StorageLevers
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.fillers import filler_objects

SYSTEM = "kube-system"
DNS_ADDRESS = "10.96.0.10"

_SUFFIX = {
    "k3s": "+k3s1", "k3d": "+k3s1", "rke2": "+rke2r1", "gke": "-gke.600", "eks": "-eks-9c63cb8",
}  # fmt: skip
_NODE_LABELS = {
    "k3s": {"node.kubernetes.io/instance-type": "k3s"},
    "k3d": {"node.kubernetes.io/instance-type": "k3s"},
    "rke2": {"node.kubernetes.io/instance-type": "rke2"},
    "gke": {"cloud.google.com/gke-nodepool": "default-pool"},
    "eks": {"eks.amazonaws.com/nodegroup": "ng-1"},
    "aks": {"kubernetes.azure.com/cluster": "MC_keptn"},
    "openshift": {"node.openshift.io/os_id": "rhcos"},
    "minikube": {"minikube.k8s.io/name": "minikube"},
}
_PROVIDER_IDS = {
    "k3s": "k3s://", "k3d": "k3s://", "gke": "gce://keptn-lab/europe-west1-b/",
    "eks": "aws:///eu-west-1a/i-", "aks": "azure:///subscriptions/lab/",
    "kind": "kind://docker/kind/",
}  # fmt: skip
_CLOUDS = {"gke", "eks", "aks"}
_PATCH = 2  # the patch release of every Kubernetes minor in the lab


def cluster_objects(levers: ClusterLevers, *, number: int, born: datetime) -> Iterator[Object]:
    """All of them; ``number`` tells the clusters of one lab apart (addresses)."""
    for index, node in enumerate(levers.nodes):
        yield _node(node, levers, address=f"10.0.{number}.{11 + index}", born=born)
    yield from _storage_classes(levers.storage, born)
    yield from _cluster_dns(born)
    yield from _load_balancer(levers, born)
    yield from filler_objects(levers.fillers, born)


def load_balancer_of(levers: ClusterLevers) -> str:
    """What hands out addresses: metallb, klipper, cloud, or "" for nothing."""
    if levers.load_balancer == "none":
        return ""
    if levers.load_balancer != "auto":
        return levers.load_balancer
    if levers.platform in {"k3s", "k3d"}:
        return "klipper"
    return "cloud" if levers.platform in _CLOUDS else "metallb"


def _node(node: NodeLevers, levers: ClusterLevers, *, address: str, born: datetime) -> Object:
    labels = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/arch": node.architecture,
        "kubernetes.io/os": "linux",
        **_NODE_LABELS.get(levers.platform, {}),
        **node.labels,
    }
    made = objects.obj("Node", node.name, labels=labels, born=born)
    provider = _PROVIDER_IDS.get(levers.platform)
    taints = [_taint(text) for text in node.taints]
    if not node.ready:
        taints.append({"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"})
    for pressure in node.pressure:
        key = f"node.kubernetes.io/{pressure}-pressure"
        taints.append({"key": key, "effect": "NoSchedule"})
    spec: Object = {"providerID": provider + node.name} if provider else {}
    made["spec"] = spec | ({"taints": taints} if taints else {})
    addresses = [{"type": "InternalIP", "address": node.internal_address or address}]
    if node.external_address:
        addresses.append({"type": "ExternalIP", "address": node.external_address})
    addresses.append({"type": "Hostname", "address": node.name})
    room = {"cpu": node.cpu, "memory": node.memory, "pods": "110", "ephemeral-storage": "100Gi"}
    made["status"] = {
        "addresses": addresses,
        "capacity": room,
        "allocatable": dict(room),
        "conditions": _conditions(node, born),
        "nodeInfo": {
            "architecture": node.architecture,
            "operatingSystem": "linux",
            "kubeletVersion": version_text(levers),
            "containerRuntimeVersion": "containerd://1.6.15",
            "osImage": "Ubuntu 22.04.1 LTS",
            "kernelVersion": "5.15.0-58-generic",
        },
    }
    return made


def version_text(levers: ClusterLevers) -> str:
    """``v1.24.9+k3s1``: the version as nodes of this platform report it."""
    minor = Generation.parse(levers.kubernetes).text
    return f"v{minor}.{_PATCH}{build_suffix(levers)}"


def build_suffix(levers: ClusterLevers) -> str:
    """What a distribution appends to the version: ``+k3s1``; "" for a plain Kubernetes."""
    return _SUFFIX.get(levers.platform, "")


def _taint(text: str) -> Object:
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def _conditions(node: NodeLevers, born: datetime) -> list[Object]:
    rows = []
    for name, title in (("memory", "Memory"), ("disk", "Disk"), ("pid", "PID")):
        bad = name in node.pressure
        reason = f"KubeletHas{'Insufficient' if bad else 'Sufficient'}{title}"
        message = f"kubelet has {'in' if bad else ''}sufficient {name} available"
        rows.append(_condition(f"{title}Pressure", str(bad), reason, message))
    if node.ready:
        rows.append(_condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    else:
        words = "Kubelet stopped posting node status."
        rows.append(_condition("Ready", "Unknown", "NodeStatusUnknown", words))
    return [{**row, "lastTransitionTime": objects.stamp(born)} for row in rows]


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _storage_classes(storage: StorageLevers, born: datetime) -> Iterator[Object]:
    for index, name in enumerate(storage.classes):
        marked = index == 0 and storage.default
        notes = {"storageclass.kubernetes.io/is-default-class": "true"} if marked else None
        yield objects.obj(
            "StorageClass", name, api="storage.k8s.io/v1", annotations=notes, born=born,
            provisioner=storage.provisioner, reclaimPolicy="Delete",
            volumeBindingMode="Immediate",
        )  # fmt: skip


def _system_deployment(
    name: str, home: str, image: str, born: datetime, *, kind: str = "Deployment", **labels: str
) -> Object:
    selector = {"app": name, **{key.replace("_", "-"): value for key, value in labels.items()}}
    container: Object = {
        "name": name,
        "image": image,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
    }
    return objects.deployment(
        name, home, kind=kind, selector=selector, labels=selector,
        pod_spec={"containers": [container]}, born=born,
    )  # fmt: skip


def _cluster_dns(born: datetime) -> Iterator[Object]:
    image = "registry.k8s.io/coredns/coredns:v1.9.3"
    made = _system_deployment("coredns", SYSTEM, image, born, k8s_app="kube-dns")
    yield made
    ports: list[dict[str, Any]] = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "targetPort": 53},
    ]
    yield objects.service(
        "kube-dns", SYSTEM, selector=made["spec"]["selector"]["matchLabels"], ports=ports,
        born=born, cluster_ip=DNS_ADDRESS,
    )  # fmt: skip


def _load_balancer(levers: ClusterLevers, born: datetime) -> Iterator[Object]:
    provider = load_balancer_of(levers)
    if provider == "metallb":
        home, image = "metallb-system", "quay.io/metallb"
        yield objects.namespace(home, born=born)
        yield _system_deployment("controller", home, f"{image}/controller:v0.13.7", born)
        speaker = f"{image}/speaker:v0.13.7"
        yield _system_deployment("speaker", home, speaker, born, kind="DaemonSet")
        yield objects.obj(
            "IPAddressPool", "default", home, api="metallb.io/v1beta1", born=born,
            spec={"addresses": ["203.0.113.0/24"]},
        )  # fmt: skip
        yield objects.obj(
            "L2Advertisement", "default", home, api="metallb.io/v1beta1", born=born,
            spec={"ipAddressPools": ["default"]},
        )  # fmt: skip
    elif provider == "cloud":
        image = "registry.k8s.io/provider-cloud/cloud-controller-manager:v1.24.2"
        yield _system_deployment("cloud-controller-manager", SYSTEM, image, born)
