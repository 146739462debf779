"""The views of one Keptn service: a rung from here and from inside, and witnesses that disagree."""

from __future__ import annotations

from keptn_doctor.model.report import Comparison, Verdict
from keptn_doctor.renderers.page import Page
from keptn_doctor.renderers.symbols import printable


def put_views(page: Page, verdict: Verdict) -> None:
    """Where the views differ, in a line each; all of them, and every witness, when verbose."""
    verbose = page.detail == "verbose"
    for compared in verdict.compared:
        if compared.differs or (verbose and compared.inside and compared.operator):
            page.put(printable(in_words(compared)), indent=4, hang=len(compared.rung) + 2)
    if verbose:
        for witness in verdict.witnesses:
            words = f"{witness.says} ({witness.words})" if witness.words else witness.says
            page.put(printable(words), label=f"{witness.who}:", indent=4, hang=9)
    if verdict.disagreement and (verbose or verdict.connection != "connected"):
        page.put(printable(verdict.disagreement), indent=4)


def in_words(compared: Comparison) -> str:
    """Like "resolve: operator 203.0.113.20, inside exec-a name-unknown"."""
    plane = compared.vantage.removeprefix("inside:").partition("/")[0]
    return f"{compared.rung}: operator {compared.operator}, inside {plane} {compared.inside}"
