"""A backend that the gateway's configuration names does not exist.

Meaning       nginx looks up every backend when it starts and refuses to run when one is missing: a
              partial installation, a failed upgrade, or a component switched off that the
              configuration still names (statistics-service in 0.17.0).
Decided by    "host not found in upstream" in the gateway's log, for a Service that does not exist.
What to do    Finish the helm upgrade, or switch the component on again.
False alarms  When the Service exists, cluster DNS is to blame: control-plane-dns-broken.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ComponentServices,
    ControlPlane,
    Finding,
    Layer,
    PodLog,
    check,
    component,
    failed,
    kubectl,
    passed,
    quoted,
    troubles,
    undecided,
)


@check(
    about=ControlPlane,
    layer=Layer.HTTP,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "gateway-down",
        "control-plane-component-missing",
        "auth-backend-down",
        "backend-down",
    ),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    services: ComponentServices,
    components: Components | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """The log names the backend; the list of Services tells whether it is there."""
    workload = component(components, "api-gateway-nginx") if components else None
    if workload is not None and workload.ready > 0:
        return passed("The gateway runs, so it found all of its backends.")
    known = {service.name for service in services.services}
    told = troubles(logs, cause="upstream_unknown")
    missing = [m for m in told if m.captures.get("host", "").partition(".")[0] not in known]
    if not missing:
        return undecided("No backend was seen to be missing.")
    name = missing[0].captures.get("host", "a backend")
    option = name.partition("-")[0] + "Service"
    return failed(
        f"The gateway does not start, for the Service {name} does not exist: {quoted(missing[0])}.",
        remedy=f"Finish the upgrade of Keptn, or switch the component on again "
        f"(--set={option}.enabled=true).",
        command=kubectl(control_plane, "get services", namespace=control_plane.namespace),
    )
