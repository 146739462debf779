"""Finds the Keptn services of one cluster and works out what each is told to do.

Searches the namespaces that were named, else the whole cluster, else, where that is forbidden, the
namespaces that Keptn's documentation uses. What could not be searched is recorded.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from keptn_doctor.discover.keptn_services import ClientContainer, client_container
from keptn_doctor.discover.reading import (
    LOOK_S,
    NamespaceObjects,
    attempt,
    fetch_references,
    quotas_of,
    read_namespace,
    record_failure,
    skip,
)
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import KubeEvent, NamespaceFacts, Workload
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.environment import (
    Contents,
    Environment,
    Lookup,
    PodFields,
    Reference,
    effective_environment,
    references,
)
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pods import pod_fact
from keptn_doctor.probes.workloads import (
    PLURALS,
    FoundWorkload,
    Surroundings,
    list_workloads,
    newest_running,
    owned_pods,
    scoped,
    workload_fact,
)
from keptn_doctor.redact import Redactor
from keptn_doctor.session import Session

USUAL_NAMESPACES = ("keptn-exec", "keptn-jes", "keptn")
_MOST_NAMESPACES = 100
_MOST_CONFIG_MAPS = 60
_EVENTS_KEPT = 20
_LONG_ENOUGH = 8
_SECRET_NAME = re.compile(r"TOKEN$|SECRET|PASSWORD")
_USER_INFO = re.compile(rb"://[^/@\s:]*:([^/@\s]+)@")  # RFC 3986, 3.2.1
_PLAIN_NAME = re.compile(r"K8S_|PUBSUB_|HTTP_|API_PROXY_|\w+_FILTER$|LOCATION$|VERSION$")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundService:
    """A Keptn service before the control plane's part in it is known."""

    workload: FoundWorkload
    client: ClientContainer
    environment: Environment
    service_environment: Environment
    pods: tuple[k8s.Pod, ...] = ()

    @property
    def nodes(self) -> frozenset[str]:
        """Node names as the service would register them.

        Without K8S_NODE_NAME a distributor says "keptn-node" from 0.9.0 on:
        ``distributor/pkg/uniform/controlplane/controlplane.go@0.16.2``.
        """
        if "K8S_NODE_NAME" not in self.environment:
            return frozenset({"keptn-node"})
        named = {(pod.spec and pod.spec.node_name) or "" for pod in self.pods}
        return frozenset(named - {""})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlane:
    """What one cluster holds."""

    namespaces: tuple[str, ...] = ()
    all_namespaces: bool = False
    services: tuple[FoundService, ...] = ()
    objects: dict[str, NamespaceObjects] = field(default_factory=dict)


async def find_plane(
    session: Session,
    kube: KubeClient,
    *,
    subject: str,
    namespaces: tuple[str, ...] = (),
    known: dict[str, NamespaceObjects] | None = None,
    workloads: Workloads | None = None,
) -> FoundPlane:
    """Every Keptn service in the namespaces, or in all that can be searched for ().

    ``known`` objects of a namespace are not read again, nor are its ``workloads``.
    """
    listed, searched, everywhere = await _search(
        session, kube, subject=subject, namespaces=namespaces, known=workloads
    )
    extra = await _names_from_config_maps(kube, listed)
    clients = [(w, client_container(w, known_names=extra.get(_key(w), frozenset())))
               for w in listed]  # fmt: skip
    keptn = [(w, client) for w, client in clients if client is not None]
    wanted = {w.object.namespace for w, _ in keptn} | (set(namespaces) & set(searched))
    objects = dict(known or {})
    missing = sorted(wanted - set(objects))
    lookup, read = await asyncio.gather(
        _lookup(kube, keptn),
        asyncio.gather(*(read_namespace(session, kube, name) for name in missing)),
    )
    objects |= {item.namespace: item for item in read}
    services = _environments(session, keptn, objects, lookup)
    return FoundPlane(
        namespaces=searched if not everywhere else tuple(sorted(wanted)),
        all_namespaces=everywhere,
        services=services,
        objects=objects,
    )


Workloads = tuple[tuple[FoundWorkload, ...], tuple[Failure, ...]]  # see list_workloads


def _key(workload: FoundWorkload) -> tuple[str, str, str]:
    return workload.kind, workload.object.namespace, workload.object.name


async def _search(
    session: Session,
    kube: KubeClient,
    *,
    subject: str,
    namespaces: tuple[str, ...],
    known: Workloads | None,
) -> tuple[list[FoundWorkload], tuple[str, ...], bool]:
    """Workloads, the namespaces they were looked for in, and whether those are all there are."""
    if known is not None:
        told = await _told(session, subject, namespaces, [known])
        return *told, False
    if not namespaces:
        found, failures = await list_workloads(kube)
        if not failures:
            return list(found), (), True
        if not _only_forbidden(failures):
            for failure in failures:
                await record_failure(session, "namespace", subject, failure, part="workloads")
            return list(found), (), False
        for failure in failures:
            skip(session, "namespace", subject, failure, what="not all namespaces were searched")
        guessed = await _namespaces_to_try(kube)
        return *(await _search_each(session, kube, subject, guessed, guessed=True)), False
    return *(await _search_each(session, kube, subject, namespaces)), False


