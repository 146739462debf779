"""Reads kubeconfig files: finds them, merges them as kubectl does, names what is wrong with them.

Only text is read here. Nothing is executed and no credential is taken out: ``kube_credentials``
does that for one context when a cluster is really touched. PyYAML alone is imported, so that
listing contexts stays cheap.

Source of the rules: client-go ``tools/clientcmd/loader.go`` (first file to set a value wins,
missing files of KUBECONFIG are skipped, relative paths are relative to their file).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from keptn_doctor.model.base import Record
from keptn_doctor.named_file import read_named
from keptn_doctor.usage import UsageError

_MAX_BYTES = 16 * 1024 * 1024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Entry(Record, frozen=True, kw_only=True):
    """One named context, cluster or user with the file that it stands in."""

    name: str
    body: dict[str, Any]
    path: str


class Kubeconfig(Record, frozen=True, kw_only=True):
    """All files of a KUBECONFIG, merged; the first entry of a name wins."""

    files: tuple[str, ...]
    current_context: str = ""
    contexts: dict[str, Entry] = {}
    clusters: dict[str, Entry] = {}
    users: dict[str, Entry] = {}

    def context(self, name: str) -> Entry:
        """The context of this name; raises UsageError that offers near names."""
        if name in self.contexts:
            return self.contexts[name]
        raise UsageError(
            f'there is no context "{name}" in {_and_more(self.files)}{near(name, self.contexts)}'
        )


def near(name: str, known: Mapping[str, Any]) -> str:
    """A sentence that offers the names closest to a mistyped one, or all when they are few."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    if close:
        return f": did you mean {' or '.join(close)}?"
    if not known:
        return ": it has no contexts at all"
    shown = sorted(known)[:8]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f": it has {', '.join(shown)}{more}"


def kubeconfig_paths(option: str, environ: Mapping[str, str]) -> tuple[tuple[Path, ...], str]:
    """The files to read and who named them: ``--kubeconfig``, KUBECONFIG or the default."""
    if option:
        return _split(option), "--kubeconfig"
    if environ.get("KUBECONFIG", "").strip(os.pathsep):
        return _split(environ["KUBECONFIG"]), "KUBECONFIG"
    return (_home(environ) / ".kube" / "config",), ""


def read_kubeconfig(option: str, environ: Mapping[str, str]) -> Kubeconfig | None:
    """Read and merge; None when no file was named and the default one does not exist.

    Raises:
        UsageError: a named file is missing, or any file is unreadable or malformed.
    """
    paths, named_by = kubeconfig_paths(option, environ)
    present = [path for path in paths if path.exists()]
    if not present and not named_by:
        return None
    if not present:
        missing = ", ".join(str(path) for path in paths)
        raise UsageError(f"{named_by}: there is no file {missing}")
    merged: dict[str, dict[str, Entry]] = {"contexts": {}, "clusters": {}, "users": {}}
    current = ""
    for path in present:
        document = _read_document(path)
        found = document.get("current-context") or ""
        if not isinstance(found, str):
            raise UsageError(f"{path}: current-context must be a name, not {_kind(found)}")
        current = current or found
        for section, entries in merged.items():
            for entry in _entries(document, section, path):
                entries.setdefault(entry.name, entry)
    return Kubeconfig(files=tuple(str(p) for p in present), current_context=current, **merged)


def _split(joined: str) -> tuple[Path, ...]:
    return tuple(Path(part).expanduser() for part in joined.split(os.pathsep) if part)


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


def _read_document(path: Path) -> dict[str, Any]:
    try:
        raw = read_named(path, most=_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise UsageError(f"{path}: more than {_MAX_BYTES >> 20} MiB is no kubeconfig")
    try:
        document = yaml.load(raw.decode(), Loader=_LOADER)  # noqa: S506 - a safe loader
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not a text file, so it is no kubeconfig") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path}{yaml_position(error)}") from error
    except (ValueError, RecursionError) as error:  # a date or number that Python cannot hold
        raise UsageError(f"{path}: is not a kubeconfig: {error}") from error
    if document is None:
        raise UsageError(f"{path}: is empty, so it is no kubeconfig")
    if not isinstance(document, dict):
        raise UsageError(f"{path}: is {_kind(document)}, not a kubeconfig")
    return document


def yaml_position(error: yaml.YAMLError) -> str:
    """``:line:column: problem`` of a syntax error, without the text around it."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "context", None)
    if isinstance(error, yaml.reader.ReaderError):
        problem = "there is a character in it that YAML does not allow"
    where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
    return f"{where}: is not valid YAML: {problem or type(error).__name__}"


def _entries(document: dict[str, Any], section: str, path: Path) -> list[Entry]:
    listed = document.get(section) or []
    body_key = section.removesuffix("s")
    if not isinstance(listed, list):
        raise UsageError(f"{path}: {section} must be a list, not {_kind(listed)}")
    entries = []
    for index, item in enumerate(listed):
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise UsageError(f"{path}: {section}[{index}] has no name")
        body = item.get(body_key)
        if body is None:
            body = {}
        if not isinstance(body, dict):
            raise UsageError(f'{path}: {body_key} "{item["name"]}" must be a mapping')
        entries.append(Entry(name=item["name"], body=body, path=str(path)))
    return entries


def _kind(value: object) -> str:
    kinds: dict[type, str] = {list: "a list", dict: "a mapping", str: "plain text"}
    return kinds.get(type(value), "a number, a date or a truth value")


def _and_more(files: tuple[str, ...]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more file(s)"
