"""The control plane refuses the events that a Keptn service sends.

Meaning       Event validation (from 0.19, off by default) answers 400 to events that lack a field
              or are of a kind that it does not know. The task is fetched and worked on, but no
              .started or .finished arrives, so the sequence waits.
Decided by    The reason of the refusal in the client's log; the setting of api-service.
What to do    Correct the fields that the service sends, or switch eventValidation off.
False alarms  A refusal by size (413) or by a broken broker (500) is another matter.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    KeptnService,
    Layer,
    PodLog,
    check,
    failed,
    kubectl,
    passed,
    quoted,
    troubles,
)

_WINDOW_S = 3600  # events come when sequences run, not every minute


@check(about=KeptnService, layer=Layer.DELIVERY, breaks="degraded", since="0.1")
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    logs: tuple[PodLog, ...],
    components: Components | None,
) -> Finding:
    """What the client was answered."""
    told = troubles(logs, cause="event_rejected", within_s=_WINDOW_S)
    if not told:
        return passed(f"No event of {service.name} was refused as invalid.")
    settings = components.settings if components else {}
    on = settings.get("api-service/EVENT_VALIDATION_ENABLED", "").lower() == "true"
    setting = " (eventValidation of api-service is on)" if on else ""
    return failed(
        f"The control plane refuses events of {service.name} as invalid{setting}: "
        f"{quoted(told[0])}.",
        remedy="Correct the fields that the service sends, or switch eventValidation off.",
        command=kubectl(
            control_plane,
            "set env deployment/api-service EVENT_VALIDATION_ENABLED=false",
            namespace=control_plane.namespace,
        ),
    )
