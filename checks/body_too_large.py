"""Large requests of a Keptn service are refused for their size.

Meaning       The gateway takes bodies of 1 MB (5 MB from 0.16), an ingress controller often 1 MB.
              Heartbeats and polls are small and work; results or resources above the limit are
              lost.
Decided by    413 in the client's log.
What to do    Raise apiGatewayNginx.clientMaxBodySize, or the annotation proxy-body-size of the
              Ingress.
False alarms  None known: the status says it.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    Components,
    ControlPlane,
    ExposureRoutes,
    Finding,
    KeptnService,
    Layer,
    PodLog,
    check,
    failed,
    kubectl,
    passed,
    quoted,
)

_TOO_LARGE = re.compile(r"\b413\b|Request Entity Too Large|request body too large")


@check(
    about=KeptnService,
    layer=Layer.DELIVERY,
    breaks="degraded",
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    components: Components | None,
    routes: ExposureRoutes | None,
    logs: tuple[PodLog, ...],
) -> Finding:
    """One refusal is enough, for the next large one will be refused as well."""
    told = [m for log in logs for m in log.matches if _TOO_LARGE.search(m.text)]
    if not told:
        return passed(f"No request of {service.name} was seen to be refused for its size.")
    limit = (components.settings if components else {}).get(
        "api-gateway-nginx/client_max_body_size"
    )
    ingress = next(
        (r for r in (routes.routes if routes else ()) if r.route_kind == "Ingress"), None
    )
    of_gateway = f"the gateway takes {limit or '1m (its default)'}"
    of_ingress = ", an Ingress controller in front 1m unless told otherwise" if ingress else ""
    return failed(
        f"A request of {service.name} was refused for its size ({of_gateway}{of_ingress}): "
        f"{quoted(told[0])}.",
        remedy="Raise apiGatewayNginx.clientMaxBodySize"
        + (f", and proxy-body-size of Ingress {ingress.name}." if ingress else "."),
        command=kubectl(
            control_plane,
            f"annotate ingress {ingress.name} nginx.ingress.kubernetes.io/proxy-body-size=10m"
            if ingress
            else "get configmap api-nginx-config -o yaml",
            namespace=control_plane.namespace,
        ),
        at_fault=(
            f"limit of bodies of Ingress {ingress.namespace}/{ingress.name}"
            if ingress
            else "limit of bodies of the gateway",
        ),
    )
