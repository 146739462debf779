"""One HTTP exchange with bounds on everything: time, size, redirects, and where a token may go.

The deadline covers the whole exchange, since time limits of HTTP clients start anew with every
byte that drips in. Redirects are followed by hand, because which ones there were is evidence and
because a token must not follow them to another host. The certificate is not verified unless asked
for: Keptn's own clients do not, and the TLS rung has judged it (``probes.tls``).
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import html
import re
import time
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
import msgspec

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.path_facts import HttpAnswer
from keptn_doctor.probes import stopwatch
from keptn_doctor.probes.failures import WorldFault, classify, fault
from keptn_doctor.probes.lines import Lines
from keptn_doctor.probes.network import Network
from keptn_doctor.redact import Redactor
from keptn_doctor.secret import Secret

TOKEN_HEADER = "x-token"  # noqa: S105 - its name, not its value

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGENT = "keptn-doctor"
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_HTML_START = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)
_LONGEST_TITLE = 200
_LONGEST_HEADER = 300
_PROXY_HEADERS = (
    "via",
    "x-envoy-upstream-service-time",
    "x-cache",
    "x-served-by",
    "x-kong-response-latency",
    "x-amz-cf-id",
    "cf-ray",
    "x-azure-ref",
    "x-squid-error",
)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask; the defaults are those of a rung of the path."""

    method: Literal["GET", "POST", "DELETE"] = "GET"
    token: Secret | None = None
    content: bytes = b""  # a JSON body, for POST
    verify: bool = False
    proxy: str = ""
    deadline_s: float = 10.0  # of the whole exchange, redirects included
    most_bytes: int = 1 << 20
    most_redirects: int = 5  # 0 = a redirect is the answer
    new_line: bool = True  # False = a connection that is still open will do


class Exchange(Record, frozen=True, kw_only=True):
    """An answer, and what of it must not be recorded whole."""

    answer: HttpAnswer
    content: bytes
    token_sent: bool  # with the last request; a redirect to elsewhere takes it away
    retry_after_s: float | None = None  # what a server that is busy said


class _Progress:
    """How far an exchange has come, for the failure that ends it."""

    def __init__(self) -> None:
        self.stage = ""
        self.connected = False  # the present request opened a connection
        self.status = 0
        self.received = 0
        self.began = time.perf_counter()

    def next_request(self) -> None:
        self.connected, self.status, self.received = False, 0, 0

    async def trace(self, event: str, _info: dict[str, Any]) -> None:
        """See the trace extension of httpcore: "connection.start_tls.started" and the like."""
        if event.endswith(".started"):
            self.stage = event.split(".")[1]
            self.connected |= self.stage == "connect_tcp"

    def elapsed_ms(self) -> float:
        return round((time.perf_counter() - self.began) * 1000, 1)

    def too_late(self, deadline_s: float) -> WorldFault:
        if self.stage == "connect_tcp":
            return fault("connect", "connect-timeout", f"no connection in {deadline_s:g} s")
        if self.stage == "start_tls":
            return fault("tls", "read-timeout", f"no TLS session in {deadline_s:g} s")
        if self.status:
            detail = f"{self.received} bytes of the answer in {deadline_s:g} s, and not its end"
            return fault("http", "read-timeout", detail, status=self.status)
        return fault("http", "read-timeout", f"no whole answer head in {deadline_s:g} s")


async def ask(
    network: Network,
    url: str,
    how: Ask | None = None,
    *,
    redactor: Redactor | None = None,
    lines: Lines | None = None,
) -> Exchange:
    """One request and its answer, redirects followed; whatever its status, it is an answer.

    ``lines`` keeps the connection for a later request to the same endpoint. ``redactor`` knows the
    secrets to keep out of the recorded answer; the token is one in any case.
    Raises WorldFault: any code of the phases resolve, connect, tls and http.
    """
    how = how or Ask()
    cleaner = redactor or Redactor()
    if how.token:
        cleaner.learn(how.token.reveal())
    progress = _Progress()
    try:
        async with asyncio.timeout(how.deadline_s):
            with stopwatch.request():
                return await _follow(network, url, how, progress, cleaner, lines=lines)
    except TimeoutError:
        raise progress.too_late(how.deadline_s) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise WorldFault(_why(error, progress)) from None


