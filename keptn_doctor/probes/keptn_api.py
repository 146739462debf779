"""Asks one Keptn endpoint questions, each once, and never one that changes anything.

It is the only holder of the operator's token. The token is sent to an endpoint that has shown
itself to be Keptn's, never twice after a refusal: every request with a rejected token takes a turn
of the control plane's limiter away from the execution planes (``api/middleware/ratelimiter.go``).
Nothing but a ``Write`` of the closed list of ``probes.round_trip_writes`` can change anything, and
that only in a run that was started for a round trip.
"""

from __future__ import annotations

import asyncio
import contextlib
import urllib.parse
from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from keptn_doctor.model.failure import Failure
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.http import Ask, Exchange, ask
from keptn_doctor.probes.lines import Lines
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.retry import ONCE, PASSING_STATUS, Attempts, RetryPolicy, retrying
from keptn_doctor.probes.round_trip_writes import Write
from keptn_doctor.probes.stopwatch import turn
from keptn_doctor.redact import Redactor
from keptn_doctor.secret import Secret

T = TypeVar("T")

# Waits of more than a second: the limiter gives back one turn a second.
PATIENCE = RetryPolicy(attempts=2, base_s=1.5, jitter=0.3)
# With the token in flight at once: the limiter's burst is two, and a good token gives its turn back
# only once it was checked (``api/middleware/ratelimiter.go@0.9.0 … 1.4.5``).
TURNS = 2
_TOO_LATE = (503, 504)  # a gateway's word on one request; 429 is none, asking costs others a turn
LONGEST_LIST = 8 << 20  # bytes of a list of integrations or projects

SWAGGER = "/swagger-ui/swagger.yaml"
METADATA = "/v1/metadata"
AUTH = "/v1/auth"
REGISTRATION = "/controlPlane/v1/uniform/registration"
OPEN_EVENTS = "/controlPlane/v1/event/triggered/"  # and the type
STORED_EVENTS = "/mongodb-datastore/event"


