"""Names, hops and policies: what one vantage meets and another does not."""

from __future__ import annotations

import dns.resolver
import pytest
from world_lab import addresses, ask

from keptn_doctor.lab.network.routes import route
from keptn_doctor.lab.scenario import ScenarioError, loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]


def meets(lab: Lab, service: str, *, port: int = 80, address: str = "203.0.113.20") -> str:
    """The behaviour that a packet of a Keptn service of exec-a meets."""
    found = route(
        lab.simulation.settings, vantage="exec-a", address=address, port=port, service=service
    )
    return found.hop.behaviour


async def test_records_are_public_and_a_vantage_may_see_others() -> None:
    text = """
        title: t
        dns: [{name: other.example.com, values: [203.0.113.99]}]
        execution-planes:
          exec-a:
            dns:
              records: [{name: keptn.example.com, values: [203.0.113.7]}]
              rules: [{name: other.example.com, answer: nxdomain}]
        """
    async with start(loads(text)) as lab:
        assert await addresses(lab, "other.example.com") == ["203.0.113.99"]
        assert await addresses(lab, "keptn.example.com") == ["203.0.113.20"]
        assert await addresses(lab, "keptn.example.com", "exec-a") == ["203.0.113.7"]
        with pytest.raises(dns.resolver.NXDOMAIN):
            await addresses(lab, "other.example.com", "exec-a")


async def test_a_hop_holds_for_its_vantage_only() -> None:
    text = """
        title: t
        execution-planes:
          exec-a: {hops: [{to: "203.0.113.20:80", behaviour: refuse}]}
        """
    async with start(loads(text)) as lab:
        with pytest.raises(ConnectionRefusedError):
            await ask(lab, f"{lab.endpoint}/v1/metadata", vantage="exec-a")
        answer = await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
    assert answer.status_code == 200


@pytest.mark.parametrize("to", ["*:80", "203.0.113.20:*", "*"])
async def test_hops_may_be_wide(to: str) -> None:
    text = f'title: t\noperator: {{hops: [{{to: "{to}", behaviour: no-route}}]}}'
    async with start(loads(text)) as lab:
        with pytest.raises(OSError, match="no route"):
            await ask(lab, f"{lab.endpoint}/v1/metadata")


async def test_a_hop_to_an_address_that_nobody_has_can_refuse() -> None:
    text = """
        title: t
        execution-planes:
          exec-a: {hops: [{to: "203.0.113.7:80", behaviour: refuse}]}
        """
    async with start(loads(text)) as lab:
        with pytest.raises(ConnectionRefusedError):
            await ask(lab, "http://203.0.113.7/", vantage="exec-a")
        with pytest.raises(TimeoutError):
            await ask(lab, "http://203.0.113.7/")


async def test_a_hop_without_a_port_number_is_refused() -> None:
    text = 'title: t\noperator: {hops: [{to: "keptn:http", behaviour: drop}]}'
    with pytest.raises(ScenarioError, match="leads to 'address:port'"):
        async with start(loads(text)):
            pass


def policy(egress: str, selector: str = "{}") -> str:
    return f"""
        title: t
        execution-planes:
          exec-a:
            cluster:
              objects:
                - add:
                    apiVersion: networking.k8s.io/v1
                    kind: NetworkPolicy
                    metadata: {{name: egress, namespace: keptn-exec}}
                    spec: {{podSelector: {selector}, policyTypes: [Egress], egress: {egress}}}
        """


DNS_PORT = "ports: [{protocol: UDP, port: 53}]"


@pytest.mark.parametrize(
    ("egress", "behaviour", "names"),
    [
        ("[]", "drop", "drop"),
        (f"[{{{DNS_PORT}}}]", "drop", "allow"),
        ("[{}]", "open", "allow"),
        ("[{to: [{ipBlock: {cidr: 203.0.113.20/32}}]}]", "open", "drop"),
        ("[{to: [{ipBlock: {cidr: 203.0.113.7/32}}]}]", "drop", "drop"),
        ("[{ports: [{port: 443}]}]", "drop", "drop"),
        ("[{ports: [{port: 80}]}, {to: [{namespaceSelector: {}}]}]", "open", "allow"),
        (
            "[{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}]}]",
            "drop",
            "drop",
        ),
    ],
)
async def test_egress_policies_stop_what_no_rule_allows(
    egress: str, behaviour: str, names: str
) -> None:
    async with start(loads(policy(egress))) as lab:
        assert meets(lab, "keptn-exec/helm-service") == behaviour
        plane = next(p for p in lab.simulation.settings.planes if p.vantage == "exec-a")
        assert {e.dns for e in plane.egress} == {names}


async def test_a_policy_holds_for_the_pods_it_selects() -> None:
    selector = "{matchLabels: {app.kubernetes.io/name: jmeter-service}}"
    async with start(loads(policy("[]", selector))) as lab:
        assert meets(lab, "keptn-exec/jmeter-service") == "drop"
        assert meets(lab, "keptn-exec/helm-service") == "open"


async def test_policies_of_one_pod_are_joined() -> None:
    text = policy("[]") + """
                - add:
                    apiVersion: networking.k8s.io/v1
                    kind: NetworkPolicy
                    metadata: {name: more, namespace: keptn-exec}
                    spec:
                      podSelector: {}
                      policyTypes: [Egress]
                      egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]
        """
    async with start(loads(text)) as lab:
        assert meets(lab, "keptn-exec/helm-service") == "open"
