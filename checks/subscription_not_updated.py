"""A Keptn service was given other topics, and its registration kept the old ones.

Meaning       PUBSUB_TOPIC and the filters are read only when a registration is first made. A later
              helm upgrade changes the variables and nothing else, so the new topics never arrive.
Decided by    Topics of PUBSUB_TOPIC, or names of the filter variables, that no subscription of the
              record has, in a record that a pod of an earlier template made.
What to do    Add the subscriptions in the Bridge; or delete the registration and restart the pod,
              so that it registers anew with its variables.
False alarms  A record made by the pod that runs now, or by one of the same template (the hash in
              its name), was made with the same variables; what differs since was changed in the
              Bridge on purpose. Filters and topics that the Bridge added are never told of.
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
    Subscription,
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
    if _template(record.pod_name) in {_template(pod.name) for pod in live_pods(workload)}:
        return passed(f"The registration of {service.name} was made with the present variables.")
    has = {subscription.event for subscription in record.subscriptions}
    lacking = [t for t in service.topics if _POLLABLE.fullmatch(t) and t not in has]
    variable = "PUBSUB_TOPIC" if lacking else ""
    if not lacking:
        variable, lacking = _unserved(service, record.subscriptions)
        has = (
            {name for s in record.subscriptions for name in _filters(s)[variable]}
            if lacking
            else has
        )
    if not lacking:
        return passed(f"Every topic and filter that {service.name} is set to is in its record.")
    url = (
        f"{control_plane.api_url or '<endpoint>'}/controlPlane/v1/uniform/registration/{record.id}"
    )
    return failed(
        f"{variable} of {service.name} names {', '.join(lacking)}, but its registration, made by "
        f"pod {record.pod_name or 'unknown'}, has {', '.join(sorted(has))} only.",
        remedy="Add the subscriptions in the Bridge, or delete the registration and restart.",
        command=f'curl -X DELETE -H "x-token: $KEPTN_API_TOKEN" {quote(url)}',
    )


def _filters(subscription: Subscription) -> dict[str, tuple[str, ...]]:
    return {
        "PROJECT_FILTER": subscription.projects,
        "STAGE_FILTER": subscription.stages,
        "SERVICE_FILTER": subscription.services,
    }


def _unserved(
    service: KeptnService, subscriptions: tuple[Subscription, ...]
) -> tuple[str, list[str]]:
    """The first filter variable with names that every subscription leaves out."""
    wanted = {
        "PROJECT_FILTER": service.project_filter,
        "STAGE_FILTER": service.stage_filter,
        "SERVICE_FILTER": service.service_filter,
    }
    for variable, names in wanted.items():
        served = [_filters(subscription)[variable] for subscription in subscriptions]
        if not all(served):
            continue  # an empty list takes everything
        known = {name for one in served for name in one}
        left_out = [n.strip() for n in names if n.strip() and n.strip() not in known]
        if left_out:
            return variable, left_out
    return "", []


def _template(pod: str) -> str:
    """What a Deployment's pods of one template share: their name without its random end."""
    return pod.rpartition("-")[0]
