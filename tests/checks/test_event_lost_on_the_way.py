from check_under_test import judge_one
from delivery_worlds import SERVICE, travelled, trip

from keptn_doctor.api import Failure
from keptn_doctor.testing import component, control_plane_runs, seen, world

FAILS = [
    travelled("datastore", "stored"),
    travelled("service", "stored", subject=SERVICE.subject),
]
PASSES = [travelled("datastore"), travelled("controller", "sequence-answered")]


def _with_parts(*workloads):
    trips = seen("control-plane/keptn", trip("datastore", "stored"))
    return judge_one(__file__, world(SERVICE, trips, control_plane_runs(*workloads)))


def test_a_lost_event_degrades_whoever_waits_for_events():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "degraded"
    assert "within 15 s" in finding.summary


def test_the_part_that_lost_it_is_named():
    assert "keptn-nats has no ready pod" in _with_parts(component("keptn-nats", ready=0)).summary
    store = _with_parts(component("mongodb-datastore", ready=0))
    assert "mongodb-datastore has no ready pod" in store.summary
    assert "does not listen to NATS" in _with_parts().summary


def test_the_time_it_took_is_told():
    assert "0.5 s" in judge_one(__file__, PASSES[0]).summary


def test_an_event_that_was_never_asked_for_is_no_question():
    assert judge_one(__file__, world(SERVICE)).status == "skip"


def test_an_event_that_could_not_be_sent_proves_nothing():
    refused = Failure(phase="http", code="unexpected-status", detail="answered 500")
    failed = seen("control-plane/keptn", refused, probe="round-trip")

    assert judge_one(__file__, world(SERVICE, failed)).status == "unknown"
    assert judge_one(__file__, travelled("datastore", "accepted")).status == "unknown"