def _why(error: Exception, progress: _Progress) -> Failure:
    if progress.status and isinstance(error, httpx.RemoteProtocolError):
        return Failure(
            phase="http",
            code="truncated",
            detail=f"the answer broke off after {progress.received} bytes",
            status=progress.status,
        )
    phase: Literal["tls"] | None = "tls" if progress.stage == "start_tls" else None
    failure = classify(error, phase=phase) or Failure(
        phase="http", code="protocol-error", detail=type(error).__name__
    )
    return msgspec.structs.replace(failure, status=progress.status)


async def _follow(
    network: Network,
    url: str,
    how: Ask,
    progress: _Progress,
    cleaner: Redactor,
    *,
    lines: Lines | None,
) -> Exchange:
    here, token = httpx.URL(url), how.token
    hops: list[str] = []
    seen = {str(here)}
    while True:
        response, content = await _once(network, here, how, token, progress, lines=lines)
        there = _target(here, response) if len(hops) < how.most_redirects else None
        if there is None:
            if hops and how.most_redirects == len(hops) and response.status_code in _REDIRECTS:
                raise _endless(hops, response.status_code)
            answer = _answer(
                here, response, content, how=how, hops=hops, progress=progress, cleaner=cleaner
            )
            return Exchange(
                answer=answer,
                content=content,
                token_sent=token is not None,
                retry_after_s=retry_after_s(response.headers.get("retry-after", ""), answer.date),
            )
        hops.append(f"{response.status_code} {_shown(here)} -> {_shown(there)}")
        if str(there) in seen:
            raise _endless(hops, response.status_code)
        seen.add(str(there))
        if there.host != here.host or (here.scheme, there.scheme) == ("https", "http"):
            token = None
        here = there


def _endless(hops: list[str], status: int) -> WorldFault:
    return fault("http", "too-many-redirects", f"after {'; '.join(hops)}", status=status)


async def _once(
    network: Network,
    url: httpx.URL,
    how: Ask,
    token: Secret | None,
    progress: _Progress,
    *,
    lines: Lines | None,
) -> tuple[httpx.Response, bytes]:
    """One request on a line of its own, or on an open one where ``how`` allows it."""
    while True:
        open_line = lines.take() if lines and not how.new_line else None
        client = open_line or _client(network, how)
        progress.next_request()
        try:
            answer = await _send(client, url, how, token, progress)
        except BaseException as error:
            await client.aclose()
            # A server may hang up on an idle line at any time, also just now. That is no answer,
            # and a GET may be sent again (RFC 9112, 9.3.1); there are only so many idle lines.
            hung_up = isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError))
            if open_line and hung_up and not (progress.connected or progress.status):
                continue
            raise
        if lines:
            await lines.give_back(client)
        else:
            await client.aclose()
        return answer


def _client(network: Network, how: Ask) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=network.transport(verify=how.verify, proxy=how.proxy),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(None),  # the deadline of the exchange holds
    )


async def _send(
    client: httpx.AsyncClient, url: httpx.URL, how: Ask, token: Secret | None, progress: _Progress
) -> tuple[httpx.Response, bytes]:
    headers = {"user-agent": _AGENT, "accept": "*/*", "accept-encoding": "identity"}
    if token:
        headers[TOKEN_HEADER] = token.reveal()
    if how.content:
        headers["content-type"] = "application/json"
    chunks: list[bytes] = []
    request = client.build_request(
        how.method,
        url,
        headers=headers,
        content=how.content or None,
        extensions={"trace": progress.trace},
    )
    async with contextlib.aclosing(await client.send(request, stream=True)) as response:
        progress.status = response.status_code
        if _target(url, response) is not None and how.most_redirects:
            return response, b""  # its body is of no interest
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            progress.received += len(chunk)
            if progress.received > how.most_bytes:
                detail = f"more than {how.most_bytes} bytes; the rest was not read"
                raise fault("http", "too-large", detail, status=response.status_code)
    return response, b"".join(chunks)


