"""What kept the doctor from looking: rights not granted, credentials refused."""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import RightsReview

_CREDENTIALS = (
    "unauthorized", "credentials-expired", "credential-plugin-failed", "credential-plugin-missing",
    "credential-plugin-timeout", "credentials-unreadable",
)  # fmt: skip
_NAMED = 3  # namespaces told by name
_ON_THE_WAY = ("resolve", "connect", "tls", "deadline")
_ENDED_SESSIONS = ("unauthorized", "credentials-expired")


class Denied(Record, frozen=True, kw_only=True):
    """One rule that the operator lacks and needs."""

    verb: str
    resource: str
    namespace: str


def in_words(rules: Iterable[Denied]) -> str:
    """Rules as the API server words them, alike ones together, in the order of their coming.

    "list pods, events in namespace keptn-exec; list secrets in 9 namespaces".
    """
    places: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        places.setdefault((rule.verb, rule.resource), []).append(rule.namespace)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (verb, resource), namespaces in places.items():
        together.setdefault((verb, tuple(dict.fromkeys(namespaces))), []).append(resource)
    return "; ".join(
        f"{verb} {', '.join(resources)}{_where(namespaces)}"
        for (verb, namespaces), resources in together.items()
    )


def _where(namespaces: tuple[str, ...]) -> str:
    if namespaces == ("",):
        return ""
    if len(namespaces) > _NAMED:
        return f" in {len(namespaces)} namespaces"
    return f" in namespace{'s' if len(namespaces) > 1 else ''} {', '.join(namespaces)}"


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
