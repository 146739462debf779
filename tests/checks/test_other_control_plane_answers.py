from check_under_test import judge_one
from exposure_worlds import answers_seen, dns, gateway_seen

from keptn_doctor.api import ControlPlane, GatewayAnswers
from keptn_doctor.testing import (
    REGISTRATION_ID,
    endpoint,
    integration,
    keptn_service,
    line,
    own_request,
    pod_log,
    seen,
    uniform,
    world,
)

CONTROL = ControlPlane(namespace="keptn", version="0.19.3", api_url="https://keptn.example.com/api")
SERVICE = keptn_service(endpoint="https://stage.example.com/api")
REFUSED = pod_log(SERVICE, line("not_registered", "bad_token"))

FAILS = [
    world(
        CONTROL,
        SERVICE,
        own_request(SERVICE, listed=("cd" * 20,)),
        uniform(integration(9000, name="x")),
    ),
    world(CONTROL, SERVICE, answers_seen(SERVICE, version="0.18.2"), uniform()),
    world(
        CONTROL,
        SERVICE,
        REFUSED,
        answers_seen(SERVICE, version="0.19.3"),
        gateway_seen(),
        dns(SERVICE, "203.0.113.60", name="stage.example.com"),
    ),
]
PASSES = [
    world(
        CONTROL,
        SERVICE,
        own_request(SERVICE, listed=(REGISTRATION_ID,)),
        uniform(integration(9000)),
    ),
    world(CONTROL, SERVICE, answers_seen(SERVICE, version="0.18.2"), uniform(integration())),
    world(CONTROL, SERVICE, answers_seen(SERVICE, version="0.19.3"), uniform()),
]


def test_the_right_endpoint_is_offered():
    assert "https://keptn.example.com/api" in judge_one(__file__, FAILS[0]).command


def test_an_id_that_two_control_planes_share_does_not_make_them_one():
    ours = uniform(integration(), *(integration(name=f"o{n}", id=f"o{n}") for n in range(3)))
    theirs = own_request(SERVICE, listed=(REGISTRATION_ID, "x1", "x2", "x3"))

    assert judge_one(__file__, world(CONTROL, SERVICE, theirs, ours)).status == "fail"


def test_a_record_that_came_in_between_does_not_make_one_control_plane_two():
    ours = uniform(integration(), *(integration(name=f"o{n}", id=f"o{n}") for n in range(3)))
    shown = own_request(SERVICE, listed=(REGISTRATION_ID, "o0", "o1", "new"))

    assert judge_one(__file__, world(CONTROL, SERVICE, shown, ours)).status == "pass"


def test_a_version_is_compared_with_keptns_own_word_where_there_is_one():
    mine = endpoint("https://keptn.example.com/api", used_by_operator=True)
    own = seen(mine, GatewayAnswers(reached="keptn", keptn_version="develop"))
    same = world(CONTROL, SERVICE, mine, own, answers_seen(SERVICE, version="develop"), uniform())

    assert judge_one(__file__, same).status == "pass"


def test_an_address_of_this_gateway_is_no_other():
    here = world(
        CONTROL,
        SERVICE,
        answers_seen(SERVICE, version="0.18.2"),
        uniform(),
        gateway_seen(),
        dns(SERVICE, name="stage.example.com"),
    )

    assert judge_one(__file__, here).status == "pass"
