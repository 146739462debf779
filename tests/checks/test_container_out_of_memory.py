from check_under_test import judge_one

from keptn_doctor.testing import ago, container, keptn_service, pod_of, workload_of, world

SERVICE = keptn_service()


def _killed(name="distributor", *, ended=120, restarts=6, state="running", **fields):
    killed = container(
        name, state, last_reason="OOMKilled", last_exit_code=137, last_finished_at=ago(ended),
        restarts=restarts, limit_memory_mi=32, **fields,
    )  # fmt: skip
    others = () if name == "distributor" else (container(),)
    return world(SERVICE, workload_of(SERVICE, pod_of(SERVICE, killed, *others)))


FAILS = [
    _killed(),
    _killed("helm-service"),
    _killed(state="waiting", reason="CrashLoopBackOff"),
    _killed(ended=40_000),
]
PASSES = [
    world(SERVICE, workload_of(SERVICE)),
    _killed(ended=500_000),
    _killed(ended=9000, restarts=1),
]


def test_the_container_and_its_limit_are_told():
    assert (
        "distributor of helm-service was killed at its memory limit of 32 MiB"
        in judge_one(__file__, FAILS[0]).summary
    )


def test_the_work_is_lost_but_not_the_connection():
    assert judge_one(__file__, FAILS[1]).breaks == "degraded"


def test_a_client_that_is_not_up_again_is_disconnected():
    assert judge_one(__file__, FAILS[2]).breaks == "disconnected"


def test_another_end_is_not_memory():
    crash = container(restarts=9, last_exit_code=1, last_reason="Error", last_finished_at=ago(9))

    assert (
        judge_one(__file__, world(SERVICE, workload_of(SERVICE, pod_of(SERVICE, crash)))).status
        == "pass"
    )
