"""Volume claims of a namespace, and whether there is a storage class to serve them."""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.model.kube_facts import Claim, Claims
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pods import EventIndex
from keptn_doctor.probes.quantities import mebibytes
from keptn_doctor.probes.workloads import scoped

_DEFAULT_MARKS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


async def read_claims(kube: KubeClient, namespace: str, *, events: EventIndex) -> Claims:
    """The claims of a namespace; storage classes add to it where they may be read."""
    claims = await kube.list(scoped("/api/v1", "persistentvolumeclaims", namespace), k8s.Claim)
    try:
        classes = await kube.list("/apis/storage.k8s.io/v1/storageclasses", k8s.StorageClass)
    except WorldFault:
        return Claims(claims=tuple(_claim(c, None, events) for c in claims))
    names = {item.name for item in classes}
    return Claims(
        claims=tuple(_claim(c, names, events) for c in claims),
        default_storage_class=_default(classes),
    )


def _default(classes: Iterable[k8s.StorageClass]) -> str:
    for item in classes:
        if any(item.annotations.get(mark) == "true" for mark in _DEFAULT_MARKS):
            return item.name
    return ""


def _claim(claim: k8s.Claim, classes: set[str] | None, events: EventIndex) -> Claim:
    spec, status = claim.spec or k8s.ClaimSpec(), claim.status or k8s.ClaimStatus()
    wanted = ((spec.resources and spec.resources.requests) or {}).get("storage")
    name = spec.storage_class_name or ""
    return Claim(
        namespace=claim.namespace,
        name=claim.name,
        phase=status.phase or "",
        storage_class=name,
        storage_class_exists=None if classes is None or not name else name in classes,
        size_mi=mebibytes((status.capacity or {}).get("storage") or wanted),
        created_at=claim.created_at,
        events=events.get(("PersistentVolumeClaim", claim.namespace, claim.name), ()),
    )
