"""pods/portforward: whether this pod takes it, and in which of the protocols.

``v4.channel.k8s.io`` in a websocket (every generation), SPDY/3.1 as an HTTP upgrade (every
generation; kubectl's fallback) and SPDY/3.1 inside a websocket (from 1.31, kubectl's first choice).
"""

from __future__ import annotations

from aiohttp import web

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.channels import CHANNELS, forward_over_channels
from keptn_doctor.lab.kube.forwarding import wanted_ports
from keptn_doctor.lab.kube.objects import Object, dig
from keptn_doctor.lab.kube.rbac import Attributes, authorize, refusal
from keptn_doctor.lab.kube.status import PlainError, bad_request
from keptn_doctor.lab.kube.tunnels import (
    SPDY,
    TUNNEL,
    forward_over_tunnel,
    forward_over_upgrade,
)


async def port_forward(call: Call) -> web.StreamResponse:
    upgrade = requested_upgrade(call)
    pod = call.cluster.peek(call.resource.key, call.namespace, call.target.name)
    if pod is None:
        raise call.missing()
    if upgrade == "websocket":
        _need_create(call)
    _need_running(pod, call.target.name)
    if upgrade == SPDY:
        return await forward_over_upgrade(call)
    offered = [p.strip() for p in call.request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if TUNNEL in offered and call.cluster.generation.tunnels_spdy:
        return await forward_over_tunnel(call)
    if upgrade == "websocket" and (CHANNELS in offered or offered == [""]):
        return await forward_over_channels(call, wanted_ports(call))
    raise PlainError(400, "")


def requested_upgrade(call: Call) -> str:
    """The protocol of the Upgrade header, in lower case; a 400 when there is none."""
    headers = call.request.headers
    upgrade = headers.get("Upgrade", "").lower()
    if not upgrade or "upgrade" not in headers.get("Connection", "").lower():
        raise bad_request("Upgrade request required")
    return upgrade


def _need_create(call: Call) -> None:
    """From 1.35 on a websocket GET is authorized as create too: it opens a way in."""
    if not call.cluster.generation.upgrade_needs_create or call.verb == "create":
        return
    target = call.target
    wanted = Attributes(
        verb="create",
        resource=target.resource,
        subresource=target.subresource,
        namespace=target.namespace,
        name=target.name,
    )
    if not authorize(call.cluster, call.user, wanted).allowed:
        raise refusal(call.user, wanted)


def _need_running(pod: Object, name: str) -> None:
    if not dig(pod, "spec", "nodeName"):
        raise bad_request(f"pod {name} does not have a host assigned")
    if dig(pod, "status", "phase") != "Running":
        raise PlainError(500, "unable to do port forwarding: pod not running\n")
