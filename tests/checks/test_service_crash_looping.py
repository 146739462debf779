from check_under_test import judge_one

from keptn_doctor.testing import ago, container, keptn_service, pod_of, workload_of, world

SERVICE = keptn_service()


def _with(*containers):
    return world(SERVICE, workload_of(SERVICE, pod_of(SERVICE, *containers)))


BACKING_OFF = container(
    state="waiting", reason="CrashLoopBackOff", restarts=9, last_exit_code=1,
    last_finished_at=ago(30),
)  # fmt: skip
FAILS = [
    _with(BACKING_OFF),
    _with(container(restarts=3, last_reason="OOMKilled", last_finished_at=ago(100))),
]
PASSES = [
    _with(container()),
    _with(container(restarts=4, last_exit_code=1, last_finished_at=ago(2_500_000))),
]


def test_a_client_that_backs_off_is_disconnected_and_its_last_log_is_next():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "disconnected"
    assert "9 restarts" in finding.summary
    assert "exit code 1" in finding.summary
    assert finding.command.endswith("logs deployment/helm-service -c distributor --previous")


def test_a_client_that_runs_between_kills_is_degraded():
    finding = judge_one(__file__, FAILS[1])

    assert finding.breaks == "degraded"
    assert "more memory than its limit" in finding.summary


def test_a_service_container_that_stops_leaves_the_connection():
    worker = container("helm-service", "waiting", reason="CrashLoopBackOff", restarts=5)

    assert judge_one(__file__, _with(container(), worker)).breaks == "degraded"


def test_one_restart_lately_is_no_loop():
    once = container(restarts=1, last_exit_code=0, last_finished_at=ago(60))

    assert judge_one(__file__, _with(once)).status == "pass"
