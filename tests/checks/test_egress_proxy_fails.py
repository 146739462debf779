from check_under_test import judge_one
from exposure_worlds import answers_seen

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service(https_proxy="http://10.20.0.8:3128")

FAILS = [world(SERVICE, pod_log(SERVICE, line("heartbeat", "egress_proxy", text="proxyconnect")))]
PASSES = [world(SERVICE, own_request(SERVICE))]


def test_other_troubles_are_not_the_proxys():
    silent = pod_log(SERVICE, line("heartbeat", "tcp_timeout"))

    assert judge_one(__file__, world(SERVICE, silent)).status == "unknown"


def test_a_refusal_that_only_the_proxys_clients_get_is_the_proxys():
    service = keptn_service(
        endpoint="http://keptn.example.com/api", http_proxy="http://10.20.0.8:3128"
    )
    refused = pod_log(service, line("not_registered", "forbidden", text="status code 403"))

    assert judge_one(__file__, world(service, refused, answers_seen(service))).status == "fail"
    assert judge_one(__file__, world(service, refused)).status == "unknown"


def test_the_proxy_of_the_plane_is_what_is_broken():
    assert judge_one(__file__, FAILS[0]).at_fault == ("proxy http://10.20.0.8:3128 of exec-a",)
