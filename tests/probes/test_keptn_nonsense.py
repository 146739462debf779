"""Nothing that a Keptn API may answer is a crash, and the token gets into no fact."""

from __future__ import annotations

import base64
import urllib.parse

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keptn_doctor.model.failure import Failure
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.gateway_routes import gateway_answers
from keptn_doctor.probes.keptn_identity import check_token, keptn_version
from keptn_doctor.probes.keptn_projects import open_events, projects, shipyard_tasks
from keptn_doctor.probes.keptn_registrations import integration_log, integrations, moment

from .conftest import Serve
from .keptn_questions import REGISTRATION, api_of
from .keptn_site import TOKEN, Keptn, data, error

asyncio_test = pytest.mark.asyncio

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
