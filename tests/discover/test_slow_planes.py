"""Planes that are slow or dead: the others do not wait for them, and what is missing is told."""

from __future__ import annotations

import msgspec
import pytest

from keptn_doctor import exit_codes
from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab.kube.misbehaviour import Misbehaviour
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.model.keptn_facts import PastAnswers

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]


HELM = "exec-a/keptn-exec/helm-service"
JMETER = "exec-a/keptn-exec/jmeter-service"
JES = "exec-b/keptn-jes/job-executor-service"


def assert_not_waited_for(plane: str, snapshot: Snapshot) -> None:
    """Logs of another plane were read while this one was still being searched."""
    assert snapshot.times is not None
    ended = [span.name for span in snapshot.times.spans]
    logs = [n for n, name in enumerate(ended) if name.startswith("pod-log/exec-a/")]
    assert logs
    assert logs[0] < ended.index(f"search/{plane}")


async def test_a_slow_plane_is_looked_at_like_the_others_and_delays_none() -> None:
    async with start(loads("title: One is slow\n")) as lab:
        lab.servers["exec-b"].misbehave(
            Misbehaviour(kind="slow", path_prefix="/version", seconds=5, times=1)
        )
        snapshot = await examine(lab.targets())
    report = report_on(snapshot, load_checks())
    assert {v.service: v.connection for v in report.verdicts} == dict.fromkeys(
        (HELM, JMETER, JES), "connected"
    )
    assert_not_waited_for("exec-b", snapshot)
    assert len({o.id for o in snapshot.observations}) == len(snapshot.observations)
    assert not [o.id for o in snapshot.observations if "~" in o.id], "nothing is looked at twice"
    about = {o.probe for o in snapshot.observations if o.subject == "exec-b"}
    assert {"cluster", "nodes", "namespace", "network-policies", "rights"} <= about
    assert report.exit_code == exit_codes.CONNECTED


async def test_a_dead_plane_takes_no_verdict_from_the_others_and_is_told() -> None:
    scenario = loads("title: One hangs\noperator: {contexts: {exec-b: {server: unreachable}}}\n")
    async with start(scenario) as lab:
        targets = lab.targets()
        deadlines = msgspec.structs.replace(targets.deadlines, budget_s=12)
        snapshot = await examine(msgspec.structs.replace(targets, deadlines=deadlines))
    report = report_on(snapshot, load_checks())
    assert {v.service: v.connection for v in report.verdicts} == {
        HELM: "connected",
        JMETER: "connected",
    }
    assert_not_waited_for("exec-b", snapshot)
    left_out = {note.subject: note for note in report.coverage if note.kind == "limit"}
    assert "not finished within the budget of 12 s" in left_out["exec-b"].reason
    assert "--budget 24s" in left_out["exec-b"].unlock
    assert not [o for o in report.evidence if o.subject == "exec-b"], "unseen is not seen broken"
    assert report.exit_code == exit_codes.UNKNOWN
    assert "exec-b" in report.headline


async def test_planes_keep_their_order_and_are_asked_for_though_the_first_comes_last() -> None:
    async with start(loads("title: The first is slow\n")) as lab:
        lab.servers["exec-a"].misbehave(
            Misbehaviour(kind="slow", path_prefix="/version", seconds=0.6, times=1)
        )
        lab.servers["exec-b"].misbehave(  # so the looks there take longer than the search here
            Misbehaviour(
                kind="slow", path_prefix="/api/v1/namespaces/keptn-jes/pods/", seconds=2.5, times=1
            )
        )
        snapshot = await examine(lab.targets())
    assert_in_order(snapshot, "search/exec-a", "pod-log/exec-b/")
    assert [plane.name for plane in snapshot.topology.execution_planes] == ["exec-a", "exec-b"]
    own = [s.subject for s in snapshot.topology.services if s.belongs_to == "execution-plane"]
    assert own == [HELM, JMETER, JES]
    (past,) = (o.result for o in snapshot.observations if o.probe == "past-answers")
    assert isinstance(past, PastAnswers)
    assert set(past.asked_sources) == {"helm-service", "jmeter-service", "job-executor-service"}


def assert_in_order(snapshot: Snapshot, *beginnings: str) -> None:
    """What ended first, by what the names of the spans begin with."""
    assert snapshot.times is not None
    ended = [span.name for span in snapshot.times.spans]
    places = [next(n for n, name in enumerate(ended) if name.startswith(b)) for b in beginnings]
    assert places == sorted(places)
