from check_under_test import judge_one

from keptn_doctor.api import Certificate, Failure, TlsSession
from keptn_doctor.testing import NOW, ago, keptn_service, line, own_request, pod_log, seen, world

OLD = keptn_service(client_version="0.12.7")
NEW = keptn_service(client_version="0.16.2")
LEAF = Certificate(subject="keptn.example.com", issuer="ca", not_after=ago(3 * 86400))
EXPIRED = TlsSession(host="keptn.example.com", chain=(LEAF,), problem="certificate-expired")
GOOD = TlsSession(host="keptn.example.com", chain=(LEAF,))
ENDPOINT = f"endpoint:{OLD.endpoint}"
TOLD = line("poll", "tls_untrusted", text="x509: certificate has expired")

FAILS = [
    world(OLD, seen(ENDPOINT, EXPIRED), pod_log(OLD, TOLD)),
    world(OLD, seen(ENDPOINT, EXPIRED)),
    world(NEW, seen(ENDPOINT, EXPIRED)),
]
PASSES = [world(OLD, seen(ENDPOINT, GOOD)), world(OLD, seen(ENDPOINT, EXPIRED), own_request(OLD))]


def test_an_old_distributor_that_refuses_it_is_disconnected():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "disconnected"
    assert "expired 3 days ago, on 2023-05-29" in finding.summary


def test_an_old_distributor_that_says_nothing_is_suspected():
    assert judge_one(__file__, FAILS[1]).suspected


def test_a_client_that_never_verifies_is_only_told():
    finding = judge_one(__file__, FAILS[2])

    assert (finding.severity, finding.breaks, finding.suspected) == ("info", "nothing", False)


def test_verification_switched_off_counts_as_not_verifying():
    service = keptn_service(client_version="0.12.7", ssl_verify=False)
    snapshot = world(service, seen(ENDPOINT, EXPIRED), pod_log(service, TOLD))

    assert judge_one(__file__, snapshot).breaks == "nothing"


def test_plain_http_has_no_certificate():
    service = keptn_service(endpoint="http://192.0.2.10/api")

    assert judge_one(__file__, world(service, taken_at=NOW)).status == "skip"


def test_a_handshake_that_failed_tells_nothing_of_dates():
    failed = seen(ENDPOINT, Failure(phase="tls", code="not-tls"), probe="tls")

    assert judge_one(__file__, world(OLD, failed)).status == "unknown"
