from check_under_test import judge_one
from exposure_worlds import answers_seen, reply, tls_seen

from keptn_doctor.api import Failure
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
ALERT = pod_log(SERVICE, line("not_registered", "tls_client_certificate"))
HERE_TOO = seen(
    f"endpoint:{SERVICE.endpoint}",
    Failure(phase="tls", code="client-certificate-required"),
    probe="tls",
)
PAGE = "400 No required SSL certificate was sent"

FAILS = [
    world(SERVICE, ALERT),
    world(SERVICE, own_request(SERVICE, 400, body="html", title=PAGE, origin="gateway")),
    world(SERVICE, HERE_TOO, pod_log(SERVICE, line("heartbeat", "unknown"))),
    world(SERVICE, HERE_TOO),
    world(
        SERVICE, answers_seen(SERVICE, reached="other", swagger=reply(400, body="html", title=PAGE))
    ),
]
PASSES = [
    world(SERVICE, own_request(SERVICE), HERE_TOO),
    world(SERVICE, tls_seen(SERVICE, client_certificate_requested=True)),
]


def test_this_machines_refusal_alone_is_a_suspicion():
    assert judge_one(__file__, FAILS[3]).suspected
