"""What discovery reads of one namespace, and how a refused read becomes evidence.

A read that fails is recorded as a Failure of the fact it was for, and reading goes on: one missing
right must cost what it hides and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import Quota
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.environment import (
    Contents,
    Lookup,
    Reference,
    config_map_contents,
    secret_contents,
)
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pods import EventIndex, index_events
from keptn_doctor.probes.quantities import amount
from keptn_doctor.probes.workloads import Surroundings, scoped
from keptn_doctor.session import Session

T = TypeVar("T")
LOOK_S = 40.0  # a look may take several reads, each with its own deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceObjects:
    """The objects of a namespace that several facts draw from; None = could not be read."""

    namespace: str
    around: Surroundings
    pods_failure: Failure | None = None
    events_failure: Failure | None = None


async def attempt(reading: Awaitable[T]) -> T | Failure:
    """The world's faults as values; bugs still raise."""
    try:
        return await reading
    except WorldFault as fault:
        return fault.failure


async def record_failure(
    session: Session, probe: str, subject: str, failure: Failure, *, part: str = ""
) -> None:
    """Keep a failure that was met outside of a look."""
    await session.recorder.look(probe, subject, _already(failure), deadline_s=LOOK_S, part=part)


async def _already(failure: Failure) -> Failure:
    return failure


async def guarded(
    session: Session,
    probe: str,
    subject: str,
    doing: Awaitable[T],
    *,
    otherwise: T,
    limit_s: float | None = None,
) -> T:
    """A piece of a round of looking; what stops it is recorded, and the other pieces go on.

    It is the border around the code between the looks: a time limit, the user's wish to stop and a
    bug of ours end here, with ``otherwise`` in place of what the piece would have found.
    """
    try:
        async with asyncio.timeout(limit_s):
            return await _unless_stopped(session, doing)
    except _StoppedError:
        failure = Failure(phase="deadline", code="interrupted", detail="the run was stopped")
        await record_failure(session, probe, subject, failure, part="search")
        return otherwise
    except TimeoutError:
        if session.budget is not None and limit_s is not None:
            # No failure: a search that was cut short says nothing about the cluster.
            session.recorder.skip(session.budget.note("cluster", subject, begun=True))
            return otherwise
        detail = "a step of it took too long"
        if limit_s is not None:
            detail = f"it was not found out in {limit_s:g} s"
        failure = Failure(phase="deadline", code="deadline-exceeded", detail=detail)
        await record_failure(session, probe, subject, failure, part="search")
        return otherwise
    except Exception as error:  # noqa: BLE001 - a border: around a piece of the search
        await session.recorder.look(probe, subject, _raise(error), deadline_s=LOOK_S, part="search")
        return otherwise


class _StoppedError(Exception):
    """The user wants no more looking."""


async def _unless_stopped(session: Session, doing: Awaitable[T]) -> T:
    """Await it, but no longer than the user wants; a piece that is left is cancelled."""
    piece = asyncio.ensure_future(doing)
    stopped = asyncio.ensure_future(session.stop.wait())
    try:
        await asyncio.wait({piece, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if piece.done():
            return piece.result()
        raise _StoppedError
    finally:
        stopped.cancel()
        if not piece.done():
            piece.cancel()
            await asyncio.wait({piece})


async def _raise(error: Exception) -> Failure:
    raise error


def skip(session: Session, probe: str, subject: str, failure: Failure, *, what: str) -> None:
    """Note what was not searched because of a failure, and what would change that."""
    session.recorder.skip(
        NotAttempted(
            probe=probe,
            subject=subject,
            reason=f"{what}: {failure.detail or failure.code}",
            unlock=failure.right,
            kind="right" if failure.right else "unreachable",
        )
    )


async def read_namespace(session: Session, kube: KubeClient, namespace: str) -> NamespaceObjects:
    """Pods, replica sets and events of a namespace."""
    pods, replica_sets, events = await asyncio.gather(
        attempt(kube.list(scoped("/api/v1", "pods", namespace), k8s.Pod)),
        attempt(kube.list(scoped("/apis/apps/v1", "replicasets", namespace), k8s.Workload)),
        attempt(kube.list(scoped("/api/v1", "events", namespace), k8s.Event)),
    )
    listed = () if isinstance(pods, Failure) else pods
    index: EventIndex = {}
    if not isinstance(events, Failure):
        index = index_events(events, session.redactor)
    return NamespaceObjects(
        namespace=namespace,
        around=Surroundings(
            pods=listed,
            replica_sets=() if isinstance(replica_sets, Failure) else replica_sets,
            events=index,
        ),
        pods_failure=pods if isinstance(pods, Failure) else None,
        events_failure=events if isinstance(events, Failure) else None,
    )


async def fetch_references(kube: KubeClient, wanted: Iterable[Reference]) -> Lookup:
    """The Secrets and ConfigMaps that environments name, each read once by name."""
    ordered = sorted(set(wanted), key=str)
    found = await asyncio.gather(*(attempt(_fetch(kube, reference)) for reference in ordered))
    return dict(zip(ordered, found, strict=True))


async def _fetch(kube: KubeClient, reference: Reference) -> Contents:
    if reference.kind == "secret":
        path = f"{scoped('/api/v1', 'secrets', reference.namespace)}/{reference.name}"
        return secret_contents(await kube.get(path, k8s.Secret))
    path = f"{scoped('/api/v1', 'configmaps', reference.namespace)}/{reference.name}"
    return config_map_contents(await kube.get(path, k8s.ConfigMap))


def quotas_of(items: Iterable[k8s.ResourceQuota]) -> tuple[Quota, ...]:
    """Every limit of every ResourceQuota, exhausted where what is used reaches it."""
    found = []
    for item in items:
        status = item.status or k8s.QuotaStatus()
        used = status.used or {}
        for resource, hard in (status.hard or {}).items():
            limit, taken = amount(hard), amount(used.get(resource))
            found.append(
                Quota(
                    namespace=item.namespace,
                    name=item.name,
                    resource=resource,
                    hard=str(hard),
                    used=str(used.get(resource, "")),
                    exhausted=limit is not None and taken is not None and taken >= limit,
                )
            )
    return tuple(found)
