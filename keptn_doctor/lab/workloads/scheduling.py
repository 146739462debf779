"""Where pods go: nodes, their room, taints, host ports and volume claims.

Messages are those of kube-scheduler 1.24 ("0/1 nodes are available: 1 Insufficient cpu.").
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

from keptn_doctor.lab.levers import StorageLevers
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.inventory import Inventory
from keptn_doctor.lab.objects.quantities import amount
from keptn_doctor.lab.workloads.plan import Incident

_BLOCKING = {"NoSchedule", "NoExecute"}


class Room:
    """A node with what is still free on it."""

    def __init__(self, node: Object) -> None:
        status = node.get("status") or {}
        free = status.get("allocatable") or {}
        self.name = str(node["metadata"]["name"])
        self.cpu = amount(free.get("cpu", "0"))
        self.memory = amount(free.get("memory", "0"))
        self.pods = amount(free.get("pods", "110"))
        self.ports: set[int] = set()
        rows = status.get("addresses") or []
        own = [str(r.get("address")) for r in rows if r.get("type") == "InternalIP"]
        self.address = own[0] if own else ""
        info = status.get("nodeInfo") or {}
        self.architecture = str(info.get("architecture") or "amd64")
        taints = (node.get("spec") or {}).get("taints") or []
        self.taints = [t for t in taints if t.get("effect") in _BLOCKING]
        ready = [c for c in status.get("conditions") or [] if c.get("type") == "Ready"]
        self.lost = bool(ready) and ready[0].get("status") != "True"


class Scheduler:
    """Places pods one after the other; what is taken stays taken."""

    def __init__(self, inventory: Inventory) -> None:
        self.rooms = [Room(node) for node in inventory.of("Node")]
        self._inventory = inventory

    def place(self, pod_spec: Object, namespace: str) -> tuple[str, str]:
        """Name of the node, or "" and the scheduler's message."""
        unbound = self._unbound(pod_spec, namespace)
        if unbound:
            return "", unbound
        cpu, memory = requests_of(pod_spec)
        ports = host_ports(pod_spec)
        reasons: Counter[str] = Counter()
        for room in self.rooms:
            reason = self._against(room, pod_spec, cpu, memory, ports)
            if not reason:
                room.cpu -= cpu
                room.memory -= memory
                room.pods -= 1
                room.ports |= ports
                return room.name, ""
            reasons[reason] += 1
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        return "", f"0/{len(self.rooms)} nodes are available: {listed or 'no nodes'}."

    def room(self, name: str) -> Room | None:
        return next((room for room in self.rooms if room.name == name), None)

    def _against(
        self, room: Room, pod_spec: Object, cpu: float, memory: float, ports: set[int]
    ) -> str:
        tolerated = {t.get("key") for t in pod_spec.get("tolerations") or []}
        for taint in room.taints:
            if taint.get("key") not in tolerated and None not in tolerated:
                return f"node(s) had untolerated taint {{{taint.get('key')}: }}"
        if ports & room.ports:
            return "node(s) didn't have free ports for the requested pod ports"
        if cpu > room.cpu + 1e-9:
            return "Insufficient cpu"
        if memory > room.memory:
            return "Insufficient memory"
        return "Too many pods" if room.pods < 1 else ""

    def _unbound(self, pod_spec: Object, namespace: str) -> str:
        for volume in pod_spec.get("volumes") or []:
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if not name:
                continue
            found = self._inventory.get("PersistentVolumeClaim", namespace, name)
            total = len(self.rooms)
            if found is None:
                return f'persistentvolumeclaim "{name}" not found'
            if (found.get("status") or {}).get("phase") not in {"Bound", "Lost"}:
                why = "pod has unbound immediate PersistentVolumeClaims"
                return f"0/{total} nodes are available: {total} {why}."
        return ""


def requests_of(pod_spec: Object) -> tuple[float, float]:
    """CPU (cores) and memory (bytes) that a pod reserves."""
    cpu = memory = 0.0
    for container in pod_spec.get("containers") or []:
        resources = container.get("resources") or {}
        wanted = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        cpu += amount(wanted.get("cpu", "0"))
        memory += amount(wanted.get("memory", "0"))
    return cpu, memory


def host_ports(pod_spec: Object) -> set[int]:
    return {
        int(port["hostPort"])
        for container in pod_spec.get("containers") or []
        for port in container.get("ports") or []
        if port.get("hostPort")
    }


def bind_claims(inventory: Inventory, storage: StorageLevers) -> dict[str, Incident]:
    """Bind every PersistentVolumeClaim that can be; Events of the others by ``namespace/name``."""
    incidents: dict[str, Incident] = {}
    classes = {str(c["metadata"]["name"]): c for c in inventory.of("StorageClass")}
    default = next((name for name, c in classes.items() if _is_default(c)), "")
    for claim in inventory.of("PersistentVolumeClaim"):
        if (claim.get("status") or {}).get("phase") == "Lost":
            continue  # its volume was deleted; nothing binds it again
        spec = claim.setdefault("spec", {})
        name = str(claim["metadata"]["name"])
        wanted = spec.get("storageClassName") or default
        problem = _unbindable(name, wanted, classes, storage)
        if problem is None:
            spec.setdefault("storageClassName", wanted)
            size = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")
            spec.setdefault("volumeName", f"pvc-{name}")
            claim["status"] = {
                "phase": "Bound",
                "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
                "capacity": {"storage": size},
            }
        else:
            if wanted:
                spec.setdefault("storageClassName", wanted)
            claim["status"] = {"phase": "Pending"}
            incidents[f"{claim['metadata']['namespace']}/{name}"] = problem
    return incidents


def _is_default(storage_class: Object) -> bool:
    notes = storage_class["metadata"].get("annotations") or {}
    return notes.get("storageclass.kubernetes.io/is-default-class") == "true"


def _unbindable(
    name: str, wanted: str, classes: dict[str, Object], storage: StorageLevers
) -> Incident | None:
    source = "persistentvolume-controller"
    if not wanted:
        text = "no persistent volumes available for this claim and no storage class is set"
        return Incident(
            reason="FailedBinding", message=text, kind="Normal", count=240, source=source
        )
    if wanted not in classes:
        text = f'storageclass.storage.k8s.io "{wanted}" not found'
        return Incident(reason="ProvisioningFailed", message=text, count=240, source=source)
    hit = not storage.unbound_claims or any(fnmatchcase(name, g) for g in storage.unbound_claims)
    if storage.provisioning == "works" or not hit:
        return None
    provisioner = str(classes[wanted].get("provisioner"))
    if storage.provisioning == "missing":
        text = (
            f'waiting for a volume to be created, either by external provisioner "{provisioner}" '
            "or manually created by system administrator"
        )
        return Incident(
            reason="ExternalProvisioning", message=text, kind="Normal", count=240, source=source
        )
    text = f'failed to provision volume with StorageClass "{wanted}": no capacity left'
    return Incident(reason="ProvisioningFailed", message=text, count=40, source=provisioner)
