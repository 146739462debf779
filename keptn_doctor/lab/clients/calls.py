"""The calls of one client, really made: registration, heartbeat, polls, event, OAuth.

Each call is made once (or a few times when a lever hits every n-th) and gives an ``Outcome`` in the
words of the client's go-utils version. What the client's past looked like is derived from them in
``client_history.py``.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from keptn_doctor.lab.clients import go_errors
from keptn_doctor.lab.clients.go_errors import GoError
from keptn_doctor.lab.clients.go_http import Pod, Reply, Request, Transport, send
from keptn_doctor.lab.clients.rules import Rules
from keptn_doctor.lab.keptn.registrations import with_ids
from keptn_doctor.lab.settings import ClientSettings, PodSettings, SubscriptionSettings

_REGISTRATION = "/controlPlane/v1/uniform/registration"
_SUCCESS = range(200, 300)
_HTTP_OK = 200
_NATS_PORT = 4222
_DEFAULT_NODE = "keptn-node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ends; ``text`` is the cause as the client logs it."""

    ok: bool
    text: str = ""
    other: str = ""  # the same cause in other words, every second time
    took_s: float = 0.05
    status: int = 0  # 0 = no answer
    body: bytes = b""
    method: str = "GET"
    path: str = ""  # with query, as sent

    def cause(self, number: int) -> str:
        """The text of the n-th occurrence."""
        return self.other if self.other and number % 2 == 0 else self.text


OK = Outcome(ok=True, status=200)


@dataclass(slots=True, kw_only=True)
class Calls:
    """What a client meets while the world stays as it is."""

    register: Outcome = OK
    integration_id: str = ""
    pings: tuple[Outcome, ...] = (OK,)
    polls: dict[str, tuple[Outcome, ...]] = field(default_factory=dict)  # by event type
    subscriptions: tuple[SubscriptionSettings, ...] = ()
    send: Outcome = OK
    handled: dict[str, tuple[tuple[str, datetime], ...]] = field(default_factory=dict)
    """Events of the past that polls had brought: ids and times by subscription."""
    nats: Outcome = OK  # in NATS mode
    fatal: str = ""  # what stops the process before any call
    fatal_later: str = ""  # what stops it after registration (endpoints without a scheme, 0.9-0.14)
    panics: bool = False  # ``fatal_later`` is a panic: exit code 2
    skipped: str = ""  # why no registration is tried


