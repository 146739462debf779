"""``/health`` of an SDK service: 200 once it has registered, 412 before.

It listens on the pod's address, so the API server's proxy reaches it; where that right is missing,
port-forward does. Source: ``go-sdk/pkg/sdk/keptn.go@0.16.2``.
"""

from __future__ import annotations

from keptn_doctor.model.keptn_facts import SdkHealth
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pod_http import http_get_over
from keptn_doctor.redact import Redactor

_PATH = "/health"


async def ask_health(
    kube: KubeClient, namespace: str, pod: str, *, port: int, deadline_s: float, redactor: Redactor
) -> SdkHealth:
    """The status of the health endpoint; raises WorldFault when neither way leads there."""
    try:
        answer = await kube.pod_proxy(namespace, pod, port, _PATH)
        return SdkHealth(pod=pod, port=port, status=answer.status)
    except WorldFault as fault:
        if fault.failure.code != "forbidden":
            raise
    stream = await kube.port_forward(namespace, pod, port)
    try:
        exchange = await http_get_over(
            stream, _PATH, port=port, deadline_s=deadline_s, redactor=redactor
        )
    finally:
        await stream.aclose()
    return SdkHealth(pod=pod, port=port, status=exchange.answer.status)
