"""The state of one lab cluster: objects, users, revisions and the stream of changes.

It is what etcd, the controllers and the credential store are to a real API server. It holds plain
dicts, replaces them whole (a stored dict is never changed in place) and counts revisions. It knows
nothing of HTTP and runs no controllers: apart from defaults, garbage collection by owner and the
emptying of a deleted namespace, an object is what the lab makes it.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from keptn_doctor.lab.kube.bootstrap import bootstrap_objects
from keptn_doctor.lab.kube.builtin import builtin_catalogue
from keptn_doctor.lab.kube.conversion import to_storage
from keptn_doctor.lab.kube.customresources import resources_of_definition
from keptn_doctor.lab.kube.defaults import apply_defaults
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import (
    Object,
    copied,
    dicts,
    metadata,
    name_of,
    namespace_of,
    stable_uid,
    stamp,
)
from keptn_doctor.lab.kube.patches import merge_patch
from keptn_doctor.lab.kube.resources import Resource
from keptn_doctor.lab.kube.users import User
from keptn_doctor.model.base import Record

Key = tuple[str, str]

_NAMESPACES: Key = ("", "namespaces")
_DEFINITIONS: Key = ("apiextensions.k8s.io", "customresourcedefinitions")
_HISTORY = 5_000
_FIRST_REVISION = 1_000


class Change(Record, frozen=True, kw_only=True):
    """One write: ADDED, MODIFIED or DELETED, the object after it and the one before."""

    kind: str
    key: Key
    obj: Object
    before: Object | None
    revision: int


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Cluster:
    """A Kubernetes cluster as data.

    ``generation`` is a minor version such as ``"1.24"``. ``objects`` are Kubernetes objects with
    apiVersion and kind; missing uid, resourceVersion, creationTimestamp, namespaces and defaults
    are filled in. ``users`` maps bearer tokens to users. ``name`` seeds the uids: the same name and
    objects give the same uids in every run, another name gives others; without it they are random.
    ``now`` is the cluster's clock: ages, new objects and expiry of credentials follow it.
    ``extra_resources`` are served beside the stock ones; a CustomResourceDefinition among the
    objects does the same. ``on_pod_created`` is called after a pod was created *through the API*;
    ``admit_pod`` is asked before, and what it answers (if anything) is why the pod is forbidden.
    ``build`` is what a distribution appends to its version, such as ``+k3s1``.
    """

    def __init__(
        self,
        generation: str = "1.36",
        objects: Iterable[Object] = (),
        users: Mapping[str, User] | None = None,
        now: Callable[[], datetime] = _utc_now,
        *,
        name: str = "",
        extra_resources: Iterable[Resource] = (),
        on_pod_created: Callable[[Cluster, Object], None] | None = None,
        admit_pod: Callable[[Cluster, Object], str] | None = None,
        anonymous: bool = True,
        build: str = "",
    ) -> None:
        self.build = build
        self.generation = Generation.parse(generation)
        self.name = name or str(uuid.uuid4())
        self.now = now
        self.users: dict[str, User] = dict(users or {})
        self.on_pod_created = on_pod_created
        self.admit_pod = admit_pod
        self.anonymous = anonymous
        self.catalogue = builtin_catalogue(self.generation)
        for resource in extra_resources:
            self.catalogue.add(resource)
        self.revision = _FIRST_REVISION
        self.compacted = 0
        self._objects: dict[Key, dict[str, Object]] = {}
        self._latest: dict[Key, int] = {}
        self._history: deque[Change] = deque(maxlen=_HISTORY)
        self._listeners: list[Callable[[Change], None]] = []
        for obj in bootstrap_objects(self.generation):
            self.put(obj)
        given = list(objects)
        for obj in sorted(given, key=lambda o: o.get("kind") != "CustomResourceDefinition"):
            self.put(obj)

    # What the lab calls

    def add(self, obj: Object, *, raw: bool = False) -> Object:
        """Put an object in, or replace the one of its name; returns a copy of what is stored.

        With ``raw`` nothing but the bare identity is filled in: for odd objects (null or missing
        fields) that a real server could only have kept from an older version. Raises ValueError
        when the kind is not served.
        """
        return copied(self.put(obj, raw=raw))

    def put(self, obj: Object, *, raw: bool = False) -> Object:
        """As ``add``, but what is returned is what is stored: never to be changed in place."""
        resource = self.catalogue.of_kind(str(obj.get("apiVersion")), str(obj.get("kind")))
        if resource is None:
            kind = f"{obj.get('apiVersion')} {obj.get('kind')}"
            raise ValueError(f"Kubernetes {self.generation.text} in the lab does not serve {kind}")
        stored = to_storage(resource, copied(obj))
        if not isinstance(stored.get("metadata"), dict) or not name_of(stored):
            raise ValueError(f"an object of kind {obj.get('kind')} has no metadata.name")
        if resource.namespaced:
            metadata(stored).setdefault("namespace", "default")
            self._need_namespace(namespace_of(stored))
        if not raw:
            apply_defaults(resource.key, stored, self.generation)
            self._complete_reference(stored.get("involvedObject"))
        return self.store(resource, stored)

    def get(self, resource: str, name: str, namespace: str = "") -> Object | None:
        """A copy of one object; ``resource`` as kubectl takes it: ``pods``, ``deploy.apps``."""
        found = self.peek(self.catalogue.named(resource).key, namespace, name)
        return copied(found)

    def objects(self, resource: str, namespace: str = "") -> list[Object]:
        """Copies of all objects of a resource, of one namespace when it is given."""
        key = self.catalogue.named(resource).key
        return [copied(obj) for obj in self.items(key, namespace)]

    def patch(self, resource: str, name: str, change: Object, namespace: str = "") -> Object:
        """Apply a JSON merge patch (RFC 7386) from inside the lab; KeyError if it is missing."""
        found = self.catalogue.named(resource)
        before = self.peek(found.key, namespace, name)
        if before is None:
            raise KeyError(f"{resource} {namespace}/{name}")
        changed = merge_patch(before, change)
        if changed.get("spec") != before.get("spec") and "generation" in metadata(changed):
            changed["metadata"]["generation"] = int(metadata(before)["generation"]) + 1
        return copied(self.store(found, changed))

    def remove(self, resource: str, name: str, namespace: str = "") -> bool:
        """Delete an object and what it owns; False when it was not there."""
        found = self.catalogue.named(resource)
        return self.delete(found.key, namespace, name) is not None

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` on every later change; returns what ends that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def compact(self) -> None:
        """Forget the history, as etcd does: older continue tokens and watches are expired."""
        self.compacted = self.revision
        self._history.clear()

    def user_named(self, name: str) -> User | None:
        """The user whose client certificate carries this common name."""
        return next((user for user in self.users.values() if user.name == name), None)

    # What the server calls: stored dicts, never to be changed in place

    def peek(self, key: Key, namespace: str, name: str) -> Object | None:
        return self._objects.get(key, {}).get(_path(namespace, name))

    def items(self, key: Key, namespace: str = "") -> list[Object]:
        """Objects in etcd's order: by ``namespace/name`` as one string."""
        return [obj for _, obj in self.paths(key, namespace)]

    def paths(self, key: Key, namespace: str = "") -> list[tuple[str, Object]]:
        prefix = f"{namespace}/" if namespace else ""
        rows = self._objects.get(key, {}).items()
        return sorted((row for row in rows if row[0].startswith(prefix)), key=lambda row: row[0])

    def latest(self, key: Key) -> int:
        """The revision of the last change to this resource: what the watch cache knows."""
        return self._latest.get(key, _FIRST_REVISION)

    def store(self, resource: Resource, obj: Object) -> Object:
        """Keep an object as given, with identity, the next revision and a creation time."""
        key = resource.key
        path = _path(namespace_of(obj) if resource.namespaced else "", name_of(obj))
        before = self._objects.get(key, {}).get(path)
        self.revision += 1
        meta = dict(metadata(obj))
        old = metadata(before) if before is not None else {}
        born = old.get("creationTimestamp") or stamp(self.now())
        uid = old.get("uid") or stable_uid(self.name, *key, path, str(self.revision))
        meta.setdefault("uid", uid)
        meta.setdefault("creationTimestamp", born)
        meta["resourceVersion"] = str(self.revision)
        obj = {**obj, "metadata": meta}
        obj.setdefault("kind", resource.kind)
        obj.setdefault("apiVersion", resource.api_version)
        self._objects.setdefault(key, {})[path] = obj
        if key == _DEFINITIONS:
            for custom in resources_of_definition(obj):
                self.catalogue.add(custom)
        self._record("MODIFIED" if before is not None else "ADDED", key, obj, before)
        return obj

    def delete(self, key: Key, namespace: str, name: str, *, orphan: bool = False) -> Object | None:
        """Remove an object, its dependants and, for a namespace, its content; None if missing."""
        gone = self._objects.get(key, {}).pop(_path(namespace, name), None)
        if gone is None:
            return None
        self.revision += 1
        meta = {**metadata(gone), "resourceVersion": str(self.revision)}
        last = {**gone, "metadata": meta}
        self._record("DELETED", key, last, gone)
        if key == _NAMESPACES:
            self._empty_namespace(name)
        if not orphan:
            self._collect(str(meta.get("uid")))
        return last

    def since(self, key: Key, revision: int) -> list[Change] | None:
        """Changes of a resource after a revision; None when they are no longer known."""
        if revision < self.compacted:
            return None
        full = len(self._history) == _HISTORY
        if full and self._history and self._history[0].revision > revision + 1:
            return None
        return [c for c in self._history if c.key == key and c.revision > revision]

    def has_namespace(self, name: str) -> bool:
        return self.peek(_NAMESPACES, "", name) is not None

    def _need_namespace(self, name: str) -> None:
        if not self.has_namespace(name):
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def _complete_reference(self, reference: Any) -> None:
        """Give an event the uid of what it is about: ``kubectl describe`` selects by it."""
        if not isinstance(reference, dict) or "uid" in reference:
            return
        version = str(reference.get("apiVersion", "v1"))
        resource = self.catalogue.of_kind(version, str(reference.get("kind")))
        if resource is None:
            return
        namespace = str(reference.get("namespace", "")) if resource.namespaced else ""
        about = self.peek(resource.key, namespace, str(reference.get("name")))
        if about is not None:
            reference["uid"] = metadata(about)["uid"]

    def _record(self, kind: str, key: Key, obj: Object, before: Object | None) -> None:
        self._latest[key] = self.revision
        change = Change(kind=kind, key=key, obj=obj, before=before, revision=self.revision)
        self._history.append(change)
        for listener in tuple(self._listeners):
            listener(change)

    def _empty_namespace(self, namespace: str) -> None:
        for key, rows in list(self._objects.items()):
            for path in [p for p in rows if p.startswith(f"{namespace}/")]:
                self.delete(key, namespace, path.partition("/")[2], orphan=True)

    def _collect(self, uid: str) -> None:
        owned = [
            (key, namespace_of(obj), name_of(obj))
            for key, rows in self._objects.items()
            for obj in rows.values()
            if any(ref.get("uid") == uid for ref in dicts(metadata(obj).get("ownerReferences")))
        ]
        for key, namespace, name in owned:
            self.delete(key, namespace, name)


def _path(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name
