from check_under_test import judge_one

from keptn_doctor.testing import integration, keptn_service, line, pod_log, uniform, world

SERVICE = keptn_service(client_version="0.8.6", image="keptn/distributor:0.8.6")
TOLD = pod_log(
    SERVICE, line("not_registered", "tcp_timeout", text='Post "http://keptn.example.com/api/x"')
)

FAILS = [
    world(SERVICE, TOLD),
    world(SERVICE, uniform()),
]
PASSES = [world(SERVICE, uniform(integration()))]


def test_a_newer_image_is_offered():
    assert "keptn/distributor:0.9.2" in judge_one(__file__, FAILS[0]).command


def test_newer_distributors_keep_to_the_endpoint():
    assert judge_one(__file__, world(keptn_service(), TOLD)).status == "skip"
