import pytest
from check_under_test import judge_one

from keptn_doctor.api import EnvProblem, TokenState
from keptn_doctor.testing import container, keptn_service, pod_of, workload_of, world

REFERENCE = "secret keptn-exec/keptn-api-token key keptn-api-token"
GONE = keptn_service(token=TokenState(source="missing", reference=REFERENCE))
THERE = keptn_service(token=TokenState(source="secret", reference=REFERENCE, fingerprint="f"))
STUCK = container(state="waiting", reason="CreateContainerConfigError")
FAILS = [
    world(GONE, workload_of(GONE, pod_of(GONE, STUCK))),
    world(GONE, workload_of(GONE)),
]
PASSES = [world(THERE, workload_of(THERE))]


def test_a_container_that_cannot_be_created_is_disconnected():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "disconnected"
    assert REFERENCE in finding.summary


def test_a_pod_that_started_before_is_only_warned_of():
    finding = judge_one(__file__, FAILS[1])

    assert (finding.severity, finding.breaks) == ("warning", "nothing")


@pytest.mark.parametrize(
    ("problem", "command", "thing"),
    [
        (
            "not-found",
            'create secret generic team --from-literal=token="$KEPTN_API_TOKEN"',
            "secret keptn-exec/team of exec-a is missing",
        ),
        (
            "key-missing",
            r'patch secret team -p "{\"stringData\":{\"token\":\"$KEPTN_API_TOKEN\"}}"',
            "secret keptn-exec/team key token of exec-a is missing",
        ),
    ],
)
def test_the_command_and_the_broken_thing_are_those_of_the_reference(problem, command, thing):
    reference = "secret keptn-exec/team key token"
    lost = EnvProblem(variable="KEPTN_API_TOKEN", reference=reference, problem=problem)
    service = keptn_service(
        token=TokenState(source="missing", reference=reference), env_problems=(lost,)
    )

    finding = judge_one(__file__, world(service, workload_of(service, pod_of(service, STUCK))))

    assert finding.command.endswith(command)
    assert finding.at_fault == (thing,)
