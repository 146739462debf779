"""Old open events are read twice and followed up; past answers are looked for in bounds."""

from __future__ import annotations

import urllib.parse
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_answers import old_events, old_ones, past_answers
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_projects import open_events
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.retry import RetryPolicy
from keptn_doctor.secret import Secret

from .conftest import Serve
from .keptn_site import TOKEN, Answer, Keptn, data, error

pytestmark = pytest.mark.asyncio
KIND = "sh.keptn.event.deployment.triggered"
OPEN = f"/controlPlane/v1/event/triggered/{KIND}"
STORED = "/mongodb-datastore/event"
NOW = datetime(2022, 6, 2, 12, 0, tzinfo=UTC)


async def api_of(serve: Serve, site: Keptn) -> KeptnApi:
    site.headers["Date"] = format_datetime(NOW, usegmt=True)
    return KeptnApi(
        Network(),
        f"http://127.0.0.1:{await serve(site)}/api",
        token=Secret(TOKEN),
        salt=b"salt",
        deadlines=Deadlines(request_s=2),
        patience=RetryPolicy(attempts=1, base_s=0.001),
    )


def event(key: str, *, age: float, kind: str = KIND, **fields: str) -> dict[str, object]:
    at = (NOW - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
    where = {"project": "sockshop", "stage": "dev", "service": "carts"}
    return {"id": key, "type": kind, "time": at, "shkeptncontext": "c", "data": where, **fields}


def started(of: str, source: str) -> dict[str, object]:
    kind = "sh.keptn.event.deployment.started"
    return event(f"s-{of}", age=50, kind=kind, triggeredid=of, source=source)


async def test_a_young_event_is_not_followed_up(serve: Serve) -> None:
    site = Keptn()
    site.answers[OPEN] = data({"events": [event("young", age=20)]})
    api = await api_of(serve, site)
    first = await open_events(api, (KIND,))
    before = len(site.requests)

    assert old_ones(first) == ()
    assert (await old_events(api, first)).events == ()
    assert len(site.requests) == before


async def test_an_old_event_is_read_again_and_asked_after(serve: Serve) -> None:
    site = Keptn()
    listed = [event("lost", age=600), event("long", age=3600), event("quick", age=70)]
    site.answers[OPEN] = data({"events": listed})
    site.answers[STORED] = data({"events": [started("long", "helm-service"), started("x", "y"), 7]})
    api = await api_of(serve, site)
    first = await open_events(api, (KIND,))
    site.answers[OPEN] = data({"events": listed[:2]})
    seen = await old_events(api, first)

    assert [(old.event.id, old.started_by) for old in seen.events] == [
        ("long", ("helm-service",)),
        ("lost", ()),
    ]
    assert seen.answered == 1
    assert {method for method, _, _ in site.requests} == {"GET"}
    queries = [urllib.parse.parse_qs(urllib.parse.urlsplit(t).query) for _, t, _ in
               site.asked("/api" + STORED)]  # fmt: skip
    assert {query["type"][0] for query in queries} == {"sh.keptn.event.deployment.started"}
    assert {query["project"][0] for query in queries} == {"sockshop"}


async def test_no_more_than_ten_old_events_are_asked_after(serve: Serve) -> None:
    site = Keptn()
    site.answers[OPEN] = data({"events": [event(f"e{n}", age=600 + n) for n in range(40)]})
    api = await api_of(serve, site)
    seen = await old_events(api, await open_events(api, (KIND,)))

    assert (len(seen.events), seen.left_out) == (10, 30)
    assert len(site.asked("/api" + STORED)) == 10


async def test_what_an_earlier_round_trip_left_is_nobodys_work(serve: Serve) -> None:
    site = Keptn()
    left = event("left", age=600)
    left["data"] = {"project": "keptn-doctor-trip-q7x-0123456789ab", "stage": "s", "service": "x"}
    site.answers[OPEN] = data({"events": [left]})
    api = await api_of(serve, site)

    assert old_ones(await open_events(api, (KIND,))) == ()


async def test_without_the_datastore_nobody_is_said_to_have_answered(serve: Serve) -> None:
    site = Keptn()
    site.answers[OPEN] = data({"events": [event("lost", age=600)]})
    site.answers[STORED] = error(500, "no database")
    api = await api_of(serve, site)
    first = await open_events(api, (KIND,))

    with pytest.raises(WorldFault):
        await old_events(api, first)


async def test_the_last_answers_are_those_of_each_source(serve: Serve) -> None:
    site = Keptn()

    def stored(query: dict[str, str]) -> Answer:
        if query["source"] != "helm-service":
            return data({"events": []})
        kinds = {"started": 90, "finished": 60, "status.changed": 70}
        return data(
            {
                "events": [
                    event(kind, age=age, kind=f"sh.keptn.event.deployment.{kind}")
                    for kind, age in kinds.items()
                ]
            }
        )

    site.answers[STORED] = stored
    api = await api_of(serve, site)
    seen = await past_answers(api, ("jmeter-service", "helm-service"), ("sockshop",))

    (one,) = seen.answers
    assert (one.source, one.started, one.finished) == (
        "helm-service", "sh.keptn.event.deployment.started", "sh.keptn.event.deployment.finished",
    )  # fmt: skip
    assert one.finished_at == NOW - timedelta(seconds=60)
    assert seen.asked_sources == ("helm-service", "jmeter-service")


async def test_past_answers_are_asked_for_in_bounds(serve: Serve) -> None:
    site = Keptn()
    api = await api_of(serve, site)
    await past_answers(api, [f"s{n}" for n in range(50)], [f"p{n}" for n in range(50)])

    assert len(site.requests) == 30
