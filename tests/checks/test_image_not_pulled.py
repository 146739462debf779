import pytest
from check_under_test import judge_one

from keptn_doctor.api import KubeEvent
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


TAG, OTHER = "docker.io/keptn/distributor:9.9.9", "docker.io/keptn/helm-service:9.9.9"
MISSING = f"{TAG}: not found"
UNREACHABLE = 'Head "https://docker.io/v2/": dial tcp: lookup docker.io: no such host'
LIMITED = "429 Too Many Requests - Server message: toomanyrequests: You have reached your limit"
BACK_OFF = f'Back-off pulling image "{TAG}"'


def found(message, *, plane="exec-a", name="helm-service", images=(TAG,), events=()):
    service = keptn_service(name, plane=plane)
    waiting = tuple(
        container(f"c{n}", "waiting", reason="ImagePullBackOff", image=image, message=message)
        for n, image in enumerate(images)
    )
    stuck = pod_of(service, *waiting, phase="Pending", events=events)
    return judge_one(__file__, world(service, workload_of(service, stuck)))


def one_cause(one, other):
    return not set(one.at_fault).isdisjoint(other.at_fault)


@pytest.mark.parametrize("message", [MISSING, UNREACHABLE, LIMITED, BACK_OFF, "pull access denied"])
def test_one_image_is_one_thing_for_all_keptn_services_of_a_plane(message):
    assert one_cause(found(message), found(BACK_OFF, name="jmeter-service"))


@pytest.mark.parametrize(
    ("message", "same"), [(MISSING, True), (UNREACHABLE, False), (BACK_OFF, False)]
)
def test_over_planes_it_is_one_thing_only_when_the_registry_does_not_have_it(message, same):
    assert one_cause(found(message), found(message, plane="exec-b")) is same


@pytest.mark.parametrize(
    ("message", "same"),
    [(MISSING, False), ("pull access denied", False), (UNREACHABLE, True), (LIMITED, True)],
)
def test_different_images_are_one_thing_only_when_it_is_their_registry(message, same):
    other = found(message.replace(TAG, OTHER), name="jmeter-service", images=(OTHER,))

    assert one_cause(found(message), other) is same


def test_the_same_image_may_be_written_in_two_ways():
    assert one_cause(found(MISSING), found(MISSING, images=("keptn/distributor:9.9.9",)))


def test_while_a_pull_backs_off_the_event_tells_why():
    event = KubeEvent(
        object_kind="Pod", object_name="new", reason="Failed",
        message=f'Failed to pull image "{TAG}": rpc error: desc = {UNREACHABLE}',
    )  # fmt: skip

    assert "exec-a cannot use the registry docker.io" in found(BACK_OFF, events=(event,)).summary


def test_a_pod_that_waits_for_two_images_tells_of_both():
    both = found(MISSING, images=(TAG, OTHER))

    assert TAG in both.summary
    assert OTHER in both.summary
    assert not one_cause(both, found(MISSING))


def test_images_of_which_only_the_container_is_known_are_nobody_elses_trouble():
    assert found(MISSING, images=("",)).at_fault == ()
