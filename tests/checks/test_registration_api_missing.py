import pytest
from check_under_test import judge_one

from keptn_doctor.api import KeptnVersion
from keptn_doctor.testing import keptn_service, line, pod_log, seen, world

NEW = keptn_service(client_version="0.12.7")
OLD = keptn_service(client_version="0.8.7")


def _version(text):
    return seen("control-plane/keptn", KeptnVersion(version=text))


FAILS = [
    world(NEW, _version("0.8.3")),
    world(NEW, _version("0.8.7")),
    world(NEW, pod_log(NEW, line("not_registered", "version_skew"))),
]
PASSES = [world(NEW, _version("0.9.0")), world(NEW, _version("1.4.5"))]


@pytest.mark.parametrize(("version", "came_with"), [("0.8.2", "0.8.4"), ("0.8.7", "0.9.0")])
def test_what_is_missing_depends_on_the_version(version, came_with):
    assert f"came with {came_with}" in judge_one(__file__, world(NEW, _version(version))).summary


def test_a_client_that_polls_unregistered_needs_none_of_it():
    assert judge_one(__file__, world(OLD, _version("0.8.3"))).status == "skip"


def test_an_unknown_version_is_no_verdict():
    assert judge_one(__file__, world(NEW)).status == "unknown"
