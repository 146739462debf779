from check_under_test import judge_one
from delivery_worlds import SERVICE, seen, sequence, trip, under_way

from keptn_doctor.api import ControlPlane
from keptn_doctor.testing import world


def _world(*ages, version="0.19.3"):
    plane = ControlPlane(namespace="keptn", version=version)
    return world(plane, under_way(*(sequence("started", age) for age in ages)))


def _tried(*, offered, version="0.19.3"):
    fact = trip("service", "picked-up", offered=offered)
    plane = ControlPlane(namespace="keptn", version=version)
    return world(plane, SERVICE, under_way(sequence()), seen(SERVICE.subject, fact))


FAILS = [_world(-600), _world(30, -20), _tried(offered=False)]
PASSES = [_world(30), _world(-3), _tried(offered=True), _tried(offered=None)]


def test_minutes_degrade_and_seconds_do_not():
    assert judge_one(__file__, FAILS[0]).breaks == "degraded"
    assert judge_one(__file__, FAILS[1]).breaks == "nothing"


def test_older_control_planes_hide_nothing():
    assert judge_one(__file__, _world(-600, version="0.16.2")).status == "skip"
    assert judge_one(__file__, _tried(offered=False, version="0.16.2")).status == "skip"


def test_without_a_waiting_task_there_is_nothing_to_compare():
    assert judge_one(__file__, _world()).status == "skip"
