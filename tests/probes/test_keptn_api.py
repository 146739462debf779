"""The Keptn API is asked gently: once, without writing, and never again with a refused token."""

from __future__ import annotations

import base64
import json
import urllib.parse

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.path_facts import GatewayAnswers, HttpAnswer
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.gateway_routes import gateway_answers
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_identity import check_token, keptn_version
from keptn_doctor.probes.keptn_projects import open_events, projects, shipyard_tasks
from keptn_doctor.probes.keptn_registrations import integration_log, integrations, moment
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.retry import RetryPolicy
from keptn_doctor.secret import Secret

from .conftest import Serve
from .keptn_site import TOKEN, Answer, Keptn, data, error, page, swagger

asyncio_test = pytest.mark.asyncio
QUICK = RetryPolicy(attempts=2, base_s=0.001)
REGISTRATION = "/controlPlane/v1/uniform/registration"


async def api_of(
    serve: Serve,
    site: Keptn,
    *,
    token: str | None = TOKEN,
    path: str = "/api",
    active: bool = False,
) -> KeptnApi:
    return KeptnApi(
        Network(),
        f"http://127.0.0.1:{await serve(site)}{path}",
        token=Secret(token) if token else None,
        salt=b"salt",
        deadlines=Deadlines(request_s=2),
        patience=QUICK,
        active=active,
    )


def status(answers: GatewayAnswers, route: str, *, with_token: bool | None = None) -> int:
    found = answers.answer(route, with_token=with_token)
    assert isinstance(found, HttpAnswer), found
    return found.status


async def code(asking: object) -> tuple[str, str]:
    with pytest.raises(WorldFault) as caught:
        await asking  # type: ignore[misc]
    return caught.value.failure.phase, caught.value.failure.code


# --- routes


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


# --- token and version


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


# --- lists

RECORD = {
    "id": "a" * 40,
    "name": "helm-service",
    "metadata": {
        "hostname": "node-1",
        "integrationversion": "0.13.6",
        "distributorversion": "0.13.6",
        "location": "execution-plane",
        "kubernetesmetadata": {
            "namespace": "keptn-exec", "podname": "p", "deploymentname": "helm-service",
        },
        "lastseen": "2022-06-02T11:12:11.123Z",
    },
    "subscriptions": [
        {
            "id": "s",
            "event": "sh.keptn.event.deployment.triggered",
            "filter": {"projects": ["a"], "stages": None, "services": []},
        }
    ],
}
ODD: list[object] = [
    None, 1, "x", [], {}, {"id": None}, {"id": ""}, {"id": 7}, {"id": "b", "metadata": []},
    {"id": "b", "subscriptions": {}},
]


@asyncio_test
async def test_a_registration_is_read_whole(serve: Serve) -> None:
    site = Keptn()
    site.headers["Date"] = "Thu, 02 Jun 2022 11:12:20 GMT"
    site.answers[REGISTRATION] = data([RECORD])
    listing = await integrations(await api_of(serve, site))
    (one,) = listing.integrations
    assert (one.name, one.namespace, one.hostname) == ("helm-service", "keptn-exec", "node-1")
    assert one.distributor_version == one.integration_version == "0.13.6"
    assert one.subscriptions[0].projects == ("a",)
    assert listing.server_time is not None
    assert one.last_seen is not None
    assert (listing.server_time - one.last_seen).total_seconds() == pytest.approx(8.877)


@asyncio_test
async def test_odd_records_are_counted_and_cost_no_other(serve: Serve) -> None:
    site = Keptn()
    odd_subscription = {"id": "c", "subscriptions": [None, 3, {"event": "x"}]}
    site.answers[REGISTRATION] = data([*ODD, RECORD, odd_subscription])
    listing = await integrations(await api_of(serve, site))
    assert [one.id[0] for one in listing.integrations] == ["a", "c"]
    assert listing.malformed == len(ODD) + 2


@asyncio_test
async def test_the_single_subscription_of_old_versions_is_read(serve: Serve) -> None:
    site = Keptn("0.8.7")
    old = {"topics": ["sh.keptn.event.a.triggered"], "filter": {"project": "x,y", "stage": ""}}
    site.answers[REGISTRATION] = data([{"id": "a", "subscription": old}])
    (one,) = (await integrations(await api_of(serve, site))).integrations
    assert one.subscriptions[0].event == "sh.keptn.event.a.triggered"
    assert (one.subscriptions[0].projects, one.subscriptions[0].stages) == (("x", "y"), ())
    assert one.last_seen is None


