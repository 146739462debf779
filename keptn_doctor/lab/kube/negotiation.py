"""Which representation a client asks for: JSON or YAML, as it is, as a Table or as metadata only.

Protobuf answers are not made: a client that accepts nothing else gets 406, which no real server of
these generations would send. kubectl and client-go always accept JSON as well.
"""

from __future__ import annotations

from typing import Any

import msgspec
import yaml
from aiohttp import web

from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.status import ApiError, PlainError, not_acceptable
from keptn_doctor.model.base import Record

NO_CACHE = "no-cache, private"
_JSON = {"application/json", "application/*", "*/*"}
_AVAILABLE = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
)


class Clause(Record, frozen=True, kw_only=True):
    media: str
    parameters: dict[str, str]
    quality: float


class Shape(Record, frozen=True, kw_only=True):
    """``kind`` is '' for the object itself, else Table or PartialObjectMetadata(List)."""

    media: str = "application/json"
    kind: str = ""
    group: str = ""
    version: str = ""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"


def clauses(accept: str) -> list[Clause]:
    """The parts of an Accept header, best first."""
    found = []
    for part in filter(None, (p.strip() for p in accept.split(","))):
        media, *pairs = (piece.strip() for piece in part.split(";"))
        parameters = {k.strip(): v.strip() for k, _, v in (pair.partition("=") for pair in pairs)}
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        found.append(Clause(media=media.lower(), parameters=parameters, quality=quality))
    return sorted(found, key=lambda clause: -clause.quality)


def _media(clause: Clause) -> str:
    if clause.media in _JSON:
        return "application/json"
    return "application/yaml" if clause.media == "application/yaml" else ""


def negotiate(accept: str, generation: Generation, *kinds: str) -> Shape:
    """The best representation on offer; ``kinds`` are the transformations possible here."""
    for clause in clauses(accept or "*/*"):
        media = _media(clause)
        wanted = clause.parameters.get("as", "")
        group, version = clause.parameters.get("g", ""), clause.parameters.get("v", "")
        if not media:
            continue
        if not wanted:
            return Shape(media=media)
        if wanted in kinds and group == "meta.k8s.io" and version in {"v1", "v1beta1"}:
            return Shape(media=media, kind=wanted, group=group, version=version)
    raise not_acceptable(_AVAILABLE if generation.is_new else ())


def answer(
    body: Any,
    *,
    status: int = 200,
    media: str = "application/json",
    headers: dict[str, str] | None = None,
) -> web.Response:
    """An object as an answer, with the headers that every API answer carries."""
    if media == "application/yaml":
        raw = yaml.safe_dump(body, sort_keys=False).encode()
    else:
        raw = msgspec.json.encode(body) + b"\n"
    response = web.Response(status=status, body=raw, headers={"Cache-Control": NO_CACHE})
    response.headers["Content-Type"] = media
    response.headers.update(headers or {})
    return response


def text_answer(
    text: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    response = web.Response(status=status, text=text, headers={"Cache-Control": NO_CACHE})
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.update(headers or {})
    return response


def failure(error: ApiError | PlainError) -> web.Response:
    """The answer that an error stands for."""
    if isinstance(error, PlainError):
        return text_answer(error.text, status=error.code, headers=error.headers)
    return answer(error.body(), status=error.code, headers=error.headers)
