from check_under_test import judge_one

from keptn_doctor.testing import ago, integration, keptn_service, uniform, world

SERVICE = keptn_service()
FAILS = [world(SERVICE, uniform(integration(1800)))]
PASSES = [
    world(SERVICE, uniform(integration(4))),
    world(SERVICE, uniform(integration(300, last_seen_again=ago(1)))),
]


def test_the_age_is_told_in_words():
    assert "30 min ago" in judge_one(__file__, FAILS[0]).summary


def test_the_newest_of_two_records_counts():
    both = uniform(integration(90_000, id="cd" * 20), integration(4))

    assert judge_one(__file__, world(SERVICE, both)).status == "pass"


def test_a_fresh_heartbeat_of_a_shared_record_may_be_the_others():
    shared = keptn_service(namesakes=("exec-b/keptn-exec/helm-service",))

    assert judge_one(__file__, world(shared, uniform(integration(4)))).status == "unknown"


def test_a_control_plane_that_keeps_no_times_proves_nothing():
    assert judge_one(__file__, world(SERVICE, uniform(integration(None)))).status == "unknown"
