from check_under_test import judge_one
from exposure_worlds import policies_seen

from keptn_doctor.api import EgressRule, NetworkPolicy
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service()


def policy(*rules):
    return policies_seen(
        NetworkPolicy(namespace="keptn-exec", name="p", selects=(SERVICE.subject,), egress=rules)
    )


LOOKUP = pod_log(SERVICE, line("not_registered", "dns", text="lookup keptn: i/o timeout"))

FAILS = [
    world(SERVICE, policy(EgressRule(cidrs=("203.0.113.20/32",)))),
    world(SERVICE, policy(EgressRule(ports=("TCP/53", "TCP/443")))),
    world(SERVICE, policy(EgressRule(selectors=True, ports=("UDP/53",))), LOOKUP),
]
PASSES = [
    world(SERVICE, policy(EgressRule(ports=("UDP/53",)))),
    world(SERVICE, policy(EgressRule(cidrs=("10.96.0.10/32",)))),
    world(SERVICE, policies_seen()),
    world(SERVICE, policy(), own_request(SERVICE)),
]


def test_a_rule_for_the_wrong_pods_is_a_suspicion():
    assert judge_one(__file__, FAILS[2]).suspected


def test_an_address_needs_no_name_server():
    literal = keptn_service(endpoint="http://203.0.113.20/api")

    assert judge_one(__file__, world(literal, policy())).status == "skip"


def test_the_policy_is_what_is_broken():
    assert judge_one(__file__, FAILS[0]).at_fault == ("keptn-exec/p of exec-a denies DNS",)
