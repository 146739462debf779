"""What Keptn lists is read whole, in bounds, and odd entries cost no other."""

from __future__ import annotations

import base64

import pytest

from keptn_doctor.probes.keptn_projects import open_events, projects
from keptn_doctor.probes.keptn_registrations import integration_log, integrations, moment

from .conftest import Serve
from .keptn_questions import REGISTRATION, api_of, code
from .keptn_site import TOKEN, Answer, Keptn, data, error

asyncio_test = pytest.mark.asyncio

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
