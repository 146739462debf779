"""The text report says the answer first, loses nothing without colour, and cannot be hijacked."""

from __future__ import annotations

import re

import msgspec
import pytest
import report_samples as samples
from rich.cells import cell_len
from rich.text import Text

from keptn_doctor.model.report import Report
from keptn_doctor.renderers.page import Detail
from keptn_doctor.renderers.text import TextStyle, render

ESCAPE = "\x1b"
DETAILS: tuple[Detail, ...] = ("short", "normal", "verbose")
every_sample = pytest.mark.parametrize("name", samples.ALL)
every_detail = pytest.mark.parametrize("detail", DETAILS)


def lines_of(report: Report, **style: object) -> list[str]:
    return render(report, TextStyle(**style)).splitlines()  # type: ignore[arg-type]


def lines(name: str, **style: object) -> list[str]:
    return lines_of(samples.ALL[name](), **style)


@every_sample
@every_detail
def test_the_first_line_is_the_answer(name: str, detail: Detail) -> None:
    assert samples.ALL[name]().headline in lines(name, detail=detail)[0]


def test_a_cause_that_takes_a_paragraph_is_only_named_in_the_first_line() -> None:
    report = samples.one_broken()
    summary = f"{report.causes[0].finding.summary} And a log says: {'x' * 200}"
    cause = msgspec.structs.replace(
        report.causes[0], finding=msgspec.structs.replace(report.causes[0].finding, summary=summary)
    )
    told = msgspec.structs.replace(
        report, causes=(cause,), headline=f"{report.headline}. Main cause: {summary}"
    )
    first = render(told).splitlines()[0]
    assert first == (
        "✗ 2 of 3 Keptn services are disconnected. "
        "Main cause: endpoint-unresolvable, see cause 1 below."
    )


@pytest.mark.parametrize(
    "rest",
    [f" (Err: {'x' * 200}).", f" (Err: {'x' * 200}). Nor (again) b.", f"; but {'x' * 200}."],
)
def test_what_a_long_cause_adds_is_left_to_the_cause_itself(rest: str) -> None:
    report = samples.one_broken()
    summary = f"The image cannot be pulled{rest}"
    cause = msgspec.structs.replace(
        report.causes[0], finding=msgspec.structs.replace(report.causes[0].finding, summary=summary)
    )
    told = msgspec.structs.replace(
        report, causes=(cause,), headline=f"{report.headline}. Main cause: {summary}"
    )
    text = render(told)
    assert text.splitlines()[0].endswith(" Main cause: The image cannot be pulled.")
    assert summary in text


def test_what_another_check_says_of_the_same_broken_thing_stands_under_the_cause() -> None:
    report = samples.one_broken()
    thing = ("record of keptn.example.com",)
    root = msgspec.structs.replace(report.causes[0].finding, at_fault=thing)
    other = msgspec.structs.replace(
        root, check="other-check", subject=samples.JMETER, summary="It is seen otherwise."
    )
    cause = msgspec.structs.replace(
        report.causes[0], finding=root, consequences=(other, *report.causes[0].consequences)
    )
    text = render(msgspec.structs.replace(report, causes=(cause,)))
    assert "  Seen as   other-check: It is seen otherwise.\n" in text
    assert "Explains  not-registered (2 times), pod-crash-looping (2 times)\n" in text


def test_what_is_in_the_doctors_own_way_is_no_warning_and_comes_with_its_next_command() -> None:
    text = render(samples.shut_out())
    assert "WARNINGS" not in text
    way_in = text[text.index("WAY IN  context-elsewhere") :].splitlines()
    assert "  Context cp leads to a cluster without Keptn." in way_in
    assert "    $ kubectl config get-contexts" in way_in


@pytest.mark.parametrize(("detail", "shown"), [("normal", 3), ("verbose", 5)])
def test_of_many_alike_things_in_the_way_a_few_are_told(detail: Detail, shown: int) -> None:
    shut = samples.shut_out()
    many = tuple(msgspec.structs.replace(shut.warnings[0], subject=f"exec-{n}") for n in range(5))
    text = render(msgspec.structs.replace(shut, warnings=many), TextStyle(detail=detail))
    assert text.count("WAY IN  context-elsewhere") == shown
    assert ("and 2 more of this kind" in text) == (detail == "normal")


