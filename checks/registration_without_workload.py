"""A live registration belongs to no Keptn service that was found.

Meaning       Somebody sends heartbeats under this name from a place that was not looked at: another
              cluster or namespace, or one whose workloads may not be read. Whether that Keptn
              service works as it should is unknown.
Decided by    Registrations with a live heartbeat whose name and namespace no Keptn service of the
              inspected planes uses; the control plane's own namespace is left out.
What to do    Add the plane it runs in with --execution-plane, or have the right to look granted.
False alarms  Records without a live heartbeat are not counted: they stay for up to 48 hours after
              their service has gone.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    Integration,
    IntegrationListing,
    KeptnService,
    Layer,
    check,
    failed,
    first_of,
    freshness,
    passed,
    skipped,
)

_SHOWN = 5


@check(about=ControlPlane, layer=Layer.REGISTRATION, severity="info", since="0.1")
def judge(
    control_plane: ControlPlane,
    *,
    listing: IntegrationListing,
    services: tuple[KeptnService, ...] | None,
) -> Finding:
    """Every live record is held against the identities that were found."""
    if not control_plane.namespace:
        return skipped("Which records are the control plane's own is not known.")
    found = {(s.integration_name, s.integration_namespace) for s in services or ()}
    elsewhere = [
        record
        for record in listing.integrations
        if record.namespace != control_plane.namespace
        and (record.name, record.namespace) not in found
        and freshness(record, listing).state == "fresh"
    ]
    if not elsewhere:
        return passed("Every live registration belongs to a Keptn service that was found.")
    verb = "sends" if len(elsewhere) == 1 else "send"
    return failed(
        f"{_names(elsewhere)} {verb} heartbeats from a place that was not looked at.",
        remedy="Add its plane with --execution-plane, or have the right to look granted.",
        severity="info",
    )


def _names(records: list[Integration]) -> str:
    names = sorted({f"{record.name} of namespace {record.namespace}" for record in records})
    return first_of(names, limit=_SHOWN)
