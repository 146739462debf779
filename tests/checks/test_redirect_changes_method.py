from check_under_test import judge_one
from exposure_worlds import answers_seen, reply

from keptn_doctor.testing import integration, keptn_service, line, pod_log, uniform, world

SERVICE = keptn_service(endpoint="http://keptn.example.com/api")
TOLD = pod_log(SERVICE, line("not_registered", "redirect"))


def moved(status, host="keptn.example.com"):
    hop = f"{status} http://keptn.example.com/api/x -> https://{host}/api/x"
    return answers_seen(SERVICE, swagger=reply(redirects=(hop,)))


FAILS = [
    world(SERVICE, TOLD),
    world(SERVICE, moved(301), uniform()),
    world(SERVICE, moved(302), uniform(integration(9000))),
]
PASSES = [
    world(SERVICE, moved(308), uniform()),
    world(SERVICE, moved(301), uniform(integration())),
    world(SERVICE, moved(302, "login.example.com"), uniform()),
]


def test_the_https_url_is_offered():
    assert "https://keptn.example.com/api" in judge_one(__file__, FAILS[0]).command


def test_clients_before_0_9_poll_without_a_registration():
    old = keptn_service(endpoint="http://keptn.example.com/api", client_version="0.8.7")
    told = pod_log(old, line("not_registered", "redirect"))

    assert judge_one(__file__, world(old, told)).breaks == "degraded"


def test_words_that_fit_a_redirect_are_no_proof_where_none_is_seen():
    finding = judge_one(__file__, world(SERVICE, TOLD, answers_seen(SERVICE, swagger=reply())))

    assert finding.suspected


def test_a_redirect_that_is_seen_from_here_is_one_thing_for_all_planes():
    there = keptn_service(endpoint=SERVICE.endpoint, plane="exec-b")
    told = pod_log(there, line("not_registered", "redirect"))
    here = [judge_one(__file__, snapshot) for snapshot in (FAILS[0], FAILS[1])]
    far = judge_one(__file__, world(there, told))

    assert not set(here[0].at_fault).isdisjoint(here[1].at_fault)
    assert set(here[0].at_fault).isdisjoint(far.at_fault)
    assert "redirect at keptn.example.com:80" in here[1].at_fault
