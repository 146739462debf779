"""The controllers of one cluster: from declared workloads to a plan for each of their pods.

Claims are bound, pods admitted, placed and started in that order, and parts of Keptn that miss
another part fail as they do. Nothing is written yet: the plans of clients still change when the
simulated clients have run (``workloads_write``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import datetime

from keptn_doctor.lab import objects
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.levers import ClusterLevers, WorkloadLevers
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.charts import Chart
from keptn_doctor.lab.objects.cluster import SYSTEM, load_balancer_of
from keptn_doctor.lab.objects.inventory import Inventory
from keptn_doctor.lab.reading import ScenarioError
from keptn_doctor.lab.workloads.admission import (
    Quotas,
    forbidden_by_limit_range,
    forbidden_by_pod_security,
    forbidden_by_scc,
    without_service_account,
)
from keptn_doctor.lab.workloads.containers import (
    Surroundings,
    container_plans,
    crash_loop,
    incidents_of,
    missing_volume,
)
from keptn_doctor.lab.workloads.dependencies import Condition, dependency_faults
from keptn_doctor.lab.workloads.plan import ContainerPlan, Incident, PodPlan
from keptn_doctor.lab.workloads.scheduling import Scheduler, bind_claims
from keptn_doctor.model.base import Record

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_ROUNDS = 5


class PlannedPod(Record, frozen=True, kw_only=True):
    """A pod to be, by the workload it belongs to; with ``plan.forbidden`` there will be none."""

    kind: str
    namespace: str
    workload: str
    name: str
    age_s: float
    plan: PodPlan

    @property
    def owner(self) -> tuple[str, str, str]:
        return self.kind, self.namespace, self.workload


class Controllers:
    """Plans for all workloads of a cluster; ``pods`` may be replaced before they are written."""

    def __init__(
        self,
        inventory: Inventory,
        levers: ClusterLevers,
        *,
        now: datetime,
        chart: Chart | None = None,
        keptn_namespace: str = "",
        pod_ages_s: Mapping[tuple[str, str], float] | None = None,
    ) -> None:
        self.inventory = inventory
        self.levers = levers
        self.now = now
        self.generation = Generation.parse(levers.kubernetes)
        self._chart = chart
        self._home = keptn_namespace
        self._pod_ages = pod_ages_s or {}  # by namespace and workload; others as old as it is
        add_service_load_balancers(inventory, levers, now)
        refuse_unknown_workloads(inventory, levers)
        self.claim_incidents = bind_claims(inventory, levers.storage)
        self.quotas = Quotas(inventory)
        self.pods: list[PlannedPod] = []
        self._settle()

    def ready_pods(self, namespace: str, selector: dict[str, str]) -> list[PlannedPod]:
        """Planned pods that are ready and whose labels carry the selector."""
        return [p for p in self.selected(namespace, selector) if p.plan.ready]

    def selected(self, namespace: str, selector: dict[str, str]) -> list[PlannedPod]:
        return [
            pod
            for pod in self.pods
            if pod.namespace == namespace
            and not pod.plan.forbidden
            and selector
            and selector.items() <= self.labels(pod).items()
        ]

    def labels(self, pod: PlannedPod) -> dict[str, str]:
        workload = self.inventory.get(*pod.owner)
        template = ((workload or {}).get("spec") or {}).get("template") or {}
        found: dict[str, str] = (template.get("metadata") or {}).get("labels") or {}
        return found

    def answering(self, namespace: str, service: str) -> bool:
        """Whether a Service has a ready endpoint; false when it does not exist."""
        found = self.inventory.get("Service", namespace, service)
        selector = ((found or {}).get("spec") or {}).get("selector") or {}
        return bool(self.ready_pods(namespace, selector))

    def dns_up(self) -> bool:
        """Whether the cluster's own name service answers."""
        return self.answering(SYSTEM, "kube-dns")

    def _settle(self) -> None:
        faults: dict[tuple[str, str, str], dict[str, ContainerPlan]] = {}
        for _ in range(_ROUNDS):
            self._plan_all(faults)
            found = self._dependency_faults()
            if found == faults:
                break
            faults = found

    def _plan_all(self, faults: dict[tuple[str, str, str], dict[str, ContainerPlan]]) -> None:
        self.pods = []
        self.quotas = Quotas(self.inventory)
        scheduler = Scheduler(self.inventory)
        workloads = [w for kind in KINDS for w in self.inventory.of(kind)]
        workloads.sort(key=lambda w: w["metadata"]["namespace"] != SYSTEM)
        for workload in workloads:
            self._plan_workload(workload, scheduler, faults)

    def _plan_workload(
        self,
        workload: Object,
        scheduler: Scheduler,
        faults: dict[tuple[str, str, str], dict[str, ContainerPlan]],
    ) -> None:
        kind, meta = str(workload["kind"]), workload["metadata"]
        home, name = str(meta["namespace"]), str(meta["name"])
        levers = self.levers.workloads.get(name, WorkloadLevers())
        template = workload["spec"].get("template") or {}
        wanted = workload["spec"].get("replicas", 1)
        count = len(self.inventory.of("Node")) if kind == "DaemonSet" else int(wanted)
        suffix = objects.template_hash(template)
        for index in range(count):
            age = levers.restarted_ago_s or self._pod_ages.get((home, name), self._age(workload))
            plan = self._plan_pod(
                workload, template.get("spec") or {}, scheduler, levers=levers, age=age,
                faults=faults.get((kind, home, name), {}),
            )  # fmt: skip
            pod_name = {
                "Deployment": f"{name}-{suffix}-{objects.generated(f'{home}/{name}/{index}')}",
                "StatefulSet": f"{name}-{index}",
                "DaemonSet": f"{name}-{objects.generated(f'{home}/{name}/{index}')}",
            }[kind]
            self.pods.append(
                PlannedPod(
                    kind=kind, namespace=home, workload=name, name=pod_name, age_s=age, plan=plan
                )
            )

    def _age(self, workload: Object) -> float:
        born = workload["metadata"].get("creationTimestamp")
        if not born:
            return 60.0
        return max(0.0, (self.now - datetime.fromisoformat(born)).total_seconds())

    def _plan_pod(
        self,
        workload: Object,
        spec: Object,
        scheduler: Scheduler,
        *,
        levers: WorkloadLevers,
        age: float,
        faults: dict[str, ContainerPlan],
    ) -> PodPlan:
        meta = workload["metadata"]
        home = str(meta["namespace"])
        forbidden = self._forbidden(spec, home)
        if forbidden:
            return PodPlan(phase="Pending", forbidden=forbidden)
        claims = [
            *(spec.get("volumes") or []),
            *({"persistentVolumeClaim": {"claimName": n}} for n in _template_claims(workload)),
        ]
        node, problem = scheduler.place({**spec, "volumes": claims}, home)
        if problem:
            incident = Incident(
                reason="FailedScheduling", message=problem, count=20, first_ago_s=min(age, 1800),
                source="default-scheduler",
            )  # fmt: skip
            return PodPlan(phase="Pending", unschedulable=problem, incidents=(incident,))
        room = scheduler.room(node)
        assert room is not None
        around = Surroundings(
            namespace=home, architecture=room.architecture, unpullable=dict(self.levers.unpullable),
            faults=levers.containers, app_faults=faults, age_s=age,
        )  # fmt: skip
        plans = container_plans(spec, around, self.inventory)
        unmounted = missing_volume(spec, home, self.inventory)
        if meta["name"] == "coredns" and self.levers.cluster_dns == "down":
            text = '[FATAL] plugin/loop: Loop (127.0.0.1:38293 -> :53) detected for zone "."'
            first = (spec.get("containers") or [{}])[0]
            plans = (crash_loop(first, exit_code=1, log=(text,), restarts=30),)
        if levers.restarts:
            plans = tuple(_with_old_restarts(plan, levers.restarts) for plan in plans)
        return PodPlan(
            phase="Pending" if _pending(plans) else "Running", node=node,
            node_address=room.address, containers=plans,
            incidents=(*_mount_incidents(unmounted), *incidents_of(plans)), node_lost=room.lost,
            annotations=self._annotations(),
        )  # fmt: skip

    def _annotations(self) -> dict[str, str]:
        if self.levers.platform == "openshift":
            return {"openshift.io/scc": "restricted-v2"}
        return {}

    def _forbidden(self, spec: Object, home: str) -> str:
        if self.levers.platform == "openshift":
            refused = forbidden_by_scc(spec)
            if refused:
                return refused
        return (
            without_service_account(spec, home, self.inventory)
            or forbidden_by_limit_range(spec, home, self.inventory)
            or forbidden_by_pod_security(spec, home, self.inventory, self.generation)
            or self.quotas.forbids(spec, home)
        )

    def _dependency_faults(self) -> dict[tuple[str, str, str], dict[str, ContainerPlan]]:
        if self._chart is None:
            return {}
        found = {}
        for kind in ("Deployment", "StatefulSet"):
            for workload in self.inventory.of(kind, self._home):
                name = str(workload["metadata"]["name"])
                fault = dependency_faults(self._chart, workload, self._condition(name))
                if fault:
                    found[(kind, self._home, name)] = fault
        return found

    def _condition(self, workload: str) -> Condition:
        services = [str(s["metadata"]["name"]) for s in self.inventory.of("Service", self._home)]
        answering = {s for s in services if self.answering(self._home, s)}
        levers = self.levers.workloads.get(workload, WorkloadLevers())
        return Condition(
            services=frozenset(services),
            answering=frozenset(answering),
            dns_up=self.dns_up(),
            never_up=frozenset(s for s in services if s not in answering and self._never_up(s)),
            restarted=levers.restarted_ago_s is not None,
        )

    def _never_up(self, service: str) -> bool:
        """No pod of it was ever created or placed: it did not fail later, it never began."""
        found = self.inventory.get("Service", self._home, service) or {}
        selector = (found.get("spec") or {}).get("selector") or {}
        every = [
            pod
            for pod in self.pods
            if pod.namespace == self._home and selector.items() <= self.labels(pod).items()
        ]
        return all(
            p.plan.forbidden or p.plan.unschedulable or _stuck_in_init(p.plan) for p in every
        ) and (bool(every) or not self._declared(selector))

    def _declared(self, selector: dict[str, str]) -> bool:
        return any(
            selector.items()
            <= ((w["spec"].get("selector") or {}).get("matchLabels") or {}).items()
            for kind in KINDS
            for w in self.inventory.of(kind, self._home)
        )


