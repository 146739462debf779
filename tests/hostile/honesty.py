"""What every run must hold to, whatever the world answers."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

import msgspec

from keptn_doctor.bundle import pack, unpack
from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.report import Report
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.renderers import json, junit, text
from keptn_doctor.renderers.text import TextStyle
from keptn_doctor.targets import Targets

TOKEN = "Zx/planted+Token=4711"
RUN_S = 4.0
SLACK_S = 4.0  # of a busy machine
CATALOGUE = load_checks()
FORMS = (
    TOKEN, quote(TOKEN), quote(TOKEN, safe=""), TOKEN.encode().hex(),
    base64.b64encode(TOKEN.encode()).decode()[:-4],
)  # fmt: skip


async def looked_at(targets: Targets) -> Snapshot:
    """A whole run with little patience; ends when it has to."""
    deadlines = Deadlines(connect_s=1, request_s=1.5, kube_s=1.5, run_s=RUN_S)
    began = time.monotonic()
    snapshot = await examine(msgspec.structs.replace(targets, deadlines=deadlines))
    assert time.monotonic() - began < RUN_S + SLACK_S
    return snapshot


def assert_honest(snapshot: Snapshot) -> Report:
    """No crash, no secret, nothing that moves a terminal, and a report that can be kept."""
    crashed = [
        (o.probe, o.result.detail) for o in snapshot.observations
        if isinstance(o.result, Failure) and o.result.code == "probe-crashed"
    ]  # fmt: skip
    assert crashed == []
    assert unpack(pack(snapshot)) == snapshot
    report = report_on(snapshot, CATALOGUE)
    assert [(f.check, f.summary) for f in report.findings if f.status == "crash"] == []
    told = text.render(report, TextStyle(detail="verbose"))
    assert all(c.isprintable() or c == "\n" for c in told)
    for artefact in (told, json.render(report), junit.render(report)):
        assert artefact
        for form in FORMS:
            assert form not in artefact
    return report
