from check_under_test import judge_one

from keptn_doctor.api import Nodes, NodeState
from keptn_doctor.testing import (
    ago,
    component,
    container,
    control_plane_runs,
    line,
    pod_log,
    pod_of,
    seen,
    world,
)


def _nodes(kind):
    fact = Nodes(nodes=(NodeState(name="node-1", architecture=kind),))
    return seen("control-plane/keptn", fact)


def _ends(code=1, **fields):
    loop = container(
        "api-service", "waiting", reason="CrashLoopBackOff", restarts=9, last_exit_code=code,
        last_finished_at=ago(60), **fields,
    )  # fmt: skip
    pod = pod_of("keptn", loop, node="node-1", name="api-service-1")
    return control_plane_runs(component("api-service", pod, ready=0))


NO_PLATFORM = container(
    "api-service", "waiting", reason="ErrImagePull", message="no match for platform in manifest"
)
TOLD = pod_log("control-plane/keptn", line("architecture", age=60), pod="api-service-1")

FAILS = [
    world(_ends(), _nodes("arm64")),
    world(_ends(), TOLD),
    world(
        control_plane_runs(
            component("api-service", pod_of("keptn", NO_PLATFORM, node="node-1"), ready=0)
        ),
        _nodes("arm64"),
    ),
]
PASSES = [
    world(control_plane_runs(), _nodes("arm64")),
    world(_ends(), _nodes("amd64")),
    world(_ends(137, last_reason="OOMKilled"), _nodes("arm64")),
]


def test_the_nodes_kind_is_told():
    assert "arm64" in judge_one(__file__, FAILS[0]).summary


def test_a_log_alone_is_enough():
    assert judge_one(__file__, FAILS[1]).breaks == "disconnected"


def test_images_of_many_platforms_may_run_on_arm():
    assert judge_one(__file__, PASSES[0]).status == "pass"
