from check_under_test import judge_one

from keptn_doctor.api import EnvProblem
from keptn_doctor.testing import keptn_service, world

FAILS = [
    world(keptn_service(registration_disabled=True)),
    world(keptn_service(integration_name="", integration_namespace="")),
]
PASSES = [world(keptn_service())]


def test_a_client_before_0_9_polls_without_being_registered():
    old = keptn_service(registration_disabled=True, client_version="0.8.7")

    assert judge_one(__file__, world(old)).status == "skip"


def test_a_name_that_could_not_be_read_is_not_empty():
    hidden = EnvProblem(variable="K8S_NAMESPACE", reference="configmap x", problem="forbidden")
    service = keptn_service(integration_namespace="", env_problems=(hidden,))

    assert judge_one(__file__, world(service)).status == "unknown"


def test_both_names_are_told():
    assert "K8S_DEPLOYMENT_NAME and K8S_NAMESPACE" in judge_one(__file__, FAILS[1]).summary
