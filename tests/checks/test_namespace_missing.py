from check_under_test import judge_one

from keptn_doctor.api import ExecutionPlane, NamespaceFacts
from keptn_doctor.testing import seen, world

PLANE = ExecutionPlane(name="exec-a", context="exec-a")


def _namespaces(**exist):
    looks = [
        seen(PLANE, NamespaceFacts(namespace=name, exists=there), part=name)
        for name, there in exist.items()
    ]
    return world(PLANE, *looks)


FAILS = [_namespaces(keptn=False), _namespaces(keptn=True, other=False)]
PASSES = [_namespaces(keptn=True), _namespaces(keptn=None)]


def test_it_is_named():
    assert "Namespace other does not exist" in judge_one(__file__, FAILS[1]).summary
