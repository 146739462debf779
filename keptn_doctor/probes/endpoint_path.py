"""Walks the path to one endpoint rung by rung, and stops where it is broken.

Resolve, connect, TLS, HTTP, routes: each rung is a look of its own with its own duration, at the
same machine as the rung below. Without TLS the first request goes on the connection of its rung.
Rungs above a break are noted as not attempted, never as failed.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.path_facts import (
    DnsAnswer,
    GatewayAnswers,
    HttpAnswer,
    TcpConnection,
    TlsSession,
)
from keptn_doctor.model.topology import Endpoint
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes import tcp, tls
from keptn_doctor.probes.gateway_routes import gateway_answers, plain_http_answer
from keptn_doctor.probes.keptn_api import PATIENCE, SWAGGER, KeptnApi
from keptn_doctor.probes.lines import Lines
from keptn_doctor.probes.network import Line, Network
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.retry import Attempts, RetryPolicy, retrying
from keptn_doctor.redact import Redactor
from keptn_doctor.secret import Secret

F = TypeVar("F")

TWICE = RetryPolicy(attempts=2)
_ROUTES = 8  # requests of a survey that may each take their whole time


class Walk:
    """What the rungs of one walk share."""

    def __init__(
        self,
        recorder: Recorder,
        network: Network,
        endpoint: Endpoint,
        *,
        deadlines: Deadlines,
        api: Callable[[Network, str], KeptnApi],
        policy: RetryPolicy,
    ) -> None:
        self.recorder, self.network, self.endpoint = recorder, network, endpoint
        self.deadlines, self.policy = deadlines, policy
        self._api = api

    def api(self) -> KeptnApi:
        return self._api(self.network, self.endpoint.url)

    def api_without_tls(self) -> KeptnApi:
        """Of the same host, port and path by http://."""
        host = self.endpoint.host.strip("[]")
        name = f"[{host}]" if ":" in host else host
        url = f"http://{name}:{self.endpoint.port}{self.endpoint.path}"
        return self._api(self.network, url)

    async def rung(
        self, probe: str, look: Callable[[], Awaitable[F]], *, deadline_s: float
    ) -> F | Failure:
        """A look that is taken again when it fails in a way that may pass."""
        attempts = Attempts()
        looking = retrying(look, attempts=attempts, policy=self.policy)
        return await self.count(probe, looking, attempts, deadline_s=deadline_s)

    async def count(
        self, probe: str, looking: Awaitable[F], attempts: Attempts, *, deadline_s: float
    ) -> F | Failure:
        """A look that takes care of its own attempts."""
        return await self.recorder.look(
            probe, self.endpoint.subject, looking, deadline_s=deadline_s, attempts=attempts
        )

    def skip(
        self,
        *probes: str,
        reason: str,
        kind: Literal["option", "unreachable"] = "unreachable",
        unlock: str = "",
    ) -> None:
        for probe in probes:
            self.recorder.skip(
                NotAttempted(
                    probe=probe,
                    subject=self.endpoint.subject,
                    reason=reason,
                    kind=kind,
                    unlock=unlock,
                )
            )


async def observe_endpoint(
    recorder: Recorder,
    network: Network,
    endpoint: Endpoint,
    token: Secret | None,
    deadlines: Deadlines,
    *,
    redactor: Redactor | None = None,
    salt: bytes = b"",
    active: bool = False,
    lines: Lines | None = None,
    patience: RetryPolicy = PATIENCE,
    policy: RetryPolicy = TWICE,
) -> KeptnApi | None:
    """Look at every rung up to the first broken one, under the subject of the endpoint.

    Give a token only with the operator's own endpoint: other URLs come out of the settings in the
    clusters and may lead anywhere. Returns the API behind the endpoint, with the answers it has
    given, for ``observe_keptn_api``; None when Keptn was not reached.
    """

    def api(at: Network, url: str) -> KeptnApi:
        return KeptnApi(
            at, url, token=token, salt=salt, redactor=redactor, deadlines=deadlines,
            patience=patience, active=active, lines=lines,
        )  # fmt: skip

    walk = Walk(recorder, network, endpoint, deadlines=deadlines, api=api, policy=policy)
    if endpoint.defect or endpoint.scheme not in ("http", "https") or not endpoint.host:
        reason = f"the endpoint {endpoint.defect or 'is no http:// or https:// URL'}"
        walk.skip("dns", "tcp", "http", "gateway-answers", reason=reason)
        return None
    if network.settings.proxy:
        reason = "requests go through the proxy that was given, which resolves and connects"
        walk.skip("dns", "tcp", "tls", reason=reason, kind="option")
        return await _http(walk)
    try:
        return await _http(walk) if await _transport(walk) else None
    finally:
        if line := walk.network.take_line():
            await line.aclose()


