from check_under_test import judge_one

from keptn_doctor.testing import (
    REGISTRATION_ID,
    ago,
    container,
    integration,
    keptn_service,
    pod_log,
    pod_of,
    uniform,
    workload_of,
    world,
)

SERVICE = keptn_service()
STRANGER = integration(name="other", id="cd" * 20)
FAILS = [
    world(SERVICE, uniform()),
    world(SERVICE, uniform(STRANGER), workload_of(SERVICE)),
    world(SERVICE, uniform(integration(namespace="elsewhere"))),
]
PASSES = [
    world(SERVICE, uniform(integration())),
    world(SERVICE, uniform(integration(name="renamed")), pod_log(SERVICE, ids=(REGISTRATION_ID,))),
]


def test_it_says_how_many_integrations_were_looked_through():
    assert "None of the 1 integrations" in judge_one(__file__, FAILS[1]).summary


def test_a_pod_that_just_started_may_still_be_registering():
    young = pod_of(SERVICE, container(started_at=ago(20)))
    snapshot = world(SERVICE, uniform(), workload_of(SERVICE, young))

    assert judge_one(__file__, snapshot).status == "unknown"


def test_a_client_before_0_9_is_only_degraded():
    old = keptn_service(client_version="0.8.7")

    assert judge_one(__file__, world(old, uniform())).breaks == "degraded"


def test_an_id_that_was_given_out_is_another_fault():
    lost = world(SERVICE, uniform(), pod_log(SERVICE, ids=(REGISTRATION_ID,)))

    assert judge_one(__file__, lost).status == "skip"


def test_a_client_that_polls_unregistered_as_it_was_told_is_not_missed():
    old = keptn_service(client_version="0.8.7", registration_disabled=True)

    assert judge_one(__file__, world(old, uniform())).status == "skip"
