from check_under_test import judge_one
from exposure_worlds import answers_seen, reply

from keptn_doctor.api import ComponentServices, ControlPlane, GatewayLog, ServiceState
from keptn_doctor.testing import keptn_service, seen, world

SERVICE = keptn_service()
CONTROL = ControlPlane(namespace="keptn")


def services(ready=1):
    state = ServiceState(name="shipyard-controller", cluster_ip="10.96.1.1", ready=ready)
    return seen(CONTROL, ComponentServices(namespace="keptn", services=(state,)))


def log(*errors):
    return seen(CONTROL, GatewayLog(window_s=900, lines=10, upstream_errors=errors))


LATE = log("upstream timed out: http://10.96.1.1:8080/v1/event (3 times)")

FAILS = [
    world(CONTROL, services(), LATE),
    world(CONTROL, SERVICE, answers_seen(SERVICE, project=reply(504, body="html"))),
]
PASSES = [
    world(CONTROL, services(), log()),
    world(CONTROL, services(), log("upstream timed out: http://10.72.5.141:8080/v1/event")),
    world(CONTROL, SERVICE, answers_seen(SERVICE, project=reply(502, body="html"))),
]


def test_a_backend_that_is_down_is_not_slow():
    assert judge_one(__file__, world(CONTROL, services(ready=0), LATE)).status == "skip"


def test_one_time_out_comes_of_a_restart():
    once = log("upstream timed out: http://10.96.1.1:8080/v1/event")

    assert judge_one(__file__, world(CONTROL, services(), once)).status == "pass"
