"""The looks from inside an execution plane that need no new pod: a service's own proxy and health.

Recorded with the pod as vantage. A refusal that may pass (gateway or limiter in trouble) is asked
again, each time as a look of its own, so that a mixture of answers is visible as one.
"""

from __future__ import annotations

import asyncio

from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import LocalApiAnswer
from keptn_doctor.model.kube_facts import Pod, Workload
from keptn_doctor.model.topology import KeptnService, Vantage
from keptn_doctor.observe.logs import live_pods
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.local_api import ask_local_api, pollable
from keptn_doctor.probes.sdk_health import ask_health
from keptn_doctor.session import Session

MOST_PODS = 2
_TRIES = 3
_PAUSE_S = 2.0  # the limiter gives back one turn a second, with a burst of two
_PASSING = frozenset({429, 500, 502, 503, 504})


async def look_inside(
    session: Session,
    kube: KubeClient,
    service: KeptnService,
    workload: Workload,
    *,
    briefly: bool = False,
) -> None:
    """Ask the running pods of a service what they see of the control plane.

    ``briefly``: of the integrations, only those of the service's own name.
    """
    probe = "local-api" if service.client == "distributor" else "sdk-health"
    running = [pod for pod in live_pods(workload) if _client_runs(pod, service)][:MOST_PODS]
    if not running:
        session.recorder.skip(
            NotAttempted(
                probe=probe,
                subject=service.subject,
                reason=f"no pod of it has a running container {service.container}",
                kind="unreachable",
            )
        )
        return
    if service.client == "distributor":
        only_name = service.integration_name if briefly else ""
        asking = [_ask_proxy(session, kube, service, pod, only_name) for pod in running]
    else:
        asking = [_ask_health(session, kube, service, pod) for pod in running]
    await asyncio.gather(*asking)


def _client_runs(pod: Pod, service: KeptnService) -> bool:
    return any(c.name == service.container and c.state == "running" for c in pod.containers)


async def _ask_proxy(
    session: Session, kube: KubeClient, service: KeptnService, pod: Pod, only_name: str
) -> None:
    limit = session.targets.deadlines.request_s
    for attempt in range(_TRIES):
        answer = await session.recorder.look(
            "local-api",
            service.subject,
            ask_local_api(
                kube,
                pod.namespace,
                pod.name,
                port=service.api_proxy_port,
                topic=pollable(service.topics),
                deadline_s=limit,
                redactor=session.redactor,
                only_name=only_name,
            ),
            deadline_s=2 * limit + 2 * session.targets.deadlines.kube_s,
            vantage=_inside(service, pod),
            part=str(attempt + 1) if attempt else "",
        )
        if not _may_pass(answer):
            return
        if attempt + 1 < _TRIES:
            await asyncio.sleep(_PAUSE_S)


def _may_pass(answer: LocalApiAnswer | Failure) -> bool:
    """Whether the gateway spoke, but not for good."""
    if isinstance(answer, Failure) or answer.origin == "distributor":
        return False
    statuses = {answer.registration.status}
    if answer.poll is not None and not isinstance(answer.poll, Failure):
        statuses.add(answer.poll.status)
    return bool(statuses & _PASSING)


async def _ask_health(session: Session, kube: KubeClient, service: KeptnService, pod: Pod) -> None:
    limit = session.targets.deadlines.request_s
    await session.recorder.look(
        "sdk-health",
        service.subject,
        ask_health(
            kube,
            pod.namespace,
            pod.name,
            port=service.health_port,
            deadline_s=limit,
            redactor=session.redactor,
        ),
        deadline_s=limit + 2 * session.targets.deadlines.kube_s,
        vantage=_inside(service, pod),
    )


def _inside(service: KeptnService, pod: Pod) -> Vantage:
    return Vantage(place="inside", pod=f"{service.plane}/{pod.namespace}/{pod.name}")
