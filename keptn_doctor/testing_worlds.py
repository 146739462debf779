"""Worlds made by hand for the tests of checks: entities, and what was seen of them.

Public through ``keptn_doctor.testing``. The pieces make the facts that checks ask for most, in a
healthy state unless told otherwise; every field can be overridden.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from keptn_doctor.knowledge.behaviour import client_behaviour
from keptn_doctor.knowledge.components import expected_components
from keptn_doctor.model.evidence import NotAttempted, Observation, Snapshot
from keptn_doctor.model.facts import Fact
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import (
    Integration,
    IntegrationListing,
    LocalApiAnswer,
    LogMatch,
    PodLog,
    Subscription,
)
from keptn_doctor.model.kube_facts import Components, Container, Pod, Workload
from keptn_doctor.model.path_facts import HttpAnswer
from keptn_doctor.model.probe_names import FACT_OF_PROBE
from keptn_doctor.model.topology import (
    OPERATOR,
    ControlPlane,
    Endpoint,
    Entity,
    ExecutionPlane,
    KeptnService,
    TokenState,
    Topology,
    Vantage,
)

Body = Literal["empty", "json", "html", "text", "other"]
Origin = Literal["keptn", "gateway", "other", "distributor"]

POD = "helm-service-7d9f-x"
REGISTRATION_ID = "ab" * 20
NOW = datetime(2023, 6, 1, 12, 0, tzinfo=UTC)

PROBE_OF_FACT = {fact: probe for probe, fact in FACT_OF_PROBE.items()}


def ago(seconds: float) -> datetime:
    """A time before the moment the evidence was taken (``NOW``)."""
    return NOW - timedelta(seconds=seconds)


def keptn_service(name: str = "helm-service", **settings: object) -> KeptnService:
    """A distributor-based service of plane exec-a, namespace keptn-exec; override any field.

    Its behaviour follows from ``client`` and ``client_version``.
    """
    usual: dict[str, object] = {
        "plane": "exec-a",
        "namespace": "keptn-exec",
        "name": name,
        "container": "distributor",
        "service_container": name,
        "image": "docker.io/keptn/distributor:0.16.2",
        "client_version": "0.16.2",
        "mode": "remote",
        "endpoint": "https://keptn.example.com/api",
        "token": TokenState(source="value", fingerprint="f", stripped_fingerprint="f"),
        "integration_name": name,
        "integration_namespace": "keptn-exec",
        "topics": ("sh.keptn.event.deployment.triggered",),
    }
    usual.update(settings)
    if "behaviour" not in usual:
        client, version = usual.get("client", "distributor"), str(usual["client_version"])
        usual["behaviour"] = client_behaviour("sdk" if client == "sdk" else "distributor", version)
    return msgspec.convert(usual, KeptnService, from_attributes=True)


def endpoint(url: str, *services: KeptnService, used_by_operator: bool = False) -> Endpoint:
    """An endpoint taken apart as discovery does it, for the services told to call it."""
    parts = urlsplit(url)
    scheme = parts.scheme if parts.scheme in ("http", "https") and parts.netloc else ""
    return Endpoint(
        url=url,
        scheme=scheme,
        host=parts.hostname or "" if scheme else "",
        port=(parts.port or (443 if scheme == "https" else 80)) if scheme else 0,
        path=parts.path if scheme else "",
        services=tuple(s.subject for s in services),
        used_by_operator=used_by_operator,
        defect="" if scheme else "has no scheme",
    )


def seen(
    subject: Entity | str, result: Fact | Failure, *, pod: str = "", probe: str = "", part: str = ""
) -> Observation:
    """One look: a fact, or a failure together with the name of the probe that failed.

    ``pod`` makes it a look from inside that pod; ``part`` tells looks at one subject apart.
    """
    path = subject if isinstance(subject, str) else subject.subject
    if not probe:
        if isinstance(result, Failure):
            raise ValueError("a failure needs the name of its probe: nothing else tells the fact")
        probe = PROBE_OF_FACT[type(result)]
    vantage = Vantage(place="inside", pod=f"{path}/{pod}") if pod else OPERATOR
    suffix = f"#{part}" if part else ""
    return Observation(
        id=f"{probe}/{path}{suffix}@{vantage}",
        probe=probe,
        subject=path,
        vantage=vantage,
        started_at=NOW,
        result=result,
    )


def world(*things: Entity | Observation | NotAttempted, taken_at: datetime = NOW) -> Snapshot:
    """A snapshot of these entities and looks.

    What is left out follows from the services: their planes, their endpoints, a control plane.
    """
    entities = [thing for thing in things if not isinstance(thing, Observation | NotAttempted)]
    return Snapshot(
        taken_at=taken_at,
        doctor_version="0",
        topology=_topology(entities),
        observations=_distinct(thing for thing in things if isinstance(thing, Observation)),
        not_attempted=tuple(thing for thing in things if isinstance(thing, NotAttempted)),
    )


def _topology(entities: list[Entity]) -> Topology:
    services = [e for e in entities if isinstance(e, KeptnService)]
    planes = {e.name: e for e in entities if isinstance(e, ExecutionPlane)}
    endpoints = {e.url: e for e in entities if isinstance(e, Endpoint)}
    for service in services:
        if service.belongs_to == "execution-plane" and service.plane not in planes:
            planes[service.plane] = ExecutionPlane(name=service.plane, context=service.plane)
        if service.endpoint and service.endpoint not in endpoints:
            users = [s for s in services if s.endpoint == service.endpoint]
            endpoints[service.endpoint] = endpoint(service.endpoint, *users)
    control_planes = [e for e in entities if isinstance(e, ControlPlane)]
    return Topology(
        control_plane=control_planes[0] if control_planes else ControlPlane(namespace="keptn"),
        execution_planes=tuple(planes.values()),
        endpoints=tuple(endpoints.values()),
        services=tuple(services),
    )


def _distinct(looks: Iterable[Observation]) -> tuple[Observation, ...]:
    """Ids are unique in a snapshot; looks at one thing are numbered as the recorder does it."""
    counts: dict[str, int] = {}
    out = []
    for look in looks:
        count = counts[look.id] = counts.get(look.id, 0) + 1
        numbered = f"{look.id}~{count}" if count > 1 else look.id
        out.append(msgspec.structs.replace(look, id=numbered))
    return tuple(out)


# ------------------------------------------------------------------ pieces of worlds


def own_request(
    service: KeptnService,
    status: int = 200,
    *,
    body: Body = "json",
    poll: int | Failure | None = None,
    origin: Origin | None = None,
    listed: tuple[str, ...] = (),
    **answer: Any,
) -> Observation:
    """A request through the service's own API proxy, answered so; 500 "empty" = nobody reached.

    ``poll`` is the status (or failure) of the second request, ``listed`` the ids it saw,
    ``answer`` further fields of the HttpAnswer.
    """
    unreached = status == 500 and body == "empty"
    fact = LocalApiAnswer(
        pod=POD,
        port=service.api_proxy_port,
        registration=_answer(status, body, "" if unreached else "nginx", **answer),
        poll=_answer(poll, "json", "nginx") if isinstance(poll, int) else poll,
        origin=origin or ("distributor" if unreached else "keptn"),
        integrations=listed,
    )
    return seen(service, fact, pod=POD)


def integration(age: float | None = 4.0, **fields: Any) -> Integration:
    """A registration of helm-service, last seen ``age`` seconds ago, with one subscription."""
    usual: dict[str, Any] = {
        "id": REGISTRATION_ID,
        "name": "helm-service",
        "namespace": "keptn-exec",
        "last_seen": None if age is None else ago(age),
        "subscriptions": (Subscription(id="1", event="sh.keptn.event.deployment.triggered"),),
    }
    return Integration(**{**usual, **fields})


def uniform(*integrations: Integration) -> Observation:
    """The control plane's list of integrations."""
    fact = IntegrationListing(integrations=integrations, server_time=NOW)
    return seen("control-plane/keptn", fact)


