"""Finds checks: installed packages (entry points ``keptn_doctor.checks``) and loose files.

A check's id is its file's name with dashes, its title and documentation are its docstring, its
needs are its signature: nothing is written twice. A plugin that cannot be imported is a line in
``errors`` and never stops the others. Nothing here looks at evidence.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from keptn_doctor.judgement.needs import SignatureError, read_needs
from keptn_doctor.model.base import Record
from keptn_doctor.model.findings import Check, Finding

ENTRY_POINT_GROUP = "keptn_doctor.checks"

_DECLARATION = "__keptn_doctor_check__"
_NAMED = 3  # modules that fail alike


class Catalogue(Record, frozen=True, kw_only=True):
    """All checks of one run, by id, and what could not be loaded, one line each."""

    checks: tuple[Check, ...]
    errors: tuple[str, ...] = ()

    def get(self, check_id: str) -> Check | None:
        """The check of this id, None when there is none."""
        return next((c for c in self.checks if c.id == check_id), None)


class _Source(msgspec.Struct, frozen=True):
    """A module that may hold a check, and how to say where it came from."""

    name: str
    origin: str
    load: Callable[[], ModuleType]
    required: bool  # a loose file without a check is a mistake; a package may have other modules
    home: str  # the plugin or directory, of which modules that fail alike are told together

    @property
    def told(self) -> str:
        return Path(self.origin).name if self.required else self.name


class _Errors:
    """What could not be loaded; one reason that several modules share is one line."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[str]] = {}

    def add(self, home: str, problem: str, name: str = "") -> None:
        self._found.setdefault((home, problem), []).append(name)

    def lines(self) -> tuple[str, ...]:
        return tuple(
            f"{_who(home, names)} {problem}" for (home, problem), names in self._found.items()
        )


def _who(home: str, names: list[str]) -> str:
    if not any(names):
        return home
    if len(names) == 1:
        return f"{names[0]} of {home}"
    left = len(names) - _NAMED
    more = f" and {left} more" if left > 0 else ""
    return f"{len(names)} modules of {home} ({', '.join(names[:_NAMED])}{more})"


def load_checks(extra_dirs: Sequence[Path | str] = ()) -> Catalogue:
    """Every check of the installed plugins, then of the ``*.py`` files in ``extra_dirs``.

    The first one of an id wins; built-in checks come first, so a plugin cannot replace them
    unnoticed. Never raises for a broken plugin, file or directory.
    """
    errors = _Errors()
    found: dict[str, Check] = {}
    for source in (*_installed(errors), *_loose(extra_dirs, errors)):
        for check in _checks_of(source, errors):
            if check.id in found:
                errors.add(
                    f"check {check.id} of {check.source}",
                    f"is ignored: {found[check.id].source} has one of that name",
                )
            else:
                found[check.id] = check
    return Catalogue(checks=tuple(found[key] for key in sorted(found)), errors=errors.lines())


def _installed(errors: _Errors) -> Iterator[_Source]:
    points = sorted(
        entry_points(group=ENTRY_POINT_GROUP),
        key=lambda point: (point.value != "keptn_doctor_checks", point.name, point.value),
    )
    for point in points:
        origin = f"plugin {point.name} ({point.value})"
        try:
            package = point.load()
        except Exception as error:  # noqa: BLE001 - a plugin's bug must not stop the others
            errors.add(origin, f"cannot be imported: {_one_line(error)}")
            continue
        if not isinstance(package, ModuleType):
            errors.add(origin, "is not a package of checks")
            continue
        yield from _modules_of(package, origin)


def _modules_of(package: ModuleType, origin: str) -> Iterator[_Source]:
    yield _Source(package.__name__, origin, lambda: package, required=False, home=origin)
    for info in pkgutil.walk_packages(
        getattr(package, "__path__", ()), f"{package.__name__}.", onerror=lambda _name: None
    ):
        if not info.name.rpartition(".")[2].startswith("_"):
            yield _Source(info.name, origin, _importer(info.name), required=False, home=origin)


def _importer(name: str) -> Callable[[], ModuleType]:
    return lambda: importlib.import_module(name)


def _loose(directories: Sequence[Path | str], errors: _Errors) -> Iterator[_Source]:
    for directory in map(Path, directories):
        if not directory.is_dir():
            errors.add(str(directory), "is not a directory of checks")
            continue
        for file in sorted(directory.glob("*.py")):
            if not file.name.startswith("_"):
                yield _Source(
                    file.stem, str(file), _file_loader(file), required=True, home=str(directory)
                )


def _file_loader(file: Path) -> Callable[[], ModuleType]:
    def load() -> ModuleType:
        digest = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]
        name = f"keptn_doctor_loose_{digest}_{file.stem.replace('-', '_')}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return load


def _checks_of(source: _Source, errors: _Errors) -> list[Check]:
    try:
        module = source.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        errors.add(source.home, f"cannot be imported: {_one_line(error)}", source.told)
        return []
    declared = [
        function
        for function in vars(module).values()
        if inspect.isfunction(function)
        and function.__module__ == module.__name__
        and hasattr(function, _DECLARATION)
    ]
    if len(declared) > 1:
        errors.add(source.home, "declares more than one check", source.told)
        return []
    if not declared:
        if source.required:
            errors.add(source.home, "has no function declared with @check", source.told)
        return []
    try:
        return [_check(source, module, declared[0])]
    except SignatureError as error:
        errors.add(source.home, f"cannot be used: {error}", source.told)
        return []


def _check(source: _Source, module: ModuleType, judge: Callable[..., Finding]) -> Check:
    declaration: dict[str, Any] = getattr(judge, _DECLARATION)
    doc = inspect.cleandoc(module.__doc__ or "")
    return Check(
        id=source.name.rpartition(".")[2].replace("_", "-"),
        title=doc.partition("\n")[0].strip(),
        doc=doc,
        judge=judge,
        source=source.origin,
        needs=read_needs(judge),
        **declaration,
    )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
