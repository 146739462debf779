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


def test_without_a_record_nothing_is_shared():
    assert judge_one(__file__, world(HERE, uniform())).status == "skip"
