"""What hangs on each workload of the control plane, and what each of them hangs on.

Sources: the routes of ``api-gateway-nginx.yaml``, ``api/handlers/event.go@0.16.2``, the init
containers ``wait-for-*`` of ``installer/manifests/keptn/templates @1.4.5``.
"""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.model.findings import Breaks, Layer
from keptn_doctor.model.kube_facts import Components, Workload
from keptn_doctor.reading.workload import containers

DATABASES = ("keptn-mongo", "mongodb")
BROKERS = ("keptn-nats", "keptn-nats-cluster")

_HEARTBEATS_END_AT: dict[str, Layer] = {
    "api-gateway-nginx": Layer.HTTP,
    "api-service": Layer.AUTH,
    "shipyard-controller": Layer.REGISTRATION,
    "keptn-mongo": Layer.REGISTRATION,
    "mongodb": Layer.REGISTRATION,
}
_EVENTS_END_AT = (*BROKERS, "mongodb-datastore", "resource-service", "configuration-service")
_NEEDS: dict[str, tuple[str, ...]] = {
    "api-service": BROKERS,
    "shipyard-controller": (*DATABASES, *BROKERS, "mongodb-datastore"),
    "mongodb-datastore": (*DATABASES, *BROKERS),
}
_WAIT = "wait-for-"
_SEVERITY: dict[Breaks, int] = {"disconnected": 0, "degraded": 1, "nothing": 2}


def bites(names: Iterable[str]) -> tuple[Breaks, Layer]:
    """What breaks, and on which rung, when these workloads of the control plane are away.

    Heartbeats and polls take the gateway, api-service, shipyard-controller and the database;
    events need some more; all others (Bridge, statistics...) are on no execution plane's way.
    """
    names = tuple(names)
    stops = [_HEARTBEATS_END_AT[name] for name in names if name in _HEARTBEATS_END_AT]
    if stops:
        return "disconnected", min(stops)
    if any(name in _EVENTS_END_AT for name in names):
        return "degraded", Layer.DELIVERY
    return "nothing", Layer.WORKLOAD


def felt(components: Components, names: Iterable[str]) -> tuple[str, ...]:
    """These workloads, and those that are down and need one of them: what their trouble reaches."""
    reached = list(dict.fromkeys(names))
    for _ in range(2):  # an event store that waits for the database, and who waits for that
        reached += [
            w.name
            for w in components.found
            if w.ready == 0 and w.name not in reached and not set(reasons(w)).isdisjoint(reached)
        ]
    return tuple(reached)


def on_the_way(components: Components) -> tuple[Workload, ...]:
    """The workloads that heartbeats, polls or events need, those first that break most."""
    needed = [w for w in components.found if bites((w.name,))[0] != "nothing"]
    return tuple(sorted(needed, key=lambda w: _weight(w.name)))


def breaks_most(names: Iterable[str]) -> str:
    """The workload to tell of first: what disconnects before what degrades, low rungs first.

    Of equals it is the first by name, so that the same world is always told in the same words.
    """
    return min(names, key=_weight)


def _weight(name: str) -> tuple[int, Layer, str]:
    breaks, layer = bites((name,))
    return _SEVERITY[breaks], layer, name


def reasons(workload: Workload) -> tuple[str, ...]:
    """The workloads whose trouble can be why this one is down: itself, and what it needs.

    From 1.0.0 an init container that still runs names what it waits for.
    """
    waits = [
        c.name.removeprefix(_WAIT)
        for c in containers(workload)
        if c.init and c.state == "running" and c.name.startswith(_WAIT)
    ]
    waited = ["keptn-nats" if name == "nats" else name for name in waits]
    return tuple(dict.fromkeys((workload.name, *_NEEDS.get(workload.name, ()), *waited)))
