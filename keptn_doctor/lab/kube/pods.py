"""What lies behind a pod: its logs and its ports. The lab implements this, the server calls it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from keptn_doctor.lab.kube.objects import Object
from keptn_doctor.model.base import Record

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class LogOptions(Record, frozen=True, kw_only=True):
    """What is asked of a log; None = without that limit."""

    previous: bool
    since_seconds: int | None
    tail_lines: int | None
    limit_bytes: int | None
    timestamps: bool


class PodBackend(Protocol):
    """The kubelet's view of the pods of one cluster."""

    async def logs(
        self, namespace: str, pod: str, container: str, options: LogOptions
    ) -> str | None:
        """Log text, already cut to what was asked for; None when the kubelet has none (404).

        An OSError means that the kubelet of the node cannot be reached (500).
        """
        ...

    async def open_port(self, namespace: str, pod: str, port: int) -> Streams:
        """Connect to the pod's own loopback, as port-forward does; ConnectionRefusedError."""
        ...

    async def open_pod_ip(self, namespace: str, pod: str, port: int) -> Streams:
        """Connect to the pod's address, as the proxies do; what listens on 127.0.0.1 refuses."""
        ...


class NoPods:
    """Pods that exist on paper only: no log, every port refused."""

    async def logs(
        self,
        namespace: str,  # noqa: ARG002 - the protocol's signature
        pod: str,  # noqa: ARG002
        container: str,  # noqa: ARG002
        options: LogOptions,  # noqa: ARG002
    ) -> str | None:
        return None

    async def open_port(self, namespace: str, pod: str, port: int) -> Streams:
        raise ConnectionRefusedError(f"{namespace}/{pod} does not listen on port {port}")

    async def open_pod_ip(self, namespace: str, pod: str, port: int) -> Streams:
        raise ConnectionRefusedError(f"{namespace}/{pod} does not listen on port {port}")


def cut_log(
    lines: list[str], *, tail_lines: int | None = None, limit_bytes: int | None = None
) -> str:
    """Apply tail and then the byte limit to whole log lines, as the kubelet does."""
    kept = lines if tail_lines is None else lines[len(lines) - min(tail_lines, len(lines)) :]
    text = "".join(f"{line}\n" for line in kept)
    if limit_bytes is None:
        return text
    return text.encode()[:limit_bytes].decode(errors="ignore")


def containers_of(pod: Object) -> tuple[list[str], list[str]]:
    """Names of the containers and of the init containers, in order."""
    spec = pod.get("spec")
    found: list[list[str]] = []
    for field in ("containers", "initContainers"):
        listed = spec.get(field) if isinstance(spec, dict) else None
        items = listed if isinstance(listed, list) else []
        found.append([str(c.get("name")) for c in items if isinstance(c, dict)])
    return found[0], found[1]
