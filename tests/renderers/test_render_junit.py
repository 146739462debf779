"""The JUnit report says the same to junitparser, a reader that is not ours."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import junitparser
import msgspec
import pytest
import report_samples as samples
from junitparser import Error, Failure, Skipped

from keptn_doctor.model.report import Report
from keptn_doctor.renderers import junit
from keptn_doctor.renderers.json import RunFailure

every_sample = pytest.mark.parametrize("name", samples.ALL)


def cases(report: Report | RunFailure, suite: str) -> dict[str, junitparser.TestCase]:
    document = junitparser.JUnitXml.fromstring(junit.render(report).encode())
    found = next(s for s in document if s.name == suite)
    assert found.tests == len(list(found))
    return {case.name: case for case in found}


def kinds(case: junitparser.TestCase) -> list[type]:
    return [type(result) for result in case.result]


@every_sample
def test_every_verdict_is_a_test_case_and_only_connected_passes(name: str) -> None:
    report = samples.ALL[name]()
    found = cases(report, "Keptn services")
    expected = {
        "connected": [],
        "degraded": [Failure],
        "disconnected": [Failure],
        "unknown": [Error],
    }
    for verdict in report.verdicts:
        place, _, service = verdict.service.rpartition("/")
        assert found[service].classname == place.replace("/", ".")
        assert kinds(found[service]) == expected[verdict.connection]


def test_a_failure_tells_cause_remedy_and_command() -> None:
    body = cases(samples.one_broken(), "Keptn services")["helm-service"].result[0].text
    finding = samples.one_broken().causes[0].finding
    assert finding.summary in body
    assert f"Mend it: {finding.remedy}" in body
    assert f"Run next: {finding.command}" in body


def test_a_root_cause_fails_and_what_follows_from_it_is_skipped() -> None:
    found = cases(samples.one_broken(), "checks")
    assert kinds(found["endpoint-unresolvable"]) == [Failure]
    assert kinds(found["not-registered"]) == [Skipped]
    assert found["not-registered"].result[0].message.startswith("follows from a root cause: ")


def test_a_root_cause_names_the_keptn_services_that_it_breaks() -> None:
    body = cases(samples.one_broken(), "checks")["endpoint-unresolvable"].result[0].text
    assert "  Breaks: exec-a/keptn-exec: helm-service, jmeter-service\n" in body


def test_a_failure_tells_a_shared_cause_in_the_services_own_words() -> None:
    report = samples.one_broken()
    cause = report.causes[0]
    own = msgspec.structs.replace(cause.finding, subject=samples.JMETER, command="mend jmeter")
    shared = msgspec.structs.replace(cause, consequences=(own, *cause.consequences))
    found = cases(msgspec.structs.replace(report, causes=(shared,)), "Keptn services")
    assert "Run next: mend jmeter" in found["jmeter-service"].result[0].text
    assert "Run next: mend jmeter" not in found["helm-service"].result[0].text


def test_an_undecided_check_is_skipped_with_the_reason() -> None:
    found = cases(samples.one_broken(), "checks")
    assert kinds(found["token-differs"]) == [Skipped]
    assert "could not be decided" in found["token-differs"].result[0].message


def test_a_warning_passes_with_its_text() -> None:
    case = cases(samples.one_broken(), "checks")["certificate-expires-soon"]
    assert kinds(case) == []
    assert "expires in 9 days" in case.system_out


def test_a_suspicion_is_not_a_failure() -> None:
    assert kinds(cases(samples.suspected(), "checks")["egress-blocked"]) == [Skipped]


def test_a_crashed_check_is_an_error() -> None:
    assert kinds(cases(samples.crashed(), "checks")["odd-check"]) == [Error]


def test_a_run_that_found_no_service_is_not_green() -> None:
    assert kinds(cases(samples.nothing_found(), "Keptn services")["discovery"]) == [Error]


def test_a_run_without_a_report_is_one_error() -> None:
    failure = RunFailure(doctor_version="0.1.0", exit_code=2, error="no such context: \x1b<x>")
    found = cases(failure, "keptn-doctor")
    assert kinds(found["run"]) == [Error]
    assert found["run"].result[0].message == "no such context: \\u001b<x>"


@every_sample
def test_counts_match_the_cases(name: str) -> None:
    document = junitparser.JUnitXml.fromstring(junit.render(samples.ALL[name]()).encode())
    for suite in document:
        results = [kind for case in suite for kind in kinds(case)]
        assert suite.failures == results.count(Failure)
        assert suite.errors == results.count(Error)
        assert suite.skipped == results.count(Skipped)


def test_a_plane_that_could_not_be_searched_is_an_error_beside_what_is_connected() -> None:
    found = cases(samples.report(exit_code=3), "Keptn services")
    assert kinds(found["discovery"]) == [Error]
    assert kinds(found["helm-service"]) == []


def test_every_round_trip_is_a_test_case_with_the_seconds_of_its_legs() -> None:
    found = cases(samples.travelled(), "round trips")

    assert {name: kinds(case) for name, case in found.items()} == {
        "keptn-cp": [], "helm-service": [], "jmeter-service": [Failure],
    }  # fmt: skip
    result = found["jmeter-service"].result[0]
    assert (result.type, result.text) == ("picked-up", "nobody started on it")
    document = ET.fromstring(junit.render(samples.travelled()))
    written = document.findall(".//testcase[@classname='exec-a.keptn-exec']/properties/property")
    told = {
        p.get("name"): p.get("value") for p in written if p.get("value") in ("15.000", "failed")
    }
    assert told == {"picked-up": "failed", "picked-up.seconds": "15.000"}


def test_a_run_that_sent_nothing_has_no_suite_of_trips() -> None:
    document = junitparser.JUnitXml.fromstring(junit.render(samples.healthy()).encode())
    assert [suite.name for suite in document] == ["Keptn services", "checks"]
