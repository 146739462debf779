from check_under_test import judge_one

from keptn_doctor.testing import keptn_service, world

FAILS = [world(keptn_service(endpoint="my-host/api"))]
PASSES = [world(keptn_service())]


def test_the_defect_is_told_with_the_value():
    finding = judge_one(__file__, FAILS[0])

    assert "'my-host/api' has no scheme" in finding.summary
    assert finding.breaks == "disconnected"
    assert finding.command.startswith("kubectl --context exec-a -n ")