def test_a_cause_is_not_said_to_explain_itself() -> None:
    report = samples.one_broken()
    cause = report.causes[0]
    twin = msgspec.structs.replace(cause.finding, subject=f"{cause.finding.subject}-2")
    told = msgspec.structs.replace(
        report, causes=(msgspec.structs.replace(cause, consequences=(twin,)),)
    )
    assert "Explains" not in render(told)


@every_sample
@every_detail
@pytest.mark.parametrize("width", [0, 80])
def test_without_colour_there_is_no_control_code(name: str, detail: Detail, width: int) -> None:
    text = render(samples.ALL[name](), TextStyle(width=width, detail=detail))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


@every_sample
def test_colour_changes_nothing_but_colour(name: str) -> None:
    plain = render(samples.ALL[name](), TextStyle(width=80))
    coloured = render(samples.ALL[name](), TextStyle(width=80, color=True))
    assert ESCAPE in coloured
    assert [line.plain for line in map(Text.from_ansi, coloured.splitlines())] == [
        line.rstrip() for line in plain.splitlines()
    ]


@every_sample
@every_detail
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_line_is_wider_than_the_terminal_only_for_one_uncut_word(
    name: str, detail: Detail, width: int
) -> None:
    for line in lines(name, width=width, detail=detail):
        if cell_len(line) > width and not line.lstrip().startswith("$ "):
            assert len(line.split()) <= 4, line  # sign, verdict, ladder, name


@every_sample
def test_ascii_output_is_ascii(name: str) -> None:
    assert render(samples.ALL[name](), TextStyle(unicode=False, detail="verbose")).isascii()


def test_quotation_marks_and_dashes_are_typewritten_where_unicode_is_not_shown() -> None:
    report = samples.report(headline="\u201cDial\u201d \u2014 it\u2019s \u2026")
    assert lines_of(report, unicode=False)[0] == '+ "Dial" - it\'s ...'
    assert lines_of(report, unicode=True)[0].endswith(report.headline)


@every_sample
def test_every_keptn_service_has_one_row_with_verdict_and_ladder(name: str) -> None:
    report = samples.ALL[name]()
    text = render(report)
    for verdict in report.verdicts:
        row = rf"^\S {verdict.connection.upper()} +\S{{10}}  {re.escape(verdict.service)}$"
        assert len(re.findall(row, text, re.MULTILINE)) == 1


def test_the_words_say_what_passed_and_the_first_broken_rung() -> None:
    text = render(samples.one_broken())
    assert "cause 1: ✓ workload, configuration   ✗ resolve broken\n" in text


def test_unknown_rungs_are_named() -> None:
    assert "? resolve through delivery unknown" in render(samples.all_unknown())


def test_a_cause_comes_with_services_remedy_command_and_consequences() -> None:
    text = render(samples.one_broken())
    cause = text[text.index("CAUSE 1") : text.index("WARNINGS")]
    finding = samples.one_broken().causes[0].finding
    assert finding.summary in cause
    assert finding.remedy in cause
    assert f"    $ {finding.command}\n" in cause
    assert "2 Keptn services: exec-a/keptn-exec: helm-service, jmeter-service" in cause
    assert "not-registered (2 times), pod-crash-looping (2 times)" in cause


def test_a_command_is_never_wrapped() -> None:
    command = samples.one_broken().causes[0].finding.command
    assert f"    $ {command}" in lines("one_broken", width=60)


def test_a_likely_cause_is_not_sold_as_proven() -> None:
    report = samples.suspected()
    text = render(report)
    assert "LIKELY CAUSE 1" in text
    assert "Not proven for the Keptn service itself" in text


