"""Asks the routes behind one endpoint, so that who is silent tells which component is in trouble.

The gateway lies about a dead api-service: every protected route asks it first, and nginx turns any
answer but 2xx, 401 and 403 into 500, from 1.2.0 into 429. So the unprotected routes are asked
beside a protected one (``api-gateway-nginx.yaml@0.8.7 … 1.4.5``). With the token, requests go one
by one until it was accepted: the limiter allows two at once, and one success gives the turns back.

What each route is asked:

``nginx-health``       the gateway itself, outside the endpoint's path
``swagger``            api-service's description, without token; its version is Keptn's
``auth``, ``metadata`` api-service with the token; without one, metadata's 401 shows api-service
``registration``       the list of integrations with the token; without one only to find out who is
                       there, when api-service's description is not
``project``, ``datastore``, ``resources``   a real read with the token, which needs MongoDB or Git;
                       without one, the component's own description behind the same gateway
``plain-http``         the same path by http:// on the port of an https:// endpoint that has no TLS
``post-registration``  GET of the registration route when something redirects: whether Go's clients
                       would turn their POST into a GET is told by the status (301, 302 do)
"""

from __future__ import annotations

import asyncio
import functools
import urllib.parse
from collections.abc import Awaitable
from typing import Literal

import msgspec

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.path_facts import GatewayAnswers, RouteAnswer
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.http import Exchange
from keptn_doctor.probes.keptn_api import (
    AUTH,
    METADATA,
    REGISTRATION,
    STORED_EVENTS,
    SWAGGER,
    KeptnApi,
)
from keptn_doctor.probes.keptn_identity import swagger_version
from keptn_doctor.probes.keptn_projects import FIRST_PAGE, PROJECTS
from keptn_doctor.probes.keptn_registrations import lenient
from keptn_doctor.probes.retry import Attempts

Route = Literal[
    "nginx-health", "swagger", "metadata", "auth", "registration", "project", "datastore",
    "resources", "plain-http", "post-registration",
]  # fmt: skip

_Reached = Literal["keptn", "other", "nobody"]

_BELOW_HTTP = ("resolve", "connect", "tls")
_RESOURCES = ("/resource-service", "/configuration-service")  # 0.18.0 and later; up to 0.18.2
_BLOCKED = (429, 500, 502, 503, 504)  # no word on the token, so the other routes may say more


class _ProjectName(msgspec.Struct, frozen=True, rename={"name": "projectName"}):
    name: str | None = None


class _ProjectPage(msgspec.Struct, frozen=True):
    projects: tuple[msgspec.Raw, ...] | None = None


class _ErrorShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``go-utils pkg/api/models/error.go``; a Kubernetes Status has these two and more."""

    code: int
    message: str
    fields: str | None = None


async def gateway_answers(api: KeptnApi, *, attempts: Attempts | None = None) -> GatewayAnswers:
    """What every route answers; a route that fails is an answer of its own, so this never fails.

    Stops when nobody is there, and stops using the token when it is refused or when nothing has
    shown that Keptn is at this endpoint: a token is not for strangers.
    """
    survey = _Survey(api, attempts)
    known = api.known(SWAGGER)
    if api.token and isinstance(known, Exchange) and is_keptn(known):
        await asyncio.gather(_public(survey), _protected(survey))
        reached: _Reached = "keptn"
    else:
        reached = await _public(survey)
        if reached == "keptn":
            await _protected(survey)
    await _ask_auth_again(survey)
    return survey.result(reached)


async def _public(survey: _Survey) -> _Reached:
    """What is told without a token, and by whom."""
    looks = [survey.ask("nginx-health", "/../nginx-health"), survey.ask("swagger", SWAGGER)]
    if survey.api.answered:  # somebody is there, so the three do not have to wait for each other
        looks.append(survey.ask("metadata", METADATA))
    health, swagger, *_ = await asyncio.gather(*looks)
    if _nobody(health) and _nobody(swagger):
        return "nobody"
    if not survey.has("metadata"):
        await survey.ask("metadata", METADATA)
    if not survey.shows_keptn():
        await survey.ask("project", "/controlPlane" + SWAGGER)
    if not swagger_version(swagger):
        await survey.ask("registration", REGISTRATION)
    if survey.redirected():
        await survey.note("post-registration", survey.api.redirect_of(REGISTRATION))
    return "keptn" if survey.shows_keptn() else "other"


async def _protected(survey: _Survey) -> None:
    """What is behind the token, or how it looks from without where that does not lead in."""
    auth = await survey.ask("auth", AUTH, with_token=True) if survey.api.token else None
    if isinstance(auth, Exchange) and (auth.answer.status < 300 or auth.answer.status in _BLOCKED):
        await _with_token(survey, accepted=auth.answer.status < 300)
    else:
        await _without_token(survey)


class _Survey:
    """The routes asked so far."""

    def __init__(self, api: KeptnApi, attempts: Attempts | None) -> None:
        self.api = api
        self._attempts = attempts
        self._routes: list[RouteAnswer | None] = []  # in the order asked; None = not answered yet
        self._redirected = self._shows_keptn = False
        self._version = ""

    async def ask(
        self,
        route: Route,
        path: str,
        *,
        with_token: bool = False,
        params: dict[str, str] | None = None,
    ) -> Exchange | Failure:
        asking = self.api.get(path, with_token=with_token, params=params, attempts=self._attempts)
        return await self.note(route, asking, with_token=with_token)

    async def note(
        self, route: Route, asking: Awaitable[Exchange], *, with_token: bool = False
    ) -> Exchange | Failure:
        place = len(self._routes)
        self._routes.append(None)
        found: Exchange | Failure
        try:
            found = await asking
            self._shows_keptn |= is_keptn(found)
            self._redirected |= bool(found.answer.redirects)
            if route in ("swagger", "plain-http"):  # other components' versions are their own
                self._version = swagger_version(found)
        except WorldFault as refusal:
            found = refusal.failure
        answer = found if isinstance(found, Failure) else found.answer
        self._routes[place] = RouteAnswer(route=route, with_token=with_token, answer=answer)
        return found

    def answers(self) -> tuple[RouteAnswer, ...]:
        return tuple(route for route in self._routes if route is not None)

    def has(self, route: Route) -> bool:
        return any(known.route == route for known in self.answers())

    def blocked(self) -> bool:
        """Whether a protected route answered as the gateway does when auth gave no answer."""
        return any(
            route.with_token
            and not isinstance(route.answer, Failure)
            and route.answer.status in (429, 500)
            for route in self.answers()
        )

    def forget(self, route: Route) -> None:
        self._routes = [known for known in self.answers() if known.route != route]

    def redirected(self) -> bool:
        return self._redirected

    def shows_keptn(self) -> bool:
        return self._shows_keptn

    def result(self, reached: _Reached) -> GatewayAnswers:
        return GatewayAnswers(reached=reached, keptn_version=self._version, routes=self.answers())


def is_keptn(exchange: Exchange) -> bool:
    """Whether an answer is one that only Keptn's gateway or a component of it gives."""
    answer = exchange.answer
    if answer.url.endswith("/nginx-health"):
        return answer.status == 200 and exchange.content.strip() == b"OK"
    if answer.status == 200:
        return bool(swagger_version(exchange))
    shape = lenient(msgspec.Raw(exchange.content), _ErrorShape)
    return shape is not None and shape.code == answer.status


