"""A Keptn service does not register.

Meaning       Since 0.9 a client polls only what its registration lists. Without one it runs in
              silence, connected to nothing, and no error appears anywhere.
Decided by    DISABLE_REGISTRATION, and the names without which registering is skipped
              (K8S_DEPLOYMENT_NAME, K8S_NAMESPACE), or
              a name that belongs to a part of Keptn, which the distributor never registers.
What to do    Remove DISABLE_REGISTRATION, and set both names from the pod (downward API).
False alarms  Clients before 0.9 poll what PUBSUB_TOPIC lists, registered or not; so do clients
              beside the control plane.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    check,
    failed,
    passed,
    set_variable,
    skipped,
    undecided,
)

_NAMES = {"K8S_DEPLOYMENT_NAME", "K8S_NAMESPACE", "DISABLE_REGISTRATION"}

# distributor/pkg/uniform/controlplane (0.9.0 and later): "is actively filtered".
_OF_KEPTN = {
    "statistics-service",
    "api-service",
    "mongodb-datastore",
    "configuration-service",
    "secret-service",
    "shipyard-controller",
    "resource-service",
}


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    since="0.1",
)
def judge(service: KeptnService, *, plane: ExecutionPlane | None) -> Finding:
    """Settings alone decide, for clients that need a registration."""
    if service.client == "sdk" or service.mode != "remote":
        return skipped(f"{service.name} registers by itself or not at all.")
    if service.behaviour.polls_without_registration:
        return skipped(f"{service.name} is of a version that polls without being registered.")
    hidden = [p for p in service.env_problems if p.variable in _NAMES]
    if hidden:
        return undecided(
            f"{hidden[0].variable} of {service.name} could not be read.",
            missing=(hidden[0].reference,),
        )
    if service.registration_disabled:
        return failed(
            f"DISABLE_REGISTRATION is set for {service.name}, so it polls nothing.",
            remedy="Remove DISABLE_REGISTRATION.",
            command=set_variable(plane, service, "DISABLE_REGISTRATION-"),
        )
    names = {
        "K8S_DEPLOYMENT_NAME": service.integration_name,
        "K8S_NAMESPACE": service.integration_namespace,
    }
    unset = [name for name, value in names.items() if not value]
    if unset:
        return failed(
            f"{' and '.join(unset)} of {service.name} are empty, so it skips registering.",
            remedy="Set them from the pod's label and namespace, as the Helm charts do.",
            command=set_variable(plane, service, f"{unset[0]}={service.name}"),
        )
    if service.integration_name in _OF_KEPTN:
        return failed(
            f"{service.name} goes by the name {service.integration_name}, which is a part of "
            "Keptn's, so its distributor skips registering.",
            remedy="Give it a name of its own (nameOverride, or K8S_DEPLOYMENT_NAME).",
            command=set_variable(plane, service, f"K8S_DEPLOYMENT_NAME={service.name}"),
        )
    return passed(f"{service.name} is set to register.")
