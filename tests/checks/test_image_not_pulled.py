from check_under_test import judge_one

from keptn_doctor.testing import ago, container, keptn_service, pod_of, workload_of, world

SERVICE = keptn_service()
STUCK = pod_of(
    SERVICE,
    container(
        state="waiting", reason="ImagePullBackOff", image="docker.io/keptn/distributor:9.9.9",
        message="manifest unknown",
    ),
    name="new", phase="Pending",
)  # fmt: skip

FAILS = [world(SERVICE, workload_of(SERVICE, STUCK))]
PASSES = [world(SERVICE, workload_of(SERVICE))]


def test_it_names_the_image_and_the_reason():
    finding = judge_one(__file__, FAILS[0])

    assert "docker.io/keptn/distributor:9.9.9" in finding.summary
    assert "manifest unknown" in finding.summary
    assert finding.breaks == "disconnected"


def test_while_an_older_pod_runs_it_is_a_warning():
    finding = judge_one(__file__, world(SERVICE, workload_of(SERVICE, pod_of(SERVICE), STUCK)))

    assert (finding.status, finding.severity, finding.breaks) == ("fail", "warning", "nothing")


def test_a_client_that_runs_beside_a_service_that_never_started_is_of_no_use():
    service = container("helm-service", "waiting", reason="ImagePullBackOff")
    snapshot = world(SERVICE, workload_of(SERVICE, pod_of(SERVICE, container(), service)))

    finding = judge_one(__file__, snapshot)

    assert finding.breaks == "disconnected"
    assert "nobody works on" in finding.summary


def test_a_pod_on_its_way_out_does_not_count():
    leaving = pod_of(SERVICE, *STUCK.containers, deleted_at=ago(5))

    assert judge_one(__file__, world(SERVICE, workload_of(SERVICE, leaving))).status == "pass"
