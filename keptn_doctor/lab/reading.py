"""YAML into records, with the line of whatever is wrong.

Works on PyYAML's node tree, so that a number such as ``1.20`` keeps its last digit where text is
wanted, a key given twice is noticed, and every complaint can name its line. It knows records and
their annotations, but nothing of scenarios.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec.inspect as mi
import yaml

T = TypeVar("T")
Path = tuple[str | int, ...]

_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)\s*(s|m|h|d)?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}
_NULL = "tag:yaml.org,2002:null"


class ScenarioError(ValueError):
    """A file that cannot be used; the text is one line: file, line, what, what to do."""


class Reader:
    """Reads one file; ``lines`` remembers where each value stands, by its path."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[Path, int] = {}

    def read(self, text: str, kind: type[T]) -> T:
        """The record in ``text``; raises ScenarioError."""
        try:
            node = yaml.compose(text, Loader=_loader())
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark is not None else ""
            problem = getattr(error, "problem", None) or "not YAML"
            raise ScenarioError(f"{self.source}{line}: {problem}") from None
        if node is None:
            raise ScenarioError(f"{self.source}: the file is empty; it needs at least a title")
        made: T = self._value(node, _info(cast(Hashable, kind)), ())
        return made

    def error(self, path: Path, problem: str) -> ScenarioError:
        """A complaint about the value at ``path`` or, failing that, about what contains it."""
        while path and path not in self.lines:
            path = path[:-1]
        line = f":{self.lines[path]}" if path in self.lines else ""
        return ScenarioError(f"{self.source}{line}: {problem}")

    def _value(self, node: yaml.Node, info: mi.Type, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(info, mi.UnionType):
            return self._union(node, info, path)
        if isinstance(info, mi.StructType):
            return self._record(node, info, path)
        if isinstance(info, mi.DictType):
            return self._mapping(node, info, path)
        if isinstance(info, mi.VarTupleType | mi.ListType):
            return self._sequence(node, info, path)
        if isinstance(info, mi.LiteralType):
            return self._choice(node, info, path)
        if isinstance(info, mi.AnyType):
            return _plain(node)
        return self._scalar(node, info, path)

    def _union(self, node: yaml.Node, info: mi.UnionType, path: Path) -> Any:
        null = isinstance(node, yaml.ScalarNode) and node.tag == _NULL
        wanted = [t for t in info.types if isinstance(t, mi.NoneType) == null]
        if not wanted:
            raise self._wrong(node, path, "something", "nothing")
        if null:
            return None
        composite = isinstance(node, yaml.MappingNode)
        fitting = [t for t in wanted if isinstance(t, mi.StructType | mi.DictType) == composite]
        return self._value(node, (fitting or wanted)[0], path)

    def _record(self, node: yaml.Node, info: mi.StructType, path: Path) -> Any:
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, path, "levers (key: value)", _kind_of(node))
        fields = {yaml_name(f): f for f in info.fields}
        given: dict[str, Any] = {}
        for key_node, value in node.value:
            key = str(key_node.value)
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            field = fields.get(key)
            if field is None:
                raise self._unknown(key, tuple(fields), path)
            if field.name in given:
                raise self.error((*path, key), f"'{key}' is given twice under {_under(path)}")
            given[field.name] = self._field(value, field, (*path, key))
        missing = [yaml_name(f) for f in info.fields if f.required and f.name not in given]
        if missing:
            raise self.error(path, f"{_under(path)} needs '{missing[0]}'")
        return info.cls(**given)

    def _field(self, node: yaml.Node, field: mi.Field, path: Path) -> Any:
        if is_duration(field) and isinstance(node, yaml.ScalarNode) and node.tag != _NULL:
            matched = _DURATION.fullmatch(str(node.value).strip())
            if matched is None or (matched[1].startswith("-") and "offset" not in field.name):
                raise self._wrong(node, path, "a duration such as 90s, 5m, 2h or 3d", node.value)
            return float(matched[1]) * _SECONDS[matched[2] or ""]
        return self._value(node, field.type, path)

    def _mapping(self, node: yaml.Node, info: mi.DictType, path: Path) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, path, "names with their values", _kind_of(node))
        made: dict[str, Any] = {}
        for key_node, value in node.value:
            key = str(key_node.value)
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            if key in made:
                raise self.error((*path, key), f"'{key}' is given twice under {_under(path)}")
            made[key] = self._value(value, info.value_type, (*path, key))
        return made

    def _sequence(
        self, node: yaml.Node, info: mi.VarTupleType | mi.ListType, path: Path
    ) -> tuple[Any, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._wrong(node, path, "a list", _kind_of(node))
        return tuple(
            self._value(item, info.item_type, (*path, index))
            for index, item in enumerate(node.value)
        )

    def _choice(self, node: yaml.Node, info: mi.LiteralType, path: Path) -> Any:
        raw = str(node.value) if isinstance(node, yaml.ScalarNode) else _kind_of(node)
        for value in info.values:
            if raw == str(value) or (raw in {"null", "~"} and value == ""):
                return value
        choices = [str(v) for v in info.values if v != ""]
        near = difflib.get_close_matches(raw, choices, 1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; it can be {', '.join(choices)}"
        raise self.error(path, f"{_under(path)} cannot be '{raw}'{hint}")

    def _scalar(self, node: yaml.Node, info: mi.Type, path: Path) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self._wrong(node, path, _wanted(info), _kind_of(node))
        if isinstance(info, mi.StrType):
            if node.tag == _NULL and node.value != "":
                raise self._wrong(node, path, "text", "null")
            return str(node.value)
        value = _plain(node)
        if isinstance(info, mi.BoolType) and isinstance(value, bool):
            return value
        if isinstance(info, mi.IntType) and isinstance(value, int) and not isinstance(value, bool):
            return value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(info, mi.FloatType) and number:
            return float(value)
        raise self._wrong(node, path, _wanted(info), repr(node.value))

    def _unknown(self, key: str, known: tuple[str, ...], path: Path) -> ScenarioError:
        near = difflib.get_close_matches(key.replace("_", "-"), known, 1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; it knows {', '.join(sorted(known))}"
        where = f" under {_under(path)}" if path else ""
        return self.error((*path, key), f"unknown lever '{key}'{where}{hint}")

    def _wrong(self, node: yaml.Node, path: Path, wanted: str, got: str) -> ScenarioError:
        self.lines[path] = node.start_mark.line + 1
        return self.error(path, f"{_under(path)} must be {wanted}, not {got}")


def yaml_name(field: mi.Field) -> str:
    """The name of a field in a file: words joined by ``-``, durations without their ``-s``."""
    name = field.name.rstrip("_")
    return (name.removesuffix("_s") if is_duration(field) else name).replace("_", "-")


def is_duration(field: mi.Field) -> bool:
    """Whether a field holds seconds and is written as ``5m``."""
    return field.name.endswith("_s") and not field.name.endswith("_per_s")


@cache
def _info(kind: Hashable) -> mi.Type:
    return mi.type_info(kind)


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Constructor(yaml.constructor.SafeConstructor):
    """Plain values out of nodes, without a stream."""


def _plain(node: yaml.Node) -> Any:
    return _Constructor().construct_document(node)


def _kind_of(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "key: value pairs"
    return "a list" if isinstance(node, yaml.SequenceNode) else repr(node.value)


def _wanted(info: mi.Type) -> str:
    names = {mi.BoolType: "true or false", mi.IntType: "a whole number", mi.FloatType: "a number"}
    return names.get(type(info), "text")


def _under(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return f"'{text}'" if text else "the scenario"
