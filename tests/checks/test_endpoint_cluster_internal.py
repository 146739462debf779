import pytest
from check_under_test import judge_one

from keptn_doctor.api import ControlPlane, ExecutionPlane, GatewayService
from keptn_doctor.testing import keptn_service, own_request, seen, world

ELSEWHERE = ExecutionPlane(name="exec-a", cluster_uid="e")
HOME = ControlPlane(namespace="keptn", cluster_uid="c")
GATEWAY = seen(HOME, GatewayService(namespace="keptn", cluster_ip="10.43.7.9"))


def _told(url, *more, plane=ELSEWHERE):
    return world(keptn_service(endpoint=url), plane, HOME, *more)


FAILS = [
    _told("http://api-gateway-nginx.keptn.svc.cluster.local/api"),
    _told("http://api-gateway-nginx.keptn/api"),
    _told("http://localhost:8080/api"),
    _told("http://10.43.7.9/api", GATEWAY),
]
PASSES = [
    _told("https://keptn.example.com/api", GATEWAY),
    _told("http://192.0.2.10/api", GATEWAY),
]


def test_a_service_that_is_answered_there_passes():
    service = keptn_service(endpoint="http://api-gateway-nginx.keptn/api")
    snapshot = world(service, ELSEWHERE, HOME, own_request(service, 401))

    assert judge_one(__file__, snapshot).status == "pass"


@pytest.mark.parametrize("url", ["http://api-gateway-nginx.keptn/api", "http://keptn/api"])
def test_without_the_identity_of_the_clusters_it_is_a_suspicion(url):
    assert judge_one(__file__, world(keptn_service(endpoint=url))).suspected


def test_in_the_control_planes_own_cluster_the_question_does_not_arise():
    same = ExecutionPlane(name="exec-a", cluster_uid="c")
    finding = judge_one(__file__, _told("http://api-gateway-nginx.keptn/api", plane=same))

    assert finding.status == "skip"


def test_an_address_is_not_called_external_without_knowing_the_gateways():
    assert judge_one(__file__, _told("http://10.43.7.9/api")).status == "unknown"


def test_localhost_needs_no_identity():
    finding = judge_one(__file__, world(keptn_service(endpoint="http://127.0.0.1:8080/api")))

    assert finding.breaks == "disconnected"
