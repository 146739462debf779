"""The part of the text report that says where the time of the run went (``--timings``)."""

from __future__ import annotations

from rich.text import Text

from keptn_doctor.model.times import RunTimes, Span, Spent
from keptn_doctor.renderers.page import Page
from keptn_doctor.renderers.symbols import printable
from keptn_doctor.renderers.wording import count

_SHOWN = 12
_PHASES = ("waiting", "resolve", "connect", "tls", "http")
_WIDTH = 9


def put_times(page: Page, times: RunTimes) -> None:
    """Totals, what took longest with its phases, and the chain that the run waited for."""
    page.blank()
    page.put(Text("WHERE THE TIME WENT", style="bold"))
    total = times.start_up_ms + times.looking_ms + times.judging_ms
    page.put(
        f"{_s(total)} = {_s(times.start_up_ms)} start-up + {_s(times.looking_ms)} looking "
        f"+ {_s(times.judging_ms)} judging",
        indent=2,
    )
    longest = sorted(times.spans, key=lambda span: -span.duration_ms)
    shown = longest if page.detail == "verbose" else longest[:_SHOWN]
    page.blank()
    page.put(Text(_columns("took", *_PHASES, "requests") + "  of", style="dim"), indent=2)
    for span in shown:
        _put_span(page, span)
    if len(longest) > len(shown):
        page.put(f"and {count(len(longest) - len(shown), 'shorter look')}: see --verbose", indent=4)
    _put_sums(page, times)
    _put_chain(page, times.chain())


def _put_span(page: Page, span: Span) -> None:
    spent = span.spent
    front = _columns(_s(span.duration_ms), *_phases(spent), str(spent.requests or "-"))
    page.put(printable(_name(span)), label=front, indent=2, hang=len(front) + 2)


def _put_sums(page: Page, times: RunTimes) -> None:
    sums = Spent(
        **{f"{name}_ms": sum(getattr(s.spent, f"{name}_ms") for s in times.spans)
           for name in _PHASES},
        requests=sum(span.spent.requests for span in times.spans),
    )  # fmt: skip
    front = _columns("", *_phases(sums), str(sums.requests))
    page.put("all of them, side by side in part", label=front, indent=2, hang=len(front) + 2)


def _put_chain(page: Page, chain: tuple[Span, ...]) -> None:
    if not chain:
        return
    page.blank()
    page.put("What the run waited for, one after the other:", indent=2)
    for span in chain:
        front = f"at {_s(span.began_ms):>8} for {_s(span.duration_ms):>8}"
        page.put(printable(_name(span)), label=front, indent=4, hang=len(front) + 2)


def _name(span: Span) -> str:
    return span.name.removesuffix("@operator")


def _phases(spent: Spent) -> tuple[str, ...]:
    return tuple(_s(getattr(spent, f"{phase}_ms")) for phase in _PHASES)


def _columns(*texts: str) -> str:
    return "".join(f"{text:>{_WIDTH}}" for text in texts)


def _s(ms: float) -> str:
    return f"{ms / 1000:.2f} s" if ms >= 5 else "-"
