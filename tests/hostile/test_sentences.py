"""What a tired reader gets: one sentence, not a log line, and not forty namespaces."""

from __future__ import annotations

from keptn_doctor.api import failed, suspected
from keptn_doctor.reading.access import Denied, in_words
from keptn_doctor.reading.log import without_quote

LINE = '“level=error msg="dial: “x”" (no route)” (3 times, last at 20:15:01 UTC)'


def test_a_quoted_line_becomes_the_detail_of_its_sentence() -> None:
    for make in (failed, suspected):
        finding = make(f"The proxy lets nothing through: {LINE}.", remedy="Mend it.")
        assert (finding.summary, finding.detail) == ("The proxy lets nothing through.", LINE)


def test_a_sentence_without_a_quoted_line_stays_as_it_is() -> None:
    for sentence in ("It is down: nothing listens.", "It says “no” (twice).", ""):
        assert without_quote(sentence) == (sentence, "")


def test_alike_rights_are_told_together() -> None:
    places = [f"n{number}" for number in range(9)]
    rules = [
        *(Denied(verb="list", resource=r, namespace="keptn") for r in ("pods", "events")),
        *(Denied(verb="list", resource="deployments.apps", namespace=n) for n in places),
        Denied(verb="list", resource="nodes", namespace=""),
    ]
    assert in_words(rules) == (
        "list pods, events in namespace keptn; list deployments.apps in 9 namespaces; list nodes"
    )
