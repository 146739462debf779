from check_under_test import judge_one
from exposure_worlds import dns, policies_seen

from keptn_doctor.api import ControlPlane, EgressRule, ExecutionPlane, NetworkPolicy, SdkHealth
from keptn_doctor.testing import keptn_service, own_request, seen, world

SERVICE = keptn_service()
DNS_ONLY = NetworkPolicy(
    namespace="keptn-exec",
    name="default-deny",
    selects=(SERVICE.subject,),
    egress=(EgressRule(ports=("UDP/53", "TCP/53")),),
)


def policy(*rules):
    return policies_seen(
        NetworkPolicy(namespace="keptn-exec", name="p", selects=(SERVICE.subject,), egress=rules)
    )


FAILS = [
    world(SERVICE, policies_seen(DNS_ONLY), dns(SERVICE)),
    world(SERVICE, policy(EgressRule(cidrs=("203.0.113.0/24",), ports=("TCP/80",))), dns(SERVICE)),
    world(SERVICE, policy(EgressRule(selectors=True)), dns(SERVICE)),
    world(
        SERVICE,
        dns(SERVICE),
        policy(EgressRule(cidrs=("0.0.0.0/0",), except_cidrs=("203.0.113.0/24",))),
    ),
]
PASSES = [
    world(SERVICE, policies_seen(DNS_ONLY), own_request(SERVICE)),
    world(SERVICE, policies_seen(), dns(SERVICE)),
    world(SERVICE, policy(EgressRule(ports=("TCP/400-500",))), dns(SERVICE)),
    world(SERVICE, policy(EgressRule(), EgressRule(selectors=True)), dns(SERVICE)),
]


def test_the_policy_is_named():
    assert "keptn-exec/default-deny" in judge_one(__file__, FAILS[0]).summary


def test_an_address_that_is_not_known_is_not_judged():
    assert judge_one(__file__, world(SERVICE, policies_seen(DNS_ONLY))).status == "unknown"


def test_single_addresses_have_a_check_of_their_own():
    pinned = world(SERVICE, policy(EgressRule(cidrs=("203.0.113.7/32",))), dns(SERVICE))

    assert judge_one(__file__, pinned).status == "skip"


def test_in_one_cluster_selectors_decide():
    plane = ExecutionPlane(name="exec-a", cluster_uid="u")
    one = world(
        SERVICE, plane, ControlPlane(cluster_uid="u"), policies_seen(DNS_ONLY), dns(SERVICE)
    )

    assert judge_one(__file__, one).status == "skip"


def test_an_sdk_service_that_registered_got_through():
    sdk = keptn_service(client="sdk", client_version="0.3.0")
    health = seen(sdk, SdkHealth(pod="x", port=8080, status=200))
    looks = (sdk, policies_seen(DNS_ONLY), dns(sdk), health)

    assert judge_one(__file__, world(*looks)).status == "pass"


def test_the_policy_of_the_cluster_is_what_is_broken_wherever_it_keeps_out_of():
    far = keptn_service("jmeter-service", endpoint="http://192.0.2.9/api")
    both = NetworkPolicy(
        namespace="keptn-exec",
        name="default-deny",
        selects=(SERVICE.subject, far.subject),
        egress=DNS_ONLY.egress,
    )
    here = judge_one(__file__, FAILS[0])
    there = judge_one(__file__, world(far, policies_seen(both)))

    assert here.at_fault == there.at_fault != ()
