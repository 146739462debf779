from check_under_test import CATALOGUE
from exposure_worlds import CONTROL_PLANE

from keptn_doctor.api import GatewayLog, ReferenceToken, TokenState
from keptn_doctor.testing import (
    component,
    control_plane_runs,
    keptn_service,
    line,
    own_request,
    pod_log,
    run_check,
    seen,
    world,
)

GOOD = keptn_service(token=TokenState(fingerprint="aa"))
BAD = keptn_service("jmeter-service", token=TokenState(fingerprint="bb"))
REFERENCE = seen(CONTROL_PLANE, ReferenceToken(namespace="keptn", name="x", fingerprint="aa"))
LIMITED = pod_log(GOOD, line("heartbeat", "rate_limited"))
NOW_AND_THEN = pod_log(GOOD, line("heartbeat", "backend_down"))
REFUSING = seen(CONTROL_PLANE, GatewayLog(window_s=900, rejected=40))

FAILS = [
    world(GOOD, BAD, REFERENCE, LIMITED),
    world(GOOD, own_request(GOOD, 429, body="text", origin="gateway"), REFUSING),
    world(GOOD, own_request(GOOD, 500, body="html", origin="gateway", poll=200), REFUSING),
    world(GOOD, BAD, REFERENCE, own_request(GOOD), NOW_AND_THEN),
]
PASSES = [
    world(GOOD, BAD, REFERENCE, own_request(GOOD)),
    world(GOOD, REFERENCE, own_request(GOOD), NOW_AND_THEN),
]


def judged(snapshot, subject):
    findings = run_check(CATALOGUE.get("throttled-by-neighbour"), snapshot)
    return next(f for f in findings if f.subject == subject.subject)


def test_the_neighbour_is_named_and_not_blamed_for_itself():
    assert BAD.subject in judged(FAILS[0], GOOD).summary
    assert judged(FAILS[0], BAD).status == "skip"


def test_a_dead_api_service_answers_the_same():
    down = control_plane_runs(component("api-service", ready=0))

    assert judged(world(GOOD, BAD, REFERENCE, LIMITED, down), GOOD).status == "skip"


def test_who_is_refused_itself_is_no_victim():
    mixed = own_request(GOOD, 401, body="html", origin="gateway", poll=429)

    assert judged(world(GOOD, BAD, REFERENCE, mixed), GOOD).status == "skip"


def test_an_error_in_json_is_a_components_own():
    failing = own_request(GOOD, 500, body="json")

    assert judged(world(GOOD, BAD, REFERENCE, failing), GOOD).status == "unknown"


def test_one_wrong_token_is_what_is_broken_and_of_several_nobody_knows_which():
    other = keptn_service("custom-service", token=TokenState(fingerprint="cc"))
    differs = run_check(CATALOGUE.get("token-differs"), FAILS[0])
    wrong = next(f for f in differs if f.subject == BAD.subject)

    assert judged(FAILS[0], GOOD).at_fault == wrong.at_fault != ()
    assert judged(world(GOOD, BAD, other, REFERENCE, LIMITED), GOOD).at_fault == ()
