from __future__ import annotations

import pytest

from keptn_doctor.knowledge.support import (
    control_plane_size,
    control_plane_sums,
    kubernetes_range,
)


@pytest.mark.parametrize(
    ("keptn", "platform", "low", "high"),
    [
        ("0.8.7", "kubernetes", "1.16", "1.21"),
        ("0.13.6", "eks", "1.16", "1.18"),
        ("0.16.2", "kubernetes", "1.17", "1.22"),
        ("0.17.1", "kubernetes", "1.17", "1.22"),
        ("0.19.3", "gke", "1.19", "1.24"),
        ("1.4.5", "kubernetes", "1.17", "1.24"),
    ],
)
def test_documented_ranges(keptn: str, platform: str, low: str, high: str) -> None:
    found = kubernetes_range(keptn, platform)  # type: ignore[arg-type]
    assert found is not None
    assert (found.min, found.max) == (low, high)


def test_a_range_holds_what_is_written_with_a_plus() -> None:
    found = kubernetes_range("0.19.3")
    assert found is not None
    assert found.holds("1.24+") is True
    assert found.holds("1.25") is False
    assert found.holds("v1.9") is False
    assert found.holds("one") is None


def test_an_unreadable_keptn_version_has_no_range() -> None:
    assert kubernetes_range("latest") is None
    assert control_plane_sums("") is None


def test_the_documented_minimum_and_the_sums() -> None:
    size = control_plane_size()
    assert (size.vcpu, size.memory_gb) == (2, 4)
    sums = control_plane_sums("1.4.5")
    assert sums is not None
    assert (sums.requests.cpu_m, sums.requests.memory_mi) == (825, 1064)
