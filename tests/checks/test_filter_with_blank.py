from check_under_test import judge_one

from keptn_doctor.api import Subscription
from keptn_doctor.testing import integration, keptn_service, uniform, world

SERVICE = keptn_service(stage_filter=("dev", " prod"))
OLD = keptn_service(client_version="0.8.7", stage_filter=("dev", " prod"))


def _record(**lists):
    event = "sh.keptn.event.deployment.triggered"
    return uniform(integration(subscriptions=(Subscription(event=event, **lists),)))


FAILS = [
    world(SERVICE, _record(stages=("dev", " prod"))),
    world(SERVICE, _record(projects=("sockshop ",))),
    world(OLD, _record()),
]
PASSES = [
    world(SERVICE, _record(stages=("dev", "prod"))),
    world(keptn_service(client_version="0.8.7"), _record()),
]


def test_the_blank_is_shown_and_removed():
    finding = judge_one(__file__, FAILS[0])

    assert "“ prod”" in finding.summary
    assert finding.command.endswith("STAGE_FILTER=dev,prod")


def test_a_variable_that_never_reached_the_record_does_no_harm():
    assert judge_one(__file__, PASSES[0]).status == "pass"
