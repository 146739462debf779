import pytest
from check_under_test import judge_one

from keptn_doctor.testing import ago, component, container, control_plane_runs, pod_of, world


def _flaps(
    name="shipyard-controller", *, restarts=9, ended=120, age=90_000, ready=1, reason="Error"
):
    flapping = container(
        name, restarts=restarts, last_exit_code=2, last_reason=reason, last_finished_at=ago(ended)
    )
    pod = pod_of("keptn", flapping, created_at=ago(age))
    return world(control_plane_runs(component(name, pod, ready=ready)))


FAILS = [_flaps(), _flaps("keptn-nats")]
PASSES = [
    world(control_plane_runs()),
    _flaps(ended=40_000),
    _flaps(age=600),
    _flaps(restarts=2),
    _flaps(reason="OOMKilled"),
    _flaps("bridge"),
]


def test_how_it_ended_is_told():
    finding = judge_one(__file__, FAILS[0])

    assert "9 times, the last run ended with exit code 2" in finding.summary
    assert finding.breaks == "degraded"


@pytest.mark.parametrize("name", ["api-service", "mongodb-datastore"])
def test_one_that_is_down_is_left_to_its_own_check(name):
    assert judge_one(__file__, _flaps(name, ready=0)).status == "pass"
