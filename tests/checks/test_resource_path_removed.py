from check_under_test import judge_one

from keptn_doctor.api import Components, KeptnVersion
from keptn_doctor.testing import keptn_service, seen, world

OLD = keptn_service(
    client_version="0.16.2", resource_service_url="http://localhost:8081/configuration-service"
)
NEW = keptn_service(
    client_version="0.18.0", resource_service_url="http://localhost:8081/resource-service"
)
MIXED = keptn_service(
    client_version="0.17.1", resource_service_url="http://localhost:8081/resource-service"
)


def _keptn(version):
    return seen("control-plane/keptn", KeptnVersion(version=version))


def _routes(text):
    settings = {"api-gateway-nginx/resource_routes": text}
    return seen("control-plane/keptn", Components(settings=settings))


FAILS = [
    world(OLD, _keptn("1.4.5")),
    world(NEW, _keptn("0.17.1")),
    world(MIXED, _keptn("0.18.2")),
    world(OLD, _routes("resource-service")),
]
PASSES = [
    world(OLD, _keptn("0.18.2"), _routes("configuration-service,resource-service")),
    world(OLD, _keptn("0.13.6"), _routes("configuration-service")),
    world(NEW, _keptn("1.4.5"), _routes("resource-service")),
]


def test_both_sides_are_named():
    summary = judge_one(__file__, FAILS[0]).summary

    assert "/configuration-service" in summary
    assert "it has /resource-service" in summary


def test_a_distributor_that_does_not_pass_it_on_is_told_first():
    assert "0.17.1 passes on /configuration-service only" in judge_one(__file__, FAILS[2]).summary


def test_a_service_that_reads_no_files_is_not_told_of():
    assert judge_one(__file__, world(keptn_service(), _keptn("1.4.5"))).status == "skip"


def test_an_unknown_control_plane_proves_nothing():
    assert judge_one(__file__, world(OLD)).status == "unknown"
