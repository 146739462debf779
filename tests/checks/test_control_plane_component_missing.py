import pytest
from check_under_test import judge_one

from keptn_doctor.api import Components
from keptn_doctor.knowledge.components import expected_components
from keptn_doctor.testing import component, control_plane_runs, seen, world


def _without(*names, version="1.4.5"):
    expected = expected_components(version)
    found = tuple(component(e.name) for e in expected if e.name not in names)
    fact = Components(keptn_version=version, expected=expected, found=found)
    return world(seen("control-plane/keptn", fact))


FAILS = [_without("shipyard-controller"), _without("keptn-nats")]
PASSES = [world(control_plane_runs(version="1.4.5")), _without("bridge", "statistics-service")]


@pytest.mark.parametrize(
    ("name", "breaks"), [("api-service", "disconnected"), ("keptn-nats", "degraded")]
)
def test_what_it_breaks_follows_from_where_the_component_stands(name, breaks):
    finding = judge_one(__file__, _without(name))

    assert (finding.breaks, name in finding.summary) == (breaks, True)


def test_without_a_version_nothing_is_missed():
    nothing = Components(found=(component("api-service"),))

    assert judge_one(__file__, world(seen("control-plane/keptn", nothing))).status == "unknown"
