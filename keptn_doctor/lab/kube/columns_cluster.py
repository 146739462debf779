"""The tables of nodes, namespaces, events, configuration, storage and access control."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from keptn_doctor.lab.kube.ages import age
from keptn_doctor.lab.kube.columns import (
    AGE,
    NAME,
    Column,
    column,
    joined,
    number,
    text,
)
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import Object, dicts, dig, metadata

_ROLE_LABEL = "node-role.kubernetes.io/"


def _node_status(node: Object) -> str:
    ready = [c for c in dicts(dig(node, "status", "conditions")) if c.get("type") == "Ready"]
    state = "Unknown"
    if ready:
        state = "Ready" if ready[0].get("status") == "True" else "NotReady"
    return f"{state},SchedulingDisabled" if dig(node, "spec", "unschedulable") else state


def _node_roles(node: Object) -> str:
    labels = metadata(node).get("labels")
    keys = labels if isinstance(labels, dict) else {}
    return joined(sorted(k.removeprefix(_ROLE_LABEL) for k in keys if k.startswith(_ROLE_LABEL)))


def _node_address(kind: str) -> Any:
    def read(node: Object) -> str:
        found = [a for a in dicts(dig(node, "status", "addresses")) if a.get("type") == kind]
        return str(found[0].get("address")) if found else "<none>"

    return read


def _info(title: str, field: str) -> Column:
    return text(title, "status", "nodeInfo", field, missing="<unknown>", wide=True)


NODE = (
    NAME,
    column("Status", _node_status),
    column("Roles", _node_roles),
    AGE,
    text("Version", "status", "nodeInfo", "kubeletVersion"),
    column("Internal-IP", _node_address("InternalIP"), wide=True),
    column("External-IP", _node_address("ExternalIP"), wide=True),
    _info("OS-Image", "osImage"),
    _info("Kernel-Version", "kernelVersion"),
    _info("Container-Runtime", "containerRuntimeVersion"),
)
NAMESPACE = (NAME, text("Status", "status", "phase"), AGE)


def _seen(*fields: str) -> Any:
    def read(event: Object, now: datetime) -> str:
        found = next((event[field] for field in fields if event.get(field)), None)
        return age(found, now)

    return read


def _involved(event: Object) -> str:
    about = event.get("involvedObject")
    kind, name = dig(about, "kind"), dig(about, "name")
    return f"{str(kind or '').lower()}/{name or ''}"


def _source(event: Object) -> str:
    component = dig(event, "source", "component") or event.get("reportingComponent") or ""
    host = dig(event, "source", "host") or event.get("reportingInstance")
    return f"{component}, {host}" if host else str(component)


EVENT = (
    Column(name="Last Seen", read=_seen("lastTimestamp", "eventTime", "firstTimestamp")),
    text("Type", "type"),
    text("Reason", "reason"),
    column("Object", _involved),
    text("Subobject", "involvedObject", "fieldPath", wide=True),
    column("Source", _source, wide=True),
    column("Message", lambda event: str(event.get("message") or "").strip()),
    Column(name="First Seen", read=_seen("firstTimestamp", "eventTime"), wide=True),
    column("Count", lambda event: event.get("count") or 1, wide=True),
    Column(name="Name", read=lambda obj, _now: metadata(obj).get("name"), wide=True),
)


def _entries(*fields: str) -> Any:
    return lambda obj: sum(len(obj[f]) for f in fields if isinstance(obj.get(f), dict))


SECRET = (NAME, text("Type", "type"), column("Data", _entries("data")), AGE)
CONFIG_MAP = (NAME, column("Data", _entries("data", "binaryData")), AGE)


def service_account_columns(generation: Generation) -> tuple[Column, ...]:
    tokens = column("Secrets", lambda obj: len(dicts(obj.get("secrets"))))
    return (NAME, tokens, AGE) if generation.minor <= 33 else (NAME, AGE)


_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _modes(*path: str) -> Any:
    def read(obj: Object) -> str:
        found = dig(obj, *path)
        modes = found if isinstance(found, list) else []
        return ",".join(_MODES.get(mode, str(mode)) for mode in modes)

    return read


def _volume_attributes(generation: Generation) -> tuple[Column, ...]:
    name = "volumeAttributesClassName"
    shown = text("VolumeAttributesClass", "spec", name, missing="<unset>")
    return (shown,) if generation.minor >= 29 else ()


def volume_claim_columns(generation: Generation) -> tuple[Column, ...]:
    return (
        NAME,
        text("Status", "status", "phase"),
        text("Volume", "spec", "volumeName"),
        text("Capacity", "status", "capacity", "storage"),
        column("Access Modes", _modes("status", "accessModes")),
        text("StorageClass", "spec", "storageClassName"),
        *_volume_attributes(generation),
        AGE,
        text("VolumeMode", "spec", "volumeMode", missing="<unset>", wide=True),
    )


def _claim(volume: Object) -> str:
    claim = dig(volume, "spec", "claimRef")
    return f"{claim.get('namespace')}/{claim.get('name')}" if isinstance(claim, dict) else ""


def volume_columns(generation: Generation) -> tuple[Column, ...]:
    return (
        NAME,
        text("Capacity", "spec", "capacity", "storage"),
        column("Access Modes", _modes("spec", "accessModes")),
        text("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy"),
        text("Status", "status", "phase"),
        column("Claim", _claim),
        text("StorageClass", "spec", "storageClassName"),
        *_volume_attributes(generation),
        text("Reason", "status", "reason"),
        AGE,
        text("VolumeMode", "spec", "volumeMode", missing="<unset>", wide=True),
    )


STORAGE_CLASS = (
    NAME,
    text("Provisioner", "provisioner"),
    text("ReclaimPolicy", "reclaimPolicy", missing="Delete"),
    text("VolumeBindingMode", "volumeBindingMode", missing="Immediate"),
    column("AllowVolumeExpansion", lambda obj: bool(obj.get("allowVolumeExpansion"))),
    AGE,
)


def _quota(limits: bool) -> Any:  # noqa: FBT001 - one of two columns
    def read(quota: Object) -> str:
        hard, used = dig(quota, "status", "hard"), dig(quota, "status", "used")
        shown = []
        for name, most in sorted(hard.items()) if isinstance(hard, dict) else ():
            if name.startswith("limits.") == limits:
                shown.append(f"{name}: {dig(used, name) or 0}/{most}")
        return ", ".join(shown)

    return read


RESOURCE_QUOTA = (
    NAME,
    column("Request", _quota(limits=False)),
    column("Limit", _quota(limits=True)),
    AGE,
)


def _subjects(kind: str) -> Any:
    def read(binding: Object) -> str:
        found = [s for s in dicts(binding.get("subjects")) if s.get("kind") == kind]
        if kind == "ServiceAccount":
            return ", ".join(f"{s.get('namespace')}/{s.get('name')}" for s in found)
        return ", ".join(str(s.get("name")) for s in found)

    return read


BINDING = (
    NAME,
    column("Role", lambda obj: f"{dig(obj, 'roleRef', 'kind')}/{dig(obj, 'roleRef', 'name')}"),
    AGE,
    column("Users", _subjects("User"), wide=True),
    column("Groups", _subjects("Group"), wide=True),
    column("ServiceAccounts", _subjects("ServiceAccount"), wide=True),
)


def _reference(scaler: Object) -> str:
    target = dig(scaler, "spec", "scaleTargetRef")
    return f"{dig(target, 'kind')}/{dig(target, 'name')}"


AUTOSCALER = (
    NAME,
    column("Reference", _reference),
    column("Targets", lambda _obj: "<unknown>"),
    text("MinPods", "spec", "minReplicas", missing="1"),
    number("MaxPods", "spec", "maxReplicas"),
    number("Replicas", "status", "currentReplicas"),
    AGE,
)
DISRUPTION_BUDGET = (
    NAME,
    text("Min Available", "spec", "minAvailable", missing="N/A"),
    text("Max Unavailable", "spec", "maxUnavailable", missing="N/A"),
    number("Allowed Disruptions", "status", "disruptionsAllowed"),
    AGE,
)
LEASE = (NAME, text("Holder", "spec", "holderIdentity"), AGE)
