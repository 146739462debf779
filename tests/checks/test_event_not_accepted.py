from check_under_test import judge_one
from delivery_worlds import CONTROL_PLANE, SERVICE, travelled, trip

from keptn_doctor.testing import seen, world

NATS = "api-service took it and could not pass it on"
FAILS = [
    travelled("datastore", "accepted", NATS),
    travelled("service", "accepted", NATS, subject=SERVICE.subject),
]
PASSES = [travelled("datastore"), travelled("controller", "stored")]


def test_the_reason_is_told():
    assert NATS in judge_one(__file__, FAILS[0]).summary


def test_a_token_that_was_not_proven_is_no_fault_of_the_control_plane():
    alone = world(SERVICE, seen(CONTROL_PLANE, trip("datastore", "accepted", NATS)))

    assert judge_one(__file__, alone).status == "unknown"


def test_nothing_is_said_where_nothing_was_sent():
    assert judge_one(__file__, world(SERVICE)).status == "skip"
    early = travelled("service", "project-made", subject=SERVICE.subject)
    assert judge_one(__file__, early).status == "unknown"
