from check_under_test import judge_one
from delivery_worlds import SERVICE, seen, trip, world

from keptn_doctor.api import Hop, RoundTrip


def _tried(broken="", **fields):
    return world(SERVICE, seen(SERVICE.subject, trip("service", broken, **fields)))


FAILS = [_tried("picked-up", answered_by=("argo-service", "webhook-service"))]
PASSES = [_tried(answered_by=("helm-service", "argo-service")), _tried("picked-up")]


def test_those_who_took_it_are_named():
    assert "argo-service, webhook-service started on it" in judge_one(__file__, FAILS[0]).summary


def test_an_answer_of_a_namesake_is_not_held_against_it():
    hops = (Hop(leg="picked-up", state="unknown", detail="two are called so"),)
    unsure = seen(SERVICE.subject, RoundTrip(level="service", hops=hops))

    assert judge_one(__file__, world(SERVICE, unsure)).status == "unknown"


def test_without_a_trip_it_is_no_question():
    assert judge_one(__file__, world(SERVICE)).status == "skip"
