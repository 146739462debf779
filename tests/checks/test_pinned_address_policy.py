from check_under_test import judge_one
from exposure_worlds import dns, policies_seen

from keptn_doctor.api import EgressRule, NetworkPolicy
from keptn_doctor.testing import keptn_service, own_request, world

SERVICE = keptn_service()


def pinned(*cidrs):
    return policies_seen(
        NetworkPolicy(
            namespace="keptn-exec",
            name="jes-egress-network-policy",
            selects=(SERVICE.subject,),
            egress=(EgressRule(ports=("UDP/53",)), EgressRule(cidrs=cidrs)),
        )
    )


FAILS = [world(SERVICE, pinned("203.0.113.7/32"), dns(SERVICE))]
PASSES = [
    world(SERVICE, pinned("203.0.113.20/32"), dns(SERVICE)),
    world(SERVICE, pinned("203.0.113.0/24"), dns(SERVICE)),
    world(SERVICE, pinned("203.0.113.7/32"), own_request(SERVICE)),
]


def test_both_addresses_are_told():
    summary = judge_one(__file__, FAILS[0]).summary

    assert "203.0.113.7/32" in summary
    assert "203.0.113.20" in summary
