from check_under_test import judge_one

from keptn_doctor.testing import component, control_plane_runs, world

FAILS = [
    world(control_plane_runs(component("shipyard-controller", ready=0))),
    world(control_plane_runs(component("shipyard-controller", ready=0, desired=0))),
]
PASSES = [world(control_plane_runs())]


def test_one_that_is_switched_off_is_scaled_up():
    finding = judge_one(__file__, FAILS[1])

    assert "scaled to zero" in finding.summary
    assert finding.command == "kubectl -n keptn scale deployment/shipyard-controller --replicas=1"
