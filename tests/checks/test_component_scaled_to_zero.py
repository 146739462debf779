import pytest
from check_under_test import judge_one

from keptn_doctor.api import Layer
from keptn_doctor.testing import component, container, control_plane_runs, pod_of, world


def _off(*names):
    return world(control_plane_runs(*(component(n, ready=0, desired=0) for n in names)))


FAILS = [_off("shipyard-controller"), _off("keptn-nats"), _off("keptn-mongo", "bridge")]
PASSES = [world(control_plane_runs()), _off("bridge", "statistics-service")]


@pytest.mark.parametrize(
    ("names", "breaks", "layer"),
    [
        (("api-gateway-nginx", "keptn-mongo"), "disconnected", Layer.HTTP),
        (("api-service",), "disconnected", Layer.AUTH),
        (("shipyard-controller",), "disconnected", Layer.REGISTRATION),
        (("keptn-nats",), "degraded", Layer.DELIVERY),
    ],
)
def test_what_is_away_decides_what_breaks_and_where(names, breaks, layer):
    finding = judge_one(__file__, _off(*names))

    assert (finding.breaks, finding.layer) == (breaks, layer)


def test_only_what_events_need_is_told_of():
    finding = judge_one(__file__, _off("keptn-mongo", "bridge"))

    assert finding.parts == ("keptn-mongo",)
    assert "bridge" not in finding.summary


def test_the_command_scales_up_what_is_off():
    command = judge_one(__file__, _off("shipyard-controller")).command

    assert "scale deployment/shipyard-controller --replicas=1" in command


def test_what_waits_for_it_and_is_down_as_well_makes_it_worse():
    waits = container("wait-for-nats", init=True, ready=False)
    api_service = component("api-service", pod_of("keptn", waits), ready=0)
    off = component("keptn-nats", ready=0, desired=0)
    finding = judge_one(__file__, world(control_plane_runs(off, api_service)))

    assert (finding.breaks, finding.layer) == ("disconnected", Layer.AUTH)
    assert finding.parts == ("keptn-nats",)
