from check_under_test import judge_one

from keptn_doctor.api import Subscription
from keptn_doctor.testing import POD, integration, keptn_service, uniform, workload_of, world

WANTED = ("sh.keptn.event.deployment.triggered", "sh.keptn.event.test.triggered")
SERVICE = keptn_service(topics=WANTED)
DEAD_WEIGHT = keptn_service(topics=(WANTED[0], "sh.keptn.event.service.delete.finished"))


def _world(service=SERVICE, **record):
    return world(service, workload_of(service), uniform(integration(**record)))


FAILS = [_world(), _world(pod_name="helm-service-5c4b-x2x4q")]
PASSES = [_world(pod_name=POD), _world(keptn_service()), _world(DEAD_WEIGHT)]


def test_the_topic_that_never_arrives_is_named():
    assert "sh.keptn.event.test.triggered, but" in judge_one(__file__, FAILS[1]).summary


def test_what_the_bridge_changed_after_this_very_pod_registered_is_on_purpose():
    assert judge_one(__file__, _world(pod_name=POD)).status == "pass"


def test_a_stage_that_a_changed_filter_names_never_arrives():
    moved = keptn_service(stage_filter=("prod",))
    old = Subscription(event=WANTED[0], stages=("dev",))
    finding = judge_one(__file__, _world(moved, subscriptions=(old,)))

    assert "STAGE_FILTER of helm-service names prod" in finding.summary


def test_a_subscription_without_filter_takes_every_stage():
    assert judge_one(__file__, _world(keptn_service(stage_filter=("prod",)))).status == "pass"


def test_a_pod_of_the_same_template_had_the_same_variables():
    earlier = f"{POD.rpartition('-')[0]}-zzzzz"

    assert judge_one(__file__, _world(pod_name=earlier)).status == "pass"


def test_without_any_subscription_another_check_tells():
    assert judge_one(__file__, _world(subscriptions=())).status == "skip"


def test_clients_of_0_8_poll_their_variable():
    assert judge_one(__file__, _world(keptn_service(client_version="0.8.7"))).status == "skip"
