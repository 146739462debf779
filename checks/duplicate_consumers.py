"""Another copy of a Keptn service takes the same events.

Meaning       Two registrations of the same service match the same events: an event is handled twice
              (two .started), perhaps on the wrong cluster, and the sequence waits for both. Most
              often the one beside the control plane was left running, or neither has a filter.
Decided by    Records of the same name with a live heartbeat whose topics and filters overlap.
What to do    Scale one of them to zero, or give both filters that exclude each other.
False alarms  Different services that subscribe to one task are what Keptn is made for. A record
              whose heartbeat has stopped takes nothing. Several pods of one workload on several
              nodes have several records (0.9 to 0.15) and do not count.
"""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from keptn_doctor.api import (
    ControlPlane,
    ExecutionPlane,
    Finding,
    Integration,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    Subscription,
    Topology,
    attribute,
    check,
    failed,
    freshness,
    kubectl,
    passed,
    skipped,
)


@check(about=KeptnService, layer=Layer.SUBSCRIPTION, breaks="degraded", since="0.1")
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    topology: Topology,
    listing: IntegrationListing,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Same name, another namespace, alive, and something in common."""
    attribution = attribute(service, listing, logs)
    record = attribution.integration
    if record is None or attribution.sharers:
        return skipped(f"{service.name} has no registration of its own to compare.")
    others = [
        other
        for other in listing.by_name.get(record.name, ())
        if other.namespace != record.namespace and freshness(other, listing).state == "fresh"
    ]
    rivals = [o for o in others if _shared(record.subscriptions, o.subscriptions)]
    if not rivals:
        return passed(f"No other live copy of {service.name} takes the same events.")
    other = rivals[0]
    event = _shared(record.subscriptions, other.subscriptions)
    beside = other.namespace == control_plane.namespace
    where = f"{other.namespace}/{other.name}"
    workload = quote(f"deployment/{other.deployment_name or other.name}")
    first = min(record.id, *(rival.id for rival in rivals))
    return failed(
        f"{where}{' beside the control plane' if beside else ''} is alive and takes {event} for "
        f"the same projects, stages and services as {service.namespace}/{service.name}.",
        remedy=f"Scale {where} to zero, or give both filters that exclude each other.",
        command=kubectl(
            control_plane if beside else _plane_of(other, topology),
            f"scale {workload} --replicas=0",
            namespace=other.namespace,
        ),
        at_fault=tuple(f"events of {key} taken twice" for key in sorted({first, record.id})),
    )


def _plane_of(record: Integration, topology: Topology) -> ExecutionPlane | None:
    """The plane of the only inspected service that registers like this."""
    wanted = (record.name, record.namespace)
    found = [
        service
        for service in topology.services
        if (service.integration_name, service.integration_namespace) == wanted
    ]
    return topology.plane_of(found[0]) if len(found) == 1 else None


def _shared(one: Iterable[Subscription], other: Iterable[Subscription]) -> str:
    """The first event that a subscription of each side takes; "" when there is none."""
    theirs = tuple(other)
    return next((a.event for a in one for b in theirs if a.event == b.event and _meet(a, b)), "")


def _meet(a: Subscription, b: Subscription) -> bool:
    pairs = ((a.projects, b.projects), (a.stages, b.stages), (a.services, b.services))
    return all(not left or not right or set(left) & set(right) for left, right in pairs)
