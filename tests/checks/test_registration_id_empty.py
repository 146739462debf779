from check_under_test import judge_one

from keptn_doctor.testing import (
    REGISTRATION_ID,
    integration,
    keptn_service,
    line,
    pod_log,
    uniform,
    world,
)

SERVICE = keptn_service(client_version="0.10.0")
NOT_FOUND = line("heartbeat", "version_skew", text="404 page not found")

FAILS = [
    world(SERVICE, pod_log(SERVICE, NOT_FOUND), uniform()),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "not_registered"))),
]
PASSES = [
    world(SERVICE, pod_log(SERVICE, NOT_FOUND, ids=(REGISTRATION_ID,)), uniform()),
    world(SERVICE, pod_log(SERVICE, NOT_FOUND), uniform(integration())),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "registration_gone")), uniform()),
]


def test_the_pod_is_to_be_restarted():
    assert "rollout restart deployment/helm-service" in judge_one(__file__, FAILS[0]).command


def test_a_client_that_ends_when_it_cannot_register_never_gets_there():
    newer = keptn_service(client_version="0.16.2")

    assert judge_one(__file__, world(newer, pod_log(newer, NOT_FOUND))).status == "skip"
