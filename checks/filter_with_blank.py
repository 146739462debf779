"""A filter of a Keptn service has a blank around one of its elements.

Meaning       Keptn splits filters at commas and compares the parts exactly: of "dev, prod" the
              second is " prod" and never matches, so only the first stage is served.
Decided by    The filters of the record (before 0.9 those of the variables).
What to do    Write the list without blanks, and correct the stored subscription in the Bridge: a
              changed variable does not reach an existing registration.
False alarms  None known: no project, stage or service can have a blank in its name.
"""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    Subscription,
    attribute,
    check,
    failed,
    passed,
    set_variable,
    skipped,
)


@check(
    about=KeptnService,
    layer=Layer.SUBSCRIPTION,
    breaks="degraded",
    explains=("subscription-matches-nothing",),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    listing: IntegrationListing,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Every element of every filter must be the same without its blanks."""
    variables = {
        "PROJECT_FILTER": service.project_filter,
        "STAGE_FILTER": service.stage_filter,
        "SERVICE_FILTER": service.service_filter,
    }
    if service.behaviour.filters_from_environment:
        padded = [name for values in variables.values() for name in values if _is_padded(name)]
    else:
        record = attribute(service, listing, logs).integration
        if record is None:
            return skipped(f"{service.name} has no registration with filters.")
        padded = [name for name in _elements(record.subscriptions) if _is_padded(name)]
    if not padded:
        return passed(f"No filter of {service.name} has a blank in it.")
    name, values = next(
        ((n, v) for n, v in variables.items() if padded[0] in v), ("STAGE_FILTER", (padded[0],))
    )
    clean = ",".join(value.strip() for value in values)
    return failed(
        f"A filter of {service.name} names “{padded[0]}”, blank included, which never matches.",
        remedy="Remove the blank from the variable, and from the subscription in the Bridge.",
        command=set_variable(plane, service, f"{name}={clean}"),
    )


def _elements(subscriptions: Iterable[Subscription]) -> Iterable[str]:
    for subscription in subscriptions:
        yield from (*subscription.projects, *subscription.stages, *subscription.services)


def _is_padded(name: str) -> bool:
    return bool(name.strip()) and name != name.strip()