def line(
    event: str, cause: str = "", *, age: float = 5.0, text: str = "", **fields: Any
) -> LogMatch:
    """A line that matters, of the given classes (see the log signatures), ``age`` seconds old."""
    return LogMatch(
        **{
            "signature": f"test.{event}",
            "event": event,
            "cause": cause,
            "strength": "decisive",
            "text": text or f"{event}: {cause}",
            "count": 3,
            "last_at": ago(age),
            **fields,
        }
    )


def registered_line(*, age: float = 7000.0) -> LogMatch:
    """The line that a client prints when it has registered."""
    return line("ok", age=age, signature="dist.reg.ok", strength="supporting", count=1)


def pod_log(
    subject: Entity | str, *lines: LogMatch, ids: tuple[str, ...] = (), **fields: Any
) -> Observation:
    """The log of a service's client (or of a control-plane container) read just now."""
    container = subject.container if isinstance(subject, KeptnService) else ""
    usual: dict[str, Any] = {"pod": POD, "container": container, "lines": 100, "read_at": NOW}
    fact = PodLog(**{**usual, "matches": lines, "registration_ids": ids, **fields})
    return seen(subject, fact, part=f"{fact.pod}/{fact.container}/{fact.previous}")


def container(name: str = "distributor", state: str = "running", **fields: Any) -> Container:
    """A container; a running one has been so for two hours and is ready."""
    running = state == "running"
    usual: dict[str, Any] = {"ready": running, "started_at": ago(7200) if running else None}
    return Container(**{"name": name, "state": state, **usual, **fields})


