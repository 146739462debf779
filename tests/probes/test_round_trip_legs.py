"""Each leg is named with what its breaking implies, whoever answers what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keptn_doctor.model.keptn_facts import RoundTrip
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.retry import RetryPolicy
from keptn_doctor.probes.round_trip import LEFT_BEHIND, datastore_trip
from keptn_doctor.probes.round_trip_controller import Place, controller_trip
from keptn_doctor.probes.round_trip_writes import HARMLESS_EVENT
from keptn_doctor.secret import Secret

from .conftest import Serve, hang_up, silent
from .keptn_site import TOKEN, Answer, Keptn, data, error, page

pytestmark = pytest.mark.asyncio
PLACE = Place(project="p", stage="dev", service="s")
SENT = data({"keptnContext": "ctx-1"})
SOON_S = 0.5  # for what never comes; what comes is waited for as long as a busy machine takes
FINISHED = "sh.keptn.event.dev.keptn-doctor.finished"


async def api_of(serve: Serve, site: Any, *, request_s: float = 2.0) -> KeptnApi:
    return KeptnApi(
        Network(), f"http://127.0.0.1:{await serve(site)}/api", token=Secret(TOKEN),
        deadlines=Deadlines(request_s=request_s), active=True,
        patience=RetryPolicy(attempts=1, base_s=0.001),
    )  # fmt: skip


async def stored(
    serve: Serve, site: Any, *, request_s: float = 2.0, limit_s: float = 10.0
) -> RoundTrip:
    api = await api_of(serve, site, request_s=request_s)
    return await datastore_trip(api, limit_s=limit_s, pause_s=0.01)


async def answered(serve: Serve, *events: dict[str, Any], limit_s: float = 10.0) -> RoundTrip:
    site = Keptn()
    site.answers |= {"/v1/event": SENT, "/mongodb-datastore/event": data({"events": events})}
    return await controller_trip(await api_of(serve, site), PLACE, limit_s=limit_s, pause_s=0.01)


def told(trip: RoundTrip) -> tuple[str, str]:
    hop = trip.broken_at
    assert hop is not None, trip
    return hop.leg, hop.detail


async def test_an_event_that_is_found_again_came_back(serve: Serve) -> None:
    site = Keptn()
    pages = [data({"events": []}), data({"events": [{"id": "e"}]})]
    site.answers |= {
        "/v1/event": SENT,
        "/mongodb-datastore/event": lambda query: pages.pop(0) if query else error(400, "no"),
    }
    trip = await stored(serve, site)
    assert trip.came_back
    assert (trip.context, trip.left_behind) == ("ctx-1", (LEFT_BEHIND,))
    (posted,) = [body for body in site.bodies if body]
    assert json.loads(posted)["type"] == HARMLESS_EVENT
    assert [method for method, _, _ in site.requests].count("POST") == 1


async def test_an_event_that_was_accepted_and_is_not_found_was_lost_on_the_way(
    serve: Serve,
) -> None:
    site = Keptn()
    site.answers["/v1/event"] = SENT
    trip = await stored(serve, site, limit_s=SOON_S)
    leg, detail = told(trip)
    assert leg == "stored"
    assert "NATS did not deliver it, or mongodb-datastore did not take it" in detail
    assert trip.left_behind == (LEFT_BEHIND,)


async def test_a_datastore_that_does_not_answer_is_not_taken_for_a_lost_event(
    serve: Serve,
) -> None:
    site = Keptn()
    site.answers |= {"/v1/event": SENT, "/mongodb-datastore/event": page(502)}
    assert told(await stored(serve, site, limit_s=SOON_S)) == (
        "stored",
        "mongodb-datastore does not answer: 502: 502",
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            error(400, "unknown event type"),
            "by its validation or its form: 400: unknown event type",
        ),
        (error(401, "incorrect api key auth"), "the token was refused"),
        (error(403, "no"), "the token was refused"),
        (page(413), "limits the size of requests"),
        (error(500, "nats: no servers available"), "could not pass it on, to NATS as a rule"),
        (page(502), "api-service does not answer behind the gateway"),
        (page(200), "not that of Keptn's api-service"),
    ],
)
async def test_an_event_that_is_not_accepted_says_what_stands_behind_that(
    serve: Serve, answer: Answer, words: str
) -> None:
    site = Keptn()
    site.answers["/v1/event"] = answer
    trip = await stored(serve, site)
    leg, detail = told(trip)
    assert leg == "accepted"
    assert words in detail
    assert trip.hops[1].state == "not-reached"
    assert trip.left_behind == ()


@pytest.mark.parametrize("server", [silent, hang_up])
async def test_an_event_without_an_answer_may_have_arrived(serve: Serve, server: Any) -> None:
    trip = await stored(serve, server, request_s=0.2)
    assert told(trip)[0] == "accepted"
    assert trip.left_behind == (f"perhaps {LEFT_BEHIND}",)


async def test_a_server_that_was_not_reached_got_nothing(dead_port: int) -> None:
    api = KeptnApi(
        Network(), f"http://127.0.0.1:{dead_port}/api", token=Secret(TOKEN), active=True,
        deadlines=Deadlines(request_s=2),
    )  # fmt: skip
    trip = await datastore_trip(api, limit_s=0.1, pause_s=0.01)
    assert told(trip)[1].startswith("the endpoint was not reached")
    assert trip.left_behind == ()


@pytest.mark.parametrize(
    "message",
    ["Unable to start sequence keptn-doctor: no task sequence with name keptn-doctor found",
     "could not start sequence keptn-doctor"],
)  # fmt: skip
async def test_a_failed_sequence_is_the_answer_that_is_hoped_for(
    serve: Serve, message: str
) -> None:
    trip = await answered(serve, {"type": FINISHED, "data": {"message": message}})
    assert trip.came_back
    assert message in trip.hops[-1].detail
    assert trip.left_behind == (
        "one failed sequence keptn-doctor in project p, stage dev, service s, for good",
    )


async def test_a_shipyard_that_cannot_be_read_is_gits_and_not_the_controllers(
    serve: Serve,
) -> None:
    message = f"Unable to retrieve Shipyard file: authentication required for {TOKEN}"
    leg, detail = told(await answered(serve, {"type": FINISHED, "data": {"message": message}}))
    assert leg == "sequence-answered"
    assert "cannot read the shipyard from Git" in detail
    assert TOKEN not in detail


async def test_a_controller_that_says_nothing_is_named(serve: Serve) -> None:
    triggered = {"type": "sh.keptn.event.dev.keptn-doctor.triggered"}
    leg, detail = told(await answered(serve, triggered, limit_s=SOON_S))
    assert leg == "sequence-answered"
    assert "shipyard-controller did not answer" in detail
