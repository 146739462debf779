"""What the server serves: the record of one resource in one version, and the catalogue of all.

``storage`` is the identity under which objects are kept: an Ingress is one object, however many
group versions show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keptn_doctor.model.base import Record

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Subresource(Record, frozen=True, kw_only=True):
    """A line such as ``pods/log`` of a discovery document."""

    name: str
    kind: str = ""  # empty: the kind of its resource
    verbs: tuple[str, ...] = ("get", "patch", "update")
    group: str = ""
    version: str = ""


STATUS = Subresource(name="status")


class Resource(Record, frozen=True, kw_only=True):
    """One resource in one API version. ``extra_resources`` of a Cluster are given as these.

    ``columns`` are additional printer columns of a custom resource: title and dotted path.
    """

    group: str
    version: str
    name: str
    kind: str
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = (STATUS,)
    storage: tuple[str, str] = ("", "")
    storage_hash: str = ""
    warning: str = ""
    custom: bool = True
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> tuple[str, str]:
        """Where its objects are kept: storage group and plural name."""
        return self.storage if self.storage[1] else (self.group, self.name)

    @property
    def singular_name(self) -> str:
        return self.singular or self.kind.lower()


class Catalogue:
    """All resources of one server, in the order in which discovery lists them."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._all: dict[tuple[str, str, str], Resource] = {}
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        self._all[(resource.group, resource.version, resource.name)] = resource

    def __iter__(self) -> Iterator[Resource]:
        return iter(tuple(self._all.values()))

    def find(self, group: str, version: str, name: str) -> Resource | None:
        return self._all.get((group, version, name))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        for resource in self._all.values():
            if resource.kind == kind and resource.api_version == api_version:
                return resource
        return None

    def named(self, name: str) -> Resource:
        """Look up ``pods``, ``pod``, ``po`` or ``ingresses.networking.k8s.io``, as kubectl does.

        Raises KeyError with the name when nothing is served under it.
        """
        plural, _, group = name.partition(".")
        for resource in self._all.values():
            names = (resource.name, resource.singular_name, *resource.short_names)
            if plural in names and (not group or group == resource.group):
                return resource
        raise KeyError(name)

    def groups(self) -> dict[str, list[str]]:
        """Group name to its versions, best first, without the legacy core group."""
        found: dict[str, list[str]] = {}
        for group, version, _ in self._all:
            if group and version not in found.setdefault(group, []):
                found[group].append(version)
        return found

    def has_group(self, group: str) -> bool:
        return any(key[0] == group for key in self._all)

    def in_group_version(self, group: str, version: str) -> list[Resource]:
        return [r for key, r in self._all.items() if key[:2] == (group, version)]
