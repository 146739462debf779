"""Worlds of the lab, looked at by a whole run: what was seen, what was judged, what was written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from keptn_doctor.catalogue import Catalogue, load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.model.evidence import NotAttempted, Observation, Snapshot
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import PodProbe
from keptn_doctor.model.report import Report, Verdict
from keptn_doctor.probes.probe_pod_manifest import RUN_LABEL, ProbeOptions

HELM = "exec-a/keptn-exec/helm-service"
JMETER = "exec-a/keptn-exec/jmeter-service"
JES = "exec-b/keptn-jes/job-executor-service"
MAY_WRITE = "operator: {contexts: {exec-a: {may-write: true}, exec-b: {may-write: true}}}\n"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One finished run against a lab that is still there."""

    lab: Lab
    snapshot: Snapshot
    report: Report
    pods_made: tuple[dict[str, Any], ...]

    def verdict(self, service: str) -> Verdict:
        return next(v for v in self.report.verdicts if v.service == service)

    def connections(self) -> dict[str, str]:
        return {v.service: v.connection for v in self.report.verdicts}

    def looks(self, probe: str, subject: str) -> list[Observation]:
        return [o for o in self.snapshot.observations if (o.probe, o.subject) == (probe, subject)]

    def probe(self, subject: str) -> PodProbe:
        (look,) = self.looks("pod-probe", subject)
        assert isinstance(look.result, PodProbe), look.result
        return look.result

    def probe_failure(self, subject: str) -> Failure:
        (look,) = self.looks("pod-probe", subject)
        assert isinstance(look.result, Failure), look.result
        return look.result

    def not_attempted(self, probe: str, subject: str) -> list[NotAttempted]:
        notes = self.snapshot.not_attempted
        return [n for n in notes if (n.probe, n.subject) == (probe, subject)]

    def written(self) -> list[tuple[str, str]]:
        """Every request that was neither a read nor one of the two reviews of rights."""
        return [
            (s.method, s.path)
            for server in self.lab.servers.values()
            for s in server.served
            if s.method not in ("GET", "HEAD")
            and not s.path.startswith("/apis/authorization.k8s.io/v1/selfsubject")
        ]

    def probe_pods_left(self) -> list[str]:
        return [
            str(pod["metadata"]["name"])
            for cluster in self.lab.clusters.values()
            for pod in cluster.objects("pods")
            if RUN_LABEL in (pod["metadata"].get("labels") or {})
        ]


@asynccontextmanager
async def looked_at(
    scenario: str = "",
    *,
    probe_pod: bool = False,
    options: ProbeOptions | None = None,
    catalogue: Catalogue | None = None,
    before: Callable[[Lab], None] = lambda _: None,
) -> AsyncIterator[Run]:
    """Start a world (YAML without its title), run the doctor on it, keep the world meanwhile.

    ``before`` may change the world between its start and the run.
    """
    async with start(loads(f"title: a world\n{scenario}")) as lab:
        made: list[dict[str, Any]] = []
        for cluster in lab.clusters.values():
            cluster.listen(
                lambda change: (
                    made.append(change.obj)
                    if change.kind == "ADDED" and change.key == ("", "pods")
                    else None
                )
            )
        before(lab)
        targets = msgspec.structs.replace(
            lab.targets(), probe_pod=probe_pod, active=probe_pod, probe=options or ProbeOptions()
        )
        snapshot = await examine(targets)
        report = report_on(snapshot, catalogue or load_checks())
        yield Run(lab=lab, snapshot=snapshot, report=report, pods_made=tuple(made))
