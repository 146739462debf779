"""What checks say, and the record of a check itself."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from keptn_doctor.model.base import Record

Status = Literal["pass", "fail", "skip", "unknown", "crash"]
Severity = Literal["error", "warning", "info"]
Connection = Literal["connected", "degraded", "disconnected", "unknown"]
Breaks = Literal["nothing", "degraded", "disconnected"]
ProvenBy = Literal["behaviour", "state"]  # what was seen happening, or what is set and stored


class Layer(enum.IntEnum):
    """The path of a Keptn service to its work, low to high; a low break explains a higher one."""

    ACCESS = 0  # the doctor's own way in: kubeconfig, rights; explains unknowns, never faults
    WORKLOAD = 1
    CONFIGURATION = 2
    RESOLVE = 3
    CONNECT = 4
    TLS = 5
    HTTP = 6
    AUTH = 7
    REGISTRATION = 8
    SUBSCRIPTION = 9
    DELIVERY = 10


class Finding(Record, frozen=True, kw_only=True):
    """One judgement of one check on one subject, in whole sentences.

    Checks make it with ``passed``, ``failed``, ``skipped`` and ``undecided``; the engine fills
    in ``check``, ``subject``, ``layer`` and ``evidence``.
    """

    check: str = ""
    subject: str = ""
    layer: Layer = Layer.WORKLOAD
    status: Status
    severity: Severity = "error"
    summary: str
    remedy: str = ""  # one sentence
    command: str = ""  # one command to run next, ready to paste
    breaks: Breaks | Literal["as-declared"] = "as-declared"  # what a fail does to the connection
    parts: tuple[str, ...] = ()  # workloads of the control plane that it singles out
    through: tuple[str, ...] = ()  # those whose trouble can be its reason; none = ``parts``
    at_fault: tuple[str, ...] = ()  # broken things by identity; breaks on one thing are one cause
    suspected: bool = False  # seen from the operator's side only, or circumstantial: no proof
    evidence: tuple[str, ...] = ()  # observation ids
    missing: tuple[str, ...] = ()  # for unknown: what would have been needed
    detail: str = ""  # traceback summary of a crash, or further lines for --verbose


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be wrong: knowledge as a pure function with its documentation."""

    id: str  # from the file name
    title: str  # first line of the docstring
    doc: str
    about: type
    layer: Layer
    severity: Severity
    breaks: Breaks
    explained_by: tuple[str, ...]
    since: str
    judge: Callable[..., Finding]
    proven_by: ProvenBy = "behaviour"
    source: str = ""  # distribution or file it came from
    needs: tuple[Any, ...] = ()  # engine's reading of the signature
    explains: tuple[str, ...] = ()  # edges told from the cause's side
