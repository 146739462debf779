"""The look that needs a pod of its own, taken only when the user allowed it (``--probe-pod``).

One probe pod stands beside each Keptn service whose own path could not tell enough: services
without a local API proxy, proxies that could not be asked, and those whose requests are stopped on
a rung that only a look step by step can name. Before anything is created the cluster is asked
whether it may be created, watched and removed again; a pod that could not be removed is not made.
"""

from __future__ import annotations

import asyncio
from typing import Any

from keptn_doctor.janitor import Entry
from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import LocalApiAnswer
from keptn_doctor.model.kube_facts import Pod, Workload
from keptn_doctor.model.topology import Endpoint, KeptnService, Topology, Vantage
from keptn_doctor.observe.logs import live_pods
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient, pod_path
from keptn_doctor.probes.kube_rules import Rule
from keptn_doctor.probes.probe_pod import run_probe_pod
from keptn_doctor.probes.probe_pod_manifest import (
    LIFE_S,
    Json,
    PodSelector,
    ServiceSelector,
    copied_labels,
    drawn_in_by,
    probe_pod,
    why_not,
    without_image,
)
from keptn_doctor.probes.workloads import scoped
from keptn_doctor.session import Session

_AT_ONCE = 3  # per cluster
_MOST_PODS = 20  # per run: a probe pod is for few services, not for fleets
_PROBE = "pod-probe"


async def look_from_probe_pods(session: Session, topology: Topology) -> None:
    """Run a probe pod beside every Keptn service that needs one; the run must allow it."""
    workloads = dict(session.recorder.facts(Workload))
    wanted = [
        (service, endpoint, workload)
        for service in topology.services
        if (endpoint := topology.endpoint_of(service)) is not None
        and (workload := workloads.get(service.subject)) is not None
        and _needs_one(session, service, endpoint)
    ]
    limits = {service.plane: asyncio.Semaphore(_AT_ONCE) for service, _, _ in wanted}
    for service, _, _ in wanted[_MOST_PODS:]:
        _skip(session, service, f"no more than {_MOST_PODS} probe pods are made in a run", "limit")
    async with asyncio.TaskGroup() as group:
        for service, endpoint, workload in wanted[:_MOST_PODS]:
            group.create_task(
                _beside(session, service, endpoint, workload, limit=limits[service.plane])
            )


def _needs_one(session: Session, service: KeptnService, endpoint: Endpoint) -> bool:
    if service.belongs_to != "execution-plane" or not endpoint.host or not endpoint.port:
        return False
    answers = [a for path, a in session.recorder.facts(LocalApiAnswer) if path == service.subject]
    return not answers or any(answer.origin == "distributor" for answer in answers)


async def _beside(
    session: Session,
    service: KeptnService,
    endpoint: Endpoint,
    workload: Workload,
    *,
    limit: asyncio.Semaphore,
) -> None:
    kube, pods = await session.kube(service.plane), live_pods(workload)
    if isinstance(kube, Failure):
        return
    if not pods:
        _skip(session, service, "there is no pod of it to stand beside", "unreachable")
        return
    async with limit:
        missing = await _missing_right(kube, service.namespace)
        if missing:
            _skip(session, service, f"not allowed to {missing}", "right", unlock=missing)
            return
        entry = session.janitor.enter(kube, service.namespace)
        looking = _look(session, service, endpoint, pods[0], entry)
        vantage = Vantage(place="inside", pod=f"{service.plane}/{service.namespace}/{entry.name}")
        await session.recorder.look(
            _PROBE, service.subject, looking, deadline_s=LIFE_S, vantage=vantage
        )
        if not entry.uid:
            return
        try:
            await session.janitor.remove(entry)
        except WorldFault:
            return  # tried again at the end of the run, and counted


def _skip(
    session: Session, service: KeptnService, reason: str, kind: Any, *, unlock: str = ""
) -> None:
    note = NotAttempted(
        probe=_PROBE, subject=service.subject, reason=reason, kind=kind, unlock=unlock
    )
    session.recorder.skip(note)


async def _missing_right(kube: KubeClient, namespace: str) -> str:
    """The first right that is not there, "" when a pod can be made, watched and removed."""
    for verb in ("create", "get", "delete"):
        rule = Rule(verb=verb, resource="pods", namespace=namespace)
        try:
            if not await kube.allowed(rule):
                return str(rule)
        except WorldFault:
            continue  # an API server that cannot be asked will say it when it comes to it
    return ""


async def _look(
    session: Session, service: KeptnService, endpoint: Endpoint, beside: Pod, entry: Entry
) -> Any:
    """The fact of the probe pod, or the failure that kept it from being made."""
    entry.refused = True  # until the request goes out
    model = await entry.kube.get(pod_path(beside.namespace, beside.name), dict[str, Any])
    labels = copied_labels(model, await _policies(entry))
    options = session.targets.probe
    imageless = "" if options.image else without_image(model, service.container)
    unfit = why_not(model) or imageless or _drawn_in(drawn_in_by(labels, await _services(entry)))
    if unfit:
        return Failure(phase="kube", code="pod-not-running", detail=f"no probe pod: {unfit}")
    manifest: Json = probe_pod(
        model,
        service,
        endpoint,
        name=entry.name,
        run=session.janitor.run,
        labels=labels,
        options=options,
    )
    entry.refused = False
    return await run_probe_pod(entry, manifest, redactor=session.redactor)


def _drawn_in(service: str) -> str:
    return f"Service {service} would send traffic to it before it is ready" if service else ""


async def _policies(entry: Entry) -> list[PodSelector]:
    path = scoped("/apis/networking.k8s.io/v1", "networkpolicies", entry.namespace)
    found = []
    for policy in await entry.kube.list(path, dict[str, Any]):
        selector = (policy.get("spec") or {}).get("podSelector") or {}
        keys = [str(row.get("key")) for row in selector.get("matchExpressions") or []]
        found.append(PodSelector(keys=(*(selector.get("matchLabels") or {}), *keys)))
    return found


async def _services(entry: Entry) -> list[ServiceSelector]:
    path = scoped("/api/v1", "services", entry.namespace)
    found = []
    for service in await entry.kube.list(path, dict[str, Any]):
        meta, spec = service.get("metadata") or {}, service.get("spec") or {}
        early = "service.alpha.kubernetes.io/tolerate-unready-endpoints"
        unready = (meta.get("annotations") or {}).get(early) == "true"
        found.append(
            ServiceSelector(
                name=str(meta.get("name") or ""),
                labels=spec.get("selector") or {},
                unready_too=unready or bool(spec.get("publishNotReadyAddresses")),
            )
        )
    return found
