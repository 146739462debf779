"""An environment variable has a value that its client cannot read.

Meaning       Switches, numbers and durations that are set but empty or misspelt end the client at
              once, before it looks at the network.
Decided by    The values of the typed variables; the line "Failed to process env var" in its log.
What to do    Correct the value, or remove the variable: the default is used only when it is unset.
False alarms  None known. HTTP_POLLING_INTERVAL and API_PROXY_HTTP_TIMEOUT fall back to a default.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    PodLog,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    set_variable,
)


@check(about=KeptnService, layer=Layer.CONFIGURATION, breaks="disconnected", since="0.1")
def judge(
    service: KeptnService, *, plane: ExecutionPlane | None, logs: tuple[PodLog, ...]
) -> Finding:
    """The client's own complaint proves it; the settings say which variable it is."""
    told = [m for m in ongoing(logs, event="bad_env") if "env.process" in m.signature]
    bad = service.malformed_variables
    if not bad and not told:
        return passed(f"{service.name} reads all of its variables.")
    name = bad[0] if bad else "NAME"
    what = f"The variable {', '.join(bad)} of {service.name}" if bad else "A variable"
    seen = f": {quoted(told[0])}" if told else ""
    return failed(
        f"{what} has a value that stops the client at once{seen}.",
        remedy="Give it a valid value, or remove it so that the default is used.",
        command=set_variable(plane, service, f"{name}-"),
    )