async def _search_each(
    session: Session,
    kube: KubeClient,
    subject: str,
    namespaces: tuple[str, ...],
    *,
    guessed: bool = False,
) -> tuple[list[FoundWorkload], tuple[str, ...]]:
    """Workloads namespace by namespace, and those that could be searched."""
    results = await asyncio.gather(*(list_workloads(kube, name) for name in namespaces))
    return await _told(session, subject, namespaces, results, guessed=guessed)


async def _told(
    session: Session,
    subject: str,
    namespaces: tuple[str, ...],
    results: Iterable[Workloads],
    *,
    guessed: bool = False,
) -> tuple[list[FoundWorkload], tuple[str, ...]]:
    """Put the answers of namespaces together, and record the refusals.

    A namespace that was merely guessed costs nothing when it is refused, unless all of them are.
    """
    workloads: list[FoundWorkload] = []
    searched: list[str] = []
    refused: list[tuple[str, Failure]] = []
    for name, (found, failures) in zip(namespaces, results, strict=True):
        workloads += found
        if len(failures) < len(PLURALS):
            searched.append(name)
        if not guessed or name in searched:
            refused += [(name, failure) for failure in failures]
    if guessed and not searched:
        refused = [
            (name, failures[0]) for name, (_, failures) in zip(namespaces, results, strict=True)
        ]
    for name, failure in refused:
        await record_failure(session, "namespace", subject, failure, part=f"{name}:workloads")
    return workloads, tuple(searched)


def _only_forbidden(failures: Iterable[Failure]) -> bool:
    return all(failure.code == "forbidden" for failure in failures)


async def _namespaces_to_try(kube: KubeClient) -> tuple[str, ...]:
    """All namespaces where they may be listed, else those that Keptn installations usually use."""
    listed = await attempt(kube.list("/api/v1/namespaces", k8s.Namespace))
    if isinstance(listed, Failure):
        own = kube.access.namespace
        return tuple(dict.fromkeys((*USUAL_NAMESPACES, *((own,) if own else ()))))
    return tuple(item.name for item in listed)[:_MOST_NAMESPACES]


async def _names_from_config_maps(
    kube: KubeClient, workloads: Iterable[FoundWorkload]
) -> dict[tuple[str, str, str], frozenset[str]]:
    """Variables that whole ConfigMaps bring in, where these could make a Keptn service."""
    wanted: dict[tuple[str, str, str], set[Reference]] = defaultdict(set)
    for workload in workloads:
        for container in workload.containers:
            for source in container.env_from or ():
                ref = source.config_map_ref
                if ref and ref.name and not source.prefix:
                    namespace = workload.object.namespace
                    wanted[_key(workload)].add(
                        Reference(kind="configmap", namespace=namespace, name=ref.name)
                    )
    every = sorted({ref for refs in wanted.values() for ref in refs}, key=str)
    found = await fetch_references(kube, every[:_MOST_CONFIG_MAPS])
    return {
        key: frozenset(
            name
            for ref in refs
            if isinstance(contents := found.get(ref), Contents)
            for name in contents.data
        )
        for key, refs in wanted.items()
    }


async def _lookup(
    kube: KubeClient, keptn: Iterable[tuple[FoundWorkload, ClientContainer]]
) -> Lookup:
    """What the environments of all Keptn services refer to."""
    wanted = [
        reference
        for workload, client in keptn
        for container in (client.container, client.service)
        for reference in references(container, namespace=workload.object.namespace)
    ]
    return await fetch_references(kube, wanted)


def _environments(
    session: Session,
    keptn: Iterable[tuple[FoundWorkload, ClientContainer]],
    objects: dict[str, NamespaceObjects],
    lookup: Lookup,
) -> tuple[FoundService, ...]:
    services = []
    for workload, client in keptn:
        pods = owned_pods(workload, objects[workload.object.namespace].around)
        fields = pod_fields(workload, newest_running(pods))
        environment = effective_environment(client.container, pod=fields, lookup=lookup)
        learn_secrets(session.redactor, environment)
        services.append(
            FoundService(
                workload=workload,
                client=client,
                environment=environment,
                service_environment=effective_environment(
                    client.service, pod=fields, lookup=lookup
                ),
                pods=pods,
            )
        )
    return tuple(services)


