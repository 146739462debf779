"""The records between a pod template and a pod: what becomes of each container, and why.

The other ``workloads_*`` modules decide these plans; ``workloads_pods`` writes them down as
Kubernetes would.
"""

from __future__ import annotations

from typing import Literal

from keptn_doctor.model.base import Record


class Incident(Record, frozen=True, kw_only=True):
    """An Event in the making, on a pod or its workload; ``ago_s`` since it was last seen."""

    reason: str
    message: str
    kind: Literal["Normal", "Warning"] = "Warning"
    count: int = 1
    ago_s: float = 60
    first_ago_s: float | None = None
    source: str = "kubelet"


class LastRun(Record, frozen=True, kw_only=True):
    """How a container's previous run ended."""

    exit_code: int
    reason: str
    ago_s: float = 60
    lasted_s: float = 1


class ContainerPlan(Record, frozen=True, kw_only=True):
    """The state of one container."""

    name: str
    image: str
    init: bool = False
    state: Literal["running", "waiting", "terminated"] = "running"
    ready: bool = True
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    restarts: int = 0
    started_ago_s: float | None = None  # None = with the pod
    last: LastRun | None = None
    log: tuple[str, ...] = ()  # of the present run
    previous_log: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return self.state == "running"


class PodPlan(Record, frozen=True, kw_only=True):
    """One pod of a workload, or the reason why there is none (``forbidden``)."""

    phase: Literal["Running", "Pending", "Failed", "Succeeded", "Unknown"] = "Running"
    node: str = ""
    node_address: str = ""
    reason: str = ""
    message: str = ""
    unschedulable: str = ""
    forbidden: str = ""
    containers: tuple[ContainerPlan, ...] = ()
    incidents: tuple[Incident, ...] = ()
    node_lost: bool = False
    annotations: dict[str, str] = {}

    @property
    def ready(self) -> bool:
        mains = [c for c in self.containers if not c.init]
        fine = all(c.runs and c.ready for c in mains)
        return self.phase == "Running" and bool(mains) and fine and not self.node_lost

    def container(self, name: str) -> ContainerPlan | None:
        return next((c for c in self.containers if c.name == name), None)
