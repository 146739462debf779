from check_under_test import judge_one

from keptn_doctor.api import Sequence, Sequences
from keptn_doctor.testing import NOW, ago, seen, world

STUCK = Sequence(
    project="sockshop", name="delivery", service="carts", stage="dev", state="started",
    context="c1", latest_event="sh.keptn.event.deployment.started", latest_at=ago(18_000),
)  # fmt: skip
BEHIND = Sequence(project="sockshop", name="delivery", service="carts", state="waiting")


def _under_way(*sequences):
    fact = Sequences(sequences=sequences, server_time=NOW)
    return world(seen("control-plane/keptn", fact))


def _other(**fields):
    return Sequence(**{f: getattr(STUCK, f) for f in STUCK.__struct_fields__} | fields)


FAILS = [_under_way(STUCK, BEHIND), _under_way(STUCK)]
PASSES = [
    _under_way(),
    _under_way(_other(latest_at=ago(600))),
    _under_way(_other(latest_event="sh.keptn.event.deployment.triggered")),
]


def test_the_command_aborts_the_one_that_hangs():
    finding = judge_one(__file__, FAILS[0])

    assert "1 sequences wait behind it" in finding.summary
    assert "/sequence/sockshop/c1/control" in finding.command


def test_without_a_queue_it_is_a_note():
    assert judge_one(__file__, FAILS[1]).severity == "info"
