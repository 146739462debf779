from check_under_test import judge_one

from keptn_doctor.api import DnsAnswer, Failure, PodProbe
from keptn_doctor.testing import POD, keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
ENDPOINT = f"endpoint:{SERVICE.endpoint}"
NXDOMAIN = Failure(phase="resolve", code="name-unknown", detail="NXDOMAIN")
TOLD = line("not_registered", "dns", text="lookup keptn.example.com: no such host")

FAILS = [
    world(SERVICE, pod_log(SERVICE, TOLD)),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="name-unknown"), pod=POD)),
    world(SERVICE, seen(ENDPOINT, NXDOMAIN, probe="dns")),
]
PASSES = [
    world(SERVICE, own_request(SERVICE, 401), seen(ENDPOINT, NXDOMAIN, probe="dns")),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="ok", connect="connect-timeout"), pod=POD)),
]


def test_the_log_of_the_client_proves_it():
    finding = judge_one(__file__, FAILS[0])

    assert (finding.breaks, finding.suspected) == ("disconnected", False)
    assert "no such host" in finding.detail
    assert "KEPTN_API_ENDPOINT='https://<right host>/api'" in finding.command


def test_the_operators_resolver_alone_is_a_suspicion():
    assert judge_one(__file__, FAILS[2]).suspected


def test_that_the_operator_resolves_it_is_no_proof_for_the_pod():
    answer = DnsAnswer(name="keptn.example.com", ipv4=("192.0.2.10",))

    assert judge_one(__file__, world(SERVICE, seen(ENDPOINT, answer))).status == "unknown"


def test_a_failing_name_server_is_another_fault():
    broken = line("heartbeat", "dns", text="lookup keptn.example.com: server misbehaving")

    assert judge_one(__file__, world(SERVICE, pod_log(SERVICE, broken))).status == "unknown"


def test_what_was_cured_by_a_later_registration_is_over():
    from keptn_doctor.testing import registered_line

    old = line("not_registered", "dns", age=100, text="no such host")
    snapshot = world(SERVICE, pod_log(SERVICE, old, registered_line(age=50)))

    assert judge_one(__file__, snapshot).status == "unknown"
