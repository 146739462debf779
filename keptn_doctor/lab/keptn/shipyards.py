"""Shipyards as shipyard-controller reads them: sequences, their tasks, what triggers the next one.

Source: ``shipyard-controller/internal/controller/shipyardcontroller_utils.go @1.4.5``, Keptn's
shipyard specification 0.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from keptn_doctor.lab.clients.rules import duration

_API_VERSION = "spec.keptn.sh/0.2."
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_BUILT_IN = "evaluation"  # a sequence that every stage has


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of a sequence."""

    name: str
    properties: dict[str, Any] = field(default_factory=dict)
    after_s: float = 0.0  # triggeredAfter


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A sequence of a stage; ``after`` are the sequences (``stage.name``) that trigger it."""

    stage: str
    name: str
    tasks: tuple[Task, ...]
    after: tuple[tuple[str, str], ...] = ()  # and the result that each must have; "" = not fail


class InvalidShipyardError(ValueError):
    """A shipyard that Keptn refuses; the text is Keptn's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipyard:
    """A shipyard's stages and sequences."""

    stages: tuple[str, ...]
    sequences: tuple[Sequence, ...]

    def sequence(self, stage: str, name: str) -> Sequence:
        """A sequence of a stage.

        Raises:
            InvalidShipyardError: there is none, in Keptn's words.
        """
        if stage not in self.stages:
            raise InvalidShipyardError(f"no stage with name {stage}")
        for sequence in self.sequences:
            if (sequence.stage, sequence.name) == (stage, name):
                return sequence
        if name == _BUILT_IN:
            return Sequence(stage=stage, name=name, tasks=(Task(name=name),))
        raise InvalidShipyardError(f"no task sequence with name {name} found in stage {stage}")

    def following(self, sequence: Sequence, result: str) -> tuple[Sequence, ...]:
        """The sequences that the end of one triggers."""
        wanted = f"{sequence.stage}.{sequence.name}"
        return tuple(
            s
            for s in self.sequences
            if any(
                name == wanted and (result == needed if needed else result != "fail")
                for name, needed in s.after
            )
        )


def read(text: str) -> Shipyard:
    """A shipyard from its YAML.

    Raises:
        InvalidShipyardError: not YAML, another version, or no stage.
    """
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError:
        raise InvalidShipyardError("could not unmarshal provided shipyard content") from None
    if not isinstance(loaded, dict):
        raise InvalidShipyardError("could not unmarshal provided shipyard content")
    if not str(loaded.get("apiVersion") or "").startswith(_API_VERSION):
        raise InvalidShipyardError(
            "provided shipyard file is not valid: Invalid Shipyard API Version"
        )
    stages = [s for s in _list(_dict(loaded.get("spec")).get("stages")) if isinstance(s, dict)]
    names = tuple(str(stage.get("name") or "") for stage in stages)
    if not names:
        raise InvalidShipyardError(
            "provided shipyard file is not valid: Shipyard must contain at least one stage"
        )
    if not all(_NAME.fullmatch(name) for name in names):
        raise InvalidShipyardError("provided shipyard file is not valid: invalid stage name")
    if len(set(names)) < len(names):
        raise InvalidShipyardError("provided shipyard file is not valid: duplicate stage name")
    return Shipyard(stages=names, sequences=tuple(s for stage in stages for s in _sequences(stage)))


def _sequences(stage: dict[str, Any]) -> list[Sequence]:
    return [
        Sequence(
            stage=str(stage["name"]),
            name=str(sequence.get("name") or ""),
            tasks=tuple(_task(task) for task in _list(sequence.get("tasks")) if _dict(task)),
            after=tuple(_trigger(trigger) for trigger in _list(sequence.get("triggeredOn"))),
        )
        for sequence in _list(stage.get("sequences"))
        if _dict(sequence)
    ]


def _task(task: dict[str, Any]) -> Task:
    return Task(
        name=str(task.get("name") or ""),
        properties=_dict(task.get("properties")),
        after_s=duration(str(task.get("triggeredAfter") or "0s"), default=0.0) or 0.0,
    )


def _trigger(trigger: Any) -> tuple[str, str]:
    match = _dict(_dict(_dict(trigger).get("selector")).get("match"))
    event = str(_dict(trigger).get("event") or "").removesuffix(".finished")
    return event, str(match.get("result") or "")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
