import pytest
from check_under_test import judge_one

from keptn_doctor.testing import ago, component, container, control_plane_runs, pod_of, world


def _runs(version="0.9.2", *, broker=3600, listener=90_000, ready=1):
    nats = container("nats", started_at=ago(broker))
    distributor = container("distributor", started_at=ago(listener))
    return world(
        control_plane_runs(
            component("keptn-nats-cluster", pod_of("keptn", nats), ready=ready),
            component("shipyard-controller", pod_of("keptn", distributor)),
            version=version,
        )
    )


FAILS = [_runs(), _runs("0.10.0"), _runs("0.12.7")]
PASSES = [_runs(listener=60), _runs(broker=89_700)]


@pytest.mark.parametrize(("number", "suspicion"), [(0, False), (2, True)])
def test_versions_that_mostly_reconnect_are_suspected_only(number, suspicion):
    assert judge_one(__file__, FAILS[number]).suspected is suspicion


@pytest.mark.parametrize("snapshot", [_runs("0.16.2"), _runs(ready=0)])
def test_a_newer_control_plane_or_a_dead_broker_is_another_matter(snapshot):
    assert judge_one(__file__, snapshot).status == "skip"