def _mount_incidents(unmounted: str) -> tuple[Incident, ...]:
    if not unmounted:
        return ()
    return (Incident(reason="FailedMount", message=unmounted, count=15, first_ago_s=1200),)


def _pending(plans: tuple[ContainerPlan, ...]) -> bool:
    """A pod is Pending until each of its containers has run once (kubelet's ``getPhase``)."""
    return any(
        plan.state != "terminated" if plan.init else plan.state == "waiting" and plan.last is None
        for plan in plans
    )


def refuse_unknown_workloads(inventory: Inventory, levers: ClusterLevers) -> None:
    """A lever for a workload or a container that does not exist would silently do nothing."""
    known = {str(w["metadata"]["name"]): w for kind in KINDS for w in inventory.of(kind)}
    for name, wanted in levers.workloads.items():
        if wanted.absent:
            continue
        if name not in known:
            raise ScenarioError(f"workloads: there is no '{name}'{_nearest(name, known)}")
        spec = (known[name]["spec"].get("template") or {}).get("spec") or {}
        listed = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
        containers = [str(c.get("name")) for c in listed]
        for container in wanted.containers:
            if container not in containers:
                hint = _nearest(container, containers)
                text = f"workloads: '{name}' has no container '{container}'{hint}"
                raise ScenarioError(text)


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(names)}"