def _target(here: httpx.URL, response: httpx.Response) -> httpx.URL | None:
    """Where an answer redirects to, None when it does not or not over HTTP."""
    if response.status_code not in _REDIRECTS:
        return None
    there = _joined(here, response.headers.get("location", ""))
    return there if there and there.scheme in ("http", "https") and there.host else None


def _joined(here: httpx.URL, location: str) -> httpx.URL | None:
    try:
        return here.join(location) if location else None
    except httpx.InvalidURL:
        return None


def _answer(
    url: httpx.URL,
    response: httpx.Response,
    content: bytes,
    *,
    how: Ask,
    hops: list[str],
    progress: _Progress,
    cleaner: Redactor,
) -> HttpAnswer:
    def shown(text: str, longest: int = _LONGEST_HEADER) -> str:
        return cleaner.clean(text)[:longest]

    headers = response.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    body = body_kind(content, media_type)
    there = _joined(url, headers.get("location", ""))
    return HttpAnswer(
        url=shown(_shown(url)),
        method=how.method,
        status=response.status_code,
        reason=shown(response.reason_phrase),
        server=shown(headers.get("server", "")),
        content_type=shown(media_type),
        location=shown(_shown(there)) if there else "",
        date=http_date(headers.get("date", "")),
        body=body,
        title=shown(_title(content, body), _LONGEST_TITLE),
        size=len(content),
        elapsed_ms=progress.elapsed_ms(),
        redirects=tuple(shown(hop) for hop in hops),
        via=shown(_via(headers)),
    )


def _shown(url: httpx.URL) -> str:
    """A URL without what may be secret in it: user, password, query, fragment."""
    bare = url.copy_with(username=None, password=None, query=None, fragment=None)
    return f"{bare}?…" if url.query else str(bare)


def body_kind(content: bytes, media_type: str) -> Literal["empty", "json", "html", "text", "other"]:
    """What a body is by what is in it; its media type only settles what is not JSON."""
    if not content.strip():
        return "empty"
    if _HTML_START.match(content):
        return "html"
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        pass
    else:
        return "json"
    if media_type == "text/html":
        return "html"
    text = content[:4096].decode(errors="replace").rstrip("\ufffd")  # a cut character is no fault
    readable = "\ufffd" not in text and all(c.isprintable() or c.isspace() for c in text)
    return "text" if readable else "other"


def _title(content: bytes, body: str) -> str:
    if body == "html":
        match = _TITLE.search(content[:65536])
        return " ".join(html.unescape(match[1].decode(errors="replace")).split()) if match else ""
    if body == "json":
        return error_message(content)
    if body == "text":
        return content[:1024].decode(errors="replace").strip().partition("\n")[0].strip()
    return ""


class _Error(msgspec.Struct):
    message: str | None = None


def error_message(content: bytes) -> str:
    """``message`` of Keptn's error shape, ``{"code":401,"message":"…"}``; "" without one."""
    try:
        return msgspec.json.decode(content, type=_Error).message or ""
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return ""


def http_date(text: str) -> datetime | None:
    """A Date header (RFC 9110 section 5.6.7) in UTC; None when there is no sensible one."""
    try:
        parsed = email.utils.parsedate_to_datetime(text)
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def retry_after_s(text: str, now: datetime | None) -> float | None:
    """A Retry-After header (RFC 9110 section 10.2.3) in seconds; None without a sensible one.

    ``now`` is the server's clock, for a header that tells a moment.
    """
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)
    moment = http_date(text) if text else None
    return max(0.0, (moment - now).total_seconds()) if moment and now else None


def _via(headers: httpx.Headers) -> str:
    said = [f"{name}: {headers[name]}" for name in _PROXY_HEADERS if name in headers]
    return "; ".join(said)
