"""A Kubernetes API that answers anything: never connected, never a crash, and in time."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from honesty import TOKEN, assert_honest, looked_at
from hostile_server import TALKS, serving

from keptn_doctor.targets import ClusterTarget, Targets

pytestmark = pytest.mark.asyncio


def cluster(port: int, folder: Path) -> Targets:
    config = folder / "kubeconfig"
    document = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    config.write_text(yaml.safe_dump(document))
    return Targets(
        control_plane=ClusterTarget(name="cp", context="x", kubeconfig=str(config)),
        execution_planes=(ClusterTarget(name="exec", context="x", kubeconfig=str(config)),),
    )


@pytest.mark.parametrize("name", TALKS)
async def test_any_answer_ends_in_a_report_in_time_without_the_token(
    name: str, tmp_path: Path
) -> None:
    async with serving(TALKS[name]) as port:
        report = assert_honest(await looked_at(cluster(port, tmp_path)))
        assert report.verdicts == ()
        assert report.exit_code in (1, 3)
