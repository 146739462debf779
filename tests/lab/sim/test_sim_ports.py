"""The ports of a client's pod: the API proxy forwards live, with the pod's own settings."""

from __future__ import annotations

import asyncio
import json

import pytest
from sim_worlds import HOST, TOKEN, client, listener, pod, texts, through_pod, world

from keptn_doctor.lab.settings import (
    EgressSettings,
    FrontSettings,
    HopSettings,
    PlaneNetworkSettings,
    StoreSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio

LIST = "/controlPlane/v1/uniform/registration"


@pytest.mark.parametrize("version", ["0.8.7", "0.9.2", "0.11.4", "0.13.6", "0.16.2", "1.4.5"])
async def test_a_get_through_the_proxy_takes_the_services_own_way(version):
    async with Simulation(world(version, client(version))) as lab:
        status, headers, body = await through_pod(pod(lab), LIST)
        assert status == 200
        assert headers["server"].startswith("nginx")
        assert any(r["name"] == "helm-service" for r in json.loads(body))


async def test_the_pods_token_is_added_after_the_callers_own():
    async with Simulation(world("1.4.5", client("0.18.0", token="wrong"))) as lab:
        run = pod(lab)
        run.history.processes[-1].end = None  # between two restarts nothing would listen
        object.__setattr__(run.history, "waiting_since", None)
        assert (await through_pod(run, LIST))[0] == 401
        assert (await through_pod(run, LIST, headers={"x-token": TOKEN}))[0] == 200


async def test_nobody_listens_while_the_container_waits():
    async with Simulation(world("1.4.5", client("0.18.0", token="wrong"))) as lab:
        with pytest.raises(ConnectionRefusedError):
            await through_pod(pod(lab), LIST)


async def test_an_unreachable_control_plane_is_an_empty_500_without_server():
    old = client("0.11.4", endpoint="http://ketpn.example.com/api")
    async with Simulation(world("0.13.6", old)) as lab:
        status, headers, body = await through_pod(pod(lab), LIST)
        assert (status, "server" in headers, body) == (500, False, b"")
        line = texts(pod(lab))[-1]
        assert "Could not send request to API endpoint: Get" in line
        assert "lookup ketpn.example.com on 10.96.0.10:53: no such host" in line


async def test_a_500_of_the_control_plane_keeps_its_headers():
    store = StoreSettings(mongodb="down", mongodb_ago_s=60)
    async with Simulation(
        world("1.1.0", client("0.13.6", connected_until_ago_s=60), keptn={"store": store})
    ) as lab:
        status, headers, body = await through_pod(pod(lab), LIST)
        assert (status, headers["server"]) == (500, "nginx")
        assert b"MongoDB" in body


async def test_the_proxy_of_an_old_distributor_verifies_certificates():
    old = client("0.9.2", endpoint=f"https://{HOST}/api")
    async with Simulation(world("0.9.2", old, certificate="self-signed")) as lab:
        assert (await through_pod(pod(lab), LIST))[0] == 500
        assert "x509: certificate signed by unknown authority" in texts(pod(lab))[-1]
    new = client("0.13.6", endpoint=f"https://{HOST}/api")
    async with Simulation(world("0.13.6", new, certificate="self-signed")) as lab:
        assert (await through_pod(pod(lab), LIST))[0] == 200


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [
        ("0.17.1", "/configuration-service/v1/project/sockshop/resource", 200),
        ("0.17.1", "/resource-service/v1/project/sockshop/resource", 500),
        ("0.18.2", "/configuration-service/v1/project/sockshop/resource", 500),
        ("0.18.2", "/resource-service/v1/project/sockshop/resource", 200),
        ("0.18.2", "/v1/metadata", 500),
        ("0.18.2", "/mongodb-datastore/event", 200),
    ],
)
async def test_only_the_prefixes_of_the_version_are_proxied(version, path, status):
    async with Simulation(world("0.18.2", client(version))) as lab:
        assert (await through_pod(pod(lab), path))[0] == status
        unknown = any("Could not get proxy Host URL" in t for t in texts(pod(lab)))
        assert unknown == (status == 500)


async def test_a_removed_resource_path_is_a_404_of_the_control_plane():
    async with Simulation(world("1.4.5", client("0.17.1"))) as lab:
        path = "/configuration-service/v1/project/sockshop/resource"
        status, _, body = await through_pod(pod(lab), path)
        assert (status, b"was not found" in body) == (404, True)


async def test_redirects_are_followed_without_a_word():
    front = FrontSettings(name="ingress", redirect_status=301)
    settings = world(
        "0.13.6",
        client("0.13.6"),
        fronts=(front,),
        listeners=(listener(serves="ingress"), listener(443, certificate="good", serves="ingress")),
    )
    async with Simulation(settings) as lab:
        run = pod(lab)
        run.history.processes[-1].end = None
        object.__setattr__(run.history, "waiting_since", None)
        status, _, body = await through_pod(run, LIST)
        assert (status, isinstance(json.loads(body), list)) == (200, True)


@pytest.mark.parametrize(
    ("version", "port", "answers"),
    [
        ("0.10.0", 10999, True),
        ("0.11.4", 8081, True),
        ("1.4.5", 8081, True),
    ],
)
async def test_health_of_a_distributor_says_nothing_of_the_connection(version, port, answers):
    lost = client(version, connected_until_ago_s=30, running_for_s=600)
    plane = PlaneNetworkSettings(vantage="exec-a", egress=(EgressSettings(default="drop"),))
    async with Simulation(world(version, lost, planes=(plane,))) as lab:
        assert ((await through_pod(pod(lab), "/health", port=port))[0] == 200) == answers


async def test_health_of_an_sdk_service_says_whether_it_registered():
    sdk = client("0.20.4", client="sdk")
    async with Simulation(world("1.4.5", sdk)) as lab:
        assert (await through_pod(pod(lab), "/health", port=8080))[0] == 200
        assert [p.public for p in pod(lab).ports] == [True]


async def test_a_live_event_from_the_service_reaches_the_control_plane():
    event = {"type": "sh.keptn.event.x.invalidated", "source": "helm-service", "data": {"a": 1}}
    async with Simulation(world("1.4.5", client("0.18.0"))) as lab:
        before = len(lab.keptn.events)
        status, _, _ = await through_pod(
            pod(lab), "/event", method="POST", body=json.dumps(event).encode()
        )
        assert (status, len(lab.keptn.events) - before) == (200, 1)


async def test_a_live_request_is_in_the_gateways_log_with_its_user_agent():
    async with Simulation(world("1.4.5", client("0.18.0"))) as lab:
        await through_pod(pod(lab), LIST, headers={"User-Agent": "keptn-doctor/abc"})
        assert any('"keptn-doctor/abc"' in line for _, line in lab.gateways["keptn"].log)


async def test_a_client_without_any_limit_hangs_when_the_far_end_is_silent():
    hop = HopSettings(behaviour="silent")
    old = client("0.10.0", connected_until_ago_s=100)
    async with Simulation(world("0.10.0", old, listeners=(listener(hops=(hop,)),))) as lab:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await through_pod(pod(lab), LIST)


async def test_old_distributors_log_every_proxied_request():
    async with Simulation(world("0.9.2", client("0.9.2"))) as lab:
        await through_pod(pod(lab), LIST)
        assert 'level=info msg="Received response from API: Status=200' in texts(pod(lab))[-1]