class Caller:
    """One pod's HTTP calls."""

    def __init__(
        self,
        settings: ClientSettings,
        pod: PodSettings,
        rules: Rules,
        place: Pod,
        *,
        rehearsing: bool = True,
    ) -> None:
        self.settings = settings
        self.pod = pod
        self.rules = rules
        self.place = place
        self.env = environment(settings, pod)
        self.bearer = ""
        self._rehearsing = rehearsing
        self._token_url = ""

    def at_work(self) -> Caller:
        """The same client's calls when they are more than a rehearsal."""
        place = replace(self.place, sender=self.place.subject)
        caller = Caller(self.settings, self.pod, self.rules, place, rehearsing=False)
        caller.bearer, caller._token_url = self.bearer, self._token_url
        return caller

    @property
    def endpoint(self) -> str:
        return self.env.get("KEPTN_API_ENDPOINT", "")

    @property
    def base(self) -> str:
        """Where shipyard-controller is, without its own path."""
        return self.endpoint.rstrip("/") if self.endpoint else "http://shipyard-controller:8080"

    def url(self, path: str, *, registering: bool = False) -> str:
        """The URL of a ``/controlPlane`` path."""
        if not self.endpoint:
            return self.base + path.removeprefix("/controlPlane")
        base = self.base
        if "://" not in base and ":" not in base.partition("/")[0]:
            base = "http://" + base  # without any scheme the handlers add one
        if registering and self.rules.forces_http:
            base = "http://" + (base.partition("://")[2] or base)
        return base + path

    async def call(self, transport: Transport, request: Request) -> Reply:
        """Send with the client's own headers.

        Raises:
            GoError: as from ``send``, or for a token that no header can carry.
        """
        if self.rules.oauth and not self.bearer:
            await self._fetch_token(request)
        headers = [("Content-Type", "application/json")]
        token = self.env.get("KEPTN_API_TOKEN", "")
        if self.bearer:
            headers.append(("Authorization", f"Bearer {self.bearer}"))
        if token:
            if go_errors.has_forbidden_characters(token):
                text = go_errors.header_text(token, self.rules.go)
                raise GoError(go_errors.wrapped(request.method, request.url, text))
            headers.append(("X-Token", token))
        return await send(
            self.place,
            transport,
            replace(request, headers=(*request.headers, *headers)),
            rehearsing=self._rehearsing,
        )

    async def discover(self) -> str:
        """OAuth discovery at start; the error that ends the process, "" when all is well."""
        url = self.env.get("OAUTH_DISCOVERY", "")
        if not self.rules.oauth or self.env.get("OAUTH_TOKEN_URL") or not url:
            return ""
        transport = Transport(verify=True, proxies=True, timeout_s=10.0, go=self.rules.go)
        try:
            reply = await send(
                self.place, transport, Request(method="GET", url=url), rehearsing=True
            )
        except GoError as error:
            return error.text
        if go_errors.json_text(reply.body) or reply.status != _HTTP_OK:
            return f"invalid status code from discovery endpoint {url}: {reply.status}"
        self._token_url = str(json.loads(reply.body).get("token_endpoint", ""))
        return ""

    async def _fetch_token(self, request: Request) -> None:
        """Client credentials (RFC 6749, 4.4), fetched before the first call that needs them.

        Raises:
            GoError: wrapped into the call that needed the token, as x/oauth2 does.
        """
        url = self.env.get("OAUTH_TOKEN_URL") or self._token_url
        secret = f"{self.env['OAUTH_CLIENT_ID']}:{self.env['OAUTH_CLIENT_SECRET']}"
        form = {
            "grant_type": "client_credentials",
            "scope": self.env["OAUTH_SCOPES"].replace(",", " "),
        }
        asked = Request(
            method="POST",
            url=url,
            body=urlencode(form).encode(),
            headers=(
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Authorization", "Basic " + base64.b64encode(secret.encode()).decode()),
            ),
        )
        try:
            reply = await send(self.place, self.rules.polling, asked, rehearsing=True)
        except GoError as error:
            raise GoError(
                go_errors.wrapped(request.method, request.url, error.text), error.took_s
            ) from None
        if reply.status not in _SUCCESS:
            text = (
                f"oauth2: cannot fetch token: {reply.status} {reply.reason}\n"
                f"Response: {reply.body.decode(errors='replace')}"
            )
            raise GoError(go_errors.wrapped(request.method, request.url, text))
        self.bearer = str(json.loads(reply.body).get("access_token", ""))

    async def nats(self) -> Outcome:
        """Whether NATS can be reached, for clients without an endpoint."""
        default = "keptn-nats-cluster" if self.rules.version < (0, 14, 0) else "keptn-nats"
        variable = "EVENTBROKER" if self.rules.kind == "sdk" else "PUBSUB_URL"
        parts = urlsplit(self.env.get(variable) or f"nats://{default}")
        host, port = parts.hostname or default, parts.port or _NATS_PORT
        try:
            address = (await self.place.resolver.addresses(host))[0]
            _, writer = await self.place.wire.open(
                self.place.vantage,
                address,
                port,
                service=self.place.service,
                rehearsing=self.place.subject,
            )
        except GoError as error:
            return Outcome(ok=False, text=f"dial tcp: {error.text}")
        except OSError:
            return Outcome(ok=False, text="nats: no servers available for connection")
        writer.close()
        return OK

    async def register(self) -> tuple[Outcome, str]:
        """``POST …/uniform/registration``; the outcome and the id."""
        url = self.url(_REGISTRATION, registering=True)
        body = json.dumps(payload(self.pod, self.rules, self.env)).encode()
        outcome = await self._json(
            self.rules.registration,
            Request(method="POST", url=url, body=body),
            go_type="models.RegisterIntegrationResponse",
        )
        if not outcome.ok:
            return outcome, ""
        return outcome, str(json.loads(outcome.body).get("id", ""))

    async def ping(self, integration_id: str) -> tuple[Outcome, dict[str, Any]]:
        """``PUT …/ping``; go-utils of 0.12 and later refuses an empty id by itself."""
        if not integration_id and self.rules.version >= (0, 12, 0):
            return Outcome(ok=False, text="could not ping an invalid IntegrationID"), {}
        url = self.url(f"{_REGISTRATION}/{integration_id}/ping", registering=True)
        outcome = await self._json(
            self.rules.registration, Request(method="PUT", url=url), go_type="models.Integration"
        )
        return outcome, json.loads(outcome.body) if outcome.ok else {}

    async def poll(self, subscription: SubscriptionSettings, *, page: str = "") -> Outcome:
        """``GET …/event/triggered/{type}`` with the query that the version adds."""
        path = f"/controlPlane/v1/event/triggered/{quote(subscription.event, safe='>*.')}"
        query = {}
        if self.rules.poll_query:
            parts = {
                "project": subscription.projects,
                "stage": subscription.stages,
                "service": subscription.services,
            }
            query = {key: values[0] for key, values in parts.items() if len(values) == 1}
        if page:
            query["nextPageKey"] = page
        url = self.url(path) + (f"?{urlencode(query)}" if query else "")
        return await self._json(
            self.rules.polling,
            Request(method="GET", url=url),
            go_type="models.Events",
            polling=True,
        )

    async def send_event(self, event_type: str, *, missing: tuple[str, ...], size: int) -> Outcome:
        """``POST /v1/event`` with what the service answers to a task."""
        event: dict[str, Any] = {
            "type": event_type,
            "source": self.settings.name,
            "specversion": "1.0",
            "shkeptncontext": "00000000-0000-4000-8000-000000000000",
            "triggeredid": "00000000-0000-4000-8000-000000000001",
            "data": {
                "project": "sockshop",
                "stage": "dev",
                "service": "carts",
                "status": "succeeded",
                "result": "pass",
                "message": "x" * size,
            },
        }
        for name in missing:
            event.pop(name, None)
            event["data"].pop(name, None)
        return await self.post_event(event)

    async def post_event(self, event: dict[str, Any]) -> Outcome:
        """``POST /v1/event``; without an endpoint there is NATS, which always takes it."""
        if not self.endpoint:
            return OK
        base = self.endpoint if self.rules.version < (0, 13, 0) else self.base
        return await self._json(
            self.rules.polling,
            Request(method="POST", url=f"{base}/v1/event", body=json.dumps(event).encode()),
            go_type="models.EventContext",
        )

    async def read(self, path: str) -> Outcome:
        """A GET at configuration-service or resource-service, whichever the client knows."""
        keeper = self.settings.reads_from or "configuration-service"
        if not self.settings.reads_from and self.rules.version >= (0, 18, 0):
            keeper = "resource-service"
        base = f"{self.base}/{keeper}" if self.endpoint else f"http://{keeper}:8080"
        return await self._json(
            self.rules.polling, Request(method="GET", url=base + path), go_type="models.Resource"
        )

    async def _json(
        self, transport: Transport, request: Request, *, go_type: str, polling: bool = False
    ) -> Outcome:
        parts = urlsplit(request.url)
        made = Outcome(
            ok=False,
            method=request.method,
            path=parts.path + (f"?{parts.query}" if parts.query else ""),
        )
        try:
            reply = await self.call(transport, request)
        except GoError as error:
            return replace(made, text=error.text, other=error.other, took_s=error.took_s)
        made = replace(made, status=reply.status, body=reply.body, took_s=reply.took_s)
        text = self._problem(reply, go_type, polling=polling)
        return replace(made, ok=not text, text=text) if text else replace(made, ok=True)

    def as_if(self, outcome: Outcome, *, status: int, body: bytes, polling: bool) -> Outcome:
        """The outcome of the same call had another answer come back."""
        reply = Reply(
            status=status,
            reason=HTTPStatus(status).phrase,
            headers=(),
            body=body,
            url="",
            method=outcome.method,
        )
        text = self._problem(reply, "", polling=polling)
        return replace(outcome, ok=False, status=status, body=body, text=text)

    def _problem(self, reply: Reply, go_type: str, *, polling: bool) -> str:
        """The error that go-utils makes of a reply; "" for none."""
        broken = go_errors.json_text(reply.body)
        if reply.status in _SUCCESS:
            if broken:
                return broken
            if isinstance(json.loads(reply.body), list):
                return go_errors.unmarshal_array_text(go_type)
            return ""
        old = self.rules.error_texts == "old"
        if polling and self.rules.poll_text == "endpoint":  # the distributor's own poller
            return broken or _message(reply.body) or "unknown error"
        if not reply.body:
            return f"Received unexpected response: {reply.status} {reply.status} {reply.reason}"
        if not broken:
            return _message(reply.body)
        if old:
            return f"{broken}\n-----DETAILS-----{reply.body.decode(errors='replace')}"
        return f"error with status code {reply.status}"


