"""A Keptn endpoint that answers anything: a run ends in time, with a report, without a secret."""

from __future__ import annotations

import pytest
from honesty import TOKEN, assert_honest, looked_at
from hostile_server import TALKS, serving

from keptn_doctor.model.failure import Failure
from keptn_doctor.secret import Secret
from keptn_doctor.targets import ApiTarget, Targets

pytestmark = pytest.mark.asyncio


def api(url: str) -> Targets:
    return Targets(api=ApiTarget(endpoint=url, token=Secret(TOKEN)))


@pytest.mark.parametrize("name", TALKS)
async def test_any_answer_ends_in_a_report_in_time_without_the_token(name: str) -> None:
    async with serving(TALKS[name]) as port:
        snapshot = await looked_at(api(f"http://127.0.0.1:{port}/api"))
        assert assert_honest(snapshot).exit_code in (1, 3)


async def test_https_to_a_plain_port_is_told_apart() -> None:
    async with serving(TALKS["web page"]) as port:
        snapshot = await looked_at(api(f"https://127.0.0.1:{port}/api"))
        assert_honest(snapshot)
        codes = {o.result.code for o in snapshot.observations if isinstance(o.result, Failure)}
        assert "not-tls" in codes
