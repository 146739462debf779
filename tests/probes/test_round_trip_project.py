"""A project is gone when Keptn says so and its events are, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.retry import RetryPolicy
from keptn_doctor.probes.round_trip_choice import Choice
from keptn_doctor.probes.round_trip_legs import BrokenLegError
from keptn_doctor.probes.round_trip_project import ProjectEntry, is_under_way, make, remove
from keptn_doctor.probes.round_trip_writes import own_projects
from keptn_doctor.secret import Secret

from .conftest import Serve
from .keptn_site import TOKEN, Answer, Keptn, data, error

pytestmark = pytest.mark.asyncio
OWN = "keptn-doctor-trip-q7x-0123456789ab"
PROJECT = f"/controlPlane/v1/project/{OWN}"
QUICK = RetryPolicy(attempts=1, base_s=0.001)


class Site(Keptn):
    """Knows the project until it is deleted ``stubborn + 1`` times, and its events likewise.

    With -1 it has never known it.
    """

    def __init__(self, *, stubborn: int = 0, events_stay: int = 0) -> None:
        super().__init__()
        self.deletions = 0
        self._stubborn, self._events_stay = stubborn, events_stay
        self.answers["/mongodb-datastore/event"] = self._events

    def _events(self, query: dict[str, str]) -> Answer:
        assert query["project"] == OWN
        return data({"events": [{"id": "e"}] if self.deletions <= self._events_stay else []})

    def answer(self, method: str, target: str, token: str) -> Answer:
        if target == f"/api{PROJECT}":
            self.deletions += method == "DELETE"
            known = self.deletions <= self._stubborn
            return data({}) if known or method == "DELETE" else error(404, "not found")
        return super().answer(method, target, token)


async def entry_of(serve: Serve, site: Keptn) -> ProjectEntry:
    api = KeptnApi(
        Network(), f"http://127.0.0.1:{await serve(site)}/api", token=Secret(TOKEN),
        deadlines=Deadlines(request_s=2), patience=QUICK, active=True,
    )  # fmt: skip
    (own,) = own_projects([OWN])
    return ProjectEntry(api=api, own=own, made=True, event_sent=True)


async def removed(entry: ProjectEntry, *, late_s: float = 0.0) -> str:
    return await remove(entry, late_s=late_s, pause_s=0.01, last_look_s=0.2)


async def test_what_is_gone_is_deleted_once(serve: Serve) -> None:
    site = Site()
    entry = await entry_of(serve, site)
    assert await removed(entry) == ""
    assert entry.gone
    assert await removed(entry) == ""
    assert site.deletions == 1


async def test_a_project_that_is_there_still_remains(serve: Serve) -> None:
    entry = await entry_of(serve, Site(stubborn=1))
    with pytest.raises(WorldFault) as caught:
        await removed(entry)
    assert "is there still" in caught.value.failure.detail
    assert not entry.gone


async def test_events_that_came_back_are_deleted_again(serve: Serve) -> None:
    site = Site(events_stay=1)
    entry = await entry_of(serve, site)
    assert await removed(entry) == ""
    assert site.deletions == 2


async def test_events_that_stay_keep_the_project_from_being_gone(serve: Serve) -> None:
    entry = await entry_of(serve, Site(events_stay=99))
    with pytest.raises(WorldFault) as caught:
        await removed(entry)
    assert "the datastore keeps events of it" in caught.value.failure.detail
    assert not entry.gone


async def test_a_datastore_that_cannot_be_asked_leaves_a_doubt_that_is_told(serve: Serve) -> None:
    site = Site()
    site.answers["/mongodb-datastore/event"] = error(503, "starting")
    entry = await entry_of(serve, site)
    assert "was not seen" in await removed(entry)
    assert entry.gone


async def test_a_refused_removal_is_no_removal(serve: Serve) -> None:
    site = Site()
    everything: Callable[[str, str, str], Answer] = site.answer
    site.answer = (  # type: ignore[method-assign]
        lambda method, target, token: error(500, "no") if method == "DELETE"
        else everything(method, target, token)
    )  # fmt: skip
    entry = await entry_of(serve, site)
    with pytest.raises(WorldFault):
        await removed(entry)
    assert not entry.gone


async def test_an_answer_that_may_come_late_is_waited_for(serve: Serve) -> None:
    entry = await entry_of(serve, Site())
    entry.unanswered = True
    began = asyncio.get_running_loop().time()
    await removed(entry, late_s=0.1)
    assert asyncio.get_running_loop().time() - began >= 0.1


@pytest.mark.parametrize(
    ("answer", "under_way"),
    [
        (data({"states": [{"state": "finished"}, {"state": "timedOut"}]}), False),
        (data({"states": []}), False),
        (data({"states": [{"state": "finished"}, {"state": "started"}]}), True),
        (error(500, "no database"), True),
    ],
)
async def test_whether_a_sequence_is_under_way_is_asked_or_assumed(
    serve: Serve, answer: Answer, *, under_way: bool
) -> None:
    site = Site()
    site.answers[f"/controlPlane/v1/sequence/{OWN}"] = answer
    entry = await entry_of(serve, site)
    assert await is_under_way(entry.api, entry.own) is under_way


async def made(entry: ProjectEntry) -> str:
    entry.made = entry.event_sent = False
    with pytest.raises(BrokenLegError) as caught:
        await make(entry, Choice(task="test"), git="none", upstream=None)
    return caught.value.why


@pytest.mark.parametrize("status", [401, 403, 400, 500])
async def test_a_project_that_was_refused_is_not_removed(serve: Serve, status: int) -> None:
    site = Site(stubborn=-1)
    site.answers["/controlPlane/v1/project"] = error(status, "not today")
    entry = await entry_of(serve, site)
    assert "not today" in await made(entry)
    assert entry.refused
    assert await removed(entry) == ""
    assert site.deletions == 0


async def test_a_project_that_is_there_although_it_was_refused_is_removed(serve: Serve) -> None:
    site = Site()
    site.answers["/controlPlane/v1/project"] = error(500, "Git was slow")
    entry = await entry_of(serve, site)
    await made(entry)
    assert not entry.refused
    await removed(entry)
    assert (entry.gone, site.deletions) == (True, 1)
