from check_under_test import judge_one
from exposure_worlds import answers_seen, gateway_seen, provider_seen, route, routes_seen

from keptn_doctor.testing import keptn_service, world

SILENT = provider_seen(
    providers=("metallb",), defects=("metallb: nothing announces its addresses",)
)
SERVICE = keptn_service()

FAILS = [
    world(SILENT, gateway_seen(ip="192.168.88.230")),
    world(
        gateway_seen(),
        provider_seen(defects=("metallb: no speaker pod is ready",)),
        SERVICE,
        answers_seen(SERVICE, reached="nobody"),
    ),
]
PASSES = [
    world(gateway_seen(), provider_seen(providers=("metallb",))),
    world(gateway_seen(), SILENT, SERVICE, answers_seen(SERVICE)),
]


def test_without_an_address_there_is_nothing_to_announce():
    assert judge_one(__file__, world(SILENT, gateway_seen(ip=""))).status == "skip"


def test_with_a_route_beside_it_the_address_is_not_needed():
    assert judge_one(__file__, world(SILENT, gateway_seen(), routes_seen(route()))).status == "skip"
