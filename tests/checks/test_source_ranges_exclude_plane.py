from check_under_test import judge_one
from exposure_worlds import gateway_seen, nodes, route, routes_seen

from keptn_doctor.api import PodProbe
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
ELSEWHERE = gateway_seen(source_ranges=("198.51.100.0/24",))
SILENT = pod_log(SERVICE, line("heartbeat", "tcp_timeout"))
ALLOW_LIST = {"nginx.ingress.kubernetes.io/whitelist-source-range": "192.0.2.0/24, 198.51.100.0/24"}

FAILS = [
    world(SERVICE, ELSEWHERE, SILENT),
    world(
        SERVICE,
        gateway_seen("ClusterIP"),
        routes_seen(route(annotations=ALLOW_LIST)),
        own_request(SERVICE, 403, body="html", origin="other"),
    ),
    world(SERVICE, ELSEWHERE, seen(SERVICE, PodProbe(connect="connect-timeout"), pod="x")),
]
PASSES = [
    world(SERVICE, gateway_seen(), SILENT),
    world(SERVICE, ELSEWHERE, own_request(SERVICE)),
    world(SERVICE, ELSEWHERE, SILENT, nodes("exec-a", external=("198.51.100.7",))),
]


def test_the_list_is_shown():
    assert "198.51.100.0/24" in judge_one(__file__, FAILS[0]).summary


def test_an_address_that_is_not_the_gateways_has_nothing_to_do_with_its_list():
    log = pod_log(SERVICE, line("heartbeat", "tcp_timeout", captures={"dialled": "203.0.113.7"}))

    assert judge_one(__file__, world(SERVICE, ELSEWHERE, log)).status == "skip"


def test_a_list_alone_proves_nothing():
    assert judge_one(__file__, world(SERVICE, ELSEWHERE)).status == "unknown"


def test_an_ingress_list_and_refusals_in_the_log_are_enough():
    listed = routes_seen(route(annotations=ALLOW_LIST))
    told = pod_log(SERVICE, line("not_registered", "forbidden"))

    finding = judge_one(__file__, world(SERVICE, gateway_seen("ClusterIP"), listed, told))

    assert "refused (403)" in finding.summary
