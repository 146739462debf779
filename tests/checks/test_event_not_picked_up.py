import pytest
from check_under_test import judge_one
from delivery_worlds import (
    CONTROL_PLANE,
    SERVICE,
    TASK,
    answered,
    event,
    old_events,
    open_events,
    trip,
)

from keptn_doctor.api import Failure, HttpAnswer, LocalApiAnswer, Subscription
from keptn_doctor.testing import (
    POD,
    ago,
    container,
    integration,
    keptn_service,
    pod_of,
    seen,
    uniform,
    workload_of,
    world,
)

OLD = keptn_service(client_version="0.12.7")  # its polls verify certificates, heartbeats do not
LISTED = uniform(integration())
LOST = event()
WAITS = (open_events(LOST), old_events((LOST, ())))
OK = HttpAnswer(url="http://127.0.0.1:8081/x", status=200, body="json", server="nginx")
HEARS = seen(SERVICE, LocalApiAnswer(pod=POD, port=8081, registration=OK, poll=OK), pod=POD)


def _tried(broken=""):
    fact = trip("service", broken)
    return world(SERVICE, LISTED, open_events(), seen(SERVICE.subject, fact))


FAILS = [
    world(SERVICE, LISTED, *WAITS),
    world(SERVICE, LISTED, *WAITS, answered(age=5000)),
    _tried("picked-up"),
]
PASSES = [
    world(SERVICE, LISTED, open_events(LOST), old_events((LOST, ("helm-service",)))),
    world(SERVICE, LISTED, open_events(LOST), old_events(answered=1)),
    world(SERVICE, LISTED, open_events(), answered()),
    world(SERVICE, LISTED, open_events(event(age=20)), old_events(), answered()),
    _tried(),
    _tried("finished"),
]


def test_a_service_that_was_not_seen_to_hear_is_disconnected():
    finding = judge_one(__file__, world(OLD, LISTED, *WAITS))

    assert finding.breaks == "disconnected"
    assert "has been open for 10 min" in finding.summary
    assert finding.command.startswith("kubectl --context exec-a -n keptn-exec rollout restart")


@pytest.mark.parametrize("also", [HEARS, answered(age=100)], ids=["polls", "takes others"])
def test_one_that_hears_and_passes_it_over_is_degraded(also):
    assert judge_one(__file__, world(OLD, LISTED, *WAITS, also)).breaks == "degraded"


def test_where_polls_take_the_way_of_heartbeats_a_live_one_shows_that_it_hears():
    stale = uniform(integration(900))

    assert judge_one(__file__, FAILS[0]).breaks == "degraded"
    assert judge_one(__file__, world(SERVICE, stale, *WAITS)).breaks == "disconnected"
    nats = keptn_service(mode="nats", endpoint="")
    assert judge_one(__file__, world(nats, LISTED, *WAITS)).breaks == "disconnected"


def test_a_job_executor_may_have_no_job_for_it():
    jobs = keptn_service("job-executor-service", client="sdk", container="jes")
    own = uniform(integration(name="job-executor-service"))
    tried = seen(jobs.subject, trip("service", "picked-up"))

    for snapshot in (world(jobs, own, *WAITS), world(jobs, own, open_events(), tried)):
        finding = judge_one(__file__, snapshot)
        assert (finding.suspected, finding.breaks) == (True, "nothing")


def test_more_old_events_than_were_asked_about_leave_it_open():
    rest = world(SERVICE, LISTED, open_events(LOST), old_events(left_out=30))

    assert judge_one(__file__, rest).status == "unknown"


def test_what_somebody_else_took_is_another_matter():
    fact = trip("service", "picked-up", answered_by=("argo-service",))
    taken = world(SERVICE, LISTED, open_events(), seen(SERVICE.subject, fact))

    assert judge_one(__file__, taken).status == "skip"


def test_others_that_could_take_it_are_named():
    twin = integration(id="cd" * 20, name="argo-service", namespace="argo")
    finding = judge_one(__file__, world(SERVICE, uniform(integration(), twin), *WAITS))

    assert "nor has argo/argo-service, which subscribes to it too" in finding.summary


@pytest.mark.parametrize(
    "filters", [{"stages": ("prod",)}, {"projects": ("x", "y")}, {"services": (" carts",)}]
)
def test_an_event_that_a_filter_keeps_out_is_not_its_own(filters):
    kept = integration(subscriptions=(Subscription(event=TASK, **filters),))

    assert judge_one(__file__, world(SERVICE, uniform(kept), *WAITS)).status == "skip"


def test_up_to_0_8_the_variables_decide():
    old = keptn_service(client_version="0.8.7", stage_filter=("prod",))
    mine = keptn_service(client_version="0.8.7", stage_filter=("dev",))

    assert judge_one(__file__, world(old, *WAITS)).status == "skip"
    assert judge_one(__file__, world(mine, *WAITS)).status == "fail"


def test_in_nats_mode_wildcards_count():
    beside = keptn_service(mode="nats", endpoint="", topics=("sh.keptn.event.*.triggered",))
    other = keptn_service(mode="nats", endpoint="", topics=("sh.keptn.event.test.>",))

    assert judge_one(__file__, world(beside, *WAITS)).status == "fail"
    assert judge_one(__file__, world(other, *WAITS)).status == "skip"


def test_nothing_to_do_proves_nothing():
    finding = judge_one(__file__, world(SERVICE, LISTED, open_events()))

    assert finding.status == "skip"
    assert "proves nothing" in finding.summary


def test_a_namesake_may_have_given_the_answer():
    one_of_two = keptn_service(namesakes=("exec-b/keptn-exec/helm-service",))

    assert (
        judge_one(__file__, world(one_of_two, LISTED, open_events(), answered())).status == "skip"
    )


def test_without_the_second_look_it_is_not_known():
    refused = Failure(phase="http", code="unexpected-status", detail="500")
    again = seen(CONTROL_PLANE, refused, probe="old-events")

    assert judge_one(__file__, world(SERVICE, LISTED, open_events(LOST), again)).status == "unknown"


def test_a_client_that_has_just_started_may_come_to_it():
    fresh = workload_of(SERVICE, pod_of(SERVICE, container(started_at=ago(20))))

    assert judge_one(__file__, world(SERVICE, LISTED, *WAITS, fresh)).status == "unknown"
