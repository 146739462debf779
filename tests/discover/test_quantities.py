from __future__ import annotations

import pytest

from keptn_doctor.probes.quantities import mebibytes, millicores


@pytest.mark.parametrize(
    ("text", "value"),
    [("100m", 100), ("1", 1000), (2, 2000), ("0.5", 500), ("1e3m", None), ("1500u", 2),
     (None, None), ("", None), ("one", None), ("2k", 2_000_000)],
)  # fmt: skip
def test_cpu_in_millicores(text: str | int | None, value: int | None) -> None:
    assert millicores(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("128Mi", 128), ("1Gi", 1024), ("134217728", 128), ("1G", 954), ("1e9", 954), ("1Ki", 1),
     ("128974848000m", 123), ("0", 0), ("5XX", None), (None, None)],
)  # fmt: skip
def test_memory_in_mebibytes(text: str | None, value: int | None) -> None:
    assert mebibytes(text) == value
