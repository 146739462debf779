from check_under_test import judge_one

from keptn_doctor.testing import component, container, control_plane_runs, pod_of, world

FAILS = [
    world(control_plane_runs(component("mongodb-datastore", ready=0))),
    world(control_plane_runs(component("resource-service", ready=0))),
    world(control_plane_runs(component("configuration-service", ready=0), version="0.9.2")),
]
PASSES = [
    world(control_plane_runs()),
    world(control_plane_runs(component("bridge", ready=0))),
    world(control_plane_runs(component("keptn-mongo", ready=0))),
]


def test_what_it_waits_for_may_be_its_reason():
    waits = container("wait-for-shipyard-controller", init=True, ready=False)
    down = component("mongodb-datastore", pod_of("keptn", waits), ready=0)
    finding = judge_one(__file__, world(control_plane_runs(down)))

    assert {"mongodb-datastore", "keptn-nats", "shipyard-controller"} <= set(finding.through)


def test_it_degrades_and_no_more():
    assert judge_one(__file__, FAILS[0]).breaks == "degraded"
