import pytest
from check_under_test import judge_one

from keptn_doctor.api import Claim, Claims, Components
from keptn_doctor.testing import (
    component,
    control_plane_runs,
    integration,
    keptn_service,
    line,
    pod_log,
    seen,
    uniform,
    world,
)

FAILS = [
    world(control_plane_runs(component("keptn-mongo", ready=0))),
    world(control_plane_runs(component("mongodb", ready=0), version="0.9.2")),
]
PASSES = [world(control_plane_runs()), world(control_plane_runs(version="0.8.7"))]


@pytest.mark.parametrize(("version", "name"), [("0.9.2", "mongodb"), ("0.16.2", "keptn-mongo")])
def test_it_is_found_under_the_name_of_its_version(version, name):
    down = world(control_plane_runs(component(name, ready=0), version=version))

    assert name in judge_one(__file__, down).summary


def test_an_unbound_volume_is_told():
    claims = Claims(claims=(Claim(namespace="keptn", name="keptn-mongo", phase="Pending"),))
    down = world(
        control_plane_runs(component("keptn-mongo", ready=0)), seen("control-plane/keptn", claims)
    )

    assert "volume claim keptn-mongo is not bound" in judge_one(__file__, down).summary


def test_an_external_database_is_not_missed():
    without = Components(found=(component("api-service"),))
    listed = world(seen("control-plane/keptn", without), uniform(integration()))

    assert judge_one(__file__, listed).status == "pass"


def test_what_execution_planes_are_answered_tells_of_any_database():
    service = keptn_service()
    answered = world(service, pod_log(service, line("not_registered", "database")))
    finding = judge_one(__file__, answered)

    assert finding.breaks == "disconnected"
    assert "does not answer" in finding.summary


def test_a_list_that_was_read_beats_old_complaints():
    service = keptn_service()
    complaint = pod_log(service, line("heartbeat", "database"))

    assert judge_one(__file__, world(service, complaint, uniform(integration()))).status == "pass"
