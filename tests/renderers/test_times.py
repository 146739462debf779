"""--timings: totals, what took longest, and the chain that the run waited for."""

from __future__ import annotations

from keptn_doctor.model.times import RunTimes, Span, Spent
from keptn_doctor.renderers.page import Page
from keptn_doctor.renderers.symbols import ASCII
from keptn_doctor.renderers.times import put_times


def span(name: str, began_ms: float, duration_ms: float, **spent: float) -> Span:
    return Span(
        name=name, began_ms=began_ms, duration_ms=duration_ms,
        spent=Spent(requests=1, **spent),  # type: ignore[arg-type]
    )  # fmt: skip


SEARCH = span("search/exec-a", 0, 900, connect_ms=100, http_ms=800)
QUICK = span("dns/endpoint:http://k/api@operator", 905, 50, resolve_ms=50)
BESIDE = span("pod-log/exec-a/ns/svc@operator", 905, 300, waiting_ms=200, http_ms=100)
LAST = span("http/endpoint:http://k/api@operator", 960, 1000, http_ms=1000)
TIMES = RunTimes(
    start_up_ms=400, looking_ms=1960, judging_ms=40, spans=(SEARCH, QUICK, BESIDE, LAST)
)


def shown(times: RunTimes) -> list[str]:
    page = Page(width=0, color=False, symbols=ASCII, detail="normal")
    put_times(page, times)
    return page.text().splitlines()


def test_the_chain_is_what_the_run_waited_for() -> None:
    assert TIMES.chain() == (SEARCH, QUICK, LAST)


def test_what_runs_beside_the_chain_is_not_in_it() -> None:
    assert RunTimes(spans=(BESIDE, LAST, SEARCH, QUICK)).chain() == (SEARCH, QUICK, LAST)


def test_no_spans_make_no_chain() -> None:
    assert RunTimes().chain() == ()
    assert not [line for line in shown(RunTimes()) if "waited" in line]


def test_start_up_stands_apart_and_the_longest_look_comes_first() -> None:
    lines = shown(TIMES)
    assert "2.40 s = 0.40 s start-up + 1.96 s looking + 0.04 s judging" in lines[2]
    rows = [line for line in lines if line.endswith(("/api", "/svc", "exec-a"))][:4]
    assert [row.split()[0] for row in rows] == ["1.00", "0.90", "0.30", "0.05"]


def test_waiting_for_a_turn_is_told_from_working() -> None:
    row = next(line for line in shown(TIMES) if "pod-log" in line)
    assert row.split() == [
        "0.30", "s", "0.20", "s", "-", "-", "-", "0.10", "s", "1", "pod-log/exec-a/ns/svc",
    ]  # fmt: skip
