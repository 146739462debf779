"""Looks through the contexts of a kubeconfig and writes a ``keptn-doctor.yaml`` that fits them.

It asks each cluster two small questions: is there a Keptn control plane, and are there Keptn
services of an execution plane. It judges nothing, and never overwrites a file unasked.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from keptn_doctor.cluster_choice import plane_name
from keptn_doctor.config_file import parse_config
from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.network_settings import Deadlines, NetworkSettings
from keptn_doctor.probes.failures import WorldFault, classify
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_config import read_kubeconfig
from keptn_doctor.probes.kube_credentials import load_access
from keptn_doctor.target_records import ClusterTarget
from keptn_doctor.target_sources import NO_CLUSTER
from keptn_doctor.usage import UsageError

MAX_CONTEXTS = 64
_AT_ONCE = 8
_GATEWAY = "api-gateway-nginx"
_SIDECAR = "distributor"  # in the name of its image, in every release and fork seen
_SETTINGS = ("KEPTN_API_ENDPOINT", "PUBSUB_TOPIC", "PUBSUB_URL")


class ContextSurvey(Record, frozen=True, kw_only=True):
    """What one context's cluster holds, as far as it could be seen."""

    context: str
    outcome: Literal["looked", "unreachable", "forbidden", "no-credentials"] = "looked"
    control_planes: tuple[str, ...] = ()  # namespaces with Keptn's gateway
    plane_namespaces: tuple[str, ...] = ()  # namespaces with Keptn services elsewhere
    services: int = 0  # Keptn services in those
    uid: str = ""  # of kube-system: equal for two contexts of one cluster
    failure: Failure | None = None

    def sentence(self) -> str:
        """What was found, for people."""
        if self.failure is not None:
            return f"{self.outcome}: {self.failure.detail or self.failure.code}"
        parts = [f"control plane in {name}" for name in self.control_planes]
        if self.services:
            where = ", ".join(self.plane_namespaces)
            parts.append(f"{self.services} Keptn service(s) of an execution plane in {where}")
        return "; ".join(parts) or "no sign of Keptn"


async def survey(
    kubeconfig: str,
    environ: Mapping[str, str],
    *,
    deadline_s: float = 10.0,
    network: NetworkSettings | None = None,
    now: datetime | None = None,
    told: Callable[[ContextSurvey], None] | None = None,
) -> tuple[ContextSurvey, ...]:
    """Look at every context, eight at a time, each within ``deadline_s``; ``told`` of each.

    Raises:
        UsageError: no kubeconfig, no context in it, or more than 64 of them.
    """
    config = read_kubeconfig(kubeconfig, environ)
    if config is None:
        raise UsageError(NO_CLUSTER)
    names = sorted(config.contexts)
    if not names:
        raise UsageError(f"{config.files[0]} has no contexts: there is nothing to look through")
    if len(names) > MAX_CONTEXTS:
        raise UsageError(f"{len(names)} contexts are too many: {MAX_CONTEXTS} at most")
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> ContextSurvey:
        target = ClusterTarget(name=plane_name(name), context=name, kubeconfig=kubeconfig)
        async with limit:
            found = await _look(target, environ, deadline_s, network, now)
        if told:
            told(found)
        return found

    return tuple(await asyncio.gather(*(one(name) for name in names)))


async def _look(
    target: ClusterTarget,
    environ: Mapping[str, str],
    deadline_s: float,
    network: NetworkSettings | None,
    now: datetime | None,
) -> ContextSurvey:
    limits = Deadlines(connect_s=min(5.0, deadline_s), kube_s=deadline_s)
    try:
        async with asyncio.timeout(deadline_s):
            access = await load_access(target, environ=environ, deadline_s=deadline_s, now=now)
            async with KubeClient(access, deadlines=limits, network=network) as kube:
                return await _read(target, kube)
    except TimeoutError:
        failure = Failure(
            phase="deadline", code="deadline-exceeded", detail=f"no answer within {deadline_s:g} s"
        )
    except WorldFault as fault:
        failure = fault.failure
    except Exception as error:
        known = classify(error)
        if known is None:
            raise
        failure = known
    return ContextSurvey(context=target.context, outcome=_outcome(failure), failure=failure)


def _outcome(failure: Failure) -> Literal["unreachable", "forbidden", "no-credentials"]:
    if failure.code == "forbidden":
        return "forbidden"
    return "no-credentials" if failure.phase == "auth" else "unreachable"


class _Env(msgspec.Struct):
    name: str | None = None


class _Container(msgspec.Struct):
    name: str | None = None
    image: str | None = None
    env: list[_Env] | None = None


class _PodSpec(msgspec.Struct):
    containers: list[_Container] | None = None