def pod_of(subject: KeptnService | str, *containers: Container, **fields: Any) -> Pod:
    """A pod two hours old, running, with these containers (one running client by default)."""
    usual: dict[str, Any] = {
        "namespace": subject.namespace if isinstance(subject, KeptnService) else "keptn",
        "name": POD,
        "phase": "Running",
        "created_at": ago(7200),
    }
    own = (container(),) if isinstance(subject, KeptnService) else ()
    return Pod(**{**usual, "containers": containers or own, **fields})


def workload_of(service: KeptnService, *pods: Pod, **fields: Any) -> Observation:
    """The service's workload with these pods (one running pod by default)."""
    usual: dict[str, Any] = {
        "workload_kind": service.workload_kind,
        "namespace": service.namespace,
        "name": service.name,
        "desired": 1,
        "pods": pods or (pod_of(service),),
    }
    return seen(service, Workload(**{**usual, **fields}))


def component(name: str, *pods: Pod, ready: int = 1, **fields: Any) -> Workload:
    """A workload of the control plane, ready unless told otherwise."""
    usual: dict[str, Any] = {"workload_kind": "Deployment", "namespace": "keptn", "desired": 1}
    return Workload(**{**usual, "name": name, "ready": ready, "pods": pods, **fields})


def control_plane_runs(*workloads: Workload, version: str = "0.16.2") -> Observation:
    """The control plane's workloads: all of that version, with these in place of their own."""
    changed = {workload.name: workload for workload in workloads}
    expected = expected_components(version)
    found = [changed.pop(e.name, component(e.name)) for e in expected]
    fact = Components(keptn_version=version, expected=expected, found=(*found, *changed.values()))
    return seen("control-plane/keptn", fact)


def _answer(status: int, body: Body, server: str, **fields: Any) -> HttpAnswer:
    url = "http://127.0.0.1:8081/controlPlane/v1/uniform/registration"
    return HttpAnswer(**{"url": url, "status": status, "body": body, "server": server, **fields})
