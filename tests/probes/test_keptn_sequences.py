"""Sequences under way are read per project, and an odd record never costs the rest."""

from __future__ import annotations

import urllib.parse

import pytest

from keptn_doctor.model.keptn_facts import Project, ProjectListing
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_sequences import sequences
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.retry import RetryPolicy
from keptn_doctor.secret import Secret

from .conftest import Serve
from .keptn_site import TOKEN, Answer, Keptn, data, error

asyncio_test = pytest.mark.asyncio
ONE = ProjectListing(projects=(Project(name="sockshop"),))
STATE = {
    "name": "delivery", "service": "carts", "shkeptncontext": "c1",
    "time": "2022-06-02T11:00:00.000Z",
    "stages": [
        {"name": "dev", "latestEvent": {"type": "sh.keptn.event.test.finished", "time": "junk"}},
        {"name": "prod", "latestEvent": {
            "type": "sh.keptn.event.deployment.started", "time": "2022-06-02T11:12:11.123Z"}},
    ],
}  # fmt: skip


async def api_of(serve: Serve, site: Keptn) -> KeptnApi:
    return KeptnApi(
        Network(),
        f"http://127.0.0.1:{await serve(site)}/api",
        token=Secret(TOKEN),
        salt=b"salt",
        deadlines=Deadlines(request_s=2),
        patience=RetryPolicy(attempts=2, base_s=0.001),
    )


@asyncio_test
async def test_the_last_stage_tells_what_is_waited_for(serve: Serve) -> None:
    site = Keptn()
    path = "/controlPlane/v1/sequence/sockshop"

    def states(query: dict[str, str]) -> Answer:
        return data({"states": [STATE, 7, None] if query.get("state") == "started" else None})

    site.answers[path] = states
    seen = await sequences(await api_of(serve, site), ONE)

    (one,) = seen.sequences
    assert (one.state, one.stage, one.context) == ("started", "prod", "c1")
    assert one.latest_event == "sh.keptn.event.deployment.started"
    assert one.latest_at is not None
    assert one.latest_at.minute == 12
    asked = [urllib.parse.parse_qs(urllib.parse.urlsplit(t).query) for _, t, _ in site.requests]
    assert [query.get("state") for query in asked] == [None, ["started"], ["waiting"]]


@asyncio_test
async def test_what_fits_on_one_page_is_asked_once_and_keeps_its_own_state(serve: Serve) -> None:
    site = Keptn()
    states = [{**STATE, "state": "timedOut"}, {**STATE, "state": "triggered", "stages": None}]
    states[1]["shkeptncontext"] = "c2"
    states.append({**STATE, "state": "finished", "shkeptncontext": "c3"})
    site.answers["/controlPlane/v1/sequence/sockshop"] = data({"states": states, "totalCount": 3})
    seen = await sequences(await api_of(serve, site), ONE)

    assert [one.state for one in seen.sequences] == ["timedOut", "triggered"]
    assert len(site.requests) == 1


@asyncio_test
async def test_a_refusal_is_a_failure_and_not_an_empty_list(serve: Serve) -> None:
    site = Keptn()
    site.answers["/controlPlane/v1/sequence/sockshop"] = error(500, "no database")

    with pytest.raises(WorldFault):
        await sequences(await api_of(serve, site), ONE)


@asyncio_test
async def test_no_more_than_ten_projects_are_asked(serve: Serve) -> None:
    site = Keptn()
    many = ProjectListing(projects=tuple(Project(name=f"p{n}") for n in range(40)))
    for project in many.projects:
        site.answers[f"/controlPlane/v1/sequence/{project.name}"] = data({"states": []})
    await sequences(await api_of(serve, site), many)

    assert len(site.requests) == 30
