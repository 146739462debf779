"""The catalogue of a stock Kubernetes API server, per minor version."""

from __future__ import annotations

from collections.abc import Iterator

from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.resources import Catalogue, Resource
from keptn_doctor.lab.kube.rows import Row, Served
from keptn_doctor.lab.kube.rows_core import core_rows
from keptn_doctor.lab.kube.rows_groups import GROUPS


def _warning(group: str, row: Row, served: Served, generation: Generation) -> str:
    """The deprecation warning that a server of this generation sends with every answer."""
    if row.name == "endpoints" and generation.warns_about_endpoints:
        return "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    # Warning headers exist since 1.19; the recorded one is the Ingress's.
    if row.name == "ingresses" and served.version == "v1beta1" and generation.minor >= 19:
        since = "v1.14+" if group == "extensions" else "v1.19+"
        return (
            f"{group}/v1beta1 Ingress is deprecated in {since}, unavailable in v1.22+; "
            "use networking.k8s.io/v1 Ingress"
        )
    return ""


def _resources(group: str, rows: tuple[Row, ...], generation: Generation) -> Iterator[Resource]:
    for row in rows:
        for served in row.versions:
            if served.since <= generation.minor <= served.until:
                yield Resource(
                    group=group,
                    version=served.version,
                    name=row.name,
                    kind=row.kind,
                    namespaced=row.namespaced,
                    short_names=row.short,
                    categories=row.categories,
                    verbs=row.verbs,
                    subresources=row.subresources,
                    storage=row.storage,
                    storage_hash=row.storage_hash,
                    singular="endpoints" if row.name == "endpoints" else "",
                    warning=_warning(group, row, served, generation),
                    custom=False,
                )


def builtin_catalogue(generation: Generation) -> Catalogue:
    """Everything a stock server of this generation serves."""
    catalogue = Catalogue(_resources("", core_rows(generation), generation))
    for group, rows in GROUPS:
        for resource in _resources(group, rows, generation):
            catalogue.add(resource)
    return catalogue
