from check_under_test import judge_one
from delivery_worlds import CONTROL_PLANE, SERVICE, sequence, trip, under_way

from keptn_doctor.testing import seen, world

BEGUN = "sh.keptn.event.dev.delivery.triggered"


def _world(*sequences, **legs):
    looks = [seen(SERVICE.subject, trip("service", **legs))] if legs else []
    return world(SERVICE, under_way(*sequences), *looks)


FAILS = [
    _world(sequence("triggered", 900, latest_event=BEGUN)),
    _world(sequence("waiting", 900), sequence("started", 50, service="orders")),
    _world(broken="task-sent", detail="nothing came"),
]
PASSES = [
    _world(),
    _world(sequence("triggered", 20)),
    _world(sequence("waiting", 900), sequence("started", 5000)),
    _world(sequence("waiting", 900), sequence("paused", 5000)),
    _world(sequence("finished", 900), sequence("timedOut", 900)),
    _world(broken="picked-up"),
]


def test_the_age_and_the_number_are_told():
    two = _world(sequence("triggered", 900), sequence("triggered", 300))
    summary = judge_one(__file__, two).summary

    assert "15 min ago, with nothing in front of it, and 1 more" in summary


def test_the_runs_own_sequence_comes_first():
    assert "The round trip's sequence" in judge_one(__file__, FAILS[2]).summary


def test_a_task_that_was_sent_a_moment_ago_refutes_a_stuck_dispatcher():
    looks = seen(CONTROL_PLANE, trip("service"))
    both = world(SERVICE, under_way(sequence("triggered", 900)), looks)

    assert judge_one(__file__, both).status == "pass"
