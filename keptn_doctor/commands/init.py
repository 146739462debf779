"""``init``: look through the contexts of a kubeconfig and write down which plays which part."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from keptn_doctor import exit_codes
from keptn_doctor.discover.keptn_services import client_container
from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_config import read_kubeconfig
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.workloads import list_workloads
from keptn_doctor.progress import open_progress
from keptn_doctor.session import Session
from keptn_doctor.targets import ClusterTarget, Targets
from keptn_doctor.targets.cluster_choice import plane_name
from keptn_doctor.usage import UsageError

_HEART_OF_KEPTN = frozenset({"shipyard-controller", "api-gateway-nginx"})
_PER_CONTEXT_S = 40.0
_AT_ONCE = 8


class Found(Record, frozen=True, kw_only=True):
    """What one context leads to."""

    context: str
    problem: str = ""  # why it could not be looked at
    cluster: str = ""  # the same for two contexts of one cluster
    control_planes: tuple[str, ...] = ()  # namespaces
    keptn_services: dict[str, tuple[str, ...]] = {}  # by namespace


def run(options: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """Write the file and say what was found; raises UsageError."""
    path = Path(options["config"])
    if path.exists() and not options["force"]:
        raise UsageError(f"{path} exists already; give --force to overwrite it, or --config FILE")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {path.parent}")
    kubeconfig = options["kubeconfig"] or ""
    config = read_kubeconfig(kubeconfig, environ)
    if config is None or not config.contexts:
        raise UsageError("no kubeconfig with a context was found; name one with --kubeconfig FILE")
    progress = open_progress(sys.stderr, quiet=False, color=False)
    progress.stage(f"looking through {len(config.contexts)} contexts")
    try:
        found = asyncio.run(_look(tuple(config.contexts), kubeconfig, environ))
    finally:
        progress.close()
    text, summary = configuration(found, kubeconfig=kubeconfig)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; give --config FILE") from error
    for line in (*summary, f"Written to {path}. Look it over, then run: keptn-doctor check"):
        click.echo(line)
    return exit_codes.CONNECTED


async def _look(
    contexts: tuple[str, ...], kubeconfig: str, environ: Mapping[str, str]
) -> tuple[Found, ...]:
    clusters = tuple(ClusterTarget(name=c, context=c, kubeconfig=kubeconfig) for c in contexts)

    def now() -> datetime:
        return datetime.now(UTC)

    recorder = Recorder(now=now)
    limit = asyncio.Semaphore(_AT_ONCE)
    targets = Targets(execution_planes=clusters)
    async with Session(targets, recorder, salt=os.urandom(16), now=now, environ=environ) as session:
        return tuple(await asyncio.gather(*(_context(session, c, limit) for c in contexts)))


async def _context(session: Session, context: str, limit: asyncio.Semaphore) -> Found:
    async with limit:
        try:
            async with asyncio.timeout(_PER_CONTEXT_S):
                kube = await session.kube(context)
                if isinstance(kube, Failure):
                    return Found(context=context, problem=kube.detail or kube.code)
                return await _cluster(kube, context)
        except TimeoutError:
            return Found(context=context, problem=f"no answer in {_PER_CONTEXT_S:g} s")


async def _cluster(kube: KubeClient, context: str) -> Found:
    workloads, failures = await list_workloads(kube)
    if failures and not workloads:
        return Found(context=context, problem=failures[0].detail or failures[0].code)
    hearts = {w.object.namespace for w in workloads if w.object.name in _HEART_OF_KEPTN}
    services: dict[str, list[str]] = {}
    for workload in workloads:
        namespace = workload.object.namespace
        if namespace not in hearts and client_container(workload) is not None:
            services.setdefault(namespace, []).append(workload.object.name)
    return Found(
        context=context,
        cluster=await _identity(kube),
        control_planes=tuple(sorted(hearts)),
        keptn_services={place: tuple(sorted(names)) for place, names in sorted(services.items())},
    )


async def _identity(kube: KubeClient) -> str:
    try:
        return (await kube.get("/api/v1/namespaces/kube-system", k8s.Namespace)).uid
    except WorldFault:
        return kube.access.server


def configuration(found: Iterable[Found], *, kubeconfig: str) -> tuple[str, tuple[str, ...]]:
    """The text of the file, and what to tell the user about it."""
    distinct, notes = _without_twins(found)
    control = [item for item in distinct if item.control_planes]
    planes = [item for item in distinct if item.keptn_services]
    lines = [
        "# Written by keptn-doctor init.",
        "version: 1",
    ]
    if control:
        lines += [
            "",
            "control-plane:",
            *_section(control[0], control[0].control_planes, kubeconfig, "  "),
            "  # endpoint: https://keptn.example.com/api   # when the cluster does not tell it",
            "  # token-file: keptn-token                   # or the variable KEPTN_API_TOKEN",
        ]
    else:
        lines += [
            "",
            "# No context leads to a control plane. When its API can be reached, name it here:",
            "# control-plane:",
            "#   endpoint: https://keptn.example.com/api",
            "#   token-env: KEPTN_API_TOKEN",
        ]
        notes.append(
            "No control plane was found: fill in its endpoint, or the verdicts will lack it."
        )
    if planes:
        lines += ["", "execution-planes:"]
        for item in planes:
            first, *others = _section(item, tuple(item.keptn_services), kubeconfig, "    ")
            lines += ["  - " + first.strip(), *others]
    for item in control[1:]:
        notes.append(f"{item.context} has a control plane too; only one can be looked at in a run.")
    lines += ["", *(f"# {note}" for note in notes)] if notes else []
    summary = [*(_control_line(item) for item in control[:1]), *map(_plane_line, planes), *notes]
    return "\n".join(lines) + "\n", tuple(summary)


def _without_twins(found: Iterable[Found]) -> tuple[list[Found], list[str]]:
    """One context per cluster, the first one; why each of the others is left out."""
    distinct: dict[str, Found] = {}
    notes = []
    for item in found:
        if item.problem:
            notes.append(f"{item.context} could not be looked at: {' '.join(item.problem.split())}")
        elif not item.control_planes and not item.keptn_services:
            notes.append(f"{item.context} has nothing of Keptn.")
        elif item.cluster in distinct:
            notes.append(f"{item.context} is the same cluster as {distinct[item.cluster].context}.")
        else:
            distinct[item.cluster] = item
    return list(distinct.values()), notes


def _section(
    found: Found, namespaces: tuple[str, ...], kubeconfig: str, indent: str
) -> Iterable[str]:
    """The fields of one cluster; JSON strings are YAML strings."""
    yield f"{indent}name: {json.dumps(plane_name(found.context))}"
    yield f"{indent}context: {json.dumps(found.context)}"
    if kubeconfig:
        yield f"{indent}kubeconfig: {json.dumps(str(Path(kubeconfig).resolve()))}"
    yield f"{indent}namespaces: {json.dumps(list(namespaces))}"


def _control_line(found: Found) -> str:
    return f"Control plane in {found.context}, namespace {', '.join(found.control_planes)}."


def _plane_line(found: Found) -> str:
    listed = "; ".join(
        f"{', '.join(names)} in {namespace}" for namespace, names in found.keptn_services.items()
    )
    return f"Execution plane in {found.context}: {listed}."
