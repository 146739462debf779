from check_under_test import judge_one

from keptn_doctor.api import KubeEvent
from keptn_doctor.testing import ago, container, keptn_service, pod_of, workload_of, world

SERVICE = keptn_service()
UNREADY = container("helm-service", ready=False, readiness="http:8080/health")
EVENT = KubeEvent(object_kind="Pod", object_name="x", reason="Unhealthy", message="statuscode: 503")

FAILS = [
    world(SERVICE, workload_of(SERVICE, pod_of(SERVICE, container(), UNREADY, events=(EVENT,))))
]
PASSES = [
    world(SERVICE, workload_of(SERVICE)),
    world(
        SERVICE,
        workload_of(SERVICE, pod_of(SERVICE, container(ready=False, started_at=ago(20)))),
    ),
]


def test_it_is_advice_with_the_probe_and_the_kubelets_word():
    finding = judge_one(__file__, FAILS[0])

    assert "http:8080/health (statuscode: 503)" in finding.summary
    assert (finding.breaks, finding.severity) == ("nothing", "warning")


def test_a_container_that_does_not_run_is_another_matter():
    waiting = container(state="waiting", reason="CrashLoopBackOff")
    snapshot = world(SERVICE, workload_of(SERVICE, pod_of(SERVICE, waiting)))

    assert judge_one(__file__, snapshot).status == "unknown"
