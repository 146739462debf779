"""What a run costs grows with what it looks at, and no faster.

Cost is counted, not timed: lines of Python that are executed. Four times the planes may cost four
times the lines and a little more; a loop within a loop would cost sixteen times as many.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from types import FrameType
from typing import Any, TypeVar

import msgspec
import pytest

from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import report_on
from keptn_doctor.model.evidence import NotAttempted, Snapshot
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import NamespaceFacts
from keptn_doctor.model.report import Report
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.redact import Redactor
from keptn_doctor.renderers import json, junit, text
from keptn_doctor.testing import (
    container,
    integration,
    keptn_service,
    own_request,
    pod_log,
    pod_of,
    registered_line,
    uniform,
    workload_of,
    world,
)

T = TypeVar("T")
SMALL, LARGE = 4, 16
AT_MOST = 1.25 * LARGE / SMALL
SERVICES = ("helm-service", "jmeter-service", "custom-service", "job-executor-service")
WORLDS = ("healthy", "tokens rejected", "one name everywhere", "nothing seen")


@cache
def plane_by_plane(kind: str, planes: int) -> Snapshot:
    """A world of so many planes with four Keptn services each."""
    things: list[Any] = []
    records = []
    for number in range(planes):
        for name in SERVICES:
            shared = kind == "one name everywhere"
            twins = tuple(
                f"plane-{n}/keptn-exec/{name}" for n in range(min(planes, 3)) if n != number
            )
            service = keptn_service(
                name,
                plane=f"plane-{number}",
                integration_name=name if shared else f"{name}-{number}",
                namesakes=twins if shared else (),
            )
            things.append(service)
            if kind == "nothing seen":
                things.append(
                    NotAttempted(
                        probe="pod-log", subject=service.subject, reason="may not be read",
                        unlock=f"get pods/log in namespace keptn-exec of plane-{number}",
                        kind="right",
                    )
                )  # fmt: skip
                continue
            record = integration(
                id=f"{number:020x}{SERVICES.index(name):020x}",
                name=service.integration_name, age=900 if kind == "tokens rejected" else 4,
            )  # fmt: skip
            records.append(record)
            if kind == "tokens rejected":
                broken = container("distributor", "waiting", reason="CrashLoopBackOff", restarts=9)
                things.append(workload_of(service, pod_of(service, broken)))
                things.append(own_request(service, 401))
                continue
            things += (
                workload_of(service),
                own_request(service),
                pod_log(service, registered_line(), ids=(record.id,)),
            )
    return world(*things, uniform(*records))


@cache
def report_of(kind: str, planes: int) -> Report:
    return report_on(plane_by_plane(kind, planes), load_checks())


def lines_of(work: Callable[[], object]) -> int:
    """How many lines of Python some work executes; a pass of a loop on one line is one."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        del frame, argument
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(work: Callable[[T], object], small: T, large: T) -> float:
    work(small)  # what is made once for good is made before the counting
    return lines_of(lambda: work(large)) / lines_of(lambda: work(small))


@pytest.mark.parametrize("kind", WORLDS)
def test_judging_four_times_the_planes_costs_four_times_as_much(kind: str) -> None:
    catalogue = load_checks()
    small, large = plane_by_plane(kind, SMALL), plane_by_plane(kind, LARGE)
    assert growth(lambda world: report_on(world, catalogue), small, large) < AT_MOST


@pytest.mark.parametrize("kind", ["tokens rejected", "one name everywhere"])
@pytest.mark.parametrize("renderer", [text, json, junit])
def test_showing_four_times_the_planes_costs_four_times_as_much(renderer: Any, kind: str) -> None:
    small, large = report_of(kind, SMALL), report_of(kind, LARGE)
    assert growth(renderer.render, small, large) < AT_MOST


async def look_often(count: int) -> None:
    recorder = Recorder(now=lambda: datetime.now(UTC))

    async def empty() -> NamespaceFacts | Failure:
        return NamespaceFacts(namespace="keptn")

    for number in range(count):
        await recorder.look("namespace", f"plane-{number % 50}", empty(), deadline_s=5)
        recorder.skip(NotAttempted(probe="pod-log", subject=f"plane-{number}", reason="refused"))


def test_a_look_costs_as_much_after_many_as_after_few() -> None:
    small, large = 50, 200
    assert growth(lambda n: asyncio.run(look_often(n)), small, large) < 1.25 * large / small


def test_a_line_of_a_log_costs_as_much_with_many_secrets_known_as_with_few() -> None:
    few, many = Redactor(), Redactor()
    for number in range(400):
        for redactor in (few, many) if number < 100 else (many,):
            redactor.learn(f"fake-secret-number-{number:06}")
    line = "level=info msg=polling path=/event/triggered/sh.keptn.event.deployment.triggered"
    assert growth(lambda redactor: redactor.clean(line), few, many) < 1.25


def test_a_document_written_in_pieces_is_the_same_document() -> None:
    report = report_of("tokens rejected", LARGE)
    whole = msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
    assert "".join(json.pieces(report)) == whole
    assert max(map(len, json.pieces(report))) < len(whole) / 2


@pytest.mark.parametrize("kind", WORLDS)
def test_a_report_on_many_planes_is_read_in_a_few_minutes(kind: str) -> None:
    report = report_of(kind, 60)
    lines = text.render(report, text.TextStyle(width=100)).splitlines()
    assert report.headline[:30] in lines[0]
    assert len(lines) < 100
    assert "240 Keptn services" in lines[0]
    assert "240 Keptn services: plane-0/keptn-exec" in "\n".join(lines[:8])


def test_when_verbose_each_service_has_its_row() -> None:
    report = report_of("healthy", LARGE)
    shown = text.render(report, text.TextStyle(detail="verbose"))
    assert all(f"  {verdict.service}\n" in shown for verdict in report.verdicts)
