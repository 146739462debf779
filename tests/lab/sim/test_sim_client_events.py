"""Events on their way through a simulated client: handed over, handed over again, refused."""

from __future__ import annotations

import pytest
from client_traces import age
from sim_worlds import (
    changed,
    client,
    pod,
    texts,
    world,
)

from keptn_doctor.lab.settings import (
    EventSettings,
    ServiceContainerSettings,
    StoreSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio

EVENT = EventSettings(
    type="sh.keptn.event.deployment.triggered", open=True, id="event-1", ago_s=500
)


async def test_an_open_event_is_handed_to_the_service():
    async with Simulation(world("1.4.5", client("0.18.0"), keptn={"events": (EVENT,)})) as lab:
        lines = texts(pod(lab))
        assert (
            sum('Sending CloudEvent with ID event-1 to http://127.0.0.1"' in t for t in lines) == 1
        )
        assert any("has already been sent for subscription" in t for t in lines)


async def test_a_service_that_does_not_listen_gets_the_event_again_and_again():
    deaf = client("0.18.0", service=ServiceContainerSettings(listens_on=0))
    async with Simulation(world("1.4.5", deaf, keptn={"events": (EVENT,)})) as lab:
        failed = [
            t
            for t in texts(pod(lab))
            if "Sending CloudEvent with ID event-1 to "
            'http://127.0.0.1 failed: Post \\"http://127.0.0.1:8080\\": dial tcp '
            "127.0.0.1:8080: connect: connection refused" in t
        ]
        assert len(failed) > 10
        assert age(lab) <= 10.5


@pytest.mark.parametrize(
    ("keptn", "service", "text"),
    [
        ({"store": StoreSettings(nats="down")}, {}, "nats: no servers available for connection"),
        (
            {"event_validation": True},
            {"event_fields_missing": ("triggeredid",)},
            "Failed to forward CloudEvent: triggeredid must be set",
        ),
        (
            {},
            {"resource_bytes": 6_000_000},
            "Failed to forward CloudEvent: error with status code 413",
        ),
    ],
)
async def test_events_that_cannot_be_sent_back_are_in_the_log(keptn, service, text):
    answering = client("0.18.0", service=ServiceContainerSettings(**service))
    async with Simulation(world("1.4.5", answering, keptn={"events": (EVENT,), **keptn})) as lab:
        assert any(text in t for t in texts(pod(lab)))
        assert age(lab) <= 10.5


async def test_a_closed_event_of_the_past_was_handled_once():
    closed = changed(EVENT, open=False)
    async with Simulation(world("1.4.5", client("0.18.0"), keptn={"events": (closed,)})) as lab:
        sent = [t for t in texts(pod(lab)) if "Sending CloudEvent with ID event-1" in t]
        assert len(sent) == 1


async def test_an_sdk_service_says_when_its_events_are_refused():
    sdk = client(
        "0.3.0",
        name="job-executor-service",
        client="sdk",
        product="job-executor-service",
        service=ServiceContainerSettings(event_fields_missing=("triggeredid",)),
    )
    keptn = {"events": (EVENT,), "event_validation": True}
    async with Simulation(world("1.4.5", sdk, keptn=keptn)) as lab:
        assert "Unable to send '.started' event: triggeredid must be set" in texts(pod(lab))[-1]
