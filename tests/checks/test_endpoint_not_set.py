from check_under_test import judge_one

from keptn_doctor.api import ControlPlane, EnvProblem, ExecutionPlane
from keptn_doctor.testing import keptn_service, world

SERVICE = keptn_service(endpoint="", mode="nats")
HOME = ControlPlane(namespace="keptn", cluster_uid="c", api_url="https://keptn.example.com/api")
FAILS = [world(SERVICE, ExecutionPlane(name="exec-a", context="ctx", cluster_uid="e"), HOME)]
PASSES = [world(keptn_service())]


def test_it_gives_the_command_with_the_control_planes_endpoint():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "disconnected"
    assert finding.command == (
        "kubectl --context ctx -n keptn-exec set env deployment/helm-service -c distributor "
        "KEPTN_API_ENDPOINT=https://keptn.example.com/api"
    )


def test_in_the_control_planes_cluster_it_is_as_it_should_be():
    same = world(SERVICE, ExecutionPlane(name="exec-a", cluster_uid="c"), HOME)

    assert judge_one(__file__, same).status == "skip"


def test_when_the_clusters_cannot_be_told_apart_it_is_a_suspicion():
    finding = judge_one(__file__, world(SERVICE, HOME))

    assert finding.suspected
    assert finding.breaks == "nothing"


def test_an_endpoint_that_could_not_be_read_is_not_taken_for_unset():
    hidden = EnvProblem(variable="KEPTN_API_ENDPOINT", reference="configmap x", problem="forbidden")
    service = keptn_service(endpoint="", mode="unknown", env_problems=(hidden,))

    assert judge_one(__file__, world(service, HOME)).status == "unknown"
