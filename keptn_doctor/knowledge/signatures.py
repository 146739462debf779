"""Log lines that mean something: the data of ``log_signatures.yaml`` as typed, compiled signatures.

Says what one line means; it neither reads logs nor redacts them.
"""

from __future__ import annotations

import functools
import re
from typing import Literal

import msgspec

from keptn_doctor.knowledge.data import load
from keptn_doctor.knowledge.versions import Version
from keptn_doctor.model.base import Record

Strength = Literal["decisive", "supporting", "context"]


class Signature(msgspec.Struct, frozen=True):
    """One kind of line: WHERE something happened."""

    id: str
    component: str
    versions_of: str
    since: str
    regex: str
    fault_class: str
    strength: Strength
    meaning: str
    example: str
    source: str
    until: str | None = None
    also: tuple[str, ...] = ()

    @property
    def components(self) -> frozenset[str]:
        return frozenset((self.component, *self.also))


class Cause(msgspec.Struct, frozen=True):
    """One kind of explanation inside such a line: WHY it happened."""

    id: str
    regex: str
    fault_class: str
    meaning: str
    example: str
    secret_risk: bool = False


class _File(msgspec.Struct, frozen=True):
    version: int
    fault_classes: dict[str, str]
    events: tuple[Signature, ...]
    causes: tuple[Cause, ...]


class LineMeaning(Record, frozen=True, kw_only=True):
    """What one line says; ``cause`` is "" when the line names none, or none that is known."""

    signature: str
    event: str
    cause: str = ""
    strength: Strength = "supporting"
    captures: dict[str, str] = {}


@functools.cache
def _file() -> _File:
    return load("log_signatures.yaml", _File)


def signatures() -> tuple[Signature, ...]:
    """Every signature in the order of the file."""
    return _file().events


def causes() -> tuple[Cause, ...]:
    """Every cause in the order in which they are tried."""
    return _file().causes


def fault_classes() -> dict[str, str]:
    """The vocabulary of ``event`` and ``cause`` with a few words on each."""
    return _file().fault_classes


# Go tells the address of a connection it failed to make, or that broke; a name server's is UDP.
_DIALLED = re.compile(
    r"(?:dial tcp |(?:read|write) tcp \S+->)(?:(\d+(?:\.\d+){3})|\[([0-9a-fA-F:]+)\]):\d+"
)


@functools.cache
def _compiled(component: str) -> tuple[tuple[Signature, re.Pattern[str]], ...]:
    own = [s for s in signatures() if component in s.components]
    general = [s for s in signatures() if "any" in s.components]
    return tuple((s, re.compile(s.regex)) for s in (*own, *general))


@functools.cache
def _compiled_causes() -> tuple[tuple[Cause, re.Pattern[str]], ...]:
    return tuple((cause, re.compile(cause.regex)) for cause in causes())


def load_usual() -> None:
    """Read the file and compile what nearly every run needs: 12 ms, best spent while it waits."""
    for component in ("distributor", "api-gateway-nginx"):
        _compiled(component)


def read_line(line: str, *, component: str, version: str = "") -> LineMeaning | None:
    """What a line of a component's log means, None when it means nothing.

    ``component`` is "distributor", "sdk", the name of a control-plane workload, or "" for any other
    container. Of several signatures that match, one whose range holds ``version`` is preferred.
    """
    found = [(s, hit) for s, pattern in _compiled(component) if (hit := pattern.search(line))]
    if not found:
        return None
    release = Version.parse(version)
    in_range = [pair for pair in found if release is None or _holds(pair[0], release)]
    signature, hit = (in_range or found)[0]
    captures = {name: text for name, text in hit.groupdict().items() if text and name != "cause"}
    why = hit.groupdict().get("cause")
    if why and (dialled := _DIALLED.search(why)):
        captures["dialled"] = dialled[1] or dialled[2]
    return LineMeaning(
        signature=signature.id,
        event=signature.fault_class,
        # a refused delivery inside the pod says nothing of the way to the control plane
        cause="" if why is None or signature.fault_class == "local_delivery" else cause_of(why),
        strength=signature.strength,
        captures=captures,
    )


def cause_of(text: str) -> str:
    """The class of the first cause that a piece of text shows, "" for none."""
    for cause, pattern in _compiled_causes():
        if pattern.search(text):
            return cause.fault_class
    return ""


def _holds(signature: Signature, release: Version) -> bool:
    if signature.versions_of not in {"distributor", "control-plane"}:
        return True
    return release.within(signature.since, signature.until or "")
