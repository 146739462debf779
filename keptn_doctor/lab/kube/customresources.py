"""Resources that a CustomResourceDefinition declares, in apiextensions v1 or v1beta1."""

from __future__ import annotations

from collections.abc import Iterator

from keptn_doctor.lab.kube.objects import Object, dicts, dig
from keptn_doctor.lab.kube.resources import STATUS, Resource


def _columns(version: Object, spec: Object) -> tuple[tuple[str, str], ...]:
    found = version.get("additionalPrinterColumns") or spec.get("additionalPrinterColumns")
    return tuple(
        (str(column.get("name")), str(column.get("jsonPath") or column.get("JSONPath")))
        for column in dicts(found)
    )


def resources_of_definition(definition: Object) -> Iterator[Resource]:
    """One resource per served version; nothing when the definition is incomplete."""
    spec = definition.get("spec")
    names = dig(spec, "names")
    if not isinstance(spec, dict) or not isinstance(names, dict) or "plural" not in names:
        return
    versions = dicts(spec.get("versions")) or [{"name": spec.get("version"), "served": True}]
    for version in versions:
        if not version.get("served", True) or not version.get("name"):
            continue
        subresources = version.get("subresources") or spec.get("subresources") or {}
        yield Resource(
            group=str(spec.get("group")),
            version=str(version["name"]),
            name=str(names["plural"]),
            kind=str(names.get("kind")),
            namespaced=spec.get("scope") != "Cluster",
            singular=str(names.get("singular") or ""),
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=(STATUS,) if "status" in subresources else (),
            columns=_columns(version, spec),
        )
