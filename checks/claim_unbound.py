"""A volume claim of the control plane is not bound.

Meaning       MongoDB or NATS (from 0.14, for JetStream) waits for a volume that nobody makes, so
              its pod stays pending, and what needs it fails.
Decided by    The claims in phase Pending of workloads without a ready pod, and their events; the
              scheduler's word that claims are unbound; or a claim in phase Lost, whose volume was
              deleted under it.
What to do    Mark a storage class as default, or install the driver that the class names (on EKS
              the EBS CSI driver).
False alarms  A claim that waits for its first consumer while its pod waits for room is not to
              blame; nor is one left over that no pod uses.
"""

from __future__ import annotations

from keptn_doctor.api import (
    BROKERS,
    DATABASES,
    Claim,
    Claims,
    Components,
    ControlPlane,
    Finding,
    Layer,
    Workload,
    bites,
    check,
    failed,
    felt,
    kubectl,
    passed,
    undecided,
    unscheduled,
    waits_for_volume,
)


@check(
    about=ControlPlane,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=("backend-down", "database-down", "messaging-down", "component-not-ready"),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components, claims: Claims | None) -> Finding:
    """Workloads whose pods wait for a volume, with the claim when it could be read."""
    if not components.found:
        return undecided("None of the control plane's workloads was found.")
    gone = {_owner(c) for c in claims.claims if c.phase == "Lost"} if claims else set()
    down = tuple(w for w in components.found if w.ready == 0)
    stuck = tuple(w for w in down if _waits(w) or w.name in gone)
    if not stuck:
        return passed("No pod of the control plane waits for a volume.")
    names = tuple(w.name for w in stuck)
    breaks, layer = bites(felt(components, names))
    pending = [c for c in claims.claims if c.phase in ("Lost", "Pending")] if claims else []
    of_stuck = [c for c in pending if _owner(c) in names] or pending
    return failed(
        f"{', '.join(names)} waits for a volume: {_why(of_stuck, claims)}.",
        remedy=_remedy(of_stuck, claims),
        command=kubectl(control_plane, "describe pvc", namespace=control_plane.namespace),
        severity="error" if breaks != "nothing" else "warning",
        breaks=breaks,
        layer=layer,
        parts=names,
    )


def _waits(workload: Workload) -> bool:
    return waits_for_volume(unscheduled(workload))


def _owner(claim: Claim) -> str:
    """Whose claim it is, by the names that the charts give (control plane 0.8.3 to 1.4.5)."""
    for name in (*BROKERS, *DATABASES):
        if name in claim.name:
            return name
    return {"mongodata": "mongodb", "configuration-volume": "configuration-service"}.get(
        claim.name, ""
    )


def _why(pending: list[Claim], claims: Claims | None) -> str:
    if not pending:
        return "the scheduler says that its claims are unbound"
    claim = pending[0]
    if claim.phase == "Lost":
        return f"the volume of claim {claim.name} was deleted"
    told = next((e.message.rstrip(".") for e in claim.events if e.message), "")
    if claim.storage_class_exists is False:
        return f"claim {claim.name} asks for the storage class {claim.storage_class}, unknown here"
    if not claim.storage_class and claims is not None and claims.default_storage_class == "":
        told = "it names no storage class and none is the default"
    return f"claim {claim.name} is not bound ({told})" if told else f"claim {claim.name} is pending"


def _remedy(pending: list[Claim], claims: Claims | None) -> str:
    if pending and pending[0].phase == "Lost":
        return "Delete the claim and its pod, so that a new volume is made; the data are gone."
    no_default = claims is not None and claims.default_storage_class == ""
    if pending and not pending[0].storage_class and no_default:
        return "Mark one storage class of the cluster as the default."
    return "Install the driver that makes the volumes of that class, or name another class."
