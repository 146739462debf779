"""A healthy world is called healthy with every Keptn release and the clients that go with it."""

from __future__ import annotations

import asyncio
import json
from importlib import resources

import pytest

from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.model.report import Report

pytestmark = pytest.mark.lab

CATALOGUE = load_checks()


def _rendered_releases() -> list[str]:
    """Both ends of every range of charts: the releases at which anything changed."""
    text = (resources.files("keptn_doctor") / "knowledge" / "components.json").read_bytes()
    rows = json.loads(text)["components"]
    ends = {row["versions"][end] for row in rows for end in ("from", "to")}
    return sorted(ends, key=_numbers)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _diagnosed(keptn: str, levers: str = "") -> Report:
    kubernetes = "1.21" if _numbers(keptn) < (0, 18) else "1.24"
    text = f"""
title: A healthy world
keptn: {keptn}
control-plane: {{cluster: {{kubernetes: "{kubernetes}"}}}}
{levers}
"""

    async def look() -> Report:
        async with start(loads(text)) as lab:
            return report_on(await examine(lab.targets()), CATALOGUE)

    return asyncio.run(look())


def _assert_healthy(report: Report) -> None:
    connections = {v.service: (v.connection, v.because) for v in report.verdicts}
    assert connections
    assert all(connection == "connected" for connection, _ in connections.values()), connections
    assert [cause.finding.summary for cause in report.causes] == []
    assert [warning.summary for warning in report.warnings] == []
    assert [f.summary for f in report.findings if f.status == "crash"] == []
    assert report.exit_code == 0, report.headline


@pytest.mark.parametrize("keptn", _rendered_releases())
def test_a_healthy_world_of_every_release_is_called_healthy(keptn: str) -> None:
    report = _diagnosed(keptn)
    _assert_healthy(report)
    rows = {verdict.row for verdict in report.verdicts}
    assert ("no-uniform" in rows) == (keptn == "0.8.3")  # which keeps no registrations yet


@pytest.mark.parametrize(
    ("keptn", "chart", "distributor"),
    [
        # the control plane was upgraded first
        ("0.8.7", "0.8.4", "0.8.4"),
        ("0.9.2", "0.9.0", "0.9.0"),
        ("0.11.4", "0.9.2", "0.9.2"),
        ("0.13.6", "0.10.0", "0.10.0"),
        ("0.14.3", "0.13.0", "0.13.0"),
        ("0.15.1", "0.12.7", "0.12.7"),
        ("0.16.2", "0.13.6", "0.13.6"),
        ("0.17.1", "0.14.3", "0.14.3"),
        ("0.18.2", "0.15.1", "0.15.1"),
        # the execution plane was upgraded first
        ("0.9.2", "0.10.0", "0.10.0"),
        ("0.13.6", "0.14.3", "0.14.3"),
        ("0.15.1", "0.16.2", "0.16.2"),
        ("0.16.2", "0.17.1", "0.17.1"),
        # charts of keptn-contrib and the distributor that they pin
        ("0.17.1", "0.17.0", "0.17.0"),
        ("0.18.2", "0.17.0", "0.17.0"),
        ("0.18.2", "0.18.1", "0.18.0"),
        ("0.19.3", "0.18.1", "0.18.0"),
        ("1.0.0", "0.18.1", "0.18.0"),
        ("1.4.5", "0.18.1", "0.18.0"),
        # a distributor of the control plane's own release, in a hand-made Deployment
        ("1.4.5", "0.18.1", "1.4.5"),
        ("1.2.0", "0.18.1", "0.19.3"),
    ],
)
def test_distributors_that_work_with_a_control_plane_are_not_blamed_for_their_age(
    keptn: str, chart: str, distributor: str
) -> None:
    levers = f"""
execution-planes:
  exec-a: {{all-services: {{version: {chart}, distributor: {distributor}}}}}
  exec-b: null
"""
    _assert_healthy(_diagnosed(keptn, levers))


@pytest.mark.parametrize(
    ("keptn", "job_executor", "distributor"),
    [
        ("0.12.7", "0.1.8", "0.12.6"),
        ("0.13.6", "0.2.0", "0.13.4"),
        ("0.16.2", "0.2.3", "0.16.0"),
        ("0.17.1", "0.2.5", "0.17.0"),
        ("0.18.2", "0.2.5", "0.17.0"),
        ("0.16.2", "0.3.0", ""),
        ("0.17.0", "0.3.0", ""),
        ("0.19.3", "0.3.0", ""),
        ("1.4.5", "0.3.0", ""),
    ],
)
def test_job_executors_with_and_without_a_distributor_are_called_connected(
    keptn: str, job_executor: str, distributor: str
) -> None:
    levers = f"""
execution-planes:
  exec-a: null
  exec-b:
    services:
      job-executor-service: {{version: {job_executor}, distributor: "{distributor}"}}
"""
    _assert_healthy(_diagnosed(keptn, levers))


@pytest.mark.parametrize("keptn", ["0.16.0", "0.17.1", "0.19.3", "1.0.0", "1.4.5"])
def test_a_service_made_with_the_sdk_is_called_connected(keptn: str) -> None:
    levers = """
execution-planes:
  exec-a:
    services:
      helm-service: null
      jmeter-service: null
      my-service:
        {chart: custom, client: sdk, topics: sh.keptn.event.my-task.triggered}
  exec-b: null
"""
    _assert_healthy(_diagnosed(keptn, levers))


@pytest.mark.parametrize("distributor", ["0.8.7", "0.9.2", "0.13.6"])
def test_a_custom_service_beside_a_distributor_is_called_connected(distributor: str) -> None:
    levers = f"""
execution-planes:
  exec-a:
    services:
      helm-service: null
      jmeter-service: null
      my-service:
        chart: custom
        client: distributor
        distributor: {distributor}
        topics: sh.keptn.event.my-task.triggered
  exec-b: null
"""
    _assert_healthy(_diagnosed(distributor, levers))
