import pytest
from check_under_test import judge_one

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

OLD = {"client_version": "0.12.7", "https_proxy": "http://10.20.0.8:3128"}
SERVICE = keptn_service(**OLD)
SILENT = pod_log(SERVICE, line("poll", "tcp_timeout"))

FAILS = [
    world(SERVICE, SILENT),
    world(SERVICE, own_request(SERVICE, 500, body="empty")),
]
PASSES = [
    world(SERVICE, own_request(SERVICE)),
]


def test_half_a_use_of_the_proxy_is_told():
    assert "registers through it" in judge_one(__file__, FAILS[0]).summary


@pytest.mark.parametrize("exempt", ["keptn.example.com", ".example.com", "example.com", "*"])
def test_a_host_in_no_proxy_is_called_directly_on_purpose(exempt):
    service = keptn_service(**OLD, no_proxy=f"localhost, {exempt}")

    assert judge_one(__file__, world(service, SILENT)).status == "skip"


def test_a_proxy_for_the_other_scheme_does_not_count():
    service = keptn_service(client_version="0.12.7", http_proxy="http://10.20.0.8:3128")

    assert judge_one(__file__, world(service, SILENT)).status == "skip"


def test_from_0_13_on_the_proxy_is_used():
    newer = keptn_service(https_proxy="http://10.20.0.8:3128")

    assert judge_one(__file__, world(newer, SILENT)).status == "skip"