class KeptnApi:
    """One endpoint, the token for it, and the answers it has given so far."""

    def __init__(
        self,
        network: Network,
        endpoint: str,
        *,
        token: Secret | None = None,
        salt: bytes = b"",
        redactor: Redactor | None = None,
        deadlines: Deadlines | None = None,
        patience: RetryPolicy = PATIENCE,
        active: bool = False,
        lines: Lines | None = None,
    ) -> None:
        """``endpoint`` is what KEPTN_API_ENDPOINT holds, "http://keptn.example.com/api".

        Reads with the token share ``lines``, which the caller closes. Requests without it look at
        the way to Keptn, each on a connection of its own.
        """
        self.endpoint = endpoint.rstrip("/")
        self.token = token
        self.redactor = redactor or Redactor()
        self.deadlines = deadlines or Deadlines()
        self.patience = patience
        self.active = active
        self.token_refused = False
        self._network = network
        self._lines = lines
        self._turns = asyncio.Semaphore(TURNS)
        self._salt = salt
        self._answers: dict[tuple[str, bool], Exchange | Failure] = {}
        if token:
            self.redactor.learn(token.reveal())

    @property
    def answered(self) -> bool:
        """Whether any answer has come so far."""
        return any(isinstance(known, Exchange) for known in self._answers.values())

    def known(
        self, path: str, params: Mapping[str, str] | None = None, *, with_token: bool = False
    ) -> Exchange | Failure | None:
        """What a GET was answered, None when it was not asked."""
        return self._answers.get((self.url(path, params), with_token))

    @property
    def token_fingerprint(self) -> str:
        return self.token.fingerprint(self._salt) if self.token else ""

    def url(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """A path under the endpoint; "/../nginx-health" means the root of its host."""
        parts = urllib.parse.urlsplit(self.endpoint)
        if path.startswith("/../"):
            base = urllib.parse.urlunsplit((parts.scheme, parts.netloc, path[3:], "", ""))
        else:
            base = self.endpoint + path
        return f"{base}?{urllib.parse.urlencode(params)}" if params else base

    async def get(
        self,
        path: str,
        *,
        with_token: bool,
        params: Mapping[str, str] | None = None,
        fresh: bool = False,
        attempts: Attempts | None = None,
    ) -> Exchange:
        """The answer to a GET, remembered unless ``fresh``; raises WorldFault, remembered too."""
        known = None if fresh else self.known(path, params, with_token=with_token)
        if known is None:
            url, how = self.url(path, params), self._how("GET", with_token=with_token)
            known = await self._ask(url, how, attempts)
            self._answers[url, with_token] = known
        if isinstance(known, Failure):
            raise WorldFault(known)
        return known

    async def get_as(
        self,
        path: str,
        kind: type[T],
        *,
        params: Mapping[str, str] | None = None,
        fresh: bool = False,
        attempts: Attempts | None = None,
    ) -> tuple[T, Exchange]:
        """The decoded answer to a GET with the token; asked anew where the last one was too late.

        Raises WorldFault: as ``get``, or auth/unauthorized, auth/forbidden, http/rate-limited,
        http/not-found, http/unexpected-status, parse/not-json, parse/unexpected-shape.
        """
        known = self.known(path, params, with_token=True)
        too_late = isinstance(known, Exchange) and known.answer.status in _TOO_LATE
        exchange = await self.get(
            path, with_token=True, params=params, fresh=fresh or too_late, attempts=attempts
        )
        return decode(exchange, kind), exchange

    async def write(self, write: Write) -> Exchange:
        """Ask for one change, once; whatever its status, the answer is one.

        Raises PermissionError when the run is not active, and WorldFault when no answer came.
        """
        if not self.active:
            raise PermissionError("this run is read-only: nothing is ever posted")
        how = self._how(write.method, with_token=True, body=write.body)
        patience_s = max(how.deadline_s, write.patience_s)
        how = msgspec.structs.replace(how, deadline_s=patience_s)
        found = await self._ask(self.url(write.path), how)
        if isinstance(found, Failure):
            raise WorldFault(found)
        return found

    async def redirect_of(self, path: str) -> Exchange:
        """What a GET without token is answered when no redirect is followed."""
        how = self._how("GET", with_token=False)
        found = await self._ask(self.url(path), msgspec.structs.replace(how, most_redirects=0))
        if isinstance(found, Failure):
            raise WorldFault(found)
        return found

    def _how(
        self, method: Literal["GET", "POST", "DELETE"], *, with_token: bool, body: bytes = b""
    ) -> Ask:
        return Ask(
            method=method,
            content=body,
            token=self._usable_token() if with_token else None,
            new_line=method != "GET" or not with_token,
            proxy=self._network.settings.proxy,
            deadline_s=self.deadlines.request_s,
            most_bytes=LONGEST_LIST,
            most_redirects=5 if method == "GET" else 0,
        )

    def _usable_token(self) -> Secret:
        if not self.token:
            raise fault("auth", "credentials-unreadable", "no token was given")
        if not all("!" <= character <= "~" for character in self.token.reveal()):
            detail = "the token holds a character that no HTTP header may carry"
            raise fault("auth", "credentials-unreadable", detail)
        return self.token

    async def _ask(
        self, url: str, how: Ask, attempts: Attempts | None = None
    ) -> Exchange | Failure:
        if how.token and self.token_refused:
            return Failure(
                phase="auth", code="unauthorized", detail="not asked again after a 401", status=401
            )
        try:
            exchange = await retrying(
                lambda: self._in_turn(url, how),
                attempts=attempts,
                policy=self.patience if how.method == "GET" else ONCE,
                again=lambda found: found.answer.status in PASSING_STATUS,
                told_to_wait=lambda found: found.retry_after_s,
            )
        except WorldFault as refusal:
            return refusal.failure
        if exchange.token_sent and exchange.answer.status == 401:
            self.token_refused = True
        return exchange

    async def _in_turn(self, url: str, how: Ask) -> Exchange:
        async with turn(self._turns) if how.token else contextlib.nullcontext():
            return await ask(self._network, url, how, redactor=self.redactor, lines=self._lines)


def decode(exchange: Exchange, kind: type[T]) -> T:
    """The body of a 200 as ``kind``; raises WorldFault for any other answer."""
    failure = status_failure(exchange)
    if failure:
        raise WorldFault(failure)
    answer = exchange.answer
    if answer.body == "html":
        title = f", {answer.title!r}" if answer.title else ""
        raise fault("parse", "not-json", f"200 with an HTML page{title}", status=200)
    try:
        return msgspec.json.decode(exchange.content, type=kind)
    except msgspec.ValidationError:
        raise fault("parse", "unexpected-shape", "JSON of another shape", status=200) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise fault("parse", "not-json", "200 without JSON", status=200) from None


def status_failure(exchange: Exchange) -> Failure | None:
    """What is wrong when an API answers with this status; None for 200."""
    answer, status = exchange.answer, exchange.answer.status
    said = f"{status}: {answer.title}" if answer.title else f"status {status}"
    if answer.redirects and not exchange.token_sent and status in (401, 403):
        return Failure(
            phase="http",
            code="unexpected-status",
            detail=f"redirected to where the token must not go ({answer.url})",
            status=status,
        )
    match status:
        case 200:
            return None
        case 401:
            return Failure(phase="auth", code="unauthorized", detail=said, status=status)
        case 403:
            return Failure(phase="auth", code="forbidden", detail=said, status=status)
        case 404:
            return Failure(phase="http", code="not-found", detail=said, status=status)
        case 429:
            return Failure(phase="http", code="rate-limited", detail=said, status=status)
    return Failure(phase="http", code="unexpected-status", detail=said, status=status)
