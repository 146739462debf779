"""The control plane's database refuses the password it is given.

Meaning       The Secret mongodb-credentials was made anew (a reinstallation, a GitOps sync) while
              the volume kept its users, so shipyard-controller can neither read nor write
              registrations: every request that needs the database ends with 500.
Decided by    "AuthenticationFailed" in the logs of the database or of what uses it, or in the
              answers that execution planes get.
What to do    Put the old Secret back, or change the user's password in MongoDB; then restart
              shipyard-controller and mongodb-datastore.
False alarms  A database that is down gives other messages; then this is skipped.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    DATABASES,
    EVERYWHERE,
    Components,
    ControlPlane,
    Finding,
    IntegrationListing,
    Layer,
    PodLog,
    check,
    component,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    undecided,
)


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    explains=(
        "backend-down",
        "component-not-ready",
        "service-crash-looping",
        "heartbeat-stale",
        "not-registered",
    ),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    components: Components | None,
    listing: IntegrationListing | None,
    logs: Annotated[tuple[PodLog, ...] | None, EVERYWHERE],
) -> Finding:
    """Any log tells; a list that could be read tells the contrary."""
    database = component(components, *DATABASES) if components else None
    if database is not None and database.ready == 0:
        return skipped("The database is down; see database-down.")
    if listing is not None:
        return passed("The list of integrations was read from the database.")
    told = ongoing(logs, cause="database_auth")
    if told:
        return failed(
            f"The database refuses the control plane's password: {quoted(told[0])}.",
            remedy="Put the old Secret mongodb-credentials back, or set that password in MongoDB.",
            command=kubectl(
                control_plane,
                "get secret mongodb-credentials -o yaml",
                namespace=control_plane.namespace,
            ),
        )
    if not logs:
        return undecided("Neither the database's answers nor any log could be read.")
    return passed("No log tells of a refused password.")
