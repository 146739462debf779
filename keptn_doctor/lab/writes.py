"""Which requests to the lab's servers are writes: for tests that ask what a run has changed.

A write is any verb but GET, HEAD and OPTIONS, whatever is answered, with these exceptions, which
change nothing: Keptn's ``POST /v1/auth``, Kubernetes' reviews of rights and tokens
(``SelfSubjectAccessReview`` and its like), and the opening of a port-forward. What the simulated
clients send by themselves does not count; what somebody sends through their ports does.
"""

from __future__ import annotations

from keptn_doctor.model.base import Record

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_REVIEWS = ("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")


class Write(Record, frozen=True, kw_only=True):
    """A writing request that reached a server: the context of a cluster, or what it serves.

    Keptn's gateway is called after its control plane (``keptn``), a component asked past the
    gateway ``keptn/<component>``, a front by its own name.
    """

    server: str
    method: str
    path: str


def is_keptn_write(method: str, path: str) -> bool:
    """Whether a request to a Keptn endpoint would change anything."""
    return method not in _READING and not path.endswith("/v1/auth")


def is_kubernetes_write(method: str, path: str) -> bool:
    """Whether a request to a Kubernetes API would change anything."""
    return (
        method not in _READING
        and not path.startswith(_REVIEWS)
        and not path.endswith("/portforward")
    )
