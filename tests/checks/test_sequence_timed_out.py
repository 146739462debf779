from check_under_test import judge_one
from delivery_worlds import SERVICE, sequence, under_way

from keptn_doctor.testing import integration, uniform, world

FAILS = [
    world(under_way(sequence("timedOut", 1200))),
    world(SERVICE, under_way(sequence("timedOut", 1200), sequence("timedOut", 7300)),
          uniform(integration())),
]  # fmt: skip
PASSES = [
    world(under_way()),
    world(under_way(sequence("timedOut", 200_000), sequence("finished", 60))),
]


def test_it_breaks_nothing_and_names_who_could_have_taken_it():
    finding = judge_one(__file__, FAILS[1])

    assert finding.breaks == "nothing"
    assert "20 min ago; 1 more of the last day did" in finding.summary
    assert "keptn-exec/helm-service subscribes to it now" in finding.summary


def test_a_task_of_nobody_is_told():
    unwanted = world(under_way(sequence("timedOut", 60, latest_event="x")), uniform(integration()))

    assert "nobody who is alive subscribes" in judge_one(__file__, unwanted).summary