def _message(body: bytes) -> str:
    value = json.loads(body)
    return str(value.get("message", "")) if isinstance(value, dict) else ""


def environment(settings: ClientSettings, pod: PodSettings) -> dict[str, str]:
    """What the process sees, per-pod fields included."""
    per_pod = {"K8S_POD_NAME": pod.name, "K8S_NODE_NAME": pod.node}
    named = {"K8S_NAMESPACE": settings.namespace, "K8S_DEPLOYMENT_NAME": settings.name}
    merged = {**named, **per_pod, **settings.env}
    return {key: value for key, value in merged.items() if key not in settings.omit_env}


def _split(text: str) -> tuple[str, ...]:
    """Go's ``strings.Split`` on commas, without trimming; empty gives nothing."""
    return tuple(text.split(",")) if text else ()


def topics(env: dict[str, str]) -> tuple[SubscriptionSettings, ...]:
    """The subscriptions that PUBSUB_TOPIC and the filters ask for."""
    return with_ids(
        tuple(
            SubscriptionSettings(
                event=topic,
                projects=_split(env.get("PROJECT_FILTER", "")),
                stages=_split(env.get("STAGE_FILTER", "")),
                services=_split(env.get("SERVICE_FILTER", "")),
            )
            for topic in _split(env.get("PUBSUB_TOPIC", ""))
        )
    )


