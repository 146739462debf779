"""Kubernetes pods and events as facts: narrow, redacted, with each container's present and past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from keptn_doctor.model.kube_facts import Condition, Container, KubeEvent, Pod
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.quantities import mebibytes, millicores
from keptn_doctor.redact import Redactor

EVENTS_KEPT = 10  # per object: warnings first, then the newest
_MESSAGE_LENGTH = 400
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

EventIndex = Mapping[tuple[str, str, str], tuple[KubeEvent, ...]]  # kind, namespace, name


def said(text: str | None, redactor: Redactor) -> str:
    """A message of the cluster, redacted and then cut."""
    return redactor.clean(text or "")[:_MESSAGE_LENGTH]


def conditions(items: Iterable[k8s.Condition] | None, redactor: Redactor) -> tuple[Condition, ...]:
    """Conditions of any object; one without a type is left out."""
    return tuple(
        Condition(
            type=item.type,
            status=item.status or "Unknown",
            reason=item.reason or "",
            message=said(item.message, redactor),
            since=item.last_transition_time,
        )
        for item in items or ()
        if item.type
    )


def index_events(events: Iterable[k8s.Event], redactor: Redactor) -> EventIndex:
    """Events by the object they are about, the most telling first, at most ten each."""
    found: dict[tuple[str, str, str], list[KubeEvent]] = {}
    for event in events:
        about = event.involved_object or k8s.ObjectReference()
        namespace = about.namespace or event.namespace
        key = (about.kind or "", namespace, about.name or "")
        found.setdefault(key, []).append(_event(event, key, redactor))
    return {key: _most_telling(listed) for key, listed in found.items()}


def _event(event: k8s.Event, key: tuple[str, str, str], redactor: Redactor) -> KubeEvent:
    series = event.series or k8s.EventSeries()
    moment = event.last_timestamp or series.last_observed_time or event.event_time
    return KubeEvent(
        object_kind=key[0],
        object_name=key[2],
        namespace=key[1],
        type=event.type or "Normal",
        reason=event.reason or "",
        message=said(event.message, redactor),
        count=event.count or series.count or 1,
        last_seen=moment or event.first_timestamp or event.created_at,
    )


def _most_telling(events: list[KubeEvent]) -> tuple[KubeEvent, ...]:
    newest_first = sorted(events, key=lambda e: e.last_seen or _LONG_AGO, reverse=True)
    warnings_first = sorted(newest_first, key=lambda e: e.type != "Warning")
    return tuple(warnings_first[:EVENTS_KEPT])


def pod_fact(
    pod: k8s.Pod,
    *,
    redactor: Redactor,
    events: EventIndex | None = None,
    owner: tuple[str, str] = ("", ""),
) -> Pod:
    """One pod; ``owner`` is kind and name of the outermost known owner."""
    spec, status = pod.spec or k8s.PodSpec(), pod.status or k8s.PodStatus()
    direct = pod.owners[0] if pod.owners else k8s.OwnerReference()
    kind, name = owner if owner[0] else (direct.kind or "", direct.name or "")
    return Pod(
        namespace=pod.namespace,
        name=pod.name,
        phase=status.phase or "Unknown",
        reason=status.reason or "",
        message=said(status.message, redactor),
        node=spec.node_name or "",
        ip=status.pod_ip or "",
        created_at=pod.created_at,
        deleted_at=pod.deleted_at,
        labels=pod.labels,
        owner_kind=kind,
        owner_name=name,
        dns_policy=spec.dns_policy or "ClusterFirst",
        service_account=spec.service_account_name or "",
        conditions=conditions(status.conditions, redactor),
        containers=_containers(spec, status, redactor),
        events=(events or {}).get(("Pod", pod.namespace, pod.name), ()),
    )


def _containers(
    spec: k8s.PodSpec, status: k8s.PodStatus, redactor: Redactor
) -> tuple[Container, ...]:
    running = {s.name: s for s in status.container_statuses or ()}
    starting = {s.name: s for s in status.init_container_statuses or ()}
    listed = [(c, starting.get(c.name), True) for c in spec.init_containers or ()]
    listed += [(c, running.get(c.name), False) for c in spec.containers or ()]
    return tuple(
        _container(container, state or k8s.ContainerStatus(), init=init, redactor=redactor)
        for container, state, init in listed
    )


def _container(
    declared: k8s.Container, status: k8s.ContainerStatus, *, init: bool, redactor: Redactor
) -> Container:
    state = status.state or k8s.ContainerState()
    waiting, ended = state.waiting, state.terminated
    last = (status.last_state and status.last_state.terminated) or k8s.TerminatedState()
    resources = declared.resources or k8s.Resources()
    requests, limits = resources.requests or {}, resources.limits or {}
    explained = waiting or ended or k8s.WaitingState()
    return Container(
        name=declared.name or "",
        image=declared.image or status.image or "",
        init=init,
        ready=bool(status.ready),
        started=status.started,
        restarts=status.restart_count or 0,
        state="running"
        if state.running
        else "waiting"
        if waiting
        else "terminated"
        if ended
        else "unknown",
        reason=explained.reason or "",
        message=said(explained.message, redactor),
        exit_code=ended.exit_code if ended else None,
        started_at=state.running.started_at if state.running else None,
        last_exit_code=last.exit_code,
        last_reason=last.reason or "",
        last_started_at=last.started_at,
        last_finished_at=last.finished_at,
        request_cpu_m=millicores(requests.get("cpu")),
        request_memory_mi=mebibytes(requests.get("memory")),
        limit_cpu_m=millicores(limits.get("cpu")),
        limit_memory_mi=mebibytes(limits.get("memory")),
        ports=tuple(p.container_port for p in declared.ports or () if p.container_port),
        liveness=_probe(declared.liveness_probe),
        readiness=_probe(declared.readiness_probe),
    )


def _probe(probe: k8s.Probe | None) -> str:
    if probe is None:
        return ""
    if probe.http_get is not None:
        return f"http:{probe.http_get.port or ''}{probe.http_get.path or ''}"
    if probe.tcp_socket is not None:
        return f"tcp:{probe.tcp_socket.port or ''}"
    return "exec" if probe.exec is not None else ""


def requested(pods: Iterable[k8s.Pod | k8s.PlacedPod]) -> tuple[int, int]:
    """Sums of CPU (millicores) and memory (MiB) that pods hold on their nodes.

    A pod counts while it is scheduled and not finished; its init containers count where the largest
    of them asks for more than all others together, as the scheduler reckons.
    """
    cpu = memory = 0
    for pod in pods:
        spec, status = pod.spec or k8s.PlacedSpec(), pod.status or k8s.PlacedStatus()
        if not spec.node_name or status.phase in {"Succeeded", "Failed"}:
            continue
        main = [_request(c) for c in spec.containers or ()]
        first = [_request(c) for c in spec.init_containers or ()]
        cpu += max(sum(c for c, _ in main), max((c for c, _ in first), default=0))
        memory += max(sum(m for _, m in main), max((m for _, m in first), default=0))
    return cpu, memory


def _request(container: k8s.Container | k8s.Reservation) -> tuple[int, int]:
    requests = (container.resources and container.resources.requests) or {}
    return millicores(requests.get("cpu")) or 0, mebibytes(requests.get("memory")) or 0
