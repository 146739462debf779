"""Reads the package's own data files; each is read once per process."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
import yaml

T = TypeVar("T")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast


def load(name: str, kind: type[T]) -> T:
    """One YAML file of this package as a typed value; a bad file is a bug and raises."""
    return msgspec.convert(_document(name), kind, strict=False)


@functools.cache
def _document(name: str) -> Any:
    text = files("keptn_doctor.knowledge").joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
