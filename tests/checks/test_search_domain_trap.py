from check_under_test import judge_one
from exposure_worlds import dns

from keptn_doctor.api import ClusterFacts
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
AGAIN = pod_log(SERVICE, line("not_registered", "dns", text="lookup keptn.example.com: Try again"))
UP = seen("exec-a", ClusterFacts(dns_pods=2, dns_pods_ready=2))
DOWN = seen("exec-a", ClusterFacts(dns_pods=2, dns_pods_ready=0))

FAILS = [world(SERVICE, AGAIN, UP, dns(SERVICE))]
PASSES = [world(SERVICE, own_request(SERVICE), UP, dns(SERVICE))]


def test_name_servers_that_are_down_explain_it_just_as_well():
    assert judge_one(__file__, world(SERVICE, AGAIN, DOWN, dns(SERVICE))).status == "unknown"


def test_a_resolver_that_goes_on_is_not_trapped():
    other = pod_log(SERVICE, line("not_registered", "dns", text="lookup x: server misbehaving"))

    assert judge_one(__file__, world(SERVICE, other, UP, dns(SERVICE))).status == "unknown"
