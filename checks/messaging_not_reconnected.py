"""Parts of the control plane lost their connection to NATS and never came back.

Meaning       Up to 0.10 a distributor beside the control plane does not reconnect after NATS was
              restarted: its pod looks healthy and hears nothing, so no task is ever created for the
              execution planes (up to 0.13 in parts).
Decided by    NATS started well after the distributors of shipyard-controller and the event store.
What to do    Restart the deployments of the control plane; upgrade to 0.14 or later.
False alarms  From 0.11 on most parts do reconnect; then this is a suspicion only.
"""

from __future__ import annotations

import re
from datetime import datetime

from keptn_doctor.api import (
    BROKERS,
    Components,
    ControlPlane,
    Finding,
    Layer,
    Workload,
    check,
    component,
    containers,
    failed,
    kubectl,
    passed,
    skipped,
    suspected,
    undecided,
)

_NEVER = re.compile(r"0\.(?:8|9|10)\.")
_SOMETIMES = re.compile(r"0\.1[1-3]\.")
_LISTENERS = ("shipyard-controller", "mongodb-datastore", "lighthouse-service")
_GAP_S = 600  # an installation starts its pods within minutes


@check(
    about=ControlPlane,
    layer=Layer.DELIVERY,
    breaks="degraded",
    proven_by="state",
    explained_by=("messaging-down",),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components) -> Finding:
    """Who is older, the broker or its listeners."""
    version = components.keptn_version
    if not (_NEVER.match(version) or _SOMETIMES.match(version)):
        return skipped(f"Control plane {version} reconnects to NATS by itself.")
    broker = component(components, *BROKERS)
    if broker is None or broker.ready == 0:
        return skipped("NATS is not up; see messaging-down.")
    since = _started(broker, "nats")
    listeners = [w for w in components.found if w.name in _LISTENERS]
    heard = {w.name: _started(w, "distributor") for w in listeners}
    known = {name: moment for name, moment in heard.items() if moment is not None}
    if since is None or not known:
        return undecided("When NATS and those who listen to it started is not known.")
    deaf = [n for n, moment in known.items() if (since - moment).total_seconds() > _GAP_S]
    if not deaf:
        return passed("Those who listen to NATS started after it.")
    summary = (
        f"NATS was restarted at {since:%d %b %H:%M} UTC, after {', '.join(deaf)}, whose "
        f"distributors of {version} "
    )
    remedy = "Restart the deployments of the control plane."
    command = kubectl(
        control_plane, "rollout restart deployment", namespace=control_plane.namespace
    )
    if _NEVER.match(version):
        return failed(f"{summary}do not reconnect.", remedy=remedy, command=command)
    return suspected(f"{summary}may not have reconnected.", remedy=remedy, command=command)


def _started(workload: Workload, name: str) -> datetime | None:
    started = [c.started_at for c in containers(workload, name) if c.started_at]
    return min(started, default=None)
