"""What kept the doctor from looking: rights not granted, credentials refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import RightsReview

_CREDENTIALS = (
    "unauthorized", "credentials-expired", "credential-plugin-failed", "credential-plugin-missing",
    "credential-plugin-timeout", "credentials-unreadable",
)  # fmt: skip
_ON_THE_WAY = ("resolve", "connect", "tls", "deadline")
_ENDED_SESSIONS = ("unauthorized", "credentials-expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """One rule that the operator lacks and needs."""

    verb: str
    resource: str
    namespace: str

    @property
    def spoken(self) -> str:
        """As the API server words it: "list pods in namespace keptn-exec"."""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{where}"


def denied(reviews: Iterable[RightsReview]) -> tuple[Denied, ...]:
    """The needed rules that are not granted; those that only advice needs are left out."""
    return tuple(
        Denied(verb=right.verb, resource=right.resource, namespace=right.namespace)
        for review in reviews
        for right in review.rights
        if right.allowed is False and not right.optional
    )


def refused_credentials(failure: Failure) -> str:
    """What is wrong with the operator's credentials, "" when the failure is another one."""
    if failure.code not in _CREDENTIALS:
        return ""
    if failure.code in _ENDED_SESSIONS:
        return failure.detail or "the API server does not accept them"
    return failure.detail or failure.code


def unreached_server(failure: Failure) -> str:
    """Why the API server was not reached, "" when it was and refused or failed by itself."""
    if failure.phase not in _ON_THE_WAY or failure.code in _CREDENTIALS:
        return ""
    return failure.detail or failure.code
