"""Objects as rows of a Table: what ``kubectl get`` prints."""

from __future__ import annotations

from typing import Any

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.negotiation import Shape
from keptn_doctor.lab.kube.objects import Object
from keptn_doctor.lab.kube.printers import columns_of
from keptn_doctor.lab.kube.status import bad_request


def table(call: Call, shape: Shape, items: tuple[Object, ...], meta: dict[str, Any]) -> Object:
    """A ``meta.k8s.io`` Table; ``includeObject`` is None, Metadata (default) or Object."""
    include = call.query.get("includeObject", "Metadata") or "Metadata"
    if include not in {"None", "Metadata", "Object"}:
        raise bad_request(f'unrecognized includeObject value: "{include}"')
    generation = call.cluster.generation
    columns = columns_of(call.resource, generation)
    now = call.cluster.now()
    rows = []
    for obj in items:
        row: dict[str, Any] = {"cells": [column.cell(obj, now) for column in columns]}
        if include == "Metadata":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": shape.api_version,
                "metadata": obj.get("metadata"),
            }
        elif include == "Object":
            row["object"] = obj
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": shape.api_version,
        "metadata": meta,
        "columnDefinitions": [column.definition(generation) for column in columns],
        "rows": rows,
    }
