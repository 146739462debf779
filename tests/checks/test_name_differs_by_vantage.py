from check_under_test import judge_one
from exposure_worlds import dns

from keptn_doctor.api import Failure, PodProbe
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
UNKNOWN = pod_log(SERVICE, line("not_registered", "dns", text="lookup keptn: no such host"))

FAILS = [
    world(SERVICE, UNKNOWN, dns(SERVICE)),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="name-unknown"), pod="x"), dns(SERVICE)),
]
PASSES = [world(SERVICE, own_request(SERVICE), dns(SERVICE))]


def test_a_name_that_nobody_knows_does_not_differ():
    nowhere = seen(
        f"endpoint:{SERVICE.endpoint}", Failure(phase="resolve", code="name-unknown"), probe="dns"
    )

    assert judge_one(__file__, world(SERVICE, UNKNOWN, nowhere)).status == "unknown"


def test_an_address_is_no_name():
    literal = keptn_service(endpoint="http://203.0.113.20/api")

    assert judge_one(__file__, world(literal)).status == "skip"
