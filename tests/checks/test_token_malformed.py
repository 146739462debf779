from check_under_test import judge_one

from keptn_doctor.api import TokenState
from keptn_doctor.testing import keptn_service, line, pod_log, world

GOOD = keptn_service(token=TokenState(source="secret", fingerprint="f"))
BAD = keptn_service(token=TokenState(source="secret", fingerprint="f", control_characters=True))
BLANK = keptn_service(
    token=TokenState(source="secret", fingerprint="f", surrounding_whitespace=True)
)
FAILS = [
    world(BAD, pod_log(BAD)),
    world(GOOD, pod_log(GOOD, line("not_registered", "token_malformed"))),
]
PASSES = [world(GOOD, pod_log(GOOD)), world(BLANK, pod_log(BLANK))]


def test_the_shape_alone_proves_it():
    assert judge_one(__file__, world(BAD)).breaks == "disconnected"
