from check_under_test import judge_one

from keptn_doctor.api import Condition, KubeEvent
from keptn_doctor.testing import component, control_plane_runs, world

SCC = (
    'pods "api-gateway-nginx-1" is forbidden: unable to validate against any security context '
    "constraint: fsGroup: Invalid value: 101"
)
QUOTA = 'pods "x" is forbidden: exceeded quota: team, requested: cpu=1, used: cpu=2, limited: cpu=2'


def _refused(name, message, *, ready=0):
    failure = Condition(type="ReplicaFailure", status="True", message=message)
    return component(name, ready=ready, conditions=(failure,))


EVENT = KubeEvent(
    object_kind="ReplicaSet", object_name="keptn-mongo-1", reason="FailedCreate", message=SCC
)

FAILS = [
    world(control_plane_runs(_refused("api-gateway-nginx", SCC))),
    world(control_plane_runs(component("keptn-mongo", ready=0, events=(EVENT,)))),
    world(control_plane_runs(_refused("bridge", SCC))),
]
PASSES = [world(control_plane_runs()), world(control_plane_runs(component("bridge", ready=0)))]


def test_the_policys_word_is_quoted():
    finding = judge_one(__file__, FAILS[0])

    assert "security context constraint" in finding.summary
    assert finding.breaks == "disconnected"


def test_a_quota_asks_for_another_remedy():
    finding = judge_one(__file__, world(control_plane_runs(_refused("api-service", QUOTA))))

    assert "quota" in finding.remedy


def test_a_bridge_that_is_refused_breaks_nothing():
    assert judge_one(__file__, FAILS[2]).breaks == "nothing"


def test_the_part_on_the_lowest_rung_is_quoted_whatever_the_order_of_the_listing():
    far, near = _refused("api-service", QUOTA), _refused("api-gateway-nginx", SCC)

    for parts in ((far, near), (near, far)):
        finding = judge_one(__file__, world(control_plane_runs(*parts)))
        assert "security context constraint" in finding.summary
