from check_under_test import judge_one

from keptn_doctor.api import Layer
from keptn_doctor.testing import component, container, control_plane_runs, pod_of, world


def _stuck(name, *, ready=0):
    waits = container(
        name, "waiting", reason="CreateContainerConfigError",
        message='secret "keptn-api-token" not found',
    )  # fmt: skip
    return component(name, pod_of("keptn", waits), ready=ready)


FAILS = [
    world(control_plane_runs(_stuck("api-service"))),
    world(control_plane_runs(_stuck("bridge"))),
]
PASSES = [world(control_plane_runs())]


def test_the_kubelet_is_quoted_and_the_rung_is_its_own():
    finding = judge_one(__file__, FAILS[0])

    assert 'secret "keptn-api-token" not found' in finding.summary
    assert (finding.breaks, finding.layer) == ("disconnected", Layer.AUTH)


def test_a_bridge_without_its_secret_breaks_nothing():
    assert judge_one(__file__, FAILS[1]).breaks == "nothing"


def test_the_part_that_breaks_most_is_told_first():
    both = world(control_plane_runs(_stuck("bridge"), _stuck("api-service")))

    assert "of api-service" in judge_one(__file__, both).summary
