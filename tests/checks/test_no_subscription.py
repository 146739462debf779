from check_under_test import judge_one

from keptn_doctor.testing import integration, keptn_service, uniform, world

SERVICE = keptn_service()
FAILS = [world(SERVICE, uniform(integration(subscriptions=())))]
PASSES = [world(SERVICE, uniform(integration()))]


def test_what_the_variable_asks_for_is_told():
    assert "sh.keptn.event.deployment.triggered" in judge_one(__file__, FAILS[0]).summary


def test_a_client_before_0_9_needs_none():
    old = keptn_service(client_version="0.8.7")

    assert judge_one(__file__, world(old, uniform(integration(subscriptions=())))).status == "skip"
