from check_under_test import judge_one

from keptn_doctor.api import PodProbe
from keptn_doctor.testing import POD, keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
TOLD = line("heartbeat", "dns", text="lookup keptn.example.com: server misbehaving")
FAILS = [
    world(SERVICE, pod_log(SERVICE, TOLD)),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="resolver-timeout"), pod=POD)),
]
PASSES = [
    world(SERVICE, own_request(SERVICE)),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="name-unknown"), pod=POD)),
]


def test_an_unknown_name_is_another_fault():
    unknown = line("heartbeat", "dns", text="lookup keptn.example.com: no such host")

    assert judge_one(__file__, world(SERVICE, pod_log(SERVICE, unknown))).status == "unknown"


def test_the_planes_dns_pods_are_the_next_look():
    assert "-n kube-system get pods" in judge_one(__file__, FAILS[0]).command


def test_the_planes_name_servers_are_what_is_broken():
    told = [judge_one(__file__, snapshot).at_fault for snapshot in FAILS]

    assert told == [("name servers of exec-a",)] * 2