def test_what_was_not_seen_comes_with_the_way_to_see_it() -> None:
    text = render(samples.all_unknown())
    assert "pod-log of exec-a/keptn-exec/helm-service: get pods/log is forbidden" in text
    assert "To see it: grant get pods/log in exec-a/keptn-exec" in text
    assert "What would settle them: the list of integrations (2 times)." in text


def test_all_rights_that_a_plane_lacks_are_one_gap() -> None:
    text = render(samples.forbidden())
    assert (
        "  ? workload, nodes, pod-log of exec-a; exec-a/keptn-exec/helm-service: "
        "a right is missing\n"
        "    To see it: grant the right to get pods/log in namespace keptn-exec; list nodes; "
        "list deployments.apps, daemonsets.apps in all namespaces\n"
    ) in text
    assert "keptn-doctor rbac prints manifests" in text


def test_a_cluster_that_could_not_be_reached_is_a_gap_and_a_refused_port_is_not() -> None:
    text = render(samples.forbidden())
    assert "  ? cluster of exec-b: no answer in 15 s\n" in text
    assert "connection refused" not in text


def test_short_shows_only_problems() -> None:
    text = render(samples.one_broken(), TextStyle(detail="short"))
    assert "CONNECTED     " not in text.replace("DISCONNECTED", "")
    assert "WARNINGS" not in text
    assert "CAUSE 1" in text
    assert len(lines("healthy", detail="short")) == 1


def test_verbose_names_every_finding_with_evidence_and_times() -> None:
    report = samples.one_broken()
    text = render(report, TextStyle(detail="verbose"))
    for finding in report.findings:
        assert finding.summary in text
    for observation in report.evidence:
        assert observation.id in text
    assert "failed: resolve/name-unknown (NXDOMAIN)  31 ms" in text
    assert "discover  412 ms" in text


def test_forty_services_with_one_cause_are_explained_once() -> None:
    text = render(samples.forty_services())
    assert text.count("cause 1: ") == 1
    assert "Breaks    all 40 Keptn services" in text
    assert text.count("40 of 40 Keptn services are disconnected") == 2  # the first scrolls away


def test_text_from_the_world_is_shown_and_not_obeyed() -> None:
    text = render(samples.hostile(), TextStyle(color=True))
    assert "\\u001b[2J\\u001b]0;owned\\u0007" in text
    assert "[red]bold[/red]" in text
    assert ":smile:" in text


def test_an_interrupted_report_says_so_and_how_to_clean_up() -> None:
    text = render(samples.interrupted())
    assert "INTERRUPTED before everything was looked at" in text
    assert "This run left 1 object in the clusters." in text
    assert "$ keptn-doctor cleanup" in text
    assert text.endswith("Audit of the clusters: created 2, remaining 1\n")


@every_sample
@every_detail
def test_the_same_report_gives_the_same_text(name: str, detail: Detail) -> None:
    style = TextStyle(width=80, color=True, detail=detail)
    assert render(samples.ALL[name](), style) == render(samples.ALL[name](), style)


@every_detail
def test_a_round_trip_is_one_line_with_its_legs_and_the_broken_one_in_words(
    detail: Detail,
) -> None:
    told = lines("travelled", detail=detail)
    (back,) = [line for line in told if "helm-service  came back after 3.5 s" in line]
    (lost,) = [line for line in told if "jmeter-service  BROKEN at picked up after 15.0 s" in line]
    assert "project made 500 ms, accepted 500 ms, stored 500 ms, task sent 500 ms" in back
    assert "picked up FAILED 15.0 s" in lost
    assert lost.endswith("; not reached: finished")
    assert "    picked up: nobody started on it" in told


@every_detail
def test_what_a_round_trip_made_and_left_is_told(detail: Detail) -> None:
    told = lines("travelled", detail=detail)
    assert "  Made and removed in Keptn: project keptn-doctor-7f3a." in told
    left = "one event without a project; a shipyard in the Git repository x"
    assert f"  Left in Keptn: {left}." in told


def test_a_run_that_sent_nothing_says_nothing_of_round_trips() -> None:
    assert not [line for line in lines("healthy") if "ROUND TRIP" in line]
