from check_under_test import judge_one
from delivery_worlds import SERVICE, travelled

from keptn_doctor.testing import world

FAILS = [travelled("service", "finished", "started by helm-service", subject=SERVICE.subject)]
PASSES = [
    travelled("service", subject=SERVICE.subject),
    travelled("service", "project-removed", subject=SERVICE.subject),
]


def test_it_degrades_and_does_not_disconnect():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "degraded"
    assert finding.detail == "started by helm-service"


def test_a_trip_that_ended_earlier_says_nothing_of_the_end():
    early = travelled("service", "picked-up", subject=SERVICE.subject)

    assert judge_one(__file__, early).status == "unknown"
    assert judge_one(__file__, world(SERVICE)).status == "skip"
