"""The control plane's database is down.

Meaning       Registrations, heartbeats and events are kept in MongoDB. Without it the API answers
              500 although gateway and token are fine.
Decided by    The ready pods of keptn-mongo (mongodb up to 0.10); else what logs and answers say of
              it ("server selection error"), which also tells of an external database.
What to do    See why its pod is not ready: an unbound volume, an image that is gone, too little
              memory; then restart shipyard-controller if it does not recover by itself.
False alarms  An external database leaves no workload in the cluster; then only logs and answers
              count.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    DATABASES,
    EVERYWHERE,
    Claims,
    Components,
    ControlPlane,
    Finding,
    IntegrationListing,
    Layer,
    PodLog,
    Workload,
    check,
    component,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    undecided,
    why_not_ready,
)


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    explains=("service-crash-looping",),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    components: Components | None,
    claims: Claims | None,
    listing: IntegrationListing | None,
    logs: Annotated[tuple[PodLog, ...] | None, EVERYWHERE],
) -> Finding:
    """The workload's readiness first, then what those say who need the database."""
    workload = component(components, *DATABASES) if components else None
    if workload is not None and workload.ready == 0:
        return _not_ready(control_plane, workload, claims)
    told = ongoing(logs, cause="database") if listing is None else ()
    if told:
        return failed(
            f"The control plane's database does not answer: {quoted(told[0])}.",
            remedy="See that the database is up and can be reached from shipyard-controller.",
            command=kubectl(
                control_plane,
                "logs deployment/shipyard-controller --tail 50",
                namespace=control_plane.namespace,
            ),
            parts=(workload.name,) if workload is not None else DATABASES,
        )
    if workload is not None:
        return passed(f"{workload.name} has a ready pod.")
    if listing is not None:
        return passed("The list of integrations was read from the database.")
    return undecided(
        "No database runs in the control plane's namespace, or it could not be seen.",
        missing=("the control plane's workloads", "its list of integrations"),
    )


def _not_ready(control_plane: ControlPlane, workload: Workload, claims: Claims | None) -> Finding:
    """With the state of its volume as the likeliest reason."""
    names = (workload.name, "mongodata")
    pending = (
        [c for c in claims.claims if c.phase == "Pending" and c.name in names] if claims else []
    )
    volume = f"; its volume claim {pending[0].name} is not bound" if pending else ""
    if workload.desired == 0:
        command = f"scale {workload.workload_kind.lower()}/{workload.name} --replicas=1"
    else:
        command = f"describe {workload.workload_kind.lower()}/{workload.name}"
    return failed(
        f"No pod of the database {workload.name} is ready: {why_not_ready(workload)}{volume}.",
        remedy=f"Bring {workload.name} up, then see that shipyard-controller recovers.",
        command=kubectl(control_plane, command, namespace=control_plane.namespace),
        parts=(workload.name,),
    )
