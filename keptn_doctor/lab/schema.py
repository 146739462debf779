"""The JSON Schema of scenario files, made from the records that they are read into.

Editors complete and check with it (``# yaml-language-server: $schema=…``). It says what
``reading`` accepts: names joined by ``-``, durations such as ``2h``, text where a version is meant.
"""

from __future__ import annotations

from typing import Any

import msgspec.inspect as mi

from keptn_doctor.lab.reading import is_duration, yaml_name
from keptn_doctor.lab.scenario import Scenario

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION: dict[str, Any] = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": r"^-?\d+(\.\d+)?\s*[smhd]?$"},
    ]
}


def schema() -> dict[str, Any]:
    """The whole schema; one definition per record."""
    definitions: dict[str, Any] = {}
    root = _of(mi.type_info(Scenario), definitions)
    return {
        "$schema": _DIALECT,
        "title": "keptn-doctor lab scenario",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _of(info: mi.Type, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(info, mi.StructType):
        return _record(info, definitions)
    if isinstance(info, mi.UnionType):
        return {"anyOf": [_of(one, definitions) for one in info.types]}
    if isinstance(info, mi.DictType):
        return {
            "type": "object",
            "additionalProperties": _of(info.value_type, definitions),
        }
    if isinstance(info, mi.VarTupleType | mi.ListType):
        return {"type": "array", "items": _of(info.item_type, definitions)}
    if isinstance(info, mi.LiteralType):
        return {"enum": list(info.values)}
    return _scalar(info)


def _scalar(info: mi.Type) -> dict[str, Any]:
    if isinstance(info, mi.StrType):
        return {"type": ["string", "number"]}  # 1.24 is text here, and a number to YAML
    if isinstance(info, mi.BoolType):
        return {"type": "boolean"}
    if isinstance(info, mi.IntType):
        return {"type": "integer"}
    if isinstance(info, mi.FloatType):
        return {"type": "number"}
    return {"type": "null"} if isinstance(info, mi.NoneType) else {}


def _record(info: mi.StructType, definitions: dict[str, Any]) -> dict[str, Any]:
    name = info.cls.__name__
    if name not in definitions:
        definitions[name] = {}  # holds the place, for records that contain themselves
        made: dict[str, Any] = {
            "type": "object",
            "description": (info.cls.__doc__ or "").strip().partition("\n")[0],
            "properties": {yaml_name(f): _field(f, definitions) for f in info.fields},
            "additionalProperties": False,
        }
        required = [yaml_name(f) for f in info.fields if f.required]
        if required:
            made["required"] = required
        definitions[name] = made
    return {"$ref": f"#/$defs/{name}"}


def _field(field: mi.Field, definitions: dict[str, Any]) -> dict[str, Any]:
    if not is_duration(field):
        return _of(field.type, definitions)
    if isinstance(field.type, mi.UnionType):
        return {"anyOf": [*_DURATION["anyOf"], {"type": "null"}]}
    return _DURATION
