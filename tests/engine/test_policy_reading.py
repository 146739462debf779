"""What NetworkPolicies let out of a pod."""

from __future__ import annotations

import pytest

from keptn_doctor.model.kube_facts import EgressRule, NetworkPolicy
from keptn_doctor.reading.policy import permits, permits_dns, pinned_addresses

KEPTN = "203.0.113.20"


def policy(*rules):
    return (NetworkPolicy(namespace="keptn-exec", name="p", egress=rules),)


@pytest.mark.parametrize(
    ("rules", "open_"),
    [
        ((), False),
        ((EgressRule(),), True),
        ((EgressRule(selectors=True),), False),
        ((EgressRule(cidrs=("203.0.113.0/24",)),), True),
        ((EgressRule(cidrs=("2001:db8::/32",)),), False),
        ((EgressRule(cidrs=("0.0.0.0/0",), except_cidrs=("203.0.113.20/32",)),), False),
        ((EgressRule(ports=("TCP/443",)),), True),
        ((EgressRule(ports=("TCP/400-500",)),), True),
        ((EgressRule(ports=("TCP/*",)),), True),
        ((EgressRule(ports=("UDP/443", "TCP/https", "TCP/80")),), False),
    ],
)
def test_a_connection_needs_one_rule_with_its_peer_and_its_port(rules, open_):
    assert permits(policy(*rules), KEPTN, 443) is open_


@pytest.mark.parametrize(
    ("rule", "open_"),
    [
        (EgressRule(ports=("UDP/53",)), True),
        (EgressRule(selectors=True), True),
        (EgressRule(cidrs=("169.254.20.10/32",)), True),
        (EgressRule(cidrs=(f"{KEPTN}/32",)), False),
        (EgressRule(ports=("TCP/53",)), False),
    ],
)
def test_dns_needs_udp_53_towards_something_inside(rule, open_):
    assert permits_dns(policy(rule)) is open_


def test_a_single_address_for_another_port_pins_nothing():
    rules = policy(EgressRule(cidrs=("10.0.0.1/32",), ports=("TCP/6443",)))

    assert pinned_addresses(rules, 443) == ()
