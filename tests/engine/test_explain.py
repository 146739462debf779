"""Causes and consequences: who explains whom, and who stands alone."""

from __future__ import annotations

import pytest

from keptn_doctor.api import ControlPlane, Finding, KeptnService, Layer
from keptn_doctor.judgement.explain import Explanation, explain
from keptn_doctor.model.findings import Check
from keptn_doctor.testing import keptn_service, world

A, B = keptn_service("a"), keptn_service("b")
FAR = keptn_service("far", plane="exec-b", endpoint="http://192.0.2.9/api")
TOPOLOGY = world(A, B, FAR).topology
ENDPOINT = f"endpoint:{A.endpoint}"
CONTROL_PLANE = "control-plane/keptn"


def check(name, layer, *, explained_by=(), explains=(), proven_by="behaviour", about=KeptnService):
    return Check(
        id=name, title="", doc="", about=about, layer=layer, severity="error",
        breaks="disconnected", explained_by=explained_by, explains=explains, since="0.1",
        proven_by=proven_by, judge=lambda: None,
    )  # fmt: skip


CHECKS = (
    check("crash", Layer.WORKLOAD, explained_by=("dns", "refused")),
    check("no-pod", Layer.WORKLOAD),
    check("dns", Layer.RESOLVE),
    check("refused", Layer.CONNECT),
    check("token", Layer.AUTH),
    check("other-token", Layer.AUTH, proven_by="state"),
    check("database", Layer.REGISTRATION, proven_by="state", about=ControlPlane),
    check("stale", Layer.REGISTRATION),
    check("silent", Layer.SUBSCRIPTION),
)
STATE_OF_PODS = (check("no-pod", Layer.WORKLOAD, proven_by="state"), *CHECKS[2:])
LAYER = {c.id: c.layer for c in CHECKS}


def fail(name, subject=A.subject, breaks="disconnected", **fields):
    return Finding(
        check=name, subject=subject, layer=LAYER[name], status="fail", summary=f"{name}.",
        breaks=breaks, **fields,
    )  # fmt: skip


def unknown(name, subject=A.subject):
    return Finding(
        check=name, subject=subject, layer=LAYER[name], status="unknown", summary="?",
        breaks="nothing",
    )  # fmt: skip


def roots(*findings, **options):
    causes = explain(TOPOLOGY, findings, CHECKS, **options)
    return {c.finding.check: [e.check for e in c.consequences] for c in causes}


def test_a_low_break_explains_the_higher_ones_of_what_it_covers():
    assert roots(fail("dns", ENDPOINT), fail("stale"), fail("silent")) == {
        "dns": ["stale", "silent"]
    }


def test_a_break_elsewhere_explains_nothing_here():
    found = roots(fail("dns", FAR.subject), fail("stale"))

    assert found == {"dns": [], "stale": []}


def test_an_edge_beats_the_order_so_a_restarting_pod_is_the_effect():
    found = roots(fail("crash"), fail("refused"), fail("stale"))

    assert found == {"refused": ["crash", "stale"]}


def test_without_its_cause_the_restarting_pod_is_the_cause():
    assert roots(fail("crash"), fail("stale")) == {"crash": ["stale"]}


def test_a_fault_proven_from_state_stands_beside_the_break_that_hides_it():
    causes = explain(TOPOLOGY, [fail("dns"), fail("other-token")], CHECKS)

    assert [c.finding.check for c in causes] == ["dns", "other-token"]
    assert all(c.services == (A.subject,) for c in causes)


def test_what_bites_later_does_not_explain_what_bites_earlier():
    found = roots(fail("token"), fail("database", CONTROL_PLANE))

    assert found == {"database": [], "token": []}


def test_advice_and_suspicion_explain_nothing():
    found = roots(
        fail("no-pod", breaks="nothing"), fail("dns", suspected=True, breaks="nothing"),
        fail("stale"),
    )  # fmt: skip

    assert found == {"stale": []}


def test_a_degradation_does_not_explain_a_disconnection():
    assert roots(fail("refused", breaks="degraded"), fail("stale")) == {"refused": [], "stale": []}


def test_what_could_not_be_judged_above_a_break_is_blocked_by_it():
    causes = explain(TOPOLOGY, [fail("refused"), unknown("stale"), unknown("dns")], CHECKS)

    assert [u.check for u in causes[0].blocked] == ["stale"]


def test_services_of_one_plane_that_break_alike_on_the_way_are_one_cause():
    causes = explain(
        TOPOLOGY, [fail("dns"), fail("dns", B.subject), fail("dns", FAR.subject)], CHECKS
    )

    assert [c.services for c in causes] == [(A.subject, B.subject), (FAR.subject,)]
    assert [e.subject for e in causes[0].consequences] == [B.subject]


@pytest.mark.parametrize(
    ("broken", "endpoint", "causes"),
    [
        ("dns", "http://keptn.example.com:8080/api", 1),
        ("refused", "http://keptn.example.com:8080/api", 2),
        ("refused", "https://keptn.example.com/keptn/api", 1),
        ("token", "https://keptn.example.com/keptn/api", 2),
    ],
)
def test_a_way_is_shared_as_far_as_endpoints_agree(broken, endpoint, causes):
    other = keptn_service("other", endpoint=endpoint)
    findings = [fail(broken), fail(broken, other.subject)]

    assert len(explain(world(A, other).topology, findings, CHECKS)) == causes


