"""Who may do what: users and RBAC rules as records, for scenarios that need no RBAC objects."""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.model.base import Record


class Rule(Record, frozen=True, kw_only=True):
    """One RBAC rule.

    ``namespaces=None`` is cluster wide (a ClusterRoleBinding), else a RoleBinding in each
    namespace named. ``resource_names`` empty means every name.
    """

    api_groups: tuple[str, ...] = ("",)
    resources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ("get", "list", "watch")
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()
    namespaces: tuple[str, ...] | None = None


class User(Record, frozen=True, kw_only=True):
    """An identity behind a bearer token, or (by its name as CN) behind a client certificate.

    ``system:authenticated`` is added to the groups by the server. A member of ``system:masters``
    may do anything. From ``expires`` on the credential is answered with 401.
    """

    name: str
    groups: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    expires: datetime | None = None


ANONYMOUS = User(name="system:anonymous", groups=("system:unauthenticated",))


def service_account(
    namespace: str, name: str, *, rules: tuple[Rule, ...] = (), expires: datetime | None = None
) -> User:
    """The user behind a service account's token."""
    return User(
        name=f"system:serviceaccount:{namespace}:{name}",
        groups=("system:serviceaccounts", f"system:serviceaccounts:{namespace}"),
        rules=rules,
        expires=expires,
    )