class _Template(msgspec.Struct):
    spec: _PodSpec | None = None


class _Spec(msgspec.Struct):
    template: _Template | None = None


class _Metadata(msgspec.Struct):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None


class _Object(msgspec.Struct):
    metadata: _Metadata | None = None
    spec: _Spec | None = None


async def _read(target: ClusterTarget, kube: KubeClient) -> ContextSurvey:
    workloads = await _everywhere(kube, "/apis/apps/v1", "deployments")
    services = await _everywhere(kube, "/api/v1", "services")
    controls = {
        _namespace(item) for item in services if item.metadata and item.metadata.name == _GATEWAY
    }
    planes = [_namespace(item) for item in workloads if _is_keptn_service(item)]
    outside = [name for name in planes if name not in controls]
    return ContextSurvey(
        context=target.context,
        control_planes=tuple(sorted(controls)),
        plane_namespaces=tuple(sorted(set(outside))),
        services=len(outside),
        uid=await _uid(kube),
    )


async def _everywhere(kube: KubeClient, base: str, plural: str) -> tuple[_Object, ...]:
    """All objects of a kind, or those of the context's own namespace when that is all one may."""
    try:
        return await kube.list(f"{base}/{plural}", _Object)
    except WorldFault as fault:
        if fault.failure.code != "forbidden":
            raise
    return await kube.list(f"{base}/namespaces/{kube.access.namespace}/{plural}", _Object)


async def _uid(kube: KubeClient) -> str:
    try:
        found = await kube.get("/api/v1/namespaces/kube-system", _Object)
    except WorldFault:
        return ""
    return (found.metadata and found.metadata.uid) or ""


def _namespace(item: _Object) -> str:
    return (item.metadata and item.metadata.namespace) or ""


def _is_keptn_service(item: _Object) -> bool:
    template = item.spec.template if item.spec else None
    containers = (template.spec.containers if template and template.spec else None) or []
    return any(
        _SIDECAR in (container.image or "")
        or any(variable.name in _SETTINGS for variable in container.env or ())
        for container in containers
    )


def configuration(found: tuple[ContextSurvey, ...], *, kubeconfig: str = "") -> str:
    """The text of a ``keptn-doctor.yaml`` for what was found; it is checked before it is given.

    The first control plane is taken, others are named in a comment. Raises UsageError when there
    is neither a control plane nor a Keptn service in any context.
    """
    controls = [(s, namespace) for s in found for namespace in s.control_planes]
    planes = _distinct([s for s in found if s.services])
    if not controls and not planes:
        raise UsageError("no context leads to a Keptn control plane or to a Keptn service")
    document: dict[str, Any] = {"version": 1}
    if controls:
        chosen, namespace = controls[0]
        name = plane_name(chosen.context)
        document["control-plane"] = _section(name, chosen.context, (namespace,), kubeconfig)
    document["execution-planes"] = [
        _section(name, s.context, s.plane_namespaces, kubeconfig)
        for name, s in zip(_names(planes), planes, strict=True)
    ]
    comments = ["# " + " ".join(f"{s.context}: {s.sentence()}".split()) for s in found]
    text = "\n".join(
        (
            "# Written by keptn-doctor init. What was found in each context:",
            *comments,
            "# The Keptn API token is not kept here: set KEPTN_API_TOKEN, or use token-file.",
            yaml.safe_dump(document, sort_keys=False, allow_unicode=True),
        )
    )
    parse_config(Path("keptn-doctor.yaml"), text)
    return text


def write_configuration(path: Path, text: str, *, force: bool = False) -> None:
    """Write the file; raises UsageError when it is there already and ``force`` is not given."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already: say --force to overwrite it") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def _distinct(found: list[ContextSurvey]) -> list[ContextSurvey]:
    """One context per cluster: two contexts with one kube-system are one plane."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    kept = []
    for item in found:
        key = (item.uid or item.context, item.plane_namespaces)
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def _names(planes: list[ContextSurvey]) -> list[str]:
    """A name for each, made from its context's; the second of two equal ones gets a number."""
    names: list[str] = []
    for plane in planes:
        name, number = plane_name(plane.context), 2
        while name in names:
            name, number = f"{plane_name(plane.context)}-{number}", number + 1
        names.append(name)
    return names


def _section(
    name: str, context: str, namespaces: tuple[str, ...], kubeconfig: str
) -> dict[str, Any]:
    section: dict[str, Any] = {"name": name, "context": context}
    if kubeconfig:
        paths = [str(Path(part).expanduser().resolve()) for part in kubeconfig.split(os.pathsep)]
        section["kubeconfig"] = os.pathsep.join(paths)
    return section | {"namespaces": list(namespaces)}
