from check_under_test import judge_one
from delivery_worlds import SERVICE, travelled, trip

from keptn_doctor.testing import component, control_plane_runs, seen, world

FAILS = [travelled("controller", "sequence-answered", "no answer")]
PASSES = [travelled("controller")]


def test_a_git_service_that_is_away_is_told():
    broken = seen("control-plane/keptn", trip("controller", "sequence-answered"))
    away = control_plane_runs(component("resource-service", ready=0))
    finding = judge_one(__file__, world(SERVICE, broken, away))

    assert "resource-service has no ready pod" in finding.summary


def test_a_trip_that_ends_earlier_says_nothing_of_the_controller():
    assert judge_one(__file__, travelled("controller", "stored")).status == "unknown"
    assert judge_one(__file__, travelled("datastore")).status == "skip"
    assert judge_one(__file__, world(SERVICE)).status == "skip"
