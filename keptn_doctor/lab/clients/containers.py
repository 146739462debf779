"""Finds the containers that talk to Keptn in a plane's pods and what their processes see.

Reads the Deployments as they are after the scenario's changes, so an environment variable changed
by a patch is the one that the simulated client runs with.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from keptn_doctor.lab import settings as sim
from keptn_doctor.lab.blueprint import Blueprint, Site
from keptn_doctor.lab.levers import ServiceLevers
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.charts import numbers
from keptn_doctor.lab.objects.inventory import Inventory
from keptn_doctor.lab.objects.services import JES, chart_of
from keptn_doctor.lab.workloads import Controllers, PlannedPod
from keptn_doctor.lab.workloads.pods import pod_address

_LABEL = re.compile(r"metadata\.labels\['([^']+)'\]")
_PER_POD = {"metadata.name", "spec.nodeName"}


def clients_of(
    plan: Blueprint, site: Site, plane: str, controllers: Controllers
) -> Iterator[sim.ClientSettings]:
    """One client for every Keptn service of a plane that runs, or that ran and left a record."""
    for name, levers in plan.planes[plane].services.items():
        if levers is None:
            continue
        namespace = levers.namespace or plan.planes[plane].namespace
        workload = site.inventory.get(levers.workload, namespace, name)
        container = client_container(workload) if workload is not None else None
        if workload is None or container is None:
            continue
        pods = [p for p in controllers.pods if p.owner == (levers.workload, namespace, name)]
        running = [p for p in pods if _runs(p, str(container["name"]))]
        if running or levers.stopped_ago_s is not None:
            yield _client(
                plan, plane, levers, workload=workload, container=container, running=running,
                inventory=site.inventory,
            )  # fmt: skip


def client_container(workload: Object) -> Object | None:
    """The container with the Keptn client: a distributor, else whatever knows an endpoint."""
    containers = _containers(workload)
    for container in containers:
        repository = str(container.get("image") or "").rpartition(":")[0]
        if container.get("name") == "distributor" or repository.endswith("/distributor"):
            return container
    for container in containers:
        if any(e.get("name") == "KEPTN_API_ENDPOINT" for e in container.get("env") or []):
            return container
    return None


def _containers(workload: Object) -> list[Object]:
    template = (workload.get("spec") or {}).get("template") or {}
    found: list[Object] = (template.get("spec") or {}).get("containers") or []
    return found


def _runs(pod: PlannedPod, container: str) -> bool:
    """Whether the client's process exists now (a client that was killed lives between kills)."""
    plan = pod.plan.container(container)
    placed = pod.plan.phase in {"Running", "Pending"} and not pod.plan.node_lost
    return placed and plan is not None and plan.runs


def _client(
    plan: Blueprint,
    plane: str,
    levers: ServiceLevers,
    *,
    workload: Object,
    container: Object,
    running: list[PlannedPod],
    inventory: Inventory,
) -> sim.ClientSettings:
    meta = workload["metadata"]
    env, omitted = environment(container, workload, inventory)
    sdk = container.get("name") != "distributor"
    version = str(container.get("image") or "").rpartition(":")[2]
    scenario = plan.scenario
    running_for = scenario.running_for_s if levers.running_for_s is None else levers.running_for_s
    service = levers.service
    if running and not sdk and not _main_runs(running[0], str(container["name"])):
        values = {f: getattr(service, f) for f in service.__struct_fields__}
        service = sim.ServiceContainerSettings(**{**values, "listens_on": 0})
    pods = tuple(
        sim.PodSettings(name=p.name, node=p.plan.node, ip=pod_address(p.name)) for p in running
    )
    return sim.ClientSettings(
        plane=plane,
        namespace=str(meta["namespace"]),
        name=str(meta["name"]),
        client="sdk" if sdk else "distributor",
        does=levers.chart or chart_of(str(meta["name"])),
        reads_from=_keeper(plan) if sdk else "",
        version=version,
        product="job-executor-service" if sdk and JES in str(container.get("image")) else "",
        env=env,
        omit_env=omitted,
        pods=pods or (sim.PodSettings(name=f"{meta['name']}-gone"),),
        running_for_s=running_for,
        resolver=levers.resolver,
        trusts_corporate_ca=levers.trusts_corporate_ca,
        service=service,
        connected_until_ago_s=levers.connected_until_ago_s,
        changed_by=levers.changed_by,
        registered_before=levers.registered_before,
        stopped_ago_s=levers.stopped_ago_s,
        out_of_memory_every_s=levers.out_of_memory_every_s,
        started_without_keptn=levers.started_without_keptn,
    )


def _keeper(plan: Blueprint) -> str:
    """Where SDK services look for files: their release goes with the control plane's here."""
    at = numbers(plan.scenario.version)
    return "configuration-service" if at < (0, 18, 0) else "resource-service"


def _main_runs(pod: PlannedPod, client: str) -> bool:
    return all(c.runs for c in pod.plan.containers if not c.init and c.name != client)


def environment(
    container: Object, workload: Object, inventory: Inventory
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Resolved variables, and the per-pod ones (K8S_POD_NAME, K8S_NODE_NAME) that are not set."""
    namespace = str(workload["metadata"]["namespace"])
    found = _whole_sources(container, namespace, inventory)
    per_pod: set[str] = set()
    for item in container.get("env") or []:
        name, source = str(item.get("name")), item.get("valueFrom") or {}
        path = (source.get("fieldRef") or {}).get("fieldPath")
        if path in _PER_POD:
            per_pod.add(name)
        elif path is not None:
            found[name] = _field(str(path), workload)
        elif source:
            value = _referenced(source, namespace, inventory)
            if value is not None:
                found[name] = value
        else:
            found[name] = str(item.get("value") or "")
    wanted = ("K8S_POD_NAME", "K8S_NODE_NAME")
    return found, tuple(n for n in wanted if n not in per_pod and n not in found)


def _whole_sources(container: Object, namespace: str, inventory: Inventory) -> dict[str, str]:
    """What ``envFrom`` brings in; later sources win, and single variables win over all."""
    found: dict[str, str] = {}
    for item in container.get("envFrom") or []:
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            name = str((item.get(field) or {}).get("name") or "")
            for key in (inventory.get(kind, namespace, name) or {}).get("data") or {}:
                source = {f"{field[:-3]}KeyRef": {"name": name, "key": key}}
                value = _referenced(source, namespace, inventory)
                if value is not None:
                    found[f"{item.get('prefix') or ''}{key}"] = value
    return found


def _field(path: str, workload: Object) -> str:
    if path == "metadata.namespace":
        return str(workload["metadata"]["namespace"])
    matched = _LABEL.fullmatch(path)
    template = (workload.get("spec") or {}).get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    return str(labels.get(matched[1], "")) if matched else ""


def _referenced(source: Object, namespace: str, inventory: Inventory) -> str | None:
    for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        reference = source.get(field)
        if not reference:
            continue
        found = inventory.get(kind, namespace, str(reference.get("name"))) or {}
        value = (found.get("data") or {}).get(str(reference.get("key")))
        if value is None:
            plain = (found.get("stringData") or {}).get(str(reference.get("key")))
            return None if plain is None else str(plain)
        return base64.b64decode(value).decode() if kind == "Secret" else str(value)
    return None