def _stuck_in_init(plan: PodPlan) -> bool:
    return any(c.init and c.state != "terminated" for c in plan.containers)


def _template_claims(workload: Object) -> list[str]:
    """Names of the claims that a StatefulSet's first pod needs."""
    name = workload["metadata"]["name"]
    templates = workload["spec"].get("volumeClaimTemplates") or []
    return [f"{t['metadata']['name']}-{name}-0" for t in templates]


def _with_old_restarts(plan: ContainerPlan, restarts: int) -> ContainerPlan:
    values = {field: getattr(plan, field) for field in plan.__struct_fields__}
    return ContainerPlan(**{**values, "restarts": plan.restarts + restarts})


def add_service_load_balancers(inventory: Inventory, levers: ClusterLevers, now: datetime) -> None:
    """k3s' klipper: a DaemonSet with a host port for every LoadBalancer Service, oldest first."""
    if load_balancer_of(levers) != "klipper":
        return
    services = [s for s in inventory.of("Service") if s["spec"].get("type") == "LoadBalancer"]
    services.sort(key=lambda s: str(s["metadata"].get("creationTimestamp") or ""))
    for service in services:
        meta = service["metadata"]
        name = f"svclb-{meta['name']}-{objects.generated(meta['name'], 8)}"
        ports = [
            {"name": f"lb-tcp-{p['port']}", "containerPort": p["port"], "hostPort": p["port"]}
            for p in service["spec"].get("ports") or []
        ]
        container = {"name": "lb-tcp", "image": "rancher/klipper-lb:v0.3.5", "ports": ports}
        labels = {"app": name, "svccontroller.k3s.cattle.io/svcname": meta["name"]}
        born = datetime.fromisoformat(str(meta.get("creationTimestamp") or now.isoformat()))
        inventory.add(
            objects.deployment(
                name, SYSTEM, kind="DaemonSet", selector={"app": name}, labels=labels,
                pod_spec={"containers": [container]}, born=born, pod_labels=labels,
            )
        )  # fmt: skip
