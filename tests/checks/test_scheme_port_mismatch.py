from check_under_test import judge_one

from keptn_doctor.api import (
    DnsAnswer,
    Failure,
    GatewayAnswers,
    GatewayService,
    HttpAnswer,
    LoadBalancerIngress,
    PodProbe,
    RouteAnswer,
    ServicePort,
    TlsSession,
)
from keptn_doctor.testing import POD, keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
LITERAL = keptn_service(endpoint="https://192.0.2.10/api")
PLAIN = keptn_service(endpoint="http://192.0.2.10:443/api")
NOT_TLS = Failure(phase="tls", code="not-tls")


def _at(service):
    return f"endpoint:{service.endpoint}"


ADDRESS = DnsAnswer(name="192.0.2.10", ipv4=("192.0.2.10",), literal=True)
TLS_PORT = GatewayAnswers(
    reached="other",
    routes=(
        RouteAnswer(
            route="nginx-health", with_token=False,
            answer=HttpAnswer(
                url="http://192.0.2.10:443/nginx-health", status=400, body="html",
                title="400 The plain HTTP request was sent to HTTPS port",
            ),
        ),
    ),
)  # fmt: skip
TOLD = line("not_registered", "wrong_scheme", text="server gave HTTP response to HTTPS client")

PORT_80_ONLY = seen(
    "control-plane/keptn",
    GatewayService(
        namespace="keptn",
        type="LoadBalancer",
        ports=(ServicePort(port=80),),
        load_balancer=(LoadBalancerIngress(ip="192.0.2.10"),),
    ),
)

FAILS = [
    world(LITERAL, PORT_80_ONLY),
    world(SERVICE, pod_log(SERVICE, TOLD)),
    world(LITERAL, seen(_at(LITERAL), NOT_TLS, probe="tls"), seen(_at(LITERAL), ADDRESS)),
    world(SERVICE, seen(_at(SERVICE), NOT_TLS, probe="tls")),
    world(PLAIN, seen(_at(PLAIN), TLS_PORT), seen(_at(PLAIN), ADDRESS)),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="ok", connect="ok", tls="not-tls"), pod=POD)),
]
PASSES = [
    world(SERVICE, own_request(SERVICE)),
    world(SERVICE, seen(_at(SERVICE), TlsSession(host="keptn.example.com"))),
]


def test_the_other_scheme_is_the_remedy():
    finding = judge_one(__file__, FAILS[1])

    assert finding.command.endswith("KEPTN_API_ENDPOINT=http://keptn.example.com/api")
    assert "which speaks plain HTTP" in finding.summary


def test_a_literal_address_is_the_same_for_everybody():
    assert judge_one(__file__, FAILS[2]).breaks == "disconnected"
    assert judge_one(__file__, FAILS[3]).suspected


def test_http_to_a_tls_port_is_told_the_other_way_round():
    finding = judge_one(__file__, FAILS[4])

    assert "speaks TLS" in finding.summary
    assert finding.breaks == "disconnected"


def test_the_ports_that_the_load_balancer_opens_are_told():
    assert "at 192.0.2.10 opens 80 only" in judge_one(__file__, FAILS[0]).summary


def test_an_address_that_is_not_the_gateways_says_nothing_of_its_ports():
    elsewhere = keptn_service(endpoint="https://198.51.100.7/api")

    assert judge_one(__file__, world(elsewhere, PORT_80_ONLY)).status == "unknown"


def test_another_protocol_at_a_name_is_proven_by_a_client_that_fails():
    service = keptn_service()
    plain = seen(f"endpoint:{service.endpoint}", Failure(phase="tls", code="not-tls"), probe="tls")
    failing = pod_log(service, line("not_registered", "unknown"))

    assert judge_one(__file__, world(service, plain, failing)).breaks == "disconnected"
