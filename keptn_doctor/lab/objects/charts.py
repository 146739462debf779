"""What the Keptn chart of one version installs, read from ``knowledge/components.json``.

The file was made by rendering the chart of every tag of keptn/keptn (see its ``about``). Here it
becomes typed, for one version at a time; nothing is guessed for versions outside its ranges.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import msgspec

from keptn_doctor.knowledge.data import load

_Numbers = tuple[int, ...]


class Probe(msgspec.Struct, frozen=True):
    """A container probe: ``http:8080/health``, ``tcp:8080`` or ``exec:<command>``."""

    check: str
    initial_delay_s: int = 0
    period_s: int = 10
    timeout_s: int = 1
    failure_threshold: int = 3


class ChartContainer(msgspec.Struct, frozen=True):
    """A container of a workload; ports are numbers, or one name to one number."""

    name: str
    image: str
    ports: tuple[int | dict[str, int], ...] = ()
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    probes: dict[Literal["liveness", "readiness", "startup"], Probe] = {}
    pubsub_topic: str = ""


class InitContainer(msgspec.Struct, frozen=True):
    """An init container; from 1.0.0 they wait for other parts of Keptn."""

    name: str
    image: str


class ChartPort(msgspec.Struct, frozen=True):
    """A port of a Service."""

    port: int
    target: int | str
    name: str = ""


class ChartService(msgspec.Struct, frozen=True):
    """A Service that belongs to a workload."""

    name: str
    type: str
    ports: tuple[ChartPort, ...]
    headless: bool = False


class ChartClaim(msgspec.Struct, frozen=True):
    """A PersistentVolumeClaim; ``template`` names the claim template of a StatefulSet."""

    name: str
    size: str
    access: str
    template: str = ""


class Component(msgspec.Struct, frozen=True):
    """One workload of the control plane in one version."""

    kind: Literal["Deployment", "StatefulSet"]
    name: str
    event_path: bool
    replicas: int
    selector: dict[str, str]
    containers: tuple[ChartContainer, ...]
    services: tuple[ChartService, ...] = ()
    init_containers: tuple[InitContainer, ...] = ()
    pvcs: tuple[ChartClaim, ...] = ()
    service_account: str = "default"
    strategy: str = ""
    termination_grace_s: int = 30


class ChartSecret(msgspec.Struct, frozen=True):
    """A Secret that the chart makes, with its keys."""

    name: str
    keys: tuple[str, ...]


class Chart(msgspec.Struct, frozen=True):
    """All of it for one version; ``labels`` are those that Keptn's own objects share."""

    version: str
    components: tuple[Component, ...]
    secrets: tuple[ChartSecret, ...]
    part_of: str
    component_label: str
    chart_label: str

    @property
    def numbers(self) -> _Numbers:
        return numbers(self.version)


def numbers(version: str) -> _Numbers:
    """``0.13.6`` as (0, 13, 6); raises ValueError for anything that is not three numbers."""
    parts = tuple(int(part) for part in version.removeprefix("v").split("."))
    if len(parts) != 3:
        raise ValueError(f"not a Keptn version: {version!r} (expected for example 0.19.3)")
    return parts


@cache
def _document() -> dict[str, Any]:
    return load("components.json", dict[str, Any])


def _covering(rows: list[dict[str, Any]], wanted: _Numbers) -> list[dict[str, Any]]:
    return [
        row
        for row in rows
        if numbers(row["versions"]["from"]) <= wanted <= numbers(row["versions"]["to"])
    ]


@cache
def chart(version: str) -> Chart:
    """The chart of a Keptn version; raises ValueError when no rendered chart covers it."""
    wanted = numbers(version)
    rows = _covering(_document()["components"], wanted)
    if not rows:
        raise ValueError(f"no Keptn {version}: the lab knows 0.8.3 to 1.4.5")
    labels = _covering(_document()["common_labels"], wanted)[0]
    return Chart(
        version=version,
        components=msgspec.convert(rows, tuple[Component, ...]),
        secrets=msgspec.convert(
            _covering(_document()["secrets"], wanted), tuple[ChartSecret, ...]
        ),
        part_of=labels["part_of"],
        component_label=labels["component"],
        chart_label=labels["chart"],
    )