def _nobody(found: Exchange | Failure) -> bool:
    if isinstance(found, Exchange):
        return False
    return found.phase in _BELOW_HTTP or found.code in ("read-timeout", "deadline-exceeded")


async def _with_token(survey: _Survey, *, accepted: bool) -> None:
    """Side by side only with a token that was ``accepted``: another would be refused several times.

    Side by side the project goes first, as it is the only one that something else waits for.
    """
    ask = functools.partial(survey.ask, with_token=True)
    others = (
        ask("metadata", METADATA),
        ask("registration", REGISTRATION),
        ask("datastore", STORED_EVENTS, params={"pageSize": "1"}),
    )
    if accepted:
        await asyncio.gather(_projects_and_resources(survey), *others)
    else:
        for one in (*others, _projects_and_resources(survey)):
            await one


async def _projects_and_resources(survey: _Survey) -> None:
    """The resources of a project need its name, and that of the route."""
    async with asyncio.TaskGroup() as group:
        finding = group.create_task(_resources(survey.api))
        listed = await survey.ask("project", PROJECTS, params=FIRST_PAGE, with_token=True)
    project, route = urllib.parse.quote(_first_project(listed), safe=""), finding.result()
    if project:
        path = f"{route}/v1/project/{project}/resource"
        await survey.ask("resources", path, with_token=True)
    else:
        await survey.ask("resources", route + SWAGGER)


async def _ask_auth_again(survey: _Survey) -> None:
    """A protected route's 500 or 429 may be auth's: its own answer, a second later, tells."""
    if not survey.blocked():
        return
    await asyncio.sleep(survey.api.patience.wait_s(1, 0.0))
    survey.forget("auth")
    again = survey.api.get(AUTH, with_token=True, fresh=True)
    await survey.note("auth", again, with_token=True)


async def _without_token(survey: _Survey) -> None:
    _, _, resources = await asyncio.gather(
        survey.ask("project", "/controlPlane" + SWAGGER),
        survey.ask("datastore", "/mongodb-datastore" + SWAGGER),
        _resources(survey.api),
    )
    await survey.ask("resources", resources + SWAGGER)


async def _resources(api: KeptnApi) -> str:
    """Of the two names that the route has had, the one that the gateway knows."""
    new, old = _RESOURCES
    try:
        described = await api.get(new + SWAGGER, with_token=False)
    except WorldFault:
        return new
    return old if described.answer.status == 404 else new


def _first_project(listed: Exchange | Failure) -> str:
    if isinstance(listed, Failure):
        return ""
    page = lenient(msgspec.Raw(listed.content), _ProjectPage)
    names = (lenient(raw, _ProjectName) for raw in (page.projects if page else None) or ())
    return next((named.name for named in names if named and named.name), "")


async def plain_http_answer(api: KeptnApi) -> GatewayAnswers:
    """Who answers by http:// where https:// found no TLS; ``api`` is that of the http:// URL.

    ``reached`` stays "nobody", for at the endpoint as it is configured nobody is.
    """
    survey = _Survey(api, None)
    await survey.ask("plain-http", SWAGGER)
    return survey.result("nobody")
