from check_under_test import judge_one

from keptn_doctor.api import Subscription
from keptn_doctor.testing import integration, keptn_service, uniform, world

SERVICE = keptn_service()
EVENT = "sh.keptn.event.deployment.triggered"


def _old(*subscriptions, age=70_000, **fields):
    return integration(age, id="cd" * 20, subscriptions=subscriptions, **fields)


CUSTOM = Subscription(event="sh.keptn.event.evaluate-slo.triggered", stages=("prod",))

FAILS = [world(SERVICE, uniform(integration(), _old(CUSTOM)))]
PASSES = [
    world(SERVICE, uniform(integration())),
    world(SERVICE, uniform(integration(), _old(Subscription(event=EVENT)))),
    world(SERVICE, uniform(integration(), _old(Subscription(event=EVENT, stages=("dev",))))),
    world(SERVICE, uniform(integration(), _old(CUSTOM, namespace="elsewhere"))),
    world(SERVICE, uniform(integration(), _old(CUSTOM, age=5))),
]


def test_what_was_lost_is_named_with_its_filter():
    assert "evaluate-slo.triggered (prod)" in judge_one(__file__, FAILS[0]).summary


def test_a_wider_subscription_loses_nothing():
    assert judge_one(__file__, PASSES[2]).status == "pass"


def test_a_narrower_subscription_loses_the_rest():
    live = integration(subscriptions=(Subscription(event=EVENT, stages=("dev",)),))
    narrower = world(SERVICE, uniform(live, _old(Subscription(event=EVENT))))

    assert judge_one(__file__, narrower).status == "fail"
