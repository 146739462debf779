"""A round trip in the report: on the ladder, beside the verdict, among the causes."""

from __future__ import annotations

from worlds import CONTROL_PLANE, SERVICE, listing, local, pod, record, trip, workload

from keptn_doctor.api import Hop, Layer, RoundTrip
from keptn_doctor.catalogue import load_checks
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.testing import keptn_service, seen, world

HEALTHY = (workload(pod()), local(), listing(record()))
CATALOGUE = load_checks()


def judged(*looks, service=SERVICE):
    return assemble(world(service, *looks), CATALOGUE)


def delivery(report):
    return next(r for r in report.verdicts[0].ladder if r.layer == Layer.DELIVERY)


def test_a_task_that_came_back_stands_on_the_last_rung():
    report = judged(*HEALTHY, trip())

    assert delivery(report).state == "ok"
    assert delivery(report).note == "a task sent to it came back finished after 3.5 s"
    assert report.verdicts[0].round_trip is not None
    assert report.round_trip is None


def test_a_task_that_was_never_finished_degrades_the_last_rung():
    report = judged(*HEALTHY, trip(finished="failed"))

    assert report.verdicts[0].connection == "degraded"
    assert delivery(report).state == "degraded"
    assert [cause.finding.check for cause in report.causes] == ["task-never-finished"]


def test_a_trip_through_the_control_plane_alone_proves_no_service():
    hops = (Hop(leg="accepted", state="ok"), Hop(leg="stored", state="ok"))
    report = judged(seen(CONTROL_PLANE, RoundTrip(hops=hops)))

    assert report.round_trip is not None
    assert report.verdicts[0].round_trip is None
    assert report.verdicts[0].connection == "unknown"


def test_a_break_before_the_service_is_the_control_planes_and_everybodys():
    other = keptn_service("jmeter-service", integration_name="jmeter-service")
    snapshot = world(SERVICE, other, *HEALTHY, trip(task_sent="failed", picked_up="not-reached",
                                                    finished="not-reached"))  # fmt: skip
    report = assemble(snapshot, CATALOGUE)

    (cause,) = [c for c in report.causes if c.finding.check == "sequence-not-dispatched"]
    assert set(cause.services) == {SERVICE.subject, other.subject}
    assert not [c for c in report.causes if c.finding.check == "event-not-picked-up"]
