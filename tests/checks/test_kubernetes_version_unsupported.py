import pytest
from check_under_test import judge_one

from keptn_doctor.api import ClusterFacts, KeptnVersion
from keptn_doctor.testing import seen, world


def _pair(keptn, kubernetes, platform=""):
    return world(
        seen("control-plane/keptn", KeptnVersion(version=keptn)),
        seen("control-plane/keptn", ClusterFacts(version=kubernetes, platform=platform)),
    )


FAILS = [_pair("0.13.6", "1.24"), _pair("0.16.2", "1.16"), _pair("1.4.5", "1.28")]
PASSES = [_pair("0.13.6", "1.20"), _pair("1.4.5", "1.24"), _pair("0.9.2", "1.17", "eks")]


def test_it_is_advice_and_names_the_range():
    finding = judge_one(__file__, FAILS[0])

    assert (finding.severity, finding.breaks) == ("warning", "nothing")
    assert "1.19 to 1.21" in finding.summary


@pytest.mark.parametrize(("keptn", "kubernetes"), [("", "1.20"), ("0.13.6", "")])
def test_an_unknown_version_is_unknown(keptn, kubernetes):
    assert judge_one(__file__, _pair(keptn, kubernetes)).status == "unknown"
