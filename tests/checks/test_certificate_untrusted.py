import pytest
from check_under_test import judge_one

from keptn_doctor.api import OAuthSettings, TlsSession
from keptn_doctor.knowledge.behaviour import client_behaviour
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

OLD = keptn_service(client_version="0.12.7")
NEW = keptn_service()
ENDPOINT = f"endpoint:{OLD.endpoint}"
SELF_SIGNED = seen(ENDPOINT, TlsSession(host="h", problem="certificate-self-signed"))
TOLD = line("poll", "tls_untrusted", text="x509: certificate signed by unknown authority")

FAILS = [world(OLD, SELF_SIGNED, pod_log(OLD, TOLD)), world(OLD, SELF_SIGNED)]
PASSES = [
    world(NEW, SELF_SIGNED),
    world(OLD, seen(ENDPOINT, TlsSession(host="h"))),
    world(OLD, SELF_SIGNED, own_request(OLD)),
]


def test_it_says_what_is_wrong_with_the_certificate_and_switches_verification_off():
    finding = judge_one(__file__, FAILS[0])

    assert "is self-signed" in finding.summary
    assert finding.command.endswith("HTTP_SSL_VERIFY=false")


def test_the_certificate_alone_is_a_suspicion():
    assert judge_one(__file__, FAILS[1]).suspected


@pytest.mark.parametrize("problem", ["certificate-name-mismatch", "certificate-incomplete-chain"])
def test_a_client_from_0_13_on_with_a_token_never_cares(problem):
    snapshot = world(NEW, seen(ENDPOINT, TlsSession(host="h", problem=problem)))

    assert judge_one(__file__, snapshot).status == "pass"


def test_with_oauth_it_does_care():
    oauth = OAuthSettings(client_id=True, client_secret=True, scopes=("s",), token_url="https://i")
    service = keptn_service(
        oauth=oauth, behaviour=client_behaviour("distributor", "0.16.2", oauth=True)
    )

    assert judge_one(__file__, world(service, SELF_SIGNED)).suspected


def test_a_bad_certificate_and_a_request_that_got_nowhere_are_proof_together():
    strict = keptn_service(client_version="0.11.4", endpoint="http://keptn.example.com/api")
    beyond = seen(
        f"endpoint:{strict.endpoint}",
        TlsSession(host="keptn.example.com", problem="certificate-self-signed"),
    )
    nowhere = own_request(strict, 500, body="empty")
    refused = pod_log(strict, line("heartbeat", "tcp_refused"))

    assert judge_one(__file__, world(strict, beyond, nowhere)).breaks == "disconnected"
    assert judge_one(__file__, world(strict, beyond, nowhere, refused)).suspected


def test_the_certificate_is_what_is_broken_only_where_it_is_seen_to_be():
    assert judge_one(__file__, FAILS[0]).at_fault == ("certificate of keptn.example.com:443",)
    assert judge_one(__file__, world(OLD, pod_log(OLD, TOLD))).at_fault == ()
