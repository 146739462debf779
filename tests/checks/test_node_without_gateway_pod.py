from check_under_test import judge_one
from exposure_worlds import gateway_seen, nodes

from keptn_doctor.testing import keptn_service, world

SERVICE = keptn_service(endpoint="http://10.0.1.11:31090/api")
LOCAL = {"node_port": 31090, "external_traffic_policy": "Local"}

FAILS = [
    world(SERVICE, gateway_seen("NodePort", endpoint_nodes=("node-2",), **LOCAL), nodes()),
]
PASSES = [
    world(SERVICE, gateway_seen("NodePort", endpoint_nodes=("node-1",), **LOCAL), nodes()),
    world(SERVICE, gateway_seen("NodePort", node_port=31090), nodes()),
]


def test_the_right_node_is_named():
    assert "node-2" in judge_one(__file__, FAILS[0]).remedy


def test_a_name_is_no_node():
    named = keptn_service(endpoint="http://keptn.example.com:31090/api")
    finding = judge_one(
        __file__,
        world(named, gateway_seen("NodePort", endpoint_nodes=("node-2",), **LOCAL), nodes()),
    )

    assert finding.status == "unknown"
