"""Worlds of a given size: how many planes, Keptn services and other pods there are.

Only the size differs; every world is healthy unless a plane is named slow, dead or busy. The other
pods are what a shared cluster is full of, see ``lab.objects.fillers``.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from keptn_doctor.lab.kube.misbehaviour import Misbehaviour
from keptn_doctor.lab.levers import (
    ClusterLevers,
    ContextLevers,
    NodeLevers,
    OperatorLevers,
    PlaneLevers,
    ServiceLevers,
)
from keptn_doctor.lab.scenario import Scenario

_CHARTS = ("helm-service", "jmeter-service", "job-executor-service")
_PODS_ON_A_NODE = 100  # a kubelet takes 110 pods, some of which are not ours
_SLOW_S = 2.0
RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A world's measure; services and other pods are totals over all planes."""

    planes: int = 2
    services: int = 3
    pods: int = 0
    slow: int = 0  # planes whose API server takes two seconds for each answer
    dead: int = 0  # planes whose API server does not answer at all
    busy: int = 0  # planes whose API server answers one request with 429, Retry-After 1 s


def scenario(size: Size) -> Scenario:
    """The world of a size."""
    planes: dict[str, PlaneLevers | None] = {"exec-a": None, "exec-b": None}
    contexts, service = {}, itertools.count()
    shares = zip(
        _shares(size.services, size.planes), _shares(size.pods, size.planes), strict=True
    )  # fmt: skip
    for number, (services, pods) in enumerate(shares):
        name = plane_name(number)
        planes[name] = PlaneLevers(
            namespace=f"keptn-{number:03}",
            cluster=ClusterLevers(
                nodes=tuple(
                    NodeLevers(name=f"{name}-node-{n + 1}", cpu="64", memory="256Gi")
                    for n in range(1 + (services + pods) // _PODS_ON_A_NODE)
                ),
                fillers=pods,
                api_server=_manners(size, number),
            ),
            services={
                _service_name(next(service)): ServiceLevers() for _ in range(services)
            },
            nat_address=f"198.51.{100 + number // 200}.{20 + number % 200}",
        )
        if size.slow <= number < size.slow + size.dead:
            contexts[name] = ContextLevers(server="unreachable")
    return Scenario(
        title=f"{size.planes} planes, {size.services} Keptn services, {size.pods} other pods",
        execution_planes=planes,
        operator=OperatorLevers(contexts=contexts),
    )


def _manners(size: Size, number: int) -> tuple[Misbehaviour, ...]:
    """What ails the API server of a plane; the dead ones are dead for the kubeconfig alone."""
    if number < size.slow:
        return (Misbehaviour(kind="slow", seconds=_SLOW_S),)
    if number < size.busy:
        return (Misbehaviour(kind="too-many-requests", seconds=RETRY_AFTER_S, times=1),)
    return ()


def plane_name(number: int) -> str:
    return f"plane-{number:03}"


def _service_name(number: int) -> str:
    """One of its own: services of one name in two planes would compete for events."""
    return f"s{number:04}-{_CHARTS[number % len(_CHARTS)]}"


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (n < total % parts) for n in range(parts)]
