from check_under_test import judge_one

from keptn_doctor.api import Failure, Hop, RoundTrip
from keptn_doctor.testing import keptn_service, seen, world

SERVICE = keptn_service()


def _world(*, found):
    stored = Hop(
        leg="stored", state="ok" if found else "failed", seconds=0.8 if found else 15.0
    )
    accepted = Hop(leg="accepted", state="ok", seconds=0.4)
    trip = RoundTrip(hops=(accepted, stored), context="c")
    return world(SERVICE, seen("control-plane/keptn", trip))


FAILS = [_world(found=False)]
PASSES = [_world(found=True)]


def test_a_lost_event_degrades_whoever_waits_for_events():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "degraded"
    assert "within 15 s" in finding.summary


def test_the_time_it_took_is_told():
    assert "1.2 s" in judge_one(__file__, PASSES[0]).summary


def test_an_event_that_was_never_asked_for_is_no_question():
    assert judge_one(__file__, world(SERVICE)).status == "skip"


def test_an_event_that_could_not_be_sent_proves_nothing():
    refused = Failure(phase="http", code="unexpected-status", detail="answered 500")
    trip = seen("control-plane/keptn", refused, probe="round-trip")

    assert judge_one(__file__, world(SERVICE, trip)).status == "unknown"
