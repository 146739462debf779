"""The way to the Keptn API: the operator's endpoint, or a forwarded port of the gateway.

The operator's token is sent there and nowhere else. What it may ask for is its caller's business.
"""

from __future__ import annotations

import asyncio

from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import Components
from keptn_doctor.model.topology import Endpoint, Topology
from keptn_doctor.observe.logs import live_pods
from keptn_doctor.probes.endpoint_path import observe_endpoint
from keptn_doctor.probes.exposure import GATEWAY
from keptn_doctor.probes.forwarded_network import ForwardedNetwork
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_identity import keptn_version
from keptn_doctor.probes.network import Network
from keptn_doctor.secret import Secret
from keptn_doctor.session import Session

_GATEWAY_PORT = 8080


async def reach_keptn_api(
    session: Session, topology: Topology, limit: asyncio.Semaphore | None = None
) -> KeptnApi | None:
    """Keptn's API by the operator's endpoint, else by a forwarded port of the gateway.

    Walking there leaves its observations; None when there is no way, which is noted. ``limit`` is
    that of endpoints walked to at once.
    """
    own = next((e for e in topology.endpoints if e.used_by_operator), None)
    token = _token(session)
    api = None
    if own:
        async with limit or asyncio.Semaphore():
            api = await walk_to(session, own, token)
    if api is None:
        api = await _forwarded_api(session, topology, token)
    if api is None:
        session.recorder.skip(
            NotAttempted(
                probe="integrations",
                subject=topology.control_plane.subject,
                reason="no way to the Keptn API was found from here",
                unlock="--endpoint URL, or create pods/portforward in the namespace of Keptn",
                kind="unreachable",
            )
        )
    return api


async def walk_to(session: Session, endpoint: Endpoint, token: Secret | None = None) -> (
    KeptnApi | None
):  # fmt: skip
    """Walk to one endpoint; token and round trips go to the operator's own endpoint alone."""
    return await observe_endpoint(
        session.recorder,
        Network(session.targets.network),
        endpoint,
        token,
        session.targets.deadlines,
        redactor=session.redactor,
        salt=session.salt,
        active=session.targets.round_trip and endpoint.used_by_operator,
        lines=session.lines() if token else None,
    )


def _token(session: Session) -> Secret | None:
    """The operator's token: the one given, else the control plane's own where it could be read."""
    api = session.targets.api
    return (api.token if api and api.token else None) or session.reference_token


async def _forwarded_api(
    session: Session, topology: Topology, token: Secret | None
) -> KeptnApi | None:
    """The API behind a port-forward to a gateway pod, None where that is not to be had."""
    plane, target = topology.control_plane, session.targets.control_plane
    components = components_of(session)
    if target is None or components is None:
        return None
    kube = await session.kube(target.name)
    pods = [p for w in components.found if w.name == GATEWAY for p in live_pods(w)]
    ready = [p for p in pods if any(c.name == GATEWAY and c.ready for c in p.containers)]
    if isinstance(kube, Failure) or not ready:
        return None
    pod = ready[0].name
    prefix = components.settings.get(f"{GATEWAY}/prefix", "")
    api = KeptnApi(
        ForwardedNetwork(lambda: kube.port_forward(plane.namespace, pod, _GATEWAY_PORT)),
        f"http://{GATEWAY}.{plane.namespace}{prefix}/api",
        token=token,
        salt=session.salt,
        redactor=session.redactor,
        deadlines=session.targets.deadlines,
        active=session.targets.round_trip,
    )
    reached = await session.recorder.look(
        "keptn-version",
        plane.subject,
        keptn_version(api, with_token=False),
        deadline_s=3 * session.targets.deadlines.request_s,
        part="forwarded",
    )
    return None if isinstance(reached, Failure) else api


def components_of(session: Session) -> Components | None:
    return next((fact for _, fact in session.recorder.facts(Components)), None)