TAG, REGISTRY = "image a:9 does not exist", "registry r as exec-a reaches it"


def grouped(*findings):
    causes = explain(TOPOLOGY, findings, CHECKS)
    return [(c.finding.check, c.finding.subject, c.services) for c in causes]


def test_breaks_on_one_thing_are_one_cause_in_whatever_plane():
    found = grouped(
        fail("no-pod", at_fault=(TAG,)), fail("no-pod", B.subject),
        fail("no-pod", FAR.subject, at_fault=(TAG,)),
    )  # fmt: skip

    assert found == [
        ("no-pod", A.subject, (A.subject, FAR.subject)), ("no-pod", B.subject, (B.subject,))
    ]  # fmt: skip


def test_one_thing_is_one_cause_whichever_check_found_it_and_the_worse_break_leads():
    found = grouped(
        fail("no-pod", breaks="degraded", at_fault=(TAG,)),
        fail("other-token", B.subject, at_fault=(TAG,)),
    )

    assert found == [("other-token", B.subject, (A.subject, B.subject))]


def test_of_several_checks_that_find_one_thing_the_one_that_finds_it_most_often_leads():
    found = grouped(
        fail("no-pod", at_fault=(TAG,)), fail("other-token", B.subject, at_fault=(TAG,)),
        fail("other-token", FAR.subject, at_fault=(TAG,)),
    )  # fmt: skip

    assert [(check, subject) for check, subject, _ in found] == [("other-token", B.subject)]


def test_what_shares_a_thing_with_both_makes_two_breaks_one():
    found = grouped(
        fail("no-pod", at_fault=(TAG,)), fail("no-pod", B.subject, at_fault=(REGISTRY,)),
        fail("no-pod", FAR.subject, at_fault=(REGISTRY, TAG)),
    )  # fmt: skip

    assert found == [("no-pod", A.subject, (A.subject, B.subject, FAR.subject))]


def test_what_follows_from_any_break_on_a_thing_follows_from_the_cause():
    causes = explain(
        TOPOLOGY,
        [fail("no-pod", at_fault=(TAG,)), fail("no-pod", B.subject, at_fault=(TAG,)),
         fail("stale", B.subject), unknown("silent", B.subject)],
        CHECKS,
    )  # fmt: skip

    assert [(e.check, e.subject) for e in causes[0].consequences] == [
        ("no-pod", B.subject), ("stale", B.subject)
    ]  # fmt: skip
    assert [u.check for u in causes[0].blocked] == ["silent"]


@pytest.mark.parametrize("layer_passed", [Layer.AUTH, Layer.DELIVERY])
def test_what_a_service_got_past_does_not_break_it(layer_passed):
    findings = [fail("refused", CONTROL_PLANE), fail("token")]

    causes = explain(TOPOLOGY, findings, CHECKS, got_past={A.subject: layer_passed})

    by_check = {c.finding.check: c for c in causes}
    assert A.subject not in by_check["refused"].services
    assert B.subject in by_check["refused"].services
    assert by_check["token"].services == (A.subject,)


def test_a_break_that_no_service_feels_is_contradicted_and_no_cause():
    passed = {s.subject: Layer.DELIVERY for s in TOPOLOGY.services}
    explanation = Explanation(
        TOPOLOGY, [fail("database", CONTROL_PLANE), fail("other-token")], CHECKS, got_past=passed
    )

    assert explanation.causes() == ()
    assert [f.check for f in explanation.contradicted] == ["database", "other-token"]


def test_a_circle_of_edges_ends():
    circle = (
        check("one", Layer.HTTP, explained_by=("two",)),
        check("two", Layer.HTTP, explained_by=("one",)),
    )
    findings = [
        Finding(check=name, subject=A.subject, layer=Layer.HTTP, status="fail", summary="x.",
                breaks="disconnected") for name in ("one", "two")
    ]  # fmt: skip

    assert explain(TOPOLOGY, findings, circle)


def test_the_order_of_findings_does_not_matter():
    findings = [fail("crash"), fail("refused"), fail("dns", B.subject), fail("stale", B.subject)]

    assert {c.finding.check for c in explain(TOPOLOGY, findings, CHECKS)} == {
        c.finding.check for c in explain(TOPOLOGY, findings[::-1], CHECKS)
    }


def test_pods_are_seen_as_they_are_however_far_requests_once_got():
    findings = [fail("no-pod"), fail("token")]
    explanation = Explanation(TOPOLOGY, findings, STATE_OF_PODS, got_past={A.subject: Layer.AUTH})

    assert explanation.contradicted == ()


def test_an_edge_may_be_told_from_the_side_of_the_cause():
    checks = (*CHECKS[3:], check("crash", Layer.WORKLOAD, proven_by="state"),
              check("firewall", Layer.CONNECT, explains=("refused", "crash")))  # fmt: skip
    LAYER["firewall"] = Layer.CONNECT
    causes = explain(TOPOLOGY, (fail("crash"), fail("refused"), fail("firewall")), checks)

    assert [c.finding.check for c in causes] == ["firewall"]
