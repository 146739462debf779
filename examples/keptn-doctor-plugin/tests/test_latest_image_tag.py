"""The check is found, keeps the contract, and says what it should."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keptn_doctor.catalogue import load_checks
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.testing import CONTRACT, Entry, keptn_service, run_check, workload_of, world

SERVICE = keptn_service()


def _with(*images: str) -> Snapshot:
    return world(SERVICE, workload_of(SERVICE, images=images))


FAILS = (_with("acme/helm-service:latest"), _with("registry.acme.example:5000/helm-service"))
PASSES = (_with("acme/helm-service:0.16.2"), _with("acme/helm-service@sha256:00"))

CATALOGUE = load_checks()
CHECK = CATALOGUE.get("latest-image-tag")


def test_the_check_is_found_through_the_entry_point() -> None:
    assert CATALOGUE.errors == ()
    assert CHECK is not None
    assert "acme" in CHECK.source


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
def test_it_keeps_the_contract(rule: Callable[[Entry], None]) -> None:
    assert CHECK is not None
    rule(Entry(check=CHECK, fails=FAILS, passes=PASSES, catalogue=CATALOGUE.checks))


def test_it_is_advice_and_breaks_nothing() -> None:
    assert CHECK is not None
    (finding,) = run_check(CHECK, FAILS[0])

    assert (finding.severity, finding.breaks) == ("warning", "nothing")
    assert "acme/helm-service:latest" in finding.summary
