from check_under_test import judge_one

from keptn_doctor.testing import ago, component, container, control_plane_runs, pod_of, world


def _killed(name, *, ready=0, ended=60, restarts=9, **fields):
    killed = container(
        name, last_reason="OOMKilled", last_exit_code=137, last_finished_at=ago(ended),
        restarts=restarts, limit_memory_mi=64, **fields,
    )  # fmt: skip
    return world(control_plane_runs(component(name, pod_of("keptn", killed), ready=ready)))


FAILS = [_killed("api-service"), _killed("mongodb-datastore"), _killed("api-service", ready=1)]
PASSES = [world(control_plane_runs()), _killed("api-service", ready=1, ended=90_000)]


def test_the_limit_is_told():
    assert "64 MiB" in judge_one(__file__, FAILS[0]).summary


def test_a_part_that_is_ready_in_between_degrades():
    assert judge_one(__file__, FAILS[2]).breaks == "degraded"


def test_a_bridge_that_is_killed_is_no_matter_here():
    assert judge_one(__file__, _killed("bridge")).status == "pass"


def test_one_kill_is_no_habit():
    assert judge_one(__file__, _killed("api-service", ready=1, restarts=1)).status == "pass"
