"""The report as JUnit XML for CI servers.

Two suites. "Keptn services" has one test case per verdict: connected passes, disconnected and
degraded are failures, unknown is an *error*, which is JUnit's word for a test that could not be
carried out; "skipped" would be shown as green, and not having looked is not health. "checks" has
one test case per check, so that its name is the same in every run and a CI server can show since
when it fails: a root cause is a failure; what only follows from one, what is only suspected, what
could not be decided and what did not apply are skipped with the reason; a crashed check is an
error; a warning passes, with its text as output. Where events were sent, a suite "round trips"
has one test case per trip, with the state and the seconds of each leg as properties.

The dialect is the one that Jenkins, GitLab and junitparser read (no official schema exists).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from keptn_doctor import exit_codes
from keptn_doctor.model.findings import Finding
from keptn_doctor.model.report import Report, RootCause, Verdict
from keptn_doctor.renderers.json import RunFailure
from keptn_doctor.renderers.round_trips import in_words, round_trips, state_of
from keptn_doctor.renderers.wording import cause_key, count, names

# Characters that XML 1.0 cannot carry, not even escaped (https://www.w3.org/TR/xml/#charsets).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report | RunFailure) -> str:
    """The document, ending in a newline."""
    root = ET.Element("testsuites", {"name": "keptn-doctor"})
    if isinstance(report, RunFailure):
        _add_run_failure(root, report)
    else:
        _add_services(root, report)
        _add_round_trips(root, report)
        _add_checks(root, report)
    for suite in root:
        _count(suite, report)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_run_failure(root: ET.Element, failure: RunFailure) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": "keptn-doctor"})
    case = _case(suite, "keptn-doctor", "run")
    _outcome(case, "error", f"exit-code-{failure.exit_code}", failure.error)


def _add_services(root: ET.Element, report: Report) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": "Keptn services"})
    causes = {cause_key(cause): cause.as_each_meets_it() for cause in report.causes}
    for verdict in report.verdicts:
        place, _, name = verdict.service.rpartition("/")
        case = _case(suite, place.replace("/", "."), name)
        if verdict.connection == "connected":
            if verdict.proof:
                ET.SubElement(case, "system-out").text = _xml(verdict.proof)
            continue
        tag = "error" if verdict.connection == "unknown" else "failure"
        body = "\n".join(_explanation(causes, verdict))
        _outcome(case, tag, verdict.connection, verdict.because, body)
    unknown = any(verdict.connection == "unknown" for verdict in report.verdicts)
    if not report.verdicts or (report.exit_code == exit_codes.UNKNOWN and not unknown):
        case = _case(suite, "keptn-doctor", "discovery")
        _outcome(case, "error", "not-all-seen", report.headline)


def _add_round_trips(root: ET.Element, report: Report) -> None:
    """A test case per trip, the seconds of its legs as properties; no suite without a trip."""
    trips = round_trips(report)
    if not trips:
        return
    suite = ET.SubElement(root, "testsuite", {"name": "round trips"})
    for subject, trip in trips:
        place, _, name = subject.rpartition("/")
        case = _case(suite, place.replace("/", "."), name)
        case.set("time", f"{trip.seconds:.3f}")
        properties = ET.SubElement(case, "properties")
        for hop in trip.hops:
            for key, value in ((hop.leg, hop.state), (f"{hop.leg}.seconds", f"{hop.seconds:.3f}")):
                ET.SubElement(properties, "property", {"name": key, "value": value})
        broken, state = trip.broken_at, state_of(trip)
        if broken is not None:
            _outcome(case, "failure", broken.leg, in_words(trip), broken.detail)
        elif state == "unknown":
            told = "\n".join(hop.detail for hop in trip.hops if hop.detail)
            _outcome(case, "error", "not-certain", in_words(trip), told)
        if trip.left_behind:
            left = f"Left in Keptn: {'; '.join(trip.left_behind)}."
            ET.SubElement(case, "system-out").text = _xml(left)


def _explanation(causes: Mapping[str, Mapping[str, Finding]], verdict: Verdict) -> list[str]:
    """The causes of one verdict, each with what mends it, for the body of a failure.

    ``causes`` are told by subject: in the service's own words where there are any.
    """
    lines = [verdict.because]
    for key in (key for key in verdict.causes if key in causes):
        root = key.partition("@")[2]
        finding = causes[key].get(verdict.service, causes[key][root])
        lines += ["", f"Cause: {finding.check}: {finding.summary}"]
        lines += [f"Mend it: {finding.remedy}"] if finding.remedy else []
        lines += [f"Run next: {finding.command}"] if finding.command else []
    if verdict.next_step:
        lines += ["", f"Next: {verdict.next_step}"]
    return lines


def _add_checks(root: ET.Element, report: Report) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": "checks"})
    by_check: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_check.setdefault(finding.check, []).append(finding)
    roots = {cause_key(cause): cause for cause in report.causes}
    advisory = {(finding.check, finding.subject) for finding in report.warnings}
    for check in sorted(by_check):
        _add_check(suite, check, by_check[check], roots, advisory)
    for error in report.plugin_errors:
        _outcome(_case(suite, "checks", "loading"), "error", "not-loaded", error)


def _add_check(
    suite: ET.Element,
    check: str,
    findings: list[Finding],
    roots: Mapping[str, RootCause],
    advisory: set[tuple[str, str]],
) -> None:
    """The worst of one check's findings decides; all of that kind are listed."""
    case = _case(suite, "checks", check)
    failed = [f for f in findings if f.status == "fail"]
    warned = [f for f in failed if (f.check, f.subject) in advisory]
    proven = [f for f in failed if f not in warned and not f.suspected]
    suspected = [f for f in failed if f not in warned and f.suspected]
    causes = [roots[key] for f in proven if (key := f"{f.check}@{f.subject}") in roots]
    statuses = Counter(finding.status for finding in findings)
    if crashed := [f for f in findings if f.status == "crash"]:
        _outcome(case, "error", "crash", *_listed(crashed))
    elif causes:
        _outcome(case, "failure", causes[0].finding.severity, *_listed_causes(causes))
    elif proven:
        _outcome(case, "skipped", "", f"follows from a root cause: {_listed(proven)[0]}")
    elif suspected:
        _outcome(case, "skipped", "", f"suspected, not proven: {_listed(suspected)[0]}")
    elif unknown := [f for f in findings if f.status == "unknown"]:
        _outcome(case, "skipped", "", f"could not be decided: {_listed(unknown)[0]}")
    elif statuses["skip"] == len(findings):
        _outcome(case, "skipped", "", f"does not apply: {_listed(findings)[0]}")
    if warned:
        ET.SubElement(case, "system-out").text = _xml(_listed(warned)[1])


