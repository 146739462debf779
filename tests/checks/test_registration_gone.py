from check_under_test import judge_one

from keptn_doctor.testing import (
    REGISTRATION_ID,
    integration,
    keptn_service,
    line,
    own_request,
    pod_log,
    uniform,
    world,
)

SERVICE = keptn_service(client_version="0.12.7")
PRINTED = pod_log(SERVICE, ids=(REGISTRATION_ID,))
FAILS = [
    world(SERVICE, PRINTED, uniform()),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "registration_gone"))),
]
PASSES = [world(SERVICE, PRINTED, uniform(integration()))]


def test_a_restart_is_the_remedy():
    finding = judge_one(__file__, FAILS[0])

    assert (
        finding.command
        == "kubectl --context exec-a -n keptn-exec rollout restart deployment/helm-service"
    )
    assert REGISTRATION_ID[:12] in finding.summary


def test_an_id_known_to_another_control_plane_is_not_gone():
    elsewhere = own_request(SERVICE, listed=(REGISTRATION_ID,))

    assert judge_one(__file__, world(SERVICE, PRINTED, uniform(), elsewhere)).status == "unknown"
