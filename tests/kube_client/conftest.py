from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kube_worlds import Authority, World


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def world(authority: Authority, tmp_path: Path) -> World:
    return World(authority=authority, folder=tmp_path)
