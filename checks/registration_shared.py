"""Two Keptn services share one registration.

Meaning       The control plane tells services apart by their registered name and namespace only
              (0.9 to 0.15 also by node). Two that agree in these share one record and one set of
              subscriptions: each gets the other's events, and the filters of one are lost.
Decided by    Services of all planes that would register alike, and the record that they share.
What to do    Give each its own name (Helm: nameOverride, or K8S_DEPLOYMENT_NAME) or namespace.
False alarms  Several pods of one workload share a record on purpose and do not count.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    attribute,
    check,
    failed,
    in_a_sentence,
    passed,
    set_variable,
    skipped,
)

_NAMED = 3


@check(
    about=KeptnService, layer=Layer.REGISTRATION, breaks="degraded", proven_by="state", since="0.1"
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    listing: IntegrationListing,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Who would register alike was worked out with the topology."""
    if not service.namesakes:
        return passed(f"No other service of the inspected planes registers as {service.name} does.")
    record = attribute(service, listing, logs)
    if record.integration is None:
        return skipped(f"{service.name} has no registration that could be shared.")
    name = f"{service.plane}-{service.integration_name}"
    sharers = in_a_sentence((service.subject, *service.namesakes), limit=_NAMED)
    return failed(
        f"{sharers} share the registration {record.integration.id[:12]}.",
        remedy="Give each its own registered name or namespace, then restart them.",
        command=set_variable(plane, service, f"K8S_DEPLOYMENT_NAME={name}"),
        at_fault=(f"registration {record.integration.id} is shared",),
    )
