import pytest
from check_under_test import judge_one

from keptn_doctor.api import ComponentServices, ControlPlane, ExecutionPlane, ServiceState
from keptn_doctor.testing import keptn_service, seen, world

KEPTN = ControlPlane(namespace="keptn", cluster_uid="1")
PLANE = ExecutionPlane(name="exec-a", cluster_uid="1")
REMOTE = keptn_service()


def _nats(url="", **fields):
    return keptn_service(mode="nats", endpoint="", pubsub_url=url, **fields)


def _services(*names):
    fact = ComponentServices(namespace="keptn", services=tuple(ServiceState(name=n) for n in names))
    return seen("control-plane/keptn", fact)


def _world(service, *names, plane=PLANE):
    return world(service, KEPTN, plane, _services(*names))


FAILS = [
    _world(_nats("nats://keptn-nats-cluster"), "keptn-nats", "bridge"),
    _world(_nats("nats://keptn-nats:4222"), "keptn-nats-cluster"),
    _world(_nats(client_version="0.13.6"), "keptn-nats"),
]
PASSES = [
    _world(_nats("nats://keptn-nats"), "keptn-nats"),
    _world(_nats("nats://keptn-nats-cluster"), "keptn-nats", "keptn-nats-cluster"),
    _world(_nats("nats://own-broker.other"), "keptn-nats"),
    _world(_nats(client_version="0.19.3"), "keptn-nats"),
]


def test_the_name_that_exists_is_offered():
    assert "PUBSUB_URL=nats://keptn-nats" in judge_one(__file__, FAILS[0]).command


@pytest.mark.parametrize(
    ("service", "plane"),
    [
        (REMOTE, PLANE),
        (_nats("nats://keptn-nats-cluster"), ExecutionPlane(name="exec-a", cluster_uid="2")),
    ],
)
def test_only_clients_beside_the_control_plane_use_its_broker(service, plane):
    assert judge_one(__file__, _world(service, "keptn-nats", plane=plane)).status == "skip"
