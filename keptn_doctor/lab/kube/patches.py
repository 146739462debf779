"""Changing an object by JSON merge patch, JSON patch and (approximately) strategic merge patch.

Strategic merge needs the schema of every list; here a list of dicts whose items all have a known
merge key is merged by it, every other list is replaced. That covers what kubectl sends for
containers, env, ports and conditions; ``$patch`` directives other than ``delete`` are refused.
"""

from __future__ import annotations

import copy
from typing import Any

from keptn_doctor.lab.kube.objects import Object

_MERGE_KEYS = ("name", "type", "containerPort", "port", "ip", "uid", "mountPath", "topologyKey")


class PatchError(ValueError):
    """The patch cannot be applied; the text is for the answer."""


def merge_patch(target: Any, change: Any) -> Any:
    """RFC 7386; neither argument is changed."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_merge(target: Any, change: Any) -> Any:
    """A merge patch that also merges lists of named things."""
    if isinstance(change, list) and isinstance(target, list):
        key = _merge_key(target, change)
        return _merge_lists(target, change, key) if key else copy.deepcopy(change)
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if key.startswith(("$setElementOrder/", "$retainKeys")):
            continue
        if key.startswith("$"):
            raise PatchError(f"the lab does not know the directive {key}")
        if value is None:
            result.pop(key, None)
        else:
            result[key] = strategic_merge(result.get(key), value)
    return result


def _merge_key(*lists: list[Any]) -> str:
    items = [item for one in lists for item in one]
    if not items or not all(isinstance(item, dict) for item in items):
        return ""
    return next((k for k in _MERGE_KEYS if all(k in item for item in items)), "")


def _merge_lists(target: list[Any], change: list[Any], key: str) -> list[Any]:
    merged = {item[key]: item for item in target}
    for item in change:
        if item.get("$patch") == "delete":
            merged.pop(item[key], None)
        else:
            merged[item[key]] = strategic_merge(merged.get(item[key]), item)
    return list(merged.values())


def json_patch(target: Object, operations: Any) -> Object:
    """RFC 6902 with add, remove, replace and test; raises PatchError."""
    if not isinstance(operations, list):
        raise PatchError("a JSON patch is a list of operations")
    result = copy.deepcopy(target)
    for operation in operations:
        if not isinstance(operation, dict):
            raise PatchError("an operation of a JSON patch is an object")
        _apply(result, operation)
    return result


def _apply(document: Object, operation: dict[str, Any]) -> None:
    name, pointer = operation.get("op"), str(operation.get("path", ""))
    steps = [s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:]]
    if not steps:
        raise PatchError("replacing the whole document is not allowed")
    parent: Any = document
    for step in steps[:-1]:
        parent = _child(parent, step, pointer)
    last = steps[-1]
    if name == "add":
        _add(parent, last, operation.get("value"), pointer)
    elif name == "replace":
        _child(parent, last, pointer)
        parent[_index(parent, last, pointer)] = operation.get("value")
    elif name == "remove":
        _child(parent, last, pointer)
        del parent[_index(parent, last, pointer)]
    elif name == "test":
        if _child(parent, last, pointer) != operation.get("value"):
            raise PatchError(f"testing value {pointer} failed")
    else:
        raise PatchError(f"Unexpected kind: {name}")


def _index(parent: Any, step: str, pointer: str) -> Any:
    if isinstance(parent, dict):
        return step
    if isinstance(parent, list) and step.isdigit():
        return int(step)
    raise PatchError(f"doc is missing path: {pointer}")


def _child(parent: Any, step: str, pointer: str) -> Any:
    try:
        return parent[_index(parent, step, pointer)]
    except (KeyError, IndexError):
        raise PatchError(f"doc is missing key: {pointer}: missing value") from None


def _add(parent: Any, step: str, value: Any, pointer: str) -> None:
    if isinstance(parent, list) and step == "-":
        parent.append(value)
    elif isinstance(parent, list):
        parent.insert(_index(parent, step, pointer), value)
    else:
        parent[_index(parent, step, pointer)] = value
