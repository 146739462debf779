"""Kubernetes objects as narrowly as the doctor reads them.

Every field may be missing or null, because one odd object must not cost a whole list. Fields that
nobody reads are not named, so they are skipped while decoding. These types never leave the probes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

Quantities = dict[str, str | int | float | None]


class KubeStruct(msgspec.Struct, frozen=True, rename="camel"):
    """The base: camelCase on the wire, unknown fields ignored."""


class OwnerReference(KubeStruct, frozen=True):
    kind: str | None = None
    name: str | None = None
    uid: str | None = None
    controller: bool | None = None


class ManagedFields(KubeStruct, frozen=True):
    manager: str | None = None
    time: datetime | None = None


class Metadata(KubeStruct, frozen=True):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str | None] | None = None
    annotations: dict[str, str | None] | None = None
    owner_references: list[OwnerReference] | None = None
    managed_fields: list[ManagedFields] | None = None


class Object(KubeStruct, frozen=True):
    """Anything with metadata."""

    metadata: Metadata | None = None

    @property
    def name(self) -> str:
        return (self.metadata and self.metadata.name) or ""

    @property
    def namespace(self) -> str:
        return (self.metadata and self.metadata.namespace) or ""

    @property
    def uid(self) -> str:
        return (self.metadata and self.metadata.uid) or ""

    @property
    def labels(self) -> dict[str, str]:
        labels = (self.metadata and self.metadata.labels) or {}
        return {key: value or "" for key, value in labels.items()}

    @property
    def annotations(self) -> dict[str, str]:
        annotations = (self.metadata and self.metadata.annotations) or {}
        return {key: value or "" for key, value in annotations.items()}

    @property
    def created_at(self) -> datetime | None:
        return self.metadata.creation_timestamp if self.metadata else None

    @property
    def deleted_at(self) -> datetime | None:
        return self.metadata.deletion_timestamp if self.metadata else None

    @property
    def owners(self) -> list[OwnerReference]:
        return (self.metadata and self.metadata.owner_references) or []

    @property
    def managers(self) -> list[ManagedFields]:
        return (self.metadata and self.metadata.managed_fields) or []


class Condition(KubeStruct, frozen=True):
    type: str | None = None
    status: str | None = None
    reason: str | None = None
    message: str | None = None
    last_transition_time: datetime | None = None


# --- pods and what makes them ---------------------------------------------------------------------


class KeyRef(KubeStruct, frozen=True):
    """``secretKeyRef`` and ``configMapKeyRef``."""

    name: str | None = None
    key: str | None = None
    optional: bool | None = None


class FieldRef(KubeStruct, frozen=True):
    field_path: str | None = None


class ResourceFieldRef(KubeStruct, frozen=True):
    resource: str | None = None
    container_name: str | None = None
    divisor: str | int | None = None


class ValueFrom(KubeStruct, frozen=True):
    secret_key_ref: KeyRef | None = None
    config_map_key_ref: KeyRef | None = None
    field_ref: FieldRef | None = None
    resource_field_ref: ResourceFieldRef | None = None


class EnvVar(KubeStruct, frozen=True):
    name: str | None = None
    value: str | None = None
    value_from: ValueFrom | None = None


class SourceRef(KubeStruct, frozen=True):
    name: str | None = None
    optional: bool | None = None


class EnvFrom(KubeStruct, frozen=True):
    prefix: str | None = None
    secret_ref: SourceRef | None = None
    config_map_ref: SourceRef | None = None


class ContainerPort(KubeStruct, frozen=True):
    name: str | None = None
    container_port: int | None = None


class HttpGet(KubeStruct, frozen=True):
    path: str | None = None
    port: int | str | None = None


class TcpSocket(KubeStruct, frozen=True):
    port: int | str | None = None


class Probe(KubeStruct, frozen=True):
    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    exec: dict[str, Any] | None = None


class Resources(KubeStruct, frozen=True):
    requests: Quantities | None = None
    limits: Quantities | None = None


class Container(KubeStruct, frozen=True):
    name: str | None = None
    image: str | None = None
    env: list[EnvVar] | None = None
    env_from: list[EnvFrom] | None = None
    ports: list[ContainerPort] | None = None
    resources: Resources | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    restart_policy: str | None = None


class PodSpec(KubeStruct, frozen=True):
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    node_name: str | None = None
    service_account_name: str | None = None
    dns_policy: str | None = None
    restart_policy: str | None = None
    host_network: bool | None = None


class RunningState(KubeStruct, frozen=True):
    started_at: datetime | None = None


class WaitingState(KubeStruct, frozen=True):
    reason: str | None = None
    message: str | None = None


class TerminatedState(KubeStruct, frozen=True):
    exit_code: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(KubeStruct, frozen=True):
    running: RunningState | None = None
    waiting: WaitingState | None = None
    terminated: TerminatedState | None = None


class ContainerStatus(KubeStruct, frozen=True):
    name: str | None = None
    image: str | None = None
    ready: bool | None = None
    started: bool | None = None
    restart_count: int | None = None
    state: ContainerState | None = None
    last_state: ContainerState | None = None


class PodStatus(KubeStruct, frozen=True):
    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    host_ip: str | None = msgspec.field(name="hostIP", default=None)
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    start_time: datetime | None = None
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class Pod(Object, frozen=True):
    spec: PodSpec | None = None
    status: PodStatus | None = None


class NamedLabels(KubeStruct, frozen=True):
    labels: dict[str, str | None] | None = None


class Reservation(KubeStruct, frozen=True):
    resources: Resources | None = None


class PlacedSpec(KubeStruct, frozen=True):
    node_name: str | None = None
    containers: list[Reservation] | None = None
    init_containers: list[Reservation] | None = None


class State(KubeStruct, frozen=True):
    type: str | None = None
    status: str | None = None


class PlacedStatus(KubeStruct, frozen=True):
    phase: str | None = None
    conditions: list[State] | None = None


class PlacedPod(KubeStruct, frozen=True):
    """One of all pods of a cluster, of which there may be thousands: what it takes of its node."""

    metadata: NamedLabels | None = None
    spec: PlacedSpec | None = None
    status: PlacedStatus | None = None

    @property
    def labels(self) -> dict[str, str | None]:
        return (self.metadata and self.metadata.labels) or {}


class PodTemplate(Object, frozen=True):
    spec: PodSpec | None = None


class LabelSelectorRequirement(KubeStruct, frozen=True):
    key: str | None = None
    operator: str | None = None
    values: list[str] | None = None


class LabelSelector(KubeStruct, frozen=True):
    match_labels: dict[str, str | None] | None = None
    match_expressions: list[LabelSelectorRequirement] | None = None


class WorkloadSpec(KubeStruct, frozen=True):
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None


class WorkloadStatus(KubeStruct, frozen=True):
    replicas: int | None = None
    ready_replicas: int | None = None
    desired_number_scheduled: int | None = None  # DaemonSet
    number_ready: int | None = None  # DaemonSet
    conditions: list[Condition] | None = None


class Workload(Object, frozen=True):
    """Deployment, StatefulSet, DaemonSet or ReplicaSet: alike as far as the doctor reads them."""

    spec: WorkloadSpec | None = None
    status: WorkloadStatus | None = None


class ObjectReference(KubeStruct, frozen=True):
    kind: str | None = None
    name: str | None = None
    namespace: str | None = None


class EventSeries(KubeStruct, frozen=True):
    count: int | None = None
    last_observed_time: datetime | None = None


class Event(Object, frozen=True):
    """A core/v1 Event; newer reporters fill only ``eventTime`` and ``series``."""

    involved_object: ObjectReference | None = None
    type: str | None = None
    reason: str | None = None
    message: str | None = None
    count: int | None = None
    last_timestamp: datetime | None = None
    first_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None


# --- configuration, cluster -----------------------------------------------------------------------


class Secret(Object, frozen=True):
    """Its ``data`` is decoded, fingerprinted and dropped by the probe that reads it."""

    data: dict[str, str | None] | None = None
    type: str | None = None


class ConfigMap(Object, frozen=True):
    data: dict[str, Any] | None = None


class NamespaceStatus(KubeStruct, frozen=True):
    phase: str | None = None


class Namespace(Object, frozen=True):
    status: NamespaceStatus | None = None


class NodeAddress(KubeStruct, frozen=True):
    type: str | None = None
    address: str | None = None


class NodeInfo(KubeStruct, frozen=True):
    architecture: str | None = None
    operating_system: str | None = None
    kubelet_version: str | None = None


class Taint(KubeStruct, frozen=True):
    key: str | None = None
    value: str | None = None
    effect: str | None = None


class NodeSpec(KubeStruct, frozen=True):
    taints: list[Taint] | None = None
    provider_id: str | None = msgspec.field(name="providerID", default=None)
    unschedulable: bool | None = None


class NodeStatus(KubeStruct, frozen=True):
    addresses: list[NodeAddress] | None = None
    allocatable: Quantities | None = None
    conditions: list[Condition] | None = None
    node_info: NodeInfo | None = None


class Node(Object, frozen=True):
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class VersionInfo(KubeStruct, frozen=True):
    major: str | None = None
    minor: str | None = None
    git_version: str | None = None


class GroupVersion(KubeStruct, frozen=True):
    group_version: str | None = None


class ApiGroup(KubeStruct, frozen=True):
    name: str | None = None
    versions: list[GroupVersion] | None = None


class ApiGroupList(KubeStruct, frozen=True):
    groups: list[ApiGroup] | None = None


class QuotaStatus(KubeStruct, frozen=True):
    hard: Quantities | None = None
    used: Quantities | None = None


class ResourceQuota(Object, frozen=True):
    status: QuotaStatus | None = None


class ClaimSpec(KubeStruct, frozen=True):
    storage_class_name: str | None = None
    resources: Resources | None = None


class ClaimStatus(KubeStruct, frozen=True):
    phase: str | None = None
    capacity: Quantities | None = None


class Claim(Object, frozen=True):
    spec: ClaimSpec | None = None
    status: ClaimStatus | None = None


class StorageClass(Object, frozen=True):
    provisioner: str | None = None
