from check_under_test import judge_one

from keptn_doctor.testing import component, control_plane_runs, world

FAILS = [
    world(control_plane_runs(component("keptn-nats", ready=0, workload_kind="StatefulSet"))),
    world(control_plane_runs(component("keptn-nats-cluster", ready=0), version="0.13.6")),
]
PASSES = [world(control_plane_runs()), world(control_plane_runs(version="0.13.6"))]


def test_it_degrades_and_does_not_disconnect():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "degraded"
    assert finding.command.endswith("describe statefulset/keptn-nats")
