"""Writes the plans down: ReplicaSets, Pods, Endpoints, Events and the workloads' statuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from keptn_doctor.lab import objects
from keptn_doctor.lab.kube.objects import stable_uid
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.inventory import key_of
from keptn_doctor.lab.workloads import KINDS, Controllers, PlannedPod
from keptn_doctor.lab.workloads.plan import Incident
from keptn_doctor.lab.workloads.pods import pod_address, pod_object

_GRACE = timedelta(seconds=60)


def write_workloads(controllers: Controllers, cluster: str) -> None:
    """Add everything that controllers and kubelets would have added; ``cluster`` seeds uids."""
    inventory = controllers.inventory
    for obj in inventory:
        _identify(obj, cluster)
    pods: dict[tuple[str, str, str], list[PlannedPod]] = {}
    for planned in controllers.pods:
        pods.setdefault(planned.owner, []).append(planned)
    for kind in KINDS:
        for workload in inventory.of(kind):
            _write_workload(controllers, workload, pods.get(key_of(workload), []), cluster)
    for name, incident in controllers.claim_incidents.items():
        claim = inventory.get("PersistentVolumeClaim", *name.split("/", 1))
        if claim is not None:
            inventory.add(_event(claim, incident, controllers.now))
    controllers.quotas.write()
    for service in list(inventory.of("Service")):
        for made in _endpoints(controllers, service):
            inventory.add(_identify(made, cluster))


def _identify(obj: Object, cluster: str) -> Object:
    meta = obj["metadata"]
    if isinstance(meta, dict):
        parts = (str(obj.get("kind")), str(meta.get("namespace") or ""), str(meta.get("name")))
        meta.setdefault("uid", stable_uid(cluster, *parts))
    return obj


def _write_workload(
    controllers: Controllers, workload: Object, pods: list[PlannedPod], cluster: str
) -> None:
    inventory, now = controllers.inventory, controllers.now
    meta, kind = workload["metadata"], str(workload["kind"])
    template = workload["spec"].get("template") or {}
    owner = workload
    if kind == "Deployment":
        owner = inventory.add(_identify(_replica_set(workload, template, pods, now), cluster))
    made = [p for p in pods if not p.plan.forbidden]
    for planned in made:
        pod = pod_object(
            planned.plan, owner=owner, template=template, name=planned.name, now=now,
            age_s=planned.age_s,
        )  # fmt: skip
        inventory.add(_identify(pod, cluster))
        for incident in planned.plan.incidents:
            inventory.add(_event(pod, incident, now))
    workload["status"] = _status(kind, workload, pods, now)
    for planned in pods[:1]:
        if planned.plan.forbidden:
            text = f'Error creating: pods "{planned.name}" is forbidden: {planned.plan.forbidden}'
            incident = Incident(
                reason="FailedCreate", message=text, count=15, first_ago_s=1800,
                source="replicaset-controller",
            )  # fmt: skip
            inventory.add(_event(owner, incident, now))
    if controllers.levers.workloads.get(str(meta["name"])) is not None:
        _evicted(controllers, owner, template, made, cluster)
        _terminating(controllers, owner, template, made, cluster)


def _evicted(
    controllers: Controllers,
    owner: Object,
    template: Object,
    pods: list[PlannedPod],
    cluster: str,
) -> None:
    if not controllers.levers.workloads[_workload_name(owner)].evicted or not pods:
        return
    text = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi."
    first = pods[0]
    values = {field: getattr(first.plan, field) for field in first.plan.__struct_fields__}
    plan = type(first.plan)(**{**values, "phase": "Failed", "reason": "Evicted", "message": text})
    pod = pod_object(
        plan, owner=owner, template=template, name=f"{first.name[:-5]}{objects.generated('evict')}",
        now=controllers.now, age_s=first.age_s + 3600,
    )  # fmt: skip
    controllers.inventory.add(_identify(pod, cluster))
    incident = Incident(reason="Evicted", message=text, ago_s=first.age_s)
    controllers.inventory.add(_event(pod, incident, controllers.now))


def _terminating(
    controllers: Controllers,
    owner: Object,
    template: Object,
    pods: list[PlannedPod],
    cluster: str,
) -> None:
    """The pod before the last: deleted, and in its grace period."""
    if not controllers.levers.workloads[_workload_name(owner)].terminating or not pods:
        return
    first = pods[0]
    pod = pod_object(
        first.plan, owner=owner, template=template, now=controllers.now,
        name=f"{first.name[:-5]}{objects.generated('leaving')}", age_s=first.age_s + 3600,
    )  # fmt: skip
    pod["metadata"]["deletionTimestamp"] = objects.stamp(controllers.now + _GRACE / 2)
    pod["metadata"]["deletionGracePeriodSeconds"] = int(_GRACE.total_seconds())
    controllers.inventory.add(_identify(pod, cluster))


def _workload_name(owner: Object) -> str:
    references = owner["metadata"].get("ownerReferences") or []
    return str(references[0]["name"] if references else owner["metadata"]["name"])


def _replica_set(
    workload: Object, template: Object, pods: list[PlannedPod], now: datetime
) -> Object:
    meta, suffix = workload["metadata"], objects.template_hash(template)
    age = min((p.age_s for p in pods), default=0.0)
    born = now - timedelta(seconds=age) if pods else datetime.fromisoformat(
        str(meta.get("creationTimestamp") or now.isoformat())
    )
    labels = {
        **((template.get("metadata") or {}).get("labels") or {}),
        "pod-template-hash": suffix,
    }
    made = objects.obj(
        "ReplicaSet", f"{meta['name']}-{suffix}", meta["namespace"], api="apps/v1", labels=labels,
        born=born, annotations={"deployment.kubernetes.io/revision": "1"},
    )  # fmt: skip
    made["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "apps/v1", "kind": "Deployment", "name": meta["name"],
            "uid": meta["uid"], "controller": True, "blockOwnerDeletion": True,
        }
    ]  # fmt: skip
    wanted = workload["spec"].get("replicas", 1)
    selector = {**(workload["spec"]["selector"].get("matchLabels") or {})}
    made["spec"] = {
        "replicas": wanted,
        "selector": {"matchLabels": {**selector, "pod-template-hash": suffix}},
        "template": {
            "metadata": {**(template.get("metadata") or {}), "labels": labels},
            "spec": template.get("spec") or {},
        },
    }
    exist = [p for p in pods if not p.plan.forbidden]
    ready = sum(p.plan.ready for p in exist)
    made["status"] = {"replicas": len(exist), "observedGeneration": 1}
    if ready:
        made["status"] |= {"readyReplicas": ready, "availableReplicas": ready}
    made["status"] |= {"fullyLabeledReplicas": len(exist)} if exist else {}
    conditions = _replica_failure(pods, now)
    if conditions:
        made["status"]["conditions"] = conditions
    return made


def _replica_failure(pods: list[PlannedPod], now: datetime) -> list[Object]:
    for planned in pods:
        if planned.plan.forbidden:
            return [
                {
                    "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                    "message": f'pods "{planned.name}" is forbidden: {planned.plan.forbidden}',
                    "lastTransitionTime": objects.stamp(now - timedelta(seconds=1800)),
                    "lastUpdateTime": objects.stamp(now - timedelta(seconds=1800)),
                }
            ]  # fmt: skip
    return []


def _status(kind: str, workload: Object, pods: list[PlannedPod], now: datetime) -> Object:
    exist = [p for p in pods if not p.plan.forbidden]
    ready = sum(p.plan.ready for p in exist)
    if kind == "DaemonSet":
        total = len(pods)
        return {
            "desiredNumberScheduled": total, "currentNumberScheduled": len(exist),
            "numberReady": ready, "numberAvailable": ready, "numberMisscheduled": 0,
            "numberUnavailable": total - ready, "updatedNumberScheduled": len(exist),
            "observedGeneration": 1,
        }  # fmt: skip
    wanted = int(workload["spec"].get("replicas", 1))
    status: Object = {"observedGeneration": 1, "replicas": len(exist)}
    if exist:
        status["updatedReplicas"] = len(exist)
    if ready:
        status |= {"readyReplicas": ready, "availableReplicas": ready}
    if kind == "StatefulSet":
        return status | {"currentReplicas": len(exist)}
    if wanted > ready:
        status["unavailableReplicas"] = wanted - ready
    status["conditions"] = [*_deployment_conditions(wanted, ready, pods, now)]
    status["conditions"] += _replica_failure(pods, now)
    return status


def _deployment_conditions(
    wanted: int, ready: int, pods: list[PlannedPod], now: datetime
) -> Iterator[Object]:
    enough = ready >= wanted - int(wanted * 0.25)
    age = max((p.age_s for p in pods), default=3600.0)
    at = objects.stamp(now - timedelta(seconds=max(0.0, age - 30) if enough else min(age, 1800)))
    available = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    words = "Deployment has minimum availability." if enough else (
        "Deployment does not have minimum availability."
    )
    yield {
        "type": "Available", "status": "True" if enough else "False", "reason": available,
        "message": words, "lastTransitionTime": at, "lastUpdateTime": at,
    }  # fmt: skip
    stuck = not enough and age > 600 and any(p.plan.forbidden or not p.plan.node for p in pods)
    yield {
        "type": "Progressing", "status": "False" if stuck else "True",
        "reason": "ProgressDeadlineExceeded" if stuck else "NewReplicaSetAvailable",
        "message": "ReplicaSet has timed out progressing." if stuck else "ReplicaSet has "
        "successfully progressed.",
        "lastTransitionTime": at, "lastUpdateTime": at,
    }  # fmt: skip


def _event(about: Object, incident: Incident, now: datetime) -> Object:
    at = now - timedelta(seconds=incident.ago_s)
    first = incident.first_ago_s
    return objects.event(
        about, incident.reason, incident.message, at=at, kind=incident.kind, count=incident.count,
        first=None if first is None else now - timedelta(seconds=first), source=incident.source,
    )  # fmt: skip


def _endpoints(controllers: Controllers, service: Object) -> Iterator[Object]:
    spec, meta = service["spec"], service["metadata"]
    selector = spec.get("selector") or {}
    if not selector:
        return
    home, name = str(meta["namespace"]), str(meta["name"])
    ready: list[Object] = []
    waiting: list[Object] = []
    for pod in controllers.selected(home, selector):
        if not pod.plan.node or pod.plan.phase not in {"Running", "Pending"}:
            continue
        target = {"kind": "Pod", "name": pod.name, "namespace": home}
        row = {"ip": pod_address(pod.name), "nodeName": pod.plan.node, "targetRef": target}
        (ready if pod.plan.ready else waiting).append(row)
    ports = [_endpoint_port(port) for port in spec.get("ports") or []]
    subset: Object = {}
    if ready:
        subset["addresses"] = ready
    if waiting:
        subset["notReadyAddresses"] = waiting
    labels = meta.get("labels") or {}
    born = datetime.fromisoformat(str(meta.get("creationTimestamp") or controllers.now.isoformat()))
    made = objects.obj("Endpoints", name, home, labels=labels, born=born)
    if subset:
        made["subsets"] = [{**subset, "ports": ports}]
    yield made
    if controllers.generation.minor >= 21:
        yield _slice(made, [*ready, *waiting], ready=len(ready), ports=ports)


def _endpoint_port(port: Object) -> Object:
    target = port.get("targetPort", port.get("port"))
    number = target if isinstance(target, int) else port.get("port")
    named = {"name": port["name"]} if port.get("name") else {}
    return {**named, "port": number, "protocol": port.get("protocol", "TCP")}


def _slice(
    endpoints: Object, rows: list[Object], *, ready: int, ports: list[Object]
) -> Object:
    meta = endpoints["metadata"]
    name = str(meta["name"])
    made = objects.obj(
        "EndpointSlice", f"{name}-{objects.generated(name)}", meta["namespace"],
        api="discovery.k8s.io/v1", labels={"kubernetes.io/service-name": name},
    )  # fmt: skip
    made["metadata"]["creationTimestamp"] = meta["creationTimestamp"]
    made["addressType"] = "IPv4"
    made["endpoints"] = [
        {
            "addresses": [row["ip"]],
            "conditions": {"ready": index < ready},
            "nodeName": row["nodeName"],
            "targetRef": row["targetRef"],
        }
        for index, row in enumerate(rows)
    ]
    made["ports"] = ports
    return made