def pod_fields(workload: FoundWorkload, pod: k8s.Pod | None) -> PodFields:
    """What field references name: of a pod where there is one, else of the template."""
    template = workload.template
    spec = template.spec or k8s.PodSpec()
    if pod is None:
        return PodFields(
            namespace=workload.object.namespace,
            labels=template.labels,
            annotations=template.annotations,
            service_account=spec.service_account_name or "",
        )
    pod_spec, status = pod.spec or k8s.PodSpec(), pod.status or k8s.PodStatus()
    return PodFields(
        namespace=pod.namespace,
        name=pod.name,
        uid=pod.uid,
        labels=pod.labels,
        annotations=pod.annotations,
        node_name=pod_spec.node_name or "",
        service_account=pod_spec.service_account_name or "",
        pod_ip=status.pod_ip or "",
        host_ip=status.host_ip or "",
    )


def learn_secrets(redactor: Redactor, environment: Environment) -> None:
    """Tell the redactor what must never be shown: tokens, passwords, what came from Secrets.

    A Secret may also hold an endpoint or a filter; such words would only shred the logs. A
    password inside a URL is shown by whoever logs the URL, so it is learnt by itself.
    """
    for name, variable in environment.variables.items():
        for password in _USER_INFO.findall(variable.value):
            redactor.learn(password)
        told = variable.value.startswith((b"http://", b"https://"))
        by_name = bool(_SECRET_NAME.search(name))
        hidden = variable.source == "secret" and len(variable.value) >= _LONG_ENOUGH
        if not told and (by_name or (hidden and not _PLAIN_NAME.match(name))):
            redactor.learn(variable.value)


async def record_workloads(
    session: Session, found: FoundPlane, *, subjects: dict[tuple[str, str, str], str]
) -> None:
    """One Workload fact per Keptn service, or the failure to read its pods."""
    for service in found.services:
        workload = service.workload
        objects = found.objects[workload.object.namespace]
        await session.recorder.look(
            "workload",
            subjects[_key(workload)],
            _workload(session, workload, objects),
            deadline_s=LOOK_S,
        )


async def _workload(
    session: Session, workload: FoundWorkload, objects: NamespaceObjects
) -> Workload | Failure:
    if objects.pods_failure is not None:
        return objects.pods_failure
    return workload_fact(workload, objects.around, redactor=session.redactor)


async def record_namespaces(
    session: Session, kube: KubeClient, found: FoundPlane, *, subject: str
) -> None:
    """One NamespaceFacts per namespace in which there is something, or should be."""
    names = sorted({*found.objects, *found.namespaces})
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(_record_namespace(session, kube, found, name, subject=subject))


async def _record_namespace(
    session: Session, kube: KubeClient, found: FoundPlane, name: str, *, subject: str
) -> None:
    objects = found.objects.get(name)
    await session.recorder.look(
        "namespace",
        subject,
        _namespace(session, kube, found, name, subject=subject),
        deadline_s=LOOK_S,
        part=name,
    )
    for what in ("pods", "events"):
        failure = getattr(objects, f"{what}_failure") if objects else None
        if failure is not None:
            await record_failure(session, "namespace", subject, failure, part=f"{name}:{what}")


async def _namespace(
    session: Session, kube: KubeClient, found: FoundPlane, name: str, *, subject: str
) -> NamespaceFacts:
    thing, quotas = await asyncio.gather(
        attempt(kube.get(f"/api/v1/namespaces/{name}", k8s.Namespace)),
        attempt(kube.list(scoped("/api/v1", "resourcequotas", name), k8s.ResourceQuota)),
    )
    if isinstance(quotas, Failure):
        await record_failure(session, "namespace", subject, quotas, part=f"{name}:quotas")
    exists: bool | None = True
    if isinstance(thing, Failure):
        exists = False if thing.code == "not-found" else None
    here = [s for s in found.services if s.workload.object.namespace == name]
    around = found.objects[name].around if name in found.objects else Surroundings()
    if here or around.pods:
        exists = True
    claimed = {pod.name for service in here for pod in service.pods}
    return NamespaceFacts(
        namespace=name,
        exists=exists,
        labels={} if isinstance(thing, Failure) else thing.labels,
        quotas=() if isinstance(quotas, Failure) else quotas_of(quotas),
        pods=tuple(
            pod_fact(pod, redactor=session.redactor, events=around.events)
            for pod in around.pods
            if pod.name not in claimed
        ),
        events=_other_warnings(around, here, claimed),
        keptn_services=len(here),
    )


def _other_warnings(
    around: Surroundings, services: list[FoundService], claimed: set[str]
) -> tuple[KubeEvent, ...]:
    """Warnings about what belongs to no Keptn service."""
    listed: set[tuple[str, str]] = {("Pod", name) for name in claimed}
    listed |= {(s.workload.kind, s.workload.object.name) for s in services}
    told = [
        event
        for (kind, _, name), events in around.events.items()
        if (kind, name) not in listed
        and not (kind == "ReplicaSet" and ("Deployment", name.rpartition("-")[0]) in listed)
        for event in events
        if event.type == "Warning"
    ]
    return tuple(told[:_EVENTS_KEPT])