def payload(pod: PodSettings, rules: Rules, env: dict[str, str]) -> dict[str, Any]:
    """The body of a registration."""
    remote = bool(env.get("KEPTN_API_ENDPOINT"))
    location = env.get("LOCATION") or ("remote-execution-plane" if remote else "control-plane")
    if rules.kind == "sdk":
        location = env.get("LOCATION", "control-plane")
    node = env.get("K8S_NODE_NAME", "")
    if not node and rules.kind == "distributor" and rules.version >= (0, 9, 0):
        node = _DEFAULT_NODE
    unset = "0.9.0" if rules.version >= (0, 9, 0) else ""
    wanted = topics(env)
    body: dict[str, Any] = {
        "name": env.get("K8S_DEPLOYMENT_NAME", ""),
        "metadata": {
            "hostname": node,
            "integrationversion": env.get("VERSION") or env.get("K8S_DEPLOYMENT_VERSION", ""),
            "distributorversion": ""
            if rules.kind == "sdk"
            else (env.get("DISTRIBUTOR_VERSION") or unset),
            "location": location,
            "kubernetesmetadata": {
                "namespace": env.get("K8S_NAMESPACE", ""),
                "podname": env.get("K8S_POD_NAME", pod.name),
                "deploymentname": env.get("K8S_DEPLOYMENT_NAME", ""),
            },
        },
    }
    if rules.version < (0, 9, 0):
        body["subscription"] = {
            "topics": [s.event for s in wanted],
            "status": "active",
            "filter": {
                "project": env.get("PROJECT_FILTER", ""),
                "stage": env.get("STAGE_FILTER", ""),
                "service": env.get("SERVICE_FILTER", ""),
            },
        }
    else:
        body["subscriptions"] = [
            {
                "event": s.event,
                "filter": {
                    "projects": list(s.projects),
                    "stages": list(s.stages),
                    "services": list(s.services),
                },
            }
            for s in wanted
        ]
    return body
