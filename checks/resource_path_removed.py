"""A Keptn service asks for files under a path that the control plane does not have.

Meaning       Files are at /configuration-service up to control plane 0.18, at /resource-service
              since 0.18. A distributor passes on the one of its own version only (0.18 changed it).
              With the wrong one heartbeats and events are fine, and every task that reads a file
              fails.
Decided by    The path that the service calls, the one that its distributor passes on, and those
              that the gateway has (its configuration, else its version).
What to do    Upgrade the service and its distributor together: 0.18.1 of helm-service and
              jmeter-service with distributor 0.18 fit control planes from 0.18 on.
False alarms  Services that read no files are not told of.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ExecutionPlane,
    Finding,
    KeptnService,
    KeptnVersion,
    Layer,
    check,
    failed,
    kubectl,
    passed,
    skipped,
    undecided,
)

_OLD, _NEW = "/configuration-service", "/resource-service"


@check(
    about=KeptnService,
    layer=Layer.DELIVERY,
    breaks="degraded",
    proven_by="state",
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    version: KeptnVersion | None,
    plane: ExecutionPlane | None,
    components: Components | None,
) -> Finding:
    """Service, distributor, gateway: the path must be the same at all three."""
    if service.client == "sdk" or service.mode != "remote" or not service.resource_service_url:
        return skipped(f"{service.name} reads no files through a distributor.")
    if not service.behaviour.known:
        return undecided(f"The version of the distributor of {service.name} is not known.")
    wanted = _NEW if service.resource_service_url.rstrip("/").endswith(_NEW) else _OLD
    passed_on = service.behaviour.resource_path
    remedy = "Upgrade the service and its distributor together to what fits the control plane."
    command = kubectl(plane, f"get deployment/{service.name} -o yaml", namespace=service.namespace)
    if wanted != passed_on:
        return failed(
            f"{service.name} asks for files at {wanted}, but its distributor "
            f"{service.client_version} passes on {passed_on} only.",
            remedy=remedy,
            command=command,
        )
    routes = _routes(version, components)
    if not routes:
        return undecided("Which path for files the control plane has is not known.")
    if wanted not in routes:
        return failed(
            f"{service.name} asks for files at {wanted}, which the control plane does not have "
            f"(it has {' and '.join(routes)}).",
            remedy=remedy,
            command=command,
        )
    return passed(f"{service.name} asks for files at {wanted}, which the control plane has.")


def _routes(version: KeptnVersion | None, components: Components | None) -> tuple[str, ...]:
    """As the gateway is configured; else by version: the old path ..0.18, the new one 0.18.. ."""
    configured = components.settings.get("api-gateway-nginx/resource_routes") if components else ""
    if configured:
        return tuple(f"/{name}" for name in configured.split(","))
    major, _, rest = (version.version if version else "").partition(".")
    minor = rest.partition(".")[0]
    if not major.isdigit() or not minor.isdigit():
        return ()
    number = (int(major), int(minor))
    return (_OLD,) if number < (0, 18) else (_OLD, _NEW) if number == (0, 18) else (_NEW,)
