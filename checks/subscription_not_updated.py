"""A Keptn service was given other topics, and its registration kept the old ones.

Meaning       PUBSUB_TOPIC and the filters are read only when a registration is first made. A later
              helm upgrade changes the variables and nothing else, so the new topics never arrive.
Decided by    Topics of PUBSUB_TOPIC that no subscription of the record has, in a record that an
              earlier pod made.
What to do    Add the subscriptions in the Bridge; or delete the registration and restart the pod,
              so that it registers anew with its variables.
False alarms  A record made by the very pod that runs now was made with the same variables; what
              differs since was changed in the Bridge on purpose. Filters and topics that the Bridge
              added are never told of.
"""

from __future__ import annotations

import re
from shlex import quote

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    Workload,
    attribute,
    check,
    failed,
    live_pods,
    passed,
    skipped,
)

_POLLABLE = re.compile(r"sh\.keptn\.event\.[^.*>]+\.triggered")


@check(about=KeptnService, layer=Layer.SUBSCRIPTION, breaks="degraded", since="0.1")
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    listing: IntegrationListing,
    workload: Workload,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Wanted by the variable, unknown to the record, and the record older than the pod."""
    if service.behaviour.polls_without_registration:
        return skipped(f"{service.name} polls what PUBSUB_TOPIC lists.")
    attribution = attribute(service, listing, logs)
    record = attribution.integration
    if record is None or not record.subscriptions or attribution.sharers:
        return skipped(f"{service.name} has no subscriptions of its own to compare.")
    if record.pod_name in {pod.name for pod in live_pods(workload)}:
        return passed(f"The registration of {service.name} was made by the pod that runs now.")
    has = {subscription.event for subscription in record.subscriptions}
    lacking = [t for t in service.topics if _POLLABLE.fullmatch(t) and t not in has]
    if not lacking:
        return passed(f"Every topic that {service.name} is set to is subscribed to.")
    url = (
        f"{control_plane.api_url or '<endpoint>'}/controlPlane/v1/uniform/registration/{record.id}"
    )
    return failed(
        f"PUBSUB_TOPIC of {service.name} names {', '.join(lacking)}, but its registration, made by "
        f"pod {record.pod_name or 'unknown'}, subscribes to {', '.join(sorted(has))} only.",
        remedy="Add the subscriptions in the Bridge, or delete the registration and restart.",
        command=f'curl -X DELETE -H "x-token: $KEPTN_API_TOKEN" {quote(url)}',
    )
