"""All objects of one cluster while a world is being made, and the changes a scenario asks for."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from keptn_doctor.lab.kube.patches import strategic_merge
from keptn_doctor.lab.levers import ObjectChange
from keptn_doctor.lab.objects import Object

Key = tuple[str, str, str]  # kind, namespace, name
_WITH_SPEC = {
    "Deployment", "StatefulSet", "DaemonSet", "Service", "PersistentVolumeClaim", "NetworkPolicy",
    "Ingress", "Route", "VirtualService",
}  # fmt: skip


def key_of(obj: Object) -> Key:
    meta = obj.get("metadata") or {}
    return str(obj.get("kind")), str(meta.get("namespace") or ""), str(meta.get("name"))


class Inventory:
    """Objects by kind, namespace and name, in the order in which they were added."""

    def __init__(self, made: Iterable[Object] = ()) -> None:
        self._objects: dict[Key, Object] = {}
        self.raw: set[Key] = set()
        for obj in made:
            self.add(obj)

    def __iter__(self) -> Iterator[Object]:
        return iter(self._objects.values())

    def add(self, obj: Object) -> Object:
        """Put an object in, or replace its namesake."""
        self._objects[key_of(obj)] = obj
        return obj

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._objects.get((kind, namespace, name))

    def of(self, kind: str, namespace: str | None = None) -> list[Object]:
        """Objects of a kind; what has lost its ``spec`` is there, but no controller looks at it."""
        return [
            obj
            for (k, home, _), obj in self._objects.items()
            if k == kind
            and namespace in {None, home}
            and (kind not in _WITH_SPEC or isinstance(obj.get("spec"), dict))
        ]

    def remove(self, key: Key) -> None:
        self._objects.pop(key, None)
        self.raw.discard(key)

    def apply(self, changes: Iterable[ObjectChange]) -> tuple[ObjectChange, ...]:
        """Make the changes whose targets exist; returns the others and the raw additions.

        What is added raw is for readers only: nothing is derived from it.
        """
        return tuple(change for change in changes if change.raw or not self._apply(change))

    def finish(self, changes: Iterable[ObjectChange]) -> tuple[ObjectChange, ...]:
        """As ``apply``, after everything has been derived; returns what found no target."""
        return tuple(change for change in changes if not self._apply(change))

    def _apply(self, change: ObjectChange) -> bool:
        if change.add:
            obj = self.add(copy.deepcopy(change.add))
            if change.raw:
                self.raw.add(key_of(obj))
            return True
        targets = self._matching(change.patch or change.remove)
        for key in targets:
            if change.remove:
                self.remove(key)
            else:
                self._objects[key] = strategic_merge(self._objects[key], change.merge)
        return bool(targets)

    def _matching(self, target: str) -> list[Key]:
        kind, _, path = target.partition(" ")
        namespace, _, name = path.strip().rpartition("/")
        return [
            key
            for key in self._objects
            if key[0].lower() == kind.lower()
            and fnmatchcase(key[1], namespace)
            and fnmatchcase(key[2], name)
        ]
