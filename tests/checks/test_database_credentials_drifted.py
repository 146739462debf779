from check_under_test import judge_one

from keptn_doctor.testing import (
    component,
    control_plane_runs,
    integration,
    keptn_service,
    line,
    pod_log,
    uniform,
    world,
)

SERVICE = keptn_service()
KEPTN = "control-plane/keptn"
TOLD = line("database_auth", text="(AuthenticationFailed) Authentication failed.")
ANSWERED = line("not_registered", "database_auth")

FAILS = [
    world(SERVICE, control_plane_runs(), pod_log(KEPTN, TOLD, container="shipyard-controller")),
    world(SERVICE, pod_log(SERVICE, ANSWERED)),
]
PASSES = [
    world(SERVICE, pod_log(SERVICE, ANSWERED), uniform(integration())),
    world(SERVICE, pod_log(KEPTN, container="shipyard-controller")),
]


def test_what_execution_planes_are_answered_is_enough():
    assert judge_one(__file__, FAILS[1]).breaks == "disconnected"


def test_a_database_that_is_down_is_left_to_its_own_check():
    down = control_plane_runs(component("keptn-mongo", ready=0))

    assert judge_one(__file__, world(SERVICE, down, pod_log(SERVICE, ANSWERED))).status == "skip"


def test_what_is_long_over_does_not_count():
    old = world(SERVICE, pod_log(KEPTN, line("database_auth", age=4000)))

    assert judge_one(__file__, old).status == "pass"