@asyncio_test
async def test_a_second_read_shows_who_is_alive(serve: Serve) -> None:
    site = Keptn()
    times = ["2022-06-02T11:12:11.123Z", "2022-06-02T11:12:21Z"]

    def answer(_query: dict[str, str]) -> Answer:
        return data([{"id": "a", "metadata": {"lastseen": times.pop(0)}}])

    site.answers[REGISTRATION] = answer
    listing = await integrations(await api_of(serve, site), again_after_s=0.001)
    (one,) = listing.integrations
    assert (one.last_seen, one.last_seen_again) == (
        moment("2022-06-02T11:12:11.123Z"), moment("2022-06-02T11:12:21Z"),
    )


@asyncio_test
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, "text/html", "<html><title>Login</title>"), ("parse", "not-json")),
        ((200, "application/json", ""), ("parse", "not-json")),
        (data({"code": 1}), ("parse", "unexpected-shape")),
        ((200, "application/json", "[" * 200_000), ("parse", "not-json")),
        (error(403, "no"), ("auth", "forbidden")),
        (error(404, "no"), ("http", "not-found")),
        (error(429, "no"), ("http", "rate-limited")),
        (error(500, "no"), ("http", "unexpected-status")),
    ],
)
async def test_what_is_no_list_is_a_failure(
    answer: Answer, expected: tuple[str, str], serve: Serve
) -> None:
    site = Keptn()
    site.answers[REGISTRATION] = answer
    assert await code(integrations(await api_of(serve, site))) == expected


@asyncio_test
async def test_null_is_an_empty_list(serve: Serve) -> None:
    site = Keptn()
    site.answers[REGISTRATION] = data(None)
    assert (await integrations(await api_of(serve, site))).integrations == ()


SHIPYARD = """
apiVersion: spec.keptn.sh/0.2.2
kind: Shipyard
spec:
  stages:
    - name: dev
      sequences:
        - name: delivery
          tasks: [{name: deployment}, {name: test}, {name: deployment}]
        - null
    - 7
"""


@asyncio_test
async def test_projects_are_read_page_by_page_with_their_tasks(serve: Serve) -> None:
    site = Keptn()
    shipyard = base64.b64encode(SHIPYARD.encode()).decode()
    stage = {"stageName": "dev", "services": [{"serviceName": "cart"}, None, {"serviceName": 3}]}

    def answer(query: dict[str, str]) -> Answer:
        if query.get("nextPageKey") == "50":
            return data({"projects": [None, {"projectName": "two"}], "nextPageKey": "0"})
        first = {"projectName": "one", "shipyard": shipyard, "stages": [stage, 4]}
        return data({"projects": [first], "nextPageKey": "50"})

    site.answers["/controlPlane/v1/project"] = answer
    listing = await projects(await api_of(serve, site))
    assert [project.name for project in listing.projects] == ["one", "two"]
    (dev,) = listing.projects[0].stages
    assert (dev.name, dev.services, dev.tasks) == ("dev", ("cart",), ("deployment", "test"))


@asyncio_test
async def test_a_page_key_that_repeats_ends_the_reading(serve: Serve) -> None:
    site = Keptn()
    site.answers["/controlPlane/v1/project"] = data({"projects": [], "nextPageKey": "7"})
    await projects(await api_of(serve, site))
    assert len(site.requests) == 2


@asyncio_test
async def test_open_events_are_asked_by_type_and_never_by_project(serve: Serve) -> None:
    site = Keptn("0.9.0")
    kind = "sh.keptn.event.deployment.triggered"
    event = {
        "id": "e", "type": kind, "time": "2022-06-02T11:12:11.123456789Z",
        "data": {"project": "p", "stage": "s", "service": None},
    }
    site.answers[f"/controlPlane/v1/event/triggered/{kind}"] = data({"events": [event, 1]})
    seen = await open_events(
        await api_of(serve, site), (kind, "sh.keptn.event.*.triggered", "sh.keptn.>", kind)
    )
    assert seen.asked_types == (kind,)
    (one,) = seen.events
    assert (one.id, one.project, one.stage, one.service) == ("e", "p", "s", "")
    assert all("project=" not in target for _, target, _ in site.requests)


