"""Registrations are forgotten after minutes.

Meaning       UNIFORM_INTEGRATION_TTL is so short that any hiccup (a slow database, a restart, a
              lost connection) deletes registrations, and with them all subscriptions that were made
              in the Bridge; services come back with their default ones.
Decided by    The variable of shipyard-controller, on control planes from 0.9 (the chart sets 48h;
              the program's own default is 1m).
What to do    Set shipyardController.config.uniformIntegrationTTL to 48h.
False alarms  0.8.7 uses two minutes on purpose: its clients register anew all the time.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    check,
    component,
    failed,
    kubectl,
    passed,
    skipped,
    undecided,
)

_VARIABLE = "UNIFORM_INTEGRATION_TTL"
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_SHORTEST_S = 600.0  # a rollout, or the restart of a node, takes that long
_EARLY = re.compile(r"0\.8\.")


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="degraded",
    proven_by="state",
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components) -> Finding:
    """The time as it is set; a variable that is missing means the program's default."""
    if _EARLY.match(components.keptn_version):
        return skipped("Clients of 0.8 register anew all the time.")
    if component(components, "shipyard-controller") is None:
        return undecided("shipyard-controller was not found.")
    text = components.settings.get(f"shipyard-controller/{_VARIABLE}")
    if text is None:
        return undecided(f"{_VARIABLE} of shipyard-controller is not a plain value.")
    parts = _PART.findall(text)
    if not parts or sum(float(n) * _SECONDS[unit] for n, unit in parts) >= _SHORTEST_S:
        return passed(f"Registrations are kept for {text}.")
    return failed(
        f"Registrations are kept for {text} only: {_VARIABLE} of shipyard-controller. A short "
        "outage deletes them with their subscriptions.",
        remedy="Set shipyardController.config.uniformIntegrationTTL to 48h.",
        command=kubectl(
            control_plane,
            f"set env deployment/shipyard-controller {_VARIABLE}=48h",
            namespace=control_plane.namespace,
        ),
        severity="warning",
    )
