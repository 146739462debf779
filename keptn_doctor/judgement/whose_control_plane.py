"""Whether a Keptn service talks to the control plane that was named, when its list cannot tell.

Two Keptns can have the same token, names and version. What tells them apart: the integrations they
list, heartbeats in the gateway's own log, and the addresses by which the gateway is exposed. A
match of addresses is taken for identity; no match proves nothing, as something unknown may stand
in front of the gateway.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from keptn_doctor.judgement.needs import Bound, Evidence, Need
from keptn_doctor.model.keptn_facts import GatewayLog, Integration, PodLog
from keptn_doctor.model.kube_facts import ExposureRoutes, GatewayService, Nodes
from keptn_doctor.model.path_facts import DnsAnswer
from keptn_doctor.model.topology import Endpoint, Entity, KeptnService
from keptn_doctor.reading.address import called, exposed_addresses
from keptn_doctor.reading.log import registration_ids

F = TypeVar("F")

_SEVERAL = 1.5  # two services send twice as many heartbeats as one


def leads_here(
    evidence: Evidence, service: KeptnService, logs: Iterable[PodLog], *, beside: bool | None
) -> bool | None:
    """True when something shows it, False when it could have shown and did not, else None.

    ``beside``: the service runs in the control plane's own cluster.
    """
    endpoint = evidence.endpoint_of(service)
    if endpoint is None or not endpoint.host:
        return True if beside and service.mode == "nats" else None
    if endpoint.used_by_operator or (beside and _is_internal(endpoint.host)):
        return True
    home = evidence.topology.control_plane
    kept = _fact(evidence, GatewayLog, home)
    beats = {p.integration_id for p in kept.pings if 200 in p.statuses} if kept else set()
    if beats & set(registration_ids(logs)):
        return True
    gateway, routes = _fact(evidence, GatewayService, home), _fact(evidence, ExposureRoutes, home)
    if not (gateway or routes or home.context or home.api_url):
        return None  # no control plane was named: it is whichever the services talk to
    return _is_exposed(evidence, endpoint, logs, gateway=gateway, routes=routes)


def beats_alone(
    evidence: Evidence, service: KeptnService, record: Integration | None, *, pods: int
) -> bool | None:
    """Whether the gateway saw the heartbeats of a record, and no more than one service sends.

    None where the gateway's log says nothing: it was not read, or is not on the way.
    """
    kept = _fact(evidence, GatewayLog, evidence.topology.control_plane)
    if kept is None or not kept.lines or record is None or service.mode != "remote":
        return None
    beats = sum(p.count for p in kept.pings if p.integration_id == record.id and 200 in p.statuses)
    due = kept.window_s / service.behaviour.heartbeat_interval_s * max(1, pods)
    return 0 < beats <= _SEVERAL * due


def _is_exposed(
    evidence: Evidence,
    endpoint: Endpoint,
    logs: Iterable[PodLog],
    *,
    gateway: GatewayService | None,
    routes: ExposureRoutes | None,
) -> bool:
    nodes = _fact(evidence, Nodes, evidence.topology.control_plane)
    exposed = exposed_addresses(gateway, routes, nodes)
    hosts = {host.lower() for route in (routes.routes if routes else ()) for host in route.hosts}
    if endpoint.host.lower() in hosts | {name.lower() for name in exposed.names}:
        return True
    where = called(endpoint, logs, None, _fact(evidence, DnsAnswer, endpoint))
    own = (e for e in evidence.topology.endpoints if e.used_by_operator)
    named = {a for e in own for a in called(e, (), None, _fact(evidence, DnsAnswer, e)).addresses}
    return not (exposed.addresses | named).isdisjoint(where.addresses)


def _is_internal(host: str) -> bool:
    return "." not in host or host.endswith((".svc", ".svc.cluster.local")) or host.count(".") == 1


def _fact(evidence: Evidence, kind: type[F], subject: Entity) -> F | None:
    bound = evidence.bind(Need(parameter="", kind=kind), subject)
    return bound.value if isinstance(bound, Bound) else None
