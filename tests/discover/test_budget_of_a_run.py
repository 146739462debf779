"""A run with a budget and a dead plane: the others have their verdicts, the rest is told."""

from __future__ import annotations

import msgspec
import pytest

from keptn_doctor import exit_codes
from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]


async def test_a_dead_plane_takes_no_verdict_from_the_others_and_is_told() -> None:
    scenario = loads("title: One hangs\noperator: {contexts: {exec-b: {server: unreachable}}}\n")
    async with start(scenario) as lab:
        targets = lab.targets()
        deadlines = msgspec.structs.replace(targets.deadlines, budget_s=12)
        snapshot = await examine(msgspec.structs.replace(targets, deadlines=deadlines))
    report = report_on(snapshot, load_checks())
    assert {v.service: v.connection for v in report.verdicts} == {
        "exec-a/keptn-exec/helm-service": "connected",
        "exec-a/keptn-exec/jmeter-service": "connected",
    }
    left_out = {note.subject: note for note in report.coverage if note.kind == "limit"}
    assert "not finished within the budget of 12 s" in left_out["exec-b"].reason
    assert "--budget 24s" in left_out["exec-b"].unlock
    assert not [o for o in report.evidence if o.subject == "exec-b"], "unseen is not seen broken"
    assert report.exit_code == exit_codes.UNKNOWN
    assert "exec-b" in report.headline
