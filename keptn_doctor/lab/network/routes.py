"""What happens to a packet: from a vantage, for a Keptn service, to a virtual address and port.

Pure: the rules of egress policies, firewalls and listeners, applied in the order in which a packet
meets them. ``wire.py`` turns the verdict into sockets.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from fnmatch import fnmatch

from keptn_doctor.lab.settings import (
    EgressRule,
    EgressSettings,
    HopSettings,
    ListenerSettings,
    PlaneNetworkSettings,
    SimulationSettings,
    TlsSettings,
)

BLACK_HOLE_CLUSTER = "@envoy-blackhole"  # served to meshed pods for hosts outside the registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The verdict: how the connection behaves and who answers it."""

    hop: HopSettings
    serves: str = ""  # "" = nobody: only the behaviours that need nobody
    tls: TlsSettings | None = None
    source: str = ""  # the address that the far end sees
    sniff: bool = False  # TLS and plain connections are treated differently
    only_for: tuple[str, ...] = ()  # server names in the ClientHello that the hop acts on


def nat_address(settings: SimulationSettings, vantage: str) -> str:
    """The address that packets of a vantage arrive from; one of its own when none is set."""
    for plane in settings.planes:
        if plane.vantage == vantage and plane.nat_address:
            return plane.nat_address
    seen = [
        "operator",
        "control-plane",
        *(p.vantage for p in settings.planes),
        *(c.plane for c in settings.clients),
    ]
    place = list(dict.fromkeys([*seen, vantage])).index(vantage)
    return f"198.51.100.{10 + place}"


def _covers(rule: EgressRule, address: str, port: int) -> bool:
    try:
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(rule.cidr, strict=False)
    except (ValueError, TypeError):
        return False
    return inside and (not rule.ports or port in rule.ports)


def policies(
    settings: SimulationSettings, vantage: str, service: str
) -> tuple[EgressSettings, ...]:
    """The egress settings that apply to a Keptn service (``namespace/name``) of a vantage."""
    plane = next((p for p in settings.planes if p.vantage == vantage), None)
    return _applying(plane, service) if plane else ()


def _applying(plane: PlaneNetworkSettings, service: str) -> tuple[EgressSettings, ...]:
    return tuple(
        policy
        for policy in plane.egress
        if any(fnmatch(service or "*/*", pattern) for pattern in policy.applies_to)
    )


def _stopped(policy: EgressSettings, address: str, port: int) -> str:
    """The behaviour that a policy forces on a packet; "" lets it pass."""
    if any(_covers(rule, address, port) for rule in policy.deny):
        return policy.denied_with
    if any(_covers(rule, address, port) for rule in policy.allow):
        return ""
    return "" if policy.default == "open" else policy.default


def _hop(listener: ListenerSettings, vantage: str) -> HopSettings:
    for hop in listener.hops:
        if hop.vantage in ("*", vantage):
            return hop
    return HopSettings(vantage=vantage)


def route(
    settings: SimulationSettings, *, vantage: str, address: str, port: int, service: str = ""
) -> Route:
    """Where a SYN ends up.

    Args:
        settings: the world.
        vantage: where it is sent from.
        address: virtual address, IPv4 or IPv6.
        port: TCP port.
        service: ``namespace/name`` of the Keptn service whose pod sends it, "" for none.
    """
    source = nat_address(settings, vantage)
    for policy in policies(settings, vantage, service):
        stopped = _stopped(policy, address, port)
        if stopped:
            return Route(hop=_behaving(stopped), source=source)
        if policy.registry_only:
            hop = HopSettings(vantage=vantage, behaviour="reset-after-client-hello", on="tls")
            return Route(hop=hop, serves=BLACK_HOLE_CLUSTER, source=source, sniff=True)
    listener = next(
        (x for x in settings.listeners if x.address == address and x.port == port), None
    )
    if listener is None:
        return Route(hop=_behaving("drop"), source=source)
    hop = _hop(listener, vantage)
    only_for: tuple[str, ...] = ()
    inspecting = next((p for p in policies(settings, vantage, service) if p.inspection), None)
    if inspecting is not None and hop.behaviour == "open":
        hop = _inspection(inspecting)
        only_for = inspecting.inspected_hosts
    return Route(
        hop=hop,
        serves=listener.serves,
        tls=listener.tls,
        source=source,
        sniff=listener.tls is not None or hop.on != "any",
        only_for=only_for,
    )


def _behaving(behaviour: str) -> HopSettings:
    match behaviour:
        case "no-route":
            return HopSettings(behaviour="no-route")
        case "refuse":
            return HopSettings(behaviour="refuse")
        case "reset":
            return HopSettings(behaviour="reset")
        case _:
            return HopSettings(behaviour="drop")


def _inspection(policy: EgressSettings) -> HopSettings:
    """A firewall that looks into TLS."""
    if policy.inspection == "resign":
        return HopSettings(behaviour="resign", on="tls")
    return HopSettings(behaviour="reset-after-client-hello", on="tls")
