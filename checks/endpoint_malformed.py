"""KEPTN_API_ENDPOINT is not a URL that can be called.

Meaning       The client refuses the address or sends its requests nowhere, at once and for ever.
Decided by    The URL alone: a scheme other than http or https, no scheme, no host, a bad port.
What to do    Write the whole URL: http or https, the host, and the path /api.
False alarms  None known; distributors 0.9 to 0.14 may show a registration for such an endpoint and
              stop right after it.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    Finding,
    KeptnService,
    Layer,
    Topology,
    check,
    failed,
    passed,
    set_variable,
)


@check(
    about=Endpoint,
    layer=Layer.CONFIGURATION,
    breaks="disconnected",
    proven_by="state",
    since="0.1",
)
def judge(
    endpoint: Endpoint,
    *,
    services: tuple[KeptnService, ...] | None,
    topology: Topology,
) -> Finding:
    """The URL was taken apart once; what is wrong with it is in its defect."""
    if not endpoint.defect:
        return passed(f"{endpoint.url} is a complete URL.")
    good = f"https://{endpoint.host or '<host of the gateway>'}/api"
    command = ""
    if services:
        plane = next((p for p in topology.execution_planes if p.name == services[0].plane), None)
        command = set_variable(plane, services[0], f"KEPTN_API_ENDPOINT={good}")
    return failed(
        f"The endpoint {endpoint.url!r} {endpoint.defect}.",
        remedy="Set KEPTN_API_ENDPOINT to a whole URL such as https://keptn.example.com/api.",
        command=command,
    )
