from check_under_test import judge_one

from keptn_doctor.testing import integration, keptn_service, uniform, world

ALONE = keptn_service()
HERE = keptn_service(namesakes=("exec-b/keptn-exec/helm-service",))
FAILS = [world(HERE, uniform(integration()))]
PASSES = [world(ALONE, uniform(integration()))]


def test_both_services_are_named():
    finding = judge_one(__file__, FAILS[0])

    assert "exec-a/keptn-exec/helm-service and exec-b/keptn-exec/helm-service" in finding.summary
    assert finding.breaks == "degraded"


def test_namesakes_name_one_broken_thing_and_of_many_only_a_few_stand_in_the_sentence():
    twins = tuple(f"exec-{n}/keptn-exec/helm-service" for n in range(100))
    here, there = (
        judge_one(__file__, world(service, uniform(integration())))
        for service in (keptn_service(namesakes=twins), HERE)
    )

    assert here.at_fault == there.at_fault != ()
    assert "exec-1/keptn-exec/helm-service and 98 more share the registration" in here.summary


def test_without_a_record_nothing_is_shared():
    assert judge_one(__file__, world(HERE, uniform())).status == "skip"
