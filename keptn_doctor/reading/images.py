"""Images that a node does not get: which, why, and what of it is broken for others, too.

A tag that does not exist is one fact wherever it is pulled; a registry out of reach is one fact for
all of its images. The kubelet tells them apart by the error of its container runtime alone.

Sources: ``pkg/kubelet/images/image_manager.go`` of Kubernetes (reasons, "Back-off pulling image"),
``remotes/docker`` of containerd and ``distribution/reference`` (errors and forms of references).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from keptn_doctor.model.kube_facts import Container, Pod, Workload
from keptn_doctor.reading.workload import PULL_REASONS, live_pods

Refusal = Literal["missing", "limited", "unreachable", "other"]

_REFUSALS: tuple[tuple[Refusal, re.Pattern[str]], ...] = (
    ("limited", re.compile(r"toomanyrequests|429 Too Many|pull rate limit", re.IGNORECASE)),
    (
        "unreachable",
        re.compile(
            r"dial tcp|no such host|i/o timeout|connection refused|connection reset|"
            r"no route to host|TLS handshake|x509:|proxyconnect|request canceled|"
            r"50[0234] (?:Internal|Bad|Service|Gateway)"
        ),
    ),
    ("missing", re.compile(r"manifest unknown|name unknown|: not found$|not found: manifest")),
)
_BACKING_OFF = re.compile(r'Back-off pulling image "[^"]*"\.?')
_FAILED = re.compile(r'Failed to pull image "(?P<image>[^"]*)": (?P<why>.*)', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedImage:
    """An image that a container waits for; ``message`` is the runtime's, "" when it told none."""

    container: str
    image: str
    reason: str
    message: str

    @property
    def refusal(self) -> Refusal:
        """What the registry, or the way to it, did."""
        return next((kind for kind, words in _REFUSALS if words.search(self.message)), "other")

    @property
    def registry(self) -> str:
        return full_reference(self.image).partition("/")[0]


def refused_images(workload: Workload) -> tuple[RefusedImage, ...]:
    """The images that the live pods of a workload wait for, each once, in the pods' order."""
    found: dict[str, RefusedImage] = {}
    for pod in live_pods(workload):
        for container in pod.containers:
            if container.reason in PULL_REASONS:
                image = RefusedImage(
                    container=container.name, image=container.image, reason=container.reason,
                    message=_told(pod, container),
                )  # fmt: skip
                found.setdefault(container.image or container.name, image)
    return tuple(found.values())


def _told(pod: Pod, container: Container) -> str:
    """Why the last pull failed: while it backs off, older kubelets tell in the event alone."""
    message = container.message.rstrip(".")
    if message and not _BACKING_OFF.fullmatch(message):
        return message
    failed = (_FAILED.fullmatch(e.message) for e in pod.events if e.reason == "Failed")
    told = (match["why"] for match in failed if match and match["image"] == container.image)
    return next(told, message).rstrip(".")


def broken_images(images: tuple[RefusedImage, ...], *, cluster: str) -> tuple[str, ...]:
    """What is broken, by every name of it, when a pod of this cluster waits for these images."""
    if not images or not all(image.image for image in images):
        return ()
    together = ", ".join(sorted(full_reference(image.image) for image in images))
    things = [f"{together} cannot be pulled in {cluster}"]
    refusals = {image.refusal for image in images}
    registries = ", ".join(sorted({image.registry for image in images}))
    if refusals == {"missing"}:
        things.append(f"{together} does not exist")
    if refusals in ({"limited"}, {"unreachable"}):
        things.append(f"{registries} is {refusals.pop()} in {cluster}")
    return tuple(things)


def full_reference(image: str) -> str:
    """``keptn/distributor`` as ``docker.io/keptn/distributor:latest``."""
    host, slash, rest = image.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, rest = "docker.io", image if slash else f"library/{image}"
    tagged = ":" in rest.rpartition("/")[2] or "@" in rest
    return f"{host}/{rest}" if tagged else f"{host}/{rest}:latest"
