from check_under_test import judge_one
from exposure_worlds import certificate, route, routes_seen, tls_seen

from keptn_doctor.testing import keptn_service, line, pod_log, world

STRICT = keptn_service(client_version="0.11.4")
LAX = keptn_service()
FAKE = certificate("CN=Kubernetes Ingress Controller Fake Certificate,O=Acme Co")
REFUSED = pod_log(STRICT, line("poll", "tls_untrusted"))
NO_SECRET = routes_seen(route(tls_secret="keptn-tls", tls_secret_exists=False))

FAILS = [
    world(STRICT, tls_seen(STRICT, "certificate-self-signed", FAKE), REFUSED, NO_SECRET),
    world(STRICT, tls_seen(STRICT, "certificate-self-signed", FAKE)),
    world(LAX, tls_seen(LAX, "certificate-self-signed", FAKE)),
    world(STRICT, tls_seen(STRICT, "certificate-untrusted", certificate(issuer="CN=(STAGING) X1"))),
]
PASSES = [world(STRICT, tls_seen(STRICT, "", certificate()))]


def test_the_missing_secret_is_named():
    assert "Secret keptn/keptn-tls does not exist" in judge_one(__file__, FAILS[0]).summary


def test_a_client_that_does_not_verify_only_gets_advice():
    finding = judge_one(__file__, FAILS[2])

    assert (finding.severity, finding.breaks) == ("info", "nothing")


def test_without_the_clients_word_it_is_a_suspicion():
    assert judge_one(__file__, FAILS[1]).suspected
