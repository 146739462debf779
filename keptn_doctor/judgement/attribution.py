"""Which registration of the control plane is that of a Keptn service, and is it alive.

A name in a list proves nothing: records stay for up to 48 hours, and two planes can share one.
The id that a pod printed when it registered is a strong link; a name and namespace that only one
service of all inspected planes uses is a fair one. Where the node is part of the id (control plane
0.9.0 to 0.15.1), a record of another node is another's; else node, pod and location in a record
are those of its first registrant and say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Literal

from keptn_doctor.model.base import Record
from keptn_doctor.model.keptn_facts import (
    Integration,
    IntegrationListing,
    LocalApiAnswer,
    PodLog,
)
from keptn_doctor.model.topology import KeptnService
from keptn_doctor.reading.log import registration_ids

FRESH_S = 120.0  # Keptn's own Bridge shows a registration for as long (data-service.ts@1.4.5)
SETTLED_S = 25.0  # two and a half heartbeats: two reads so far apart must differ


class Attribution(Record, frozen=True, kw_only=True):
    """The record of a service, and how sure that is."""

    integration: Integration | None = None
    strength: Literal["id-in-log", "only-candidate", "shared", "none"] = "none"
    sharers: tuple[str, ...] = ()  # subject paths of services that would use the same record
    lost_id: str = ""  # the id the running pod registered with, when no record has it any more


class Freshness(Record, frozen=True, kw_only=True):
    """How alive a record is, by the control plane's own clock; age in seconds."""

    state: Literal["fresh", "stale", "unknown"] = "unknown"
    age_s: float | None = None


def attribute(
    service: KeptnService, listing: IntegrationListing, logs: Iterable[PodLog] | None = None
) -> Attribution:
    """The record that this service's heartbeats go to, as far as the evidence links them."""
    by_id = listing.by_id
    printed = registration_ids(logs)
    linked = [by_id[key] for key in printed if key in by_id]
    if linked:
        return Attribution(
            integration=_newest(linked), strength="id-in-log", sharers=service.namesakes
        )
    lost = printed[-1] if printed else ""
    name, namespace = service.integration_name, service.integration_namespace
    alike = listing.by_name.get(name, ()) if name else ()
    candidates = [record for record in alike if record.namespace == namespace]
    if service.behaviour.registration_identity == "node" and service.node_names:
        possible = ("", *service.node_names)
        candidates = [record for record in candidates if record.hostname in possible]
    if not candidates or lost:
        return Attribution(lost_id=lost)
    return Attribution(
        integration=_newest(candidates),
        strength="shared" if service.namesakes else "only-candidate",
        sharers=service.namesakes,
    )


def freshness(integration: Integration, listing: IntegrationListing) -> Freshness:
    """Whether the record's heartbeat is alive: it advanced between two reads, or is young.

    A record without a time (control planes before 0.8.7) is of unknown freshness.
    """
    first, again = integration.last_seen, integration.last_seen_again
    now = listing.server_time_again or listing.server_time
    latest = again or first
    age = (now - latest).total_seconds() if now and latest else None
    if first and again and again > first:
        return Freshness(state="fresh", age_s=age)
    if first and again and listing.server_time and listing.server_time_again:
        apart = (listing.server_time_again - listing.server_time).total_seconds()
        if apart >= SETTLED_S:
            return Freshness(state="stale", age_s=age)
    if age is None:
        return Freshness()
    return Freshness(state="fresh" if age < FRESH_S else "stale", age_s=age)


def spoken_age(seconds: float | None) -> str:
    """An age in the largest unit that says enough: "12 s", "34 min", "30 h"."""
    if seconds is None:
        return "an unknown time"
    if seconds < 120:
        return f"{max(0.0, seconds):.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


def shown_integrations(local: LocalApiAnswer) -> frozenset[str] | None:
    """The ids of the integrations that a service is shown, None where they are not known.

    All of them, or those of the name that was asked for; that there is none of a name tells nothing
    of whose list it is. ``known_integrations`` has those to compare them with.
    """
    complete = local.listed in (None, len(local.integrations))
    if local.registration.status != 200 or not complete:
        return None
    if local.only_name and not local.integrations:
        return None
    return frozenset(local.integrations) if local.integrations or local.listed == 0 else None


def known_integrations(local: LocalApiAnswer, listing: IntegrationListing) -> AbstractSet[str]:
    """The ids that the service would be shown, too, if its list were this control plane's."""
    if not local.only_name:
        return listing.by_id.keys()
    return {record.id for record in listing.by_name.get(local.only_name, ())}


def is_same_list(listed: AbstractSet[str], known: AbstractSet[str]) -> bool:
    """Whether two lists of integrations, read moments apart, are those of one control plane.

    Records come and go in between, and the id of one service can be the same in two control
    planes (it is made of name, namespace and node); but the greater part must be the same.
    """
    common = sum(key in known for key in listed)
    return 2 * common >= len(known) + len(listed) - common


def _newest(integrations: list[Integration]) -> Integration:
    """The live one of several: a moved pod leaves a stale double behind (0.9.0 to 0.15.1)."""

    def seen(integration: Integration) -> tuple[float, str]:
        latest = integration.last_seen_again or integration.last_seen
        return (latest.timestamp() if latest else 0.0, integration.id)

    return max(integrations, key=seen)
