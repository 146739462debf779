"""Asks the API server what this user may do, before anything is looked at.

One SelfSubjectRulesReview answers for a whole namespace. It is not used for the cluster, because
it does not tell a right in one namespace from the same right everywhere, and not when the server
says that its answer is incomplete (webhook authorisers): then every right is asked for alone.
What was listed already, or refused, in this run needs no asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from keptn_doctor.model.kube_facts import Right, RightsReview
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_rules import Rule
from keptn_doctor.rights.needed import Need, Role, needs

T = TypeVar("T")


async def review_rights(
    kube: KubeClient, *, role: Role, namespaces: tuple[str, ...], active: bool = False
) -> RightsReview:
    """Every right of the table for ``role``; without namespaces they are asked for cluster-wide.

    Raises WorldFault when the API server cannot be asked at all.
    """
    wanted = needs(role, active=active)
    local = [need for need in wanted if not need.cluster]
    wide = [need for need in wanted if need.cluster]
    if not namespaces:
        wide, local = [*wide, *(n for n in local if not _listed(n, wide))], []
    by_namespace = asyncio.ensure_future(
        _all(_in_namespace(kube, local, name) for name in namespaces)
    )
    in_cluster = asyncio.ensure_future(_all(_ask(kube, need, "") for need in wide))
    try:
        rights = [right for answer in await by_namespace for right in answer]
        rights += await in_cluster
    finally:
        by_namespace.cancel()
        in_cluster.cancel()
        await asyncio.gather(by_namespace, in_cluster, return_exceptions=True)
    return RightsReview(user=kube.access.user, rights=tuple(rights))


async def _all(questions: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The answers; where one fails the others are given up, and have ended when that is raised.

    ``asyncio.gather`` alone leaves them running, and connecting to what is closed meanwhile.
    """
    tasks = [asyncio.ensure_future(question) for question in questions]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _listed(need: Need, among: list[Need]) -> bool:
    return any((n.verb, n.resource) == (need.verb, need.resource) for n in among)


async def _in_namespace(kube: KubeClient, wanted: list[Need], namespace: str) -> list[Right]:
    try:
        status = await kube.rules_in(namespace)
    except WorldFault as fault:
        if fault.failure.code not in ("forbidden", "resource-not-served", "unexpected-shape"):
            raise
        status = {"incomplete": True}
    rules = status.get("resourceRules")
    if status.get("incomplete") or not isinstance(rules, list):
        return await _all(_ask(kube, need, namespace) for need in wanted)
    return [
        _right(need, namespace, allowed=any(_covers(rule, need) for rule in rules))
        for need in wanted
    ]


async def _ask(kube: KubeClient, need: Need, namespace: str) -> Right:
    rule = Rule(verb=need.verb, resource=need.resource, namespace=namespace)
    allowed: bool | None = kube.proven.get(str(rule)) if need.verb == "list" else None
    if allowed is not None:
        return _right(need, namespace, allowed=allowed)
    try:
        allowed = await kube.allowed(rule, name=need.names[0] if need.names else "")
    except WorldFault as fault:
        if fault.failure.code not in ("forbidden", "resource-not-served", "unexpected-shape"):
            raise
        allowed = None
    return _right(need, namespace, allowed=allowed)


def _right(need: Need, namespace: str, *, allowed: bool | None) -> Right:
    return Right(
        verb=need.verb,
        resource=need.resource,
        namespace=namespace,
        allowed=allowed,
        purpose=need.why,
        optional=need.optional,
    )


def _covers(rule: Any, need: Need) -> bool:
    """Whether one rule grants a right (``k8s.io/component-helpers/auth/rbac``: RuleAllows)."""
    if not isinstance(rule, dict):
        return False
    group, resource = need.group_resource()
    names = rule.get("resourceNames") or []
    if not isinstance(names, list):
        return False
    return (
        _holds(rule.get("verbs"), need.verb)
        and _holds(rule.get("apiGroups"), group)
        and (_holds(rule.get("resources"), resource) or _any_subresource(rule, resource))
        and (not names or (bool(need.names) and all(name in names for name in need.names)))
    )


def _holds(values: Any, wanted: str) -> bool:
    return isinstance(values, list) and (wanted in values or "*" in values)


def _any_subresource(rule: dict[str, Any], resource: str) -> bool:
    _, slash, sub = resource.partition("/")
    resources = rule.get("resources")
    return bool(slash) and isinstance(resources, list) and f"*/{sub}" in resources
