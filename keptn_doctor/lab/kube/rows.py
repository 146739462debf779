"""The table form of built-in resources: one row per kind, with the minors that serve a version."""

from __future__ import annotations

from keptn_doctor.lab.kube.generation import NEWEST, OLDEST
from keptn_doctor.lab.kube.resources import ALL_VERBS, Subresource
from keptn_doctor.model.base import Record

SCALE = Subresource(name="scale", kind="Scale", group="autoscaling", version="v1")


class Served(Record, frozen=True, kw_only=True):
    """A version and the minors that serve it, both ends included."""

    version: str
    since: int = OLDEST
    until: int = NEWEST


class Row(Record, frozen=True, kw_only=True):
    """One kind of the table; ``versions`` in the order in which discovery lists them."""

    name: str
    kind: str
    versions: tuple[Served, ...] = (Served(version="v1"),)
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    namespaced: bool = True
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    storage: tuple[str, str] = ("", "")
    storage_hash: str = ""
