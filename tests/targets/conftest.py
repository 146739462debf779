from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from keptn_doctor.targets import Options, Targets, resolve


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Callable[..., Path]:
    """Writes a kubeconfig with these contexts; the first is the current one."""

    def write(*contexts: str, file: str = "kubeconfig", current: str | None = None) -> Path:
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": "https://192.0.2.1"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": n, "context": {"cluster": "c", "user": "u"}} for n in contexts],
        }
        first = contexts[0] if contexts else ""
        if current or (current is None and first):
            document["current-context"] = current or first
        path = tmp_path / file
        path.write_text(yaml.safe_dump(document))
        return path

    return write


@pytest.fixture
def resolved(tmp_path: Path) -> Callable[..., Targets]:
    """Resolves options in a home and a working directory of the test's own."""

    def run(environ: dict[str, str] | None = None, **options: Any) -> Targets:
        ask = options.pop("ask", None)
        given = {"HOME": str(tmp_path / "home")} | (environ or {})
        return resolve(Options(**options), given, ask=ask, cwd=tmp_path)

    return run
