"""The Keptn API is asked gently: once, without writing, and never again with a refused token."""

from __future__ import annotations

import json

import pytest

from keptn_doctor.model.path_facts import HttpAnswer
from keptn_doctor.probes.gateway_routes import gateway_answers
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_identity import check_token, keptn_version
from keptn_doctor.probes.keptn_registrations import integration_log, integrations
from keptn_doctor.probes.network import Network
from keptn_doctor.secret import Secret

from .conftest import Serve
from .keptn_questions import QUICK, api_of, code, status
from .keptn_site import TOKEN, Answer, Keptn, data, error, page, swagger

asyncio_test = pytest.mark.asyncio


@asyncio_test
async def test_a_healthy_gateway_answers_every_route(serve: Serve) -> None:
    site = Keptn()
    api = await api_of(serve, site)
    seen = await gateway_answers(api)
    assert (seen.reached, seen.keptn_version) == ("keptn", "0.19.3")
    for route in ("nginx-health", "swagger", "auth", "registration", "project", "datastore"):
        assert status(seen, route) == 200, route
    assert status(seen, "metadata", with_token=False) == 401
    assert status(seen, "metadata", with_token=True) == 200
    assert {method for method, _, _ in site.requests} == {"GET"}


@asyncio_test
async def test_each_question_is_asked_once(serve: Serve) -> None:
    site = Keptn()
    api = await api_of(serve, site)
    await gateway_answers(api)
    await check_token(api)
    await keptn_version(api, with_token=True)
    await integrations(api)
    assert len(site.requests) == len(set(site.requests))


@asyncio_test
async def test_a_list_that_came_too_late_for_its_gateway_is_asked_for_anew(serve: Serve) -> None:
    site, path = Keptn(), "/controlPlane/v1/uniform/registration"
    site.answers[path] = page(504)
    api = await api_of(serve, site)
    assert status(await gateway_answers(api), "registration") == 504
    site.answers[path] = data([{"id": "a", "name": "helm-service"}])
    assert [found.name for found in (await integrations(api)).integrations] == ["helm-service"]


@asyncio_test
async def test_whoever_was_turned_away_by_the_limiter_does_not_come_again(serve: Serve) -> None:
    site, path = Keptn(), "/controlPlane/v1/uniform/registration"
    site.answers[path] = page(429)
    api = await api_of(serve, site)
    await gateway_answers(api)
    asked = len(site.asked(f"/api{path}"))
    assert await code(integrations(api)) == ("http", "rate-limited")
    assert len(site.asked(f"/api{path}")) == asked > 0


@asyncio_test
async def test_a_refused_token_is_not_tried_again(serve: Serve) -> None:
    site = Keptn()
    api = await api_of(serve, site, token="yesterdays-token-0123456789")
    seen = await gateway_answers(api)
    checked = await check_token(api)
    assert (checked.accepted, checked.status) == (False, 401)
    assert await code(integrations(api)) == ("auth", "unauthorized")
    assert len([token for _, _, token in site.requests if token]) == 1
    assert status(seen, "datastore", with_token=False) == 200, "still shown alive without token"


@asyncio_test
@pytest.mark.parametrize(("header", "requests"), [("0", 2), ("3600", 1)])
async def test_a_busy_gateway_is_asked_when_it_says_and_not_sooner(
    serve: Serve, header: str, requests: int
) -> None:
    site = Keptn()
    site.headers["Retry-After"] = header
    site.answers["/controlPlane/v1/log"] = error(429, "too many requests")
    assert await code(integration_log(await api_of(serve, site))) == ("http", "rate-limited")
    assert len(site.asked("/api/controlPlane/v1/log")) == requests


@asyncio_test
async def test_no_token_still_shows_each_component(serve: Serve) -> None:
    site = Keptn("0.13.6")
    site.answers["/mongodb-datastore/swagger-ui/swagger.yaml"] = page(502)
    seen = await gateway_answers(await api_of(serve, site, token=None))
    assert seen.reached == "keptn"
    assert status(seen, "project") == 200
    assert status(seen, "datastore") == 502
    resources = seen.answer("resources")
    assert isinstance(resources, HttpAnswer)
    assert "/configuration-service/" in resources.url


@asyncio_test
async def test_a_stranger_never_gets_the_token(serve: Serve) -> None:
    site = Keptn()
    site.answer = lambda *_: (200, "text/html", "<html><title>Sign in</title>")  # type: ignore[method-assign]
    seen = await gateway_answers(await api_of(serve, site))
    assert seen.reached == "other"
    assert all(not token for _, _, token in site.requests)
    registration = seen.answer("registration", with_token=False)
    assert isinstance(registration, HttpAnswer)
    assert registration.title == "Sign in"


@asyncio_test
async def test_a_kubernetes_api_is_a_stranger(serve: Serve) -> None:
    site = Keptn()
    status_object = {"kind": "Status", "apiVersion": "v1", "code": 403, "message": "forbidden"}
    site.answer = lambda *_: (403, "application/json", json.dumps(status_object))  # type: ignore[method-assign]
    assert (await gateway_answers(await api_of(serve, site))).reached == "other"
    assert all(not token for _, _, token in site.requests)


@asyncio_test
async def test_a_wrong_path_at_the_right_gateway_is_keptn_with_404(serve: Serve) -> None:
    seen = await gateway_answers(await api_of(serve, Keptn(), path="/keptn"))
    assert seen.reached == "keptn"
    assert (status(seen, "swagger"), status(seen, "registration")) == (404, 404)


