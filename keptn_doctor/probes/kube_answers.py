"""Reads what an API server answers: a Status becomes a Failure, odd objects are survived.

Real clusters hold objects with null lists and missing fields. One of them must not cost the whole
list, so every object is decoded on its own when its page does not decode as one.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any, TypeVar

import httpx
import msgspec

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Code, Failure, Phase
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.http import http_date

T = TypeVar("T")
_SHOWN = 240


class Answer(Record, frozen=True, kw_only=True):
    """One answer as it came: body in full, up to the limit that was set."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    truncated: bool = False  # cut by us, at the limit that was set
    read_at: datetime | None = None  # the Date header: the API server's clock

    def header(self, name: str) -> str:
        return next((v for k, v in self.headers if k.lower() == name), "")


class _Cause(msgspec.Struct):
    name: str | None = None
    kind: str | None = None


class _Status(msgspec.Struct):
    kind: str | None = None
    reason: str | None = None
    message: str | None = None
    details: _Cause | None = None


async def read_answer(response: httpx.Response, max_bytes: int) -> Answer:
    """Read a streamed response up to a size; the rest is never fetched."""
    body = bytearray()
    truncated = False
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            truncated = True
            break
    return Answer(
        status=response.status_code,
        headers=tuple(response.headers.multi_items()),
        body=bytes(body[:max_bytes]),
        truncated=truncated,
        read_at=http_date(response.headers.get("date", "")),
    )


def failure_of(answer: Answer, *, right: str, anonymous: bool = False) -> Failure | None:
    """The failure that a status stands for, None for 2xx.

    ``right`` is the rule that the request needed; ``anonymous`` says that no credentials went out.
    """
    if 200 <= answer.status < 300:
        return None
    status = _status(answer)
    phase, code, detail = _meaning(answer, status, anonymous=anonymous)
    needed = right if code == "forbidden" else ""
    return Failure(phase=phase, code=code, detail=detail, right=needed, status=answer.status)


def _meaning(answer: Answer, status: _Status | None, *, anonymous: bool) -> tuple[Phase, Code, str]:
    said = _message(answer, status)
    match answer.status:
        case 401:
            return "auth", "unauthorized", f"the API server refused the credentials: {said}"
        case 403 if status and (anonymous or '"system:anonymous"' in said):
            return "auth", "unauthorized", f"the API server takes us for anonymous: {said}"
        case 403 if status:
            return "auth", "forbidden", said
        case 404 if status and status.details and status.details.name:
            return "kube", "not-found", said
        case 404 if status or said.startswith("404 page not found"):
            return "kube", "resource-not-served", said
        case 409:
            return "kube", "conflict", said
        case 410:
            return "kube", "gone", said
        case 429:
            return "http", "rate-limited", said
        case code if code >= 500 and (status or not _looks_like_html(answer.body)):
            return "kube", "server-error", said
        case code if 300 <= code < 400:
            said = f"redirected to {answer.header('location')[:100]}: no Kubernetes API does that"
            return "http", "unexpected-status", said
    origin = "" if status else " by something that is no Kubernetes API"
    return "http", "unexpected-status", f"answered {answer.status}{origin}: {said}"


def _status(answer: Answer) -> _Status | None:
    try:
        status = msgspec.json.decode(answer.body, type=_Status)
    except msgspec.DecodeError:
        return None
    return status if status.kind == "Status" else None


def _message(answer: Answer, status: _Status | None) -> str:
    if status:
        text = status.message or status.reason or ""
    elif _looks_like_html(answer.body):
        text = f"a web page from {answer.header('server') or 'an unnamed server'}"
    else:
        text = answer.body[:_SHOWN].decode(errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:_SHOWN] or "no explanation was given"


def _looks_like_html(body: bytes) -> bool:
    return body[:512].lstrip()[:1] == b"<"


def decode(answer: Answer, kind: type[T]) -> T:
    """One object; raises WorldFault (parse) when it is none or of another shape."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.ValidationError as error:
        tolerant = decode_object(answer.body, kind)
        if tolerant is not None:
            return tolerant
        raise fault("parse", "unexpected-shape", str(error)[:_SHOWN]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(answer) from error


def not_json(answer: Answer) -> WorldFault:
    """Something else than JSON where an object was asked for."""
    kind = answer.header("content-type") or "unknown"
    what = "a web page" if _looks_like_html(answer.body) else f"content of type {kind}"
    return fault(
        "parse",
        "not-json",
        f"{what} instead of JSON: is something in front of the API server?",
        status=answer.status,
    )


def decode_object(raw: bytes | msgspec.Raw, kind: type[T]) -> T | None:
    """One object of a list with its nulls taken as absent; None when it is still no ``kind``."""
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(raw)), kind)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError):
        return None


def decode_items(listed: msgspec.Raw, kind: type[T]) -> tuple[list[T], int]:
    """The items, all at once where none of them is odd, and how many could not be read."""
    with contextlib.suppress(msgspec.ValidationError):
        return msgspec.json.decode(listed, type=list[kind] | None) or [], 0  # type: ignore[valid-type]
    raws = msgspec.json.decode(listed, type=list[msgspec.Raw])
    decoder = msgspec.json.Decoder(kind)
    items: list[T] = []
    odd = 0
    for raw in raws:
        try:
            items.append(decoder.decode(raw))
        except msgspec.MsgspecError:
            item = decode_object(raw, kind)
            if item is None:
                odd += 1
            else:
                items.append(item)
    return items, odd


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value
