"""What the engine writes around a check."""
# ruff: noqa: ARG001 - the parameters of a check are its needs, used or not

from __future__ import annotations

from keptn_doctor.api import (
    DnsAnswer,
    Failure,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    failed,
    passed,
    suspected,
)
from keptn_doctor.judgement.judge import judge
from keptn_doctor.judgement.needs import read_needs
from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.findings import Check
from keptn_doctor.testing import keptn_service, seen, world

SERVICE = keptn_service()
ENDPOINT = f"endpoint:{SERVICE.endpoint}"


def make(function, **declared):
    settings = {
        "id": "a-check", "title": "T.", "doc": "T.", "about": KeptnService, "layer": Layer.RESOLVE,
        "severity": "error", "breaks": "disconnected", "explained_by": (), "since": "0.1",
    }  # fmt: skip
    return Check(judge=function, needs=read_needs(function), **{**settings, **declared})


def needs_dns(service: KeptnService, dns: DnsAnswer) -> Finding:
    return passed(f"{dns.name} is there for {service.name}.")


def test_a_missing_fact_is_unknown_and_says_what_it_was():
    finding = judge(world(SERVICE), [make(needs_dns)])[0]

    assert finding.status == "unknown"
    assert "name server" in finding.summary
    assert finding.missing


def test_a_refused_look_is_unknown_not_healthy_and_names_the_right():
    def needs_log(service: KeptnService, log: PodLog) -> Finding:
        return passed("Fine.")

    right = "get pods/log in namespace keptn-exec"
    refused = Failure(phase="kube", code="forbidden", detail="403 Forbidden", right=right)
    finding = judge(world(SERVICE, seen(SERVICE, refused, probe="pod-log")), [make(needs_log)])[0]

    assert finding.status == "unknown"
    assert finding.missing == (right,)
    assert "403 Forbidden" in finding.summary
    assert finding.evidence == (f"pod-log/{SERVICE.subject}@operator",)


def test_a_look_not_taken_is_unknown_and_names_the_option():
    def needs_list(service: KeptnService, listing: IntegrationListing) -> Finding:
        return passed("Fine.")

    note = NotAttempted(
        probe="integrations", subject="control-plane/keptn", reason="no token was given",
        unlock="give the token in KEPTN_API_TOKEN",
    )  # fmt: skip
    finding = judge(world(SERVICE, note), [make(needs_list)])[0]

    assert finding.missing == ("give the token in KEPTN_API_TOKEN",)
    assert "no token was given" in finding.summary


def test_a_check_that_raises_is_a_result_and_stops_no_other():
    def raises(service: KeptnService) -> Finding:
        return 1 / 0

    def returns_nonsense(service: KeptnService) -> Finding:
        return "fine"

    def works(service: KeptnService) -> Finding:
        return passed("Fine.")

    checks = [make(raises, id="a"), make(returns_nonsense, id="b"), make(works, id="c")]
    findings = judge(world(SERVICE), checks)

    assert [f.status for f in findings] == ["crash", "crash", "pass"]
    assert "ZeroDivisionError" in findings[0].summary
    assert "raises" in findings[0].detail


def test_the_declaration_fills_the_finding():
    def fails(service: KeptnService, dns: DnsAnswer) -> Finding:
        return failed("Wrong.", remedy="Mend it.")

    snapshot = world(SERVICE, seen(ENDPOINT, DnsAnswer(name="x")))
    finding = judge(snapshot, [make(fails, breaks="degraded", severity="warning")])[0]

    assert (finding.check, finding.subject) == ("a-check", SERVICE.subject)
    assert (finding.breaks, finding.severity) == ("degraded", "warning")
    assert finding.layer is Layer.RESOLVE
    assert finding.evidence == (f"dns/{ENDPOINT}@operator",)


def test_a_finding_may_break_less_than_declared_and_a_suspicion_breaks_nothing():
    def milder(service: KeptnService) -> Finding:
        return failed("Slightly wrong.", remedy="Mend it.", breaks="nothing", severity="info")

    def suspects(service: KeptnService) -> Finding:
        return suspected("Perhaps wrong.", remedy="Look.")

    mild, doubt = judge(world(SERVICE), [make(milder, id="a"), make(suspects, id="b")])

    assert (mild.breaks, mild.severity) == ("nothing", "info")
    assert (doubt.breaks, doubt.severity, doubt.suspected) == ("nothing", "warning", True)


def test_every_check_gives_one_finding_per_subject_in_a_fixed_order():
    def works(service: KeptnService) -> Finding:
        return passed("Fine.")

    services = [keptn_service(name) for name in ("c", "a", "b")]
    high, low = make(works, id="high", layer=Layer.AUTH), make(works, id="low")

    findings = judge(world(*services), [high, low])

    assert [(f.check, f.subject[-1]) for f in findings] == [
        ("low", "a"), ("low", "b"), ("low", "c"), ("high", "a"), ("high", "b"), ("high", "c"),
    ]  # fmt: skip
