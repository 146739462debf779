from check_under_test import judge_one

from keptn_doctor.api import ExecutionPlane, Nodes, NodeState
from keptn_doctor.testing import (
    ago,
    container,
    keptn_service,
    line,
    pod_log,
    pod_of,
    seen,
    workload_of,
    world,
)

PLANE = ExecutionPlane(name="exec-a", context="exec-a")
SERVICE = keptn_service()


def _nodes(kind):
    return seen(PLANE, Nodes(nodes=(NodeState(name="node-1", architecture=kind),)))


def _ends(code=1, image="docker.io/keptn/distributor:0.16.2", **fields):
    loop = container(
        "distributor", "waiting", reason="CrashLoopBackOff", restarts=9, last_exit_code=code,
        last_finished_at=ago(60), image=image, **fields,
    )  # fmt: skip
    return workload_of(SERVICE, pod_of(SERVICE, loop, node="node-1"))


NO_PLATFORM = workload_of(
    SERVICE,
    pod_of(
        SERVICE,
        container(
            "distributor", "waiting", reason="ErrImagePull",
            message="no matching manifest for platform linux/arm64",
        ),
        node="node-1",
    ),
)  # fmt: skip
TOLD = pod_log(SERVICE, line("architecture", age=60))

FAILS = [
    world(PLANE, SERVICE, _ends(), _nodes("arm64")),
    world(PLANE, SERVICE, _ends(image="example.com/own:1"), TOLD),
    world(PLANE, SERVICE, NO_PLATFORM, _nodes("arm64")),
]
PASSES = [
    world(PLANE, SERVICE, workload_of(SERVICE), _nodes("arm64")),
    world(PLANE, SERVICE, _ends(), _nodes("amd64")),
    world(PLANE, SERVICE, _ends(image="example.com/own:1"), _nodes("arm64")),
    world(PLANE, SERVICE, _ends(137, last_reason="OOMKilled"), _nodes("arm64")),
]


def test_it_names_container_and_processor():
    summary = judge_one(__file__, FAILS[0]).summary

    assert "distributor" in summary
    assert "arm64" in summary


def test_the_nodes_are_what_is_broken_where_their_processor_is_known():
    assert judge_one(__file__, FAILS[0]).at_fault == ("nodes of exec-a are arm64",)
    assert judge_one(__file__, FAILS[1]).at_fault == ()
