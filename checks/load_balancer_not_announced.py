"""The gateway's load balancer address is announced to nobody.

Meaning       MetalLB gave the Service an address, but tells no network where it is, so packets to
              it find no way from outside the cluster.
Decided by    No L2Advertisement and no BGPAdvertisement, or no ready speaker, while the address is
              not reached.
What to do    Create an L2Advertisement (or BGPAdvertisement) for the pool, or bring the speakers
              up.
False alarms  Where Keptn answers at the address, something announces it all the same.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    ExposureRoutes,
    Finding,
    GatewayAnswers,
    GatewayService,
    Layer,
    LoadBalancerProvider,
    check,
    failed,
    kubectl,
    passed,
    skipped,
)


@check(
    about=ControlPlane,
    layer=Layer.CONNECT,
    breaks="disconnected",
    proven_by="state",
    explains=("endpoint-unreachable", "endpoint-port-refused", "service-crash-looping"),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    provider: LoadBalancerProvider,
    gateway: GatewayService | None,
    answers: tuple[GatewayAnswers, ...] | None,
    routes: ExposureRoutes | None,
) -> Finding:
    """A defect of the announcer counts only as long as nobody gets through."""
    addresses = [entry.ip for entry in gateway.load_balancer if entry.ip] if gateway else []
    if gateway is None or gateway.type != "LoadBalancer" or not addresses:
        return skipped("The gateway has no load balancer with an address.")
    if routes is not None and any(route.targets_gateway for route in routes.routes):
        return skipped("A route leads to the gateway beside its load balancer.")
    defects = [text for text in provider.defects if "announces" in text or "speaker" in text]
    if not defects:
        return passed("Nothing speaks against the load balancer's address being announced.")
    if any(item.reached == "keptn" for item in answers or ()):
        return passed(f"{defects[0]}, and yet Keptn answers.")
    return failed(
        f"The gateway has the address {addresses[0]}, but nobody outside hears of it "
        f"({'; '.join(defects)}).",
        remedy="Create an L2Advertisement or BGPAdvertisement for the address pool, and see that "
        "MetalLB's speakers run.",
        command=kubectl(
            control_plane, "get l2advertisements,bgpadvertisements,pods", namespace="metallb-system"
        ),
    )
