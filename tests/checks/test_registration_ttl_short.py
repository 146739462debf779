import pytest
from check_under_test import judge_one

from keptn_doctor.api import Components
from keptn_doctor.testing import component, seen, world


def _ttl(text, version="0.19.3"):
    settings = {} if text is None else {"shipyard-controller/UNIFORM_INTEGRATION_TTL": text}
    fact = Components(
        keptn_version=version, found=(component("shipyard-controller"),), settings=settings
    )
    return world(seen("control-plane/keptn", fact))


FAILS = [_ttl("2m"), _ttl("90s"), _ttl("1m30s")]
PASSES = [_ttl("48h"), _ttl("10m"), _ttl("1h30m"), _ttl("48h0m0s")]


def test_it_is_told_as_it_is_set():
    assert "for 2m only" in judge_one(__file__, FAILS[0]).summary


@pytest.mark.parametrize(
    ("world_", "status"), [(_ttl("2m", "0.8.7"), "skip"), (_ttl(None), "unknown")]
)
def test_what_cannot_be_a_fault_or_be_read_is_none(world_, status):
    assert judge_one(__file__, world_).status == status
