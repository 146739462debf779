from check_under_test import judge_one
from exposure_worlds import CONTROL_PLANE, answers_seen, policies_seen

from keptn_doctor.api import NetworkPolicy
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service()
SILENT = pod_log(SERVICE, line("heartbeat", "tcp_timeout"))


def closed(*cidrs):
    policy = NetworkPolicy(
        namespace="keptn", name="only-mesh", ingress_restricted=True, ingress_cidrs=cidrs
    )
    return policies_seen(policy, subject=CONTROL_PLANE)


FAILS = [
    world(SERVICE, closed(), SILENT),
    world(SERVICE, closed("198.51.100.0/24"), SILENT, answers_seen(SERVICE)),
]
PASSES = [
    world(SERVICE, closed(), own_request(SERVICE)),
    world(SERVICE, policies_seen(subject=CONTROL_PLANE), SILENT),
    world(SERVICE, closed("0.0.0.0/0"), SILENT),
    world(SERVICE, closed(), SILENT, answers_seen(SERVICE)),
]


def test_the_policy_and_its_addresses_are_named():
    summary = judge_one(__file__, FAILS[1]).summary

    assert "keptn/only-mesh" in summary
    assert "198.51.100.0/24" in summary
