from check_under_test import judge_one

from keptn_doctor.testing import component, container, control_plane_runs, pod_of, world

GONE = container(
    "mongodb", "waiting", reason="ImagePullBackOff", image="docker.io/bitnami/mongodb:5.0.10",
    message="docker.io/bitnami/mongodb:5.0.10: not found",
)  # fmt: skip
WAIT = container("wait-for-nats", "waiting", reason="ErrImagePull", init=True)
BRIDGE = component("bridge", pod_of("keptn", GONE), ready=0)

FAILS = [
    world(control_plane_runs(component("keptn-mongo", pod_of("keptn", GONE), ready=0))),
    world(control_plane_runs(component("api-service", pod_of("keptn", WAIT), ready=0))),
    world(control_plane_runs(BRIDGE)),
]
PASSES = [world(control_plane_runs())]


def test_the_image_and_the_registrys_word_are_told():
    summary = judge_one(__file__, FAILS[0]).summary

    assert "docker.io/bitnami/mongodb:5.0.10 of keptn-mongo" in summary
    assert "not found" in summary


def test_an_init_container_that_waits_for_its_image_counts():
    assert judge_one(__file__, FAILS[1]).parts == ("api-service",)


def test_a_part_that_is_on_no_services_way_breaks_nothing():
    finding = judge_one(__file__, FAILS[2])

    assert (finding.breaks, finding.severity) == ("nothing", "warning")


def test_beside_a_ready_pod_it_is_advice():
    old = component("keptn-mongo", pod_of("keptn", GONE), ready=1)

    assert judge_one(__file__, world(control_plane_runs(old))).breaks == "nothing"


def test_the_part_that_breaks_most_is_told_first():
    both = world(
        control_plane_runs(BRIDGE, component("keptn-mongo", pod_of("keptn", GONE), ready=0))
    )
    finding = judge_one(__file__, both)

    assert "of keptn-mongo" in finding.summary
    assert finding.breaks == "disconnected"
