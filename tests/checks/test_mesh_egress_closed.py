from check_under_test import judge_one
from exposure_worlds import answers_seen, policies_seen

from keptn_doctor.testing import POD, keptn_service, line, own_request, pod_log, workload_of, world

SERVICE = keptn_service()
SIDECAR = policies_seen(mesh=(f"istio sidecar in {POD}",))
BAD_GATEWAY = pod_log(SERVICE, line("not_registered", "backend_down"))

FAILS = [
    world(SERVICE, SIDECAR, workload_of(SERVICE), BAD_GATEWAY, answers_seen(SERVICE)),
    world(
        SERVICE,
        SIDECAR,
        workload_of(SERVICE),
        answers_seen(SERVICE),
        own_request(SERVICE, 502, body="empty", origin="other"),
    ),
]
PASSES = [
    world(SERVICE, policies_seen(), workload_of(SERVICE), BAD_GATEWAY, answers_seen(SERVICE)),
    world(SERVICE, SIDECAR, workload_of(SERVICE), own_request(SERVICE)),
]


def test_when_keptn_answers_nobody_the_sidecar_is_not_to_blame():
    nobody = world(
        SERVICE, SIDECAR, workload_of(SERVICE), BAD_GATEWAY, answers_seen(SERVICE, reached="other")
    )

    assert judge_one(__file__, nobody).status == "unknown"
