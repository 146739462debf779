"""What stands in front of the gateway, and how one can tell that it was the one that spoke."""

from __future__ import annotations

import pytest
from sim_worlds import HOST, REGISTRATION, ask, changed, listener, world

from keptn_doctor.lab.settings import ControlPlaneSettings, FrontSettings
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio


def _behind(version: str = "1.4.5", keptn=None, **front):
    return world(
        version,
        keptn=keptn,
        fronts=(FrontSettings(name="front", **front),),
        listeners=(listener(serves="front"),),
    )


async def test_an_ingress_passes_the_host_it_knows_and_no_other():
    async with Simulation(_behind(hosts=(HOST,))) as lab:
        assert (await ask(lab, REGISTRATION)).status_code == 200
        other = await ask(lab, "/nginx-health", host="10.0.0.5.nip.io")
        assert (other.status_code, other.text) == (404, "default backend - 404")


@pytest.mark.parametrize(
    ("product", "status", "word", "server"),
    [
        ("ingress-nginx", 404, "default backend - 404", "nginx"),
        ("traefik", 404, "404 page not found", None),
        ("openshift-router", 503, "Application is not available", None),
        ("envoy", 404, "", "istio-envoy"),
    ],
)
async def test_each_product_has_its_own_answer_for_unknown_hosts(product, status, word, server):
    async with Simulation(_behind(product=product, hosts=("other.example.com",))) as lab:
        answer = await ask(lab, "/api/v1/metadata")
        assert (answer.status_code, answer.headers.get("server")) == (status, server)
        assert word in answer.text


@pytest.mark.parametrize(
    ("product", "status", "word"),
    [
        ("ingress-nginx", 503, "503 Service Temporarily Unavailable"),
        ("openshift-router", 503, "Application is not available"),
        ("envoy", 503, "upstream connect error or disconnect/reset before headers"),
        ("traefik", 502, "Bad Gateway"),
    ],
)
async def test_each_product_has_its_own_answer_when_nobody_is_behind(product, status, word):
    async with Simulation(_behind(product=product, no_backend=True)) as lab:
        answer = await ask(lab, "/api/v1/metadata")
        assert (answer.status_code, word in answer.text) == (status, True)


async def test_a_gateway_that_is_down_shows_as_the_fronts_503():
    async with Simulation(_behind(keptn={"gateway": "down"})) as lab:
        assert (await ask(lab, "/api/v1/metadata")).status_code == 503


async def test_a_stripped_token_is_a_missing_token():
    async with Simulation(_behind(strips_headers=("x-token",))) as lab:
        assert (await ask(lab, REGISTRATION)).status_code == 401
        answer = await ask(lab, "/api/v1/metadata")
        assert answer.json()["message"] == "unauthenticated for invalid credentials"


async def test_a_firewall_that_knows_only_get_and_post_blocks_heartbeats():
    async with Simulation(
        _behind(product="waf", blocked_methods=("PUT", "DELETE"), blocked_status=405)
    ) as lab:
        answer = await ask(lab, f"{REGISTRATION}/x/ping", method="PUT")
        assert (answer.status_code, "Request Rejected" in answer.text) == (405, True)
        assert (await ask(lab, REGISTRATION)).status_code == 200


@pytest.mark.parametrize(
    ("mode", "status", "word"),
    [
        ("redirect", 302, ""),
        ("page", 200, "<title>Sign in</title>"),
    ],
)
async def test_a_login_in_front_answers_for_everything(mode, status, word):
    async with Simulation(_behind(sso=mode)) as lab:
        answer = await ask(lab, REGISTRATION)
        assert (answer.status_code, word in answer.text) == (status, True)
        if mode == "redirect":
            assert answer.headers["location"].startswith("https://login.example.com/oauth2/auth")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_keeps_path_and_query(status):
    async with Simulation(_behind(redirect_status=status)) as lab:
        answer = await ask(lab, "/api/v1/metadata?x=1")
        assert answer.status_code == status
        assert answer.headers["location"] == f"https://{HOST}/api/v1/metadata?x=1"


async def test_a_rewrite_that_eats_the_api_prefix_reaches_no_location():
    async with Simulation(_behind(rewrite_from="/api", rewrite_to="")) as lab:
        assert (await ask(lab, "/api/v1/metadata")).status_code == 404


async def test_a_body_limit_of_the_ingress_is_413_before_keptn_sees_it():
    async with Simulation(_behind(body_limit=1000)) as lab:
        answer = await ask(lab, "/api/v1/event", method="POST", content=b"x" * 2000)
        assert answer.status_code == 413
        assert lab.gateways["keptn"].log == ()


async def test_source_ranges_let_their_own_through():
    async with Simulation(_behind(source_ranges=("192.0.2.0/24",))) as lab:
        assert (await ask(lab, REGISTRATION)).status_code == 403
    async with Simulation(_behind(source_ranges=("198.51.100.0/24",))) as lab:
        assert (await ask(lab, REGISTRATION)).status_code == 200


async def test_a_missing_client_certificate_can_be_an_http_answer():
    async with Simulation(_behind(needs_client_certificate=True)) as lab:
        answer = await ask(lab, REGISTRATION)
        assert (answer.status_code, "No required SSL certificate" in answer.text) == (400, True)


async def test_two_slashes_are_two_when_the_front_does_not_merge_them():
    strict = _behind(merge_slashes=False, blocked_paths=("/api//*",))
    async with Simulation(strict) as lab:
        assert (await ask(lab, "/api//v1/metadata")).status_code == 403
    async with Simulation(_behind()) as lab:
        assert (await ask(lab, "/api//v1/metadata")).status_code == 200


async def test_fronts_can_be_chained_and_each_appends_its_client():
    fronts = (
        FrontSettings(name="lb", product="load-balancer", to="ingress"),
        FrontSettings(name="ingress"),
    )
    settings = changed(_behind(), fronts=fronts, listeners=(listener(serves="lb"),))
    async with Simulation(settings) as lab:
        assert (await ask(lab, REGISTRATION)).status_code == 200
        assert lab.gateways["keptn"].log[-1][1].startswith("10.42.0.8 - - [")


async def test_another_keptn_with_another_token_can_be_reached_by_mistake():
    settings = world(
        "1.4.5", listeners=(listener(), listener(address="203.0.113.60", serves="staging"))
    )
    staging = ControlPlaneSettings(
        name="staging", version="0.18.2", namespace="keptn-stage", token="other"
    )
    settings = changed(settings, control_planes=(*settings.control_planes, staging))
    async with Simulation(settings) as lab:
        assert (await ask(lab, REGISTRATION, address="203.0.113.60")).status_code == 401
        found = await ask(lab, "/api/v1/metadata", address="203.0.113.60", token="other")
        assert found.json()["namespace"] == "keptn-stage"


async def test_a_foreign_web_server_answers_in_its_own_way():
    front = {
        "product": "web-server",
        "to": "",
        "answer_status": 200,
        "answer_body": "<html><title>It works!</title></html>",
    }
    async with Simulation(_behind(**front)) as lab:
        answer = await ask(lab, REGISTRATION)
        assert (answer.status_code, answer.headers["server"]) == (200, "Apache/2.4.57 (Debian)")
