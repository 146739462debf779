"""Time is charged to the look it was spent for, phase by phase, also side by side."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from keptn_doctor.model.keptn_facts import KeptnVersion
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.keptn_api import SWAGGER, KeptnApi
from keptn_doctor.probes.keptn_identity import keptn_version
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.stopwatch import Account, account, spending, turn

from .conftest import Serve
from .keptn_site import Keptn

pytestmark = pytest.mark.asyncio


def recorder() -> Recorder:
    return Recorder(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))


async def test_a_look_tells_connecting_from_asking(serve: Serve) -> None:
    api = KeptnApi(
        Network(), f"http://127.0.0.1:{await serve(Keptn())}/api", deadlines=Deadlines(request_s=2)
    )
    kept = recorder()
    await kept.look("keptn-version", "a", keptn_version(api, with_token=False), deadline_s=5)
    span = kept.spans[0]
    assert (span.name, span.spent.requests) == ("keptn-version/a@operator", 1)
    assert span.spent.connect_ms > 0
    assert span.spent.http_ms > 0
    assert span.spent.connect_ms + span.spent.http_ms <= span.duration_ms + 1


async def test_side_by_side_looks_have_accounts_of_their_own(serve: Serve) -> None:
    port, kept = await serve(Keptn()), recorder()

    async def asking(times: int) -> KeptnVersion:
        api = KeptnApi(Network(), f"http://127.0.0.1:{port}/api")
        await asyncio.gather(
            *(api.get(SWAGGER, with_token=False, fresh=True) for _ in range(times))
        )
        return KeptnVersion(version="1", source="swagger")

    looks = (kept.look("p", f"s{n}", asking(n), deadline_s=5) for n in (1, 2, 3))
    await asyncio.gather(*looks)
    told = {span.name: span.spent.requests for span in kept.spans}
    assert told == {"p/s1@operator": 1, "p/s2@operator": 2, "p/s3@operator": 3}


async def test_what_is_read_between_looks_is_charged_to_the_search() -> None:
    kept = recorder()
    with kept.span("search/exec-a"):
        with spending("resolve"):
            await asyncio.sleep(0.002)

        async def fact() -> KeptnVersion:
            with spending("tls"):
                await asyncio.sleep(0.002)
            return KeptnVersion(version="1", source="swagger")

        await kept.look("p", "s", fact(), deadline_s=5)
    inner, outer = kept.spans
    assert (inner.spent.resolve_ms, outer.spent.tls_ms) == (0, 0)
    assert inner.spent.tls_ms > 0
    assert outer.spent.resolve_ms > 0


async def test_waiting_for_a_turn_is_charged_as_waiting() -> None:
    limit, spent = asyncio.Semaphore(1), Account()

    async def hold() -> None:
        async with turn(limit):
            await asyncio.sleep(0.002)

    with account(spent):
        await asyncio.gather(hold(), hold())
    assert spent.total().waiting_ms >= 1
    assert not limit.locked()