def _listed_causes(causes: list[RootCause]) -> tuple[str, str]:
    """The same for root causes: each with the Keptn services that it breaks, when they are more."""
    shared = {
        cause.finding.subject: [f"  Breaks: {names(cause.services)}"]
        for cause in causes
        if len(cause.services) > 1
    }
    return _listed([cause.finding for cause in causes], notes=shared)


def _listed(findings: list[Finding], *, notes: Mapping[str, list[str]] = {}) -> tuple[str, str]:
    """A headline and the body for findings of one kind; ``notes`` are further lines by subject."""
    first = findings[0].summary
    more = f" (and {count(len(findings) - 1, 'more subject')})" if len(findings) > 1 else ""
    lines = []
    for finding in findings:
        lines.append(f"{finding.subject}: {finding.summary}")
        lines += notes.get(finding.subject, [])
        lines += [f"  Mend it: {finding.remedy}"] if finding.remedy else []
        lines += [f"  Run next: {finding.command}"] if finding.command else []
    return first + more, "\n".join(lines)


def _case(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"classname": _xml(classname), "name": _xml(name)})


def _outcome(case: ET.Element, tag: str, kind: str, message: str, body: str = "") -> None:
    attributes = {"message": _xml(message)} | ({"type": _xml(kind)} if kind else {})
    ET.SubElement(case, tag, attributes).text = _xml(body) or None


def _count(suite: ET.Element, report: Report | RunFailure) -> None:
    suite.set("tests", str(len(suite)))
    for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    if isinstance(report, Report):
        suite.set("timestamp", f"{report.taken_at:%Y-%m-%dT%H:%M:%S}")


def _xml(text: str) -> str:
    return _NOT_XML.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