@asyncio_test
async def test_a_dead_api_service_is_seen_through_the_gateways_lie(serve: Serve) -> None:
    site = Keptn()
    site.api_service = False
    api = await api_of(serve, site)
    seen = await gateway_answers(api)
    assert seen.reached == "keptn"
    assert (status(seen, "auth"), status(seen, "metadata")) == (502, 502)
    assert status(seen, "datastore", with_token=True) == 500
    assert len(site.asked("/api/v1/auth")) == 2, "asked again after the protected route's 500"
    assert (await check_token(api)).masked_by == "auth-backend-down"


@asyncio_test
async def test_nobody_at_the_port_ends_the_survey(dead_port: int) -> None:
    api = KeptnApi(Network(), f"http://127.0.0.1:{dead_port}/api", patience=QUICK)
    seen = await gateway_answers(api)
    assert (seen.reached, len(seen.routes)) == ("nobody", 2)


@asyncio_test
@pytest.mark.parametrize("redirect", [301, 307])
async def test_what_a_redirect_does_to_a_post_is_asked_by_get(redirect: int, serve: Serve) -> None:
    site = Keptn()
    front = Keptn()
    front.answer = lambda *_: (redirect, "text/html", "")  # type: ignore[method-assign]
    target = f"http://127.0.0.1:{await serve(site)}"
    api = await api_of(serve, front)
    front.headers["Location"] = f"{target}/api/swagger-ui/swagger.yaml"
    seen = await gateway_answers(api)
    answer = seen.answer("post-registration")
    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.method) == (redirect, "GET")
    assert {method for method, _, _ in front.requests} == {"GET"}


@asyncio_test
async def test_resources_are_read_of_a_real_project(serve: Serve) -> None:
    site = Keptn()
    site.answers["/controlPlane/v1/project"] = data({"projects": [{"projectName": "pod-tato"}]})
    broken = "Could not find credentials for upstream repository"
    site.answers["/resource-service/v1/project/pod-tato/resource"] = error(424, broken)
    seen = await gateway_answers(await api_of(serve, site))
    found = seen.answer("resources", with_token=True)
    assert isinstance(found, HttpAnswer)
    assert (found.status, found.title) == (424, broken)


@asyncio_test
async def test_a_good_token_is_accepted_and_only_its_fingerprint_is_kept(serve: Serve) -> None:
    api = await api_of(serve, Keptn())
    checked = await check_token(api)
    assert (checked.accepted, checked.status, checked.masked_by) == (True, 200, "")
    assert checked.fingerprint == Secret(TOKEN).fingerprint(b"salt")


@asyncio_test
async def test_a_limited_auth_is_settled_by_metadata(serve: Serve) -> None:
    site = Keptn()
    site.answers["/v1/auth"] = (429, "text/plain", "Too Many Requests")
    checked = await check_token(await api_of(serve, site))
    assert (checked.accepted, checked.masked_by, checked.status) == (True, "rate-limit", 429)
    assert len(site.asked("/api/v1/auth")) == 2


@asyncio_test
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, "text/html", "<html><title>Sign in</title>"), ("parse", "unexpected-shape")),
        ((401, "text/html", "<html><title>Basic auth</title>"), ("auth", "unauthorized")),
        ((403, "text/html", "<html>"), ("auth", "forbidden")),
        ((418, "text/plain", "teapot"), ("http", "unexpected-status")),
    ],
)
async def test_an_answer_that_is_not_keptns_is_no_word_on_the_token(
    answer: Answer, expected: tuple[str, str], serve: Serve
) -> None:
    site = Keptn()
    site.answers["/v1/auth"] = answer
    assert await code(check_token(await api_of(serve, site))) == expected


@asyncio_test
@pytest.mark.parametrize("token", ["with\nnewline", "smörgås-token", "tab\tinside", " blank"])
async def test_a_token_that_fits_no_header_is_not_sent(token: str, serve: Serve) -> None:
    site = Keptn()
    api = await api_of(serve, site, token=token)
    assert await code(check_token(api)) == ("auth", "credentials-unreadable")
    assert site.requests == []


@asyncio_test
async def test_the_version_comes_from_swagger_and_else_from_metadata(serve: Serve) -> None:
    site = Keptn("1.4.5")
    told = await keptn_version(await api_of(serve, site), with_token=False)
    assert (told.version, told.source, told.bridge_version) == ("1.4.5", "swagger", "")
    site.answers["/swagger-ui/swagger.yaml"] = swagger("develop")
    told = await keptn_version(await api_of(serve, site), with_token=True)
    assert (told.version, told.source, told.bridge_version) == ("1.4.5", "metadata", "1.4.5")


@asyncio_test
@pytest.mark.parametrize(
    "body", ["", "]", "a: [", "- 1\n- 2", "info: x", "info:\n  version: [1]", "&a [*a, *a]", "\0"]
)
async def test_a_description_without_a_version_is_no_version(body: str, serve: Serve) -> None:
    site = Keptn()
    site.answers["/swagger-ui/swagger.yaml"] = (200, "text/yaml", body)
    api = await api_of(serve, site, token=None)
    assert await code(keptn_version(api, with_token=False)) == ("parse", "unexpected-shape")