async def _transport(walk: Walk) -> bool:
    """The rungs below HTTP; whether they hold."""
    secure = walk.endpoint.scheme == "https"
    above = ("tls", "http", "gateway-answers") if secure else ("http", "gateway-answers")
    addresses = await _resolve(walk)
    if not addresses:
        walk.skip("tcp", *above, reason="the name did not resolve")
        return False
    lines: list[Line] = []  # TLS shakes hands on connections of its own
    connection = await _connect(walk, addresses, go_on=None if secure else lines.append)
    if isinstance(connection, Failure):
        walk.skip(*above, reason="no TCP connection was made")
        return False
    walk.network = walk.network.at(walk.endpoint.host, connection.address, *lines)
    if not secure:
        return True
    session = await _shake_hands(walk)
    if not isinstance(session, Failure):
        return True
    if session.code == "not-tls":
        walk.skip("http", reason="no TLS session was made")
        await _ask_without_tls(walk)
    else:
        walk.skip("http", "gateway-answers", reason="no TLS session was made")
    return False


async def _resolve(walk: Walk) -> tuple[str, ...]:
    host, port, limit = walk.endpoint.host, walk.endpoint.port, walk.deadlines.connect_s
    if walk.network.detoured(host, port):
        reason = f"connections to {host}:{port} are led elsewhere by a connect-to rule"
        walk.skip("dns", reason=reason, kind="option")
        return (host,)

    found: DnsAnswer | Failure = await walk.rung(
        "dns", lambda: walk.network.look_up(host, deadline_s=limit), deadline_s=3 * limit
    )
    return () if isinstance(found, Failure) else found.addresses


async def _connect(
    walk: Walk, addresses: tuple[str, ...], *, go_on: Callable[[Line], None] | None
) -> TcpConnection | Failure:
    host, port, limit = walk.endpoint.host, walk.endpoint.port, walk.deadlines.connect_s

    return await walk.rung(
        "tcp",
        lambda: tcp.connect(
            walk.network, host, port, addresses=addresses, deadline_s=limit, go_on=go_on
        ),
        deadline_s=3 * limit,
    )


async def _shake_hands(walk: Walk) -> TlsSession | Failure:
    host, port, limit = walk.endpoint.host, walk.endpoint.port, walk.deadlines.connect_s

    return await walk.rung(
        "tls",
        lambda: tls.shake_hands(walk.network, host, port, deadline_s=limit),
        deadline_s=4 * limit,
    )


async def _http(walk: Walk) -> KeptnApi | None:
    api = walk.api()
    limit = walk.deadlines.request_s
    answer = await walk.count("http", *_answer(api), deadline_s=3 * limit)
    if isinstance(answer, Failure) and answer.code != "too-large":
        walk.skip("gateway-answers", reason="no HTTP answer came")
        return None
    if isinstance(answer, HttpAnswer) and answer.redirects and walk.endpoint.scheme == "http":
        await _shake_hands_beyond(walk, answer)
    attempts = Attempts()
    survey = gateway_answers(api, attempts=attempts)
    found = await walk.count("gateway-answers", survey, attempts, deadline_s=_ROUTES * limit)
    return api if isinstance(found, GatewayAnswers) and found.reached == "keptn" else None


async def _shake_hands_beyond(walk: Walk, answer: HttpAnswer) -> None:
    """The certificate that clients meet when a plain endpoint redirects them to its https twin."""
    target = urllib.parse.urlsplit(answer.redirects[-1].partition(" -> ")[2].partition("?")[0])
    if target.scheme != "https" or target.hostname != walk.endpoint.host:
        return
    host, port, limit = target.hostname, target.port or 443, walk.deadlines.connect_s
    await walk.rung(
        "tls",
        lambda: tls.shake_hands(walk.network, host, port, deadline_s=limit),
        deadline_s=4 * limit,
    )


def _answer(api: KeptnApi) -> tuple[Awaitable[HttpAnswer], Attempts]:
    """The answer of the one route that needs no token and shows the whole way to api-service."""
    attempts = Attempts()

    async def ask() -> HttpAnswer:
        return (await api.get(SWAGGER, with_token=False, attempts=attempts)).answer

    return ask(), attempts


async def _ask_without_tls(walk: Walk) -> None:
    survey = plain_http_answer(walk.api_without_tls())
    limit = 3 * walk.deadlines.request_s
    await walk.count("gateway-answers", survey, Attempts(), deadline_s=limit)