@asyncio_test
async def test_the_integration_log_is_bounded_and_redacted(serve: Serve) -> None:
    site = Keptn()
    entry = {"integrationid": "a", "message": f"bad token {TOKEN} " + "x" * 999, "time": "junk"}
    site.answers["/controlPlane/v1/log"] = data({"logs": [entry] * 300 + [None]})
    log = await integration_log(await api_of(serve, site))
    assert len(log.entries) == 100
    assert TOKEN not in log.entries[0].message
    assert len(log.entries[0].message) == 300
    assert log.entries[0].at is None


# --- odd input and secrets

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["id", "name", "metadata", "subscriptions", "subscription", "filter", "topics", "event",
             "projects", "stages", "services", "events", "logs", "data", "time", "lastseen",
             "nextPageKey", "projectName", "stageName", "shipyard", "kubernetesmetadata"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)


@asyncio_test
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=JSON)
async def test_any_json_is_a_fact_or_a_failure(value: object, serve: Serve) -> None:
    site = Keptn()
    kind = "sh.keptn.event.a.triggered"
    for path in (REGISTRATION, "/controlPlane/v1/project", "/controlPlane/v1/log",
                 f"/controlPlane/v1/event/triggered/{kind}"):
        site.answers[path] = data(value)
    api = await api_of(serve, site)
    lists = (integrations(api), projects(api), integration_log(api), open_events(api, (kind,)))
    for asking in lists:
        try:
            found: object = await asking
        except WorldFault as fault:
            found = fault.failure
        assert not isinstance(found, Failure) or found.phase == "parse"
        assert msgspec.json.encode(found)


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_any_text_is_a_shipyard_or_none(text: str) -> None:
    assert isinstance(shipyard_tasks(text), dict)


def test_a_yaml_that_explodes_is_read_in_bounds() -> None:
    bomb = "a: &a [" + ",".join("{tasks: [{name: x}]}" for _ in range(500)) + "]\n"
    bomb += "b: &b [" + ",".join("{sequences: *a, name: n}" for _ in range(500)) + "]\n"
    assert shipyard_tasks(bomb + "spec: {stages: *b}") == {"n": ("x",)}


@given(st.text() | st.datetimes().map(str))
def test_any_text_is_a_time_or_none(text: str) -> None:
    found = moment(text)
    assert found is None or found.tzinfo is not None


def forms(token: str) -> set[str]:
    raw = token.encode()
    coded = {base64.b64encode(b"\0" * n + raw).decode()[4:-4] for n in range(3)}
    return {token, urllib.parse.quote(token, safe=""), raw.hex(), *coded}


@asyncio_test
async def test_a_site_that_echoes_the_token_everywhere_gets_it_into_no_fact(serve: Serve) -> None:
    site = Keptn()
    coded = base64.b64encode(TOKEN.encode()).decode()
    loud = f"you sent {TOKEN}, {urllib.parse.quote(TOKEN, safe='')}, {coded}"
    site.headers.update(Server=TOKEN, Via=coded, Location=f"/x/{urllib.parse.quote(TOKEN)}")
    site.answers["/controlPlane/v1/log"] = data({"logs": [{"message": loud}]})
    site.answers["/controlPlane/v1/project"] = error(500, loud)
    site.answers["/mongodb-datastore/event"] = (500, "text/html", f"<title>{loud}</title>")
    site.answers[REGISTRATION] = (500, "text/plain", loud)
    api = await api_of(serve, site)
    facts: list[object] = [
        await gateway_answers(api), await check_token(api), await integration_log(api),
        await keptn_version(api, with_token=True),
    ]
    for asking in (projects(api), integrations(api)):
        with pytest.raises(WorldFault) as caught:
            await asking
        facts.append(caught.value.failure)
    text = msgspec.json.encode(facts).decode() + repr(facts) + repr(api.token)
    assert isinstance(facts[-1], Failure)
    for form in forms(TOKEN):
        assert form not in text
