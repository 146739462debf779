"""What a check's parameters are bound to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import pytest

from keptn_doctor.api import (
    CONTROL_PLANE,
    INSIDE,
    OPERATOR_SIDE,
    ClusterFacts,
    ControlPlane,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    Failure,
    KeptnService,
    NetworkPolicies,
    NetworkPolicy,
    PodLog,
    TcpConnection,
    Topology,
    Workload,
)
from keptn_doctor.judgement.needs import Bound, Evidence, Missing, SignatureError, read_needs
from keptn_doctor.testing import NOW, keptn_service, seen, world

SERVICE = keptn_service()
ENDPOINT = f"endpoint:{SERVICE.endpoint}"
REFUSED = Failure(phase="connect", code="connection-refused")


def need(hint):
    def judge(wanted):
        raise NotImplementedError

    judge.__annotations__ = {"wanted": hint}
    return read_needs(judge)[0]


def bind(hint, snapshot, subject=SERVICE):
    return Evidence(snapshot).bind(need(hint), subject)


def log(container="distributor"):
    return PodLog(pod="p", container=container)


def answer(name="keptn.example.com", **fields):
    return DnsAnswer(name=name, ipv4=("192.0.2.1",), **fields)


@pytest.mark.parametrize(
    ("hint", "many", "optional", "takes_failure", "marker"),
    [
        (DnsAnswer, False, False, False, ""),
        (DnsAnswer | Failure, False, False, True, ""),
        (DnsAnswer | Failure | None, False, True, True, ""),
        (tuple[PodLog, ...], True, False, False, ""),
        (tuple[PodLog, ...] | None, True, True, False, ""),
        (Annotated[DnsAnswer, INSIDE], False, False, False, "inside"),
        (Annotated[DnsAnswer, OPERATOR_SIDE] | None, False, True, False, "operator"),
        (Annotated[DnsAnswer | None, OPERATOR_SIDE], False, True, False, "operator"),
    ],
)
def test_every_form_of_a_parameter_is_read(hint, many, optional, takes_failure, marker):
    read = need(hint)

    assert (read.many, read.optional, read.takes_failure) == (many, optional, takes_failure)
    assert read.marker == marker


@pytest.mark.parametrize("hint", [int, DnsAnswer | TcpConnection, "Nowhere", list[PodLog]])
def test_a_parameter_that_is_no_fact_is_refused(hint):
    with pytest.raises(SignatureError):
        need(hint)


def test_a_service_has_its_own_endpoint_plane_and_control_plane():
    snapshot = world(SERVICE, keptn_service("other", plane="exec-b", endpoint="http://b/api"))

    assert bind(Endpoint, snapshot).value.url == SERVICE.endpoint
    assert bind(ExecutionPlane, snapshot).value.name == "exec-a"
    assert bind(ControlPlane, snapshot).value == snapshot.topology.control_plane
    assert bind(Topology, snapshot).value == snapshot.topology
    assert bind(datetime, snapshot).value == NOW


def test_a_services_missing_log_is_not_replaced_by_the_control_planes():
    snapshot = world(SERVICE, seen("control-plane/keptn", log("shipyard-controller")))

    assert isinstance(bind(PodLog, snapshot), Missing)
    assert bind(tuple[PodLog, ...] | None, snapshot).value is None


def test_a_plane_fact_is_the_planes_and_not_the_control_planes():
    control_plane = seen("control-plane/keptn", ClusterFacts(version="1.24"))

    assert isinstance(bind(ClusterFacts, world(SERVICE, control_plane)), Missing)
    both = world(SERVICE, control_plane, seen("exec-a", ClusterFacts(version="1.21")))
    assert bind(ClusterFacts, both).value.version == "1.21"


def test_the_control_planes_fact_can_be_asked_for_by_name():
    policies = NetworkPolicies(policies=(NetworkPolicy(namespace="keptn", name="n"),))
    snapshot = world(
        SERVICE,
        seen("exec-a", NetworkPolicies()),
        seen("control-plane/keptn", policies),
    )

    assert bind(Annotated[NetworkPolicies, CONTROL_PLANE], snapshot).value == policies
    assert bind(NetworkPolicies, snapshot).value == NetworkPolicies()


def test_the_services_own_look_comes_before_its_endpoints():
    own = seen(SERVICE, answer("own"), pod="p")
    shared = seen(ENDPOINT, answer("shared"))

    assert bind(DnsAnswer, world(SERVICE, shared, own)).value.name == "own"
    assert bind(DnsAnswer, world(SERVICE, shared)).value.name == "shared"


def test_a_marker_chooses_the_vantage():
    snapshot = world(
        SERVICE, seen(SERVICE, answer("inside"), pod="p"), seen(ENDPOINT, answer("outside"))
    )

    assert bind(Annotated[DnsAnswer, INSIDE], snapshot).value.name == "inside"
    assert bind(Annotated[DnsAnswer, OPERATOR_SIDE], snapshot).value.name == "outside"
    only_outside = world(SERVICE, seen(ENDPOINT, answer("outside")))
    assert isinstance(bind(Annotated[DnsAnswer, INSIDE], only_outside), Missing)


def test_a_fact_is_preferred_to_a_failure_and_the_operators_view_to_the_inside():
    endpoint = world(SERVICE).topology.endpoints[0]
    snapshot = world(
        SERVICE,
        seen(endpoint, REFUSED, probe="tcp", part="1"),
        seen(endpoint, TcpConnection(host="h", port=1, address="in"), pod="a"),
        seen(endpoint, TcpConnection(host="h", port=1, address="out")),
    )

    bound = bind(TcpConnection | Failure, snapshot, endpoint)

    assert bound.value.address == "out"
    assert bound.evidence == (f"tcp/{ENDPOINT}@operator",)


def test_a_failed_look_is_found_by_the_name_of_its_probe():
    snapshot = world(SERVICE, seen(ENDPOINT, REFUSED, probe="tcp"))

    assert bind(TcpConnection | Failure, snapshot).value == REFUSED
    assert isinstance(bind(DnsAnswer | Failure, snapshot), Missing)
    missing = bind(TcpConnection, snapshot)
    assert isinstance(missing, Missing)
    assert missing.failed[0].result == REFUSED


def test_an_endpoint_gathers_what_its_services_show():
    other = keptn_service("jmeter-service")
    elsewhere = keptn_service("third", endpoint="http://elsewhere/api")
    snapshot = world(
        SERVICE, other, elsewhere,
        seen(other, log("b")), seen(SERVICE, log("a")), seen(elsewhere, log("c")),
        seen("control-plane/keptn", log("api-service")),
    )  # fmt: skip
    endpoint = next(e for e in snapshot.topology.endpoints if e.url == SERVICE.endpoint)

    bound = bind(tuple[PodLog, ...], snapshot, endpoint)

    assert [entry.container for entry in bound.value] == ["a", "b"]
    services = bind(tuple[KeptnService, ...], snapshot, endpoint).value
    assert [s.name for s in services] == ["helm-service", "jmeter-service"]


def test_a_control_plane_sees_its_operators_endpoint_and_all_services():
    from keptn_doctor.testing import endpoint

    used = endpoint("http://192.0.2.10/api", used_by_operator=True)
    snapshot = world(SERVICE, used, seen(used, answer("cp")), seen(ENDPOINT, answer("exec")))
    control_plane = snapshot.topology.control_plane

    assert bind(DnsAnswer, snapshot, control_plane).value.name == "cp"
    workload = Workload(workload_kind="Deployment", namespace="n", name="w")
    everywhere = world(SERVICE, seen(SERVICE, workload))
    assert bind(tuple[Workload, ...], everywhere, control_plane).value == (workload,)


def test_binding_does_not_depend_on_the_order_of_the_looks():
    looks = [seen(SERVICE, log(name), part=name) for name in ("c", "a", "b")]

    first = bind(tuple[PodLog, ...], world(SERVICE, *looks))
    second = bind(tuple[PodLog, ...], world(SERVICE, *reversed(looks)))

    assert isinstance(first, Bound)
    assert first == second
