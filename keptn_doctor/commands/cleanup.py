"""``cleanup``: remove the probe pods that a run left behind when it was killed.

Only pods with the label of a run are touched; the client refuses any other.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from keptn_doctor import exit_codes
from keptn_doctor.commands.targets import targets_from
from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.probe_pod_manifest import RUN_LABEL
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.workloads import scoped
from keptn_doctor.session import Session
from keptn_doctor.targets import ClusterTarget, Targets


class Outcome(Record, frozen=True, kw_only=True):
    """What became of the pods in one cluster; every entry is a line for people."""

    removed: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    not_searched: tuple[str, ...] = ()


def run(options: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """Remove and tell; 3 when something could not be searched, 4 when something remains."""
    targets = msgspec.structs.replace(targets_from(options, environ), active=True)
    dry_run = bool(options["dry_run"])
    outcomes = asyncio.run(_everywhere(targets, environ, dry_run=dry_run))
    removed = [line for outcome in outcomes for line in outcome.removed]
    remaining = [line for outcome in outcomes for line in outcome.remaining]
    not_searched = [line for outcome in outcomes for line in outcome.not_searched]
    verb = "would remove" if dry_run else "removed"
    for line in removed:
        click.echo(f"{verb} {line}")
    for line in (*remaining, *not_searched):
        click.echo(f"keptn-doctor: {line}", err=True)
    click.echo(f"{verb} {len(removed)}, remaining {len(remaining)}")
    if remaining:
        return exit_codes.DOCTOR_FAILED
    return exit_codes.UNKNOWN if not_searched else exit_codes.CONNECTED


async def _everywhere(
    targets: Targets, environ: Mapping[str, str], *, dry_run: bool
) -> list[Outcome]:
    def now() -> datetime:
        return datetime.now(UTC)

    recorder = Recorder(now=now)
    places = {(t.context, t.kubeconfig, t.in_cluster): t for t in reversed(targets.clusters())}
    async with Session(targets, recorder, salt=os.urandom(16), now=now, environ=environ) as session:
        return list(
            await asyncio.gather(*(_cluster(session, t, dry_run=dry_run) for t in places.values()))
        )


async def _cluster(session: Session, target: ClusterTarget, *, dry_run: bool) -> Outcome:
    kube = await session.kube(target.name)
    if isinstance(kube, Failure):
        return Outcome(
            not_searched=(f"{target.name} was not searched: {kube.detail or kube.code}",)
        )
    removed: list[str] = []
    remaining: list[str] = []
    not_searched: list[str] = []
    for namespace in target.namespaces or ("",):
        try:
            pods = await kube.list(
                scoped("/api/v1", "pods", namespace), k8s.Pod, {"labelSelector": RUN_LABEL}
            )
        except WorldFault as fault:
            where = f"{target.name}{f', namespace {namespace}' if namespace else ''}"
            not_searched.append(f"{where} was not searched: {_why(fault.failure)}")
            continue
        for pod in pods:
            problem = "" if dry_run else await _remove(kube, pod)
            line = f"pod {pod.namespace}/{pod.name} in {target.name}"
            (remaining if problem else removed).append(line + problem)
    return Outcome(
        removed=tuple(removed), remaining=tuple(remaining), not_searched=tuple(not_searched)
    )


async def _remove(kube: KubeClient, pod: k8s.Pod) -> str:
    """Why the pod is still there, "" when it is not."""
    try:
        await kube.delete_pod(pod.namespace, pod.name, uid=pod.uid)
    except WorldFault as fault:
        if fault.failure.code == "not-found":
            return ""
        return f" was not removed: {_why(fault.failure)}"
    return ""


def _why(failure: Failure) -> str:
    return failure.detail or failure.code
