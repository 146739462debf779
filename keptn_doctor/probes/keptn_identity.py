"""What a control plane says of itself, and of the operator's token.

Sources: ``api/handlers/metadata.go``, ``api/middleware/tokenauth.go`` and
``api/restapi/operations/auth@0.8.7 … 1.4.5``.
"""

from __future__ import annotations

import functools
from typing import Literal

import msgspec
import yaml

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import KeptnVersion, TokenCheck
from keptn_doctor.model.path_facts import HttpAnswer
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.http import Exchange
from keptn_doctor.probes.keptn_api import AUTH, METADATA, SWAGGER, KeptnApi, status_failure
from keptn_doctor.probes.retry import Attempts

_NO_VERSION = ("", "N/A", "develop")
_LONGEST_SWAGGER = 512 * 1024
_YAML = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar a string, also 1.10


class _Metadata(msgspec.Struct, frozen=True):
    keptnversion: str | None = None
    bridgeversion: str | None = None
    automaticprovisioning: bool | None = None


async def check_token(api: KeptnApi, *, attempts: Attempts | None = None) -> TokenCheck:
    """What api-service says of the token: asked of ``/v1/auth``, else of ``/v1/metadata``.

    Metadata is not limited, so it settles what the limiter hides. Raises WorldFault when the answer
    is not Keptn's: that is no word on the token.
    """
    exchange = await api.get(AUTH, with_token=True, attempts=attempts)
    answer = exchange.answer
    if answer.status == 200 and answer.body != "html":
        return _checked(api, answer, accepted=True)
    if answer.status == 401 and answer.body == "json" and exchange.token_sent:
        return _checked(api, answer, accepted=False)
    if answer.status == 429:
        accepted = await _metadata_accepts(api, attempts)
        return _checked(api, answer, accepted=accepted, masked_by="rate-limit")
    if answer.status in (500, 502, 503, 504):
        return _checked(api, answer, accepted=False, masked_by="auth-backend-down")
    if answer.status in (404, 405) and await _metadata_accepts(api, attempts):
        return _checked(api, answer, accepted=True)
    if answer.status == 200:
        raise fault("parse", "unexpected-shape", f"a page, {answer.title!r}, where Keptn has none")
    raise WorldFault(status_failure(exchange) or Failure(phase="http", code="unexpected-status"))


def _checked(
    api: KeptnApi,
    answer: HttpAnswer,
    *,
    accepted: bool,
    masked_by: Literal["", "rate-limit", "auth-backend-down"] = "",
) -> TokenCheck:
    return TokenCheck(
        accepted=accepted,
        status=answer.status,
        fingerprint=api.token_fingerprint,
        masked_by=masked_by,
    )


async def _metadata_accepts(api: KeptnApi, attempts: Attempts | None) -> bool:
    return bool((await _metadata(api, attempts)).keptnversion)


async def _metadata(api: KeptnApi, attempts: Attempts | None) -> _Metadata:
    """Empty when it cannot be had: its route has its own line in GatewayAnswers."""
    try:
        metadata, _ = await api.get_as(METADATA, _Metadata, attempts=attempts)
    except WorldFault:
        return _Metadata()
    return metadata


async def keptn_version(
    api: KeptnApi, *, with_token: bool, attempts: Attempts | None = None
) -> KeptnVersion:
    """The version by swagger, else by metadata; ``with_token`` also tells the bridge's.

    Raises WorldFault when neither tells one.
    """
    told = await _metadata(api, attempts) if with_token else _Metadata()
    version, failure = "", Failure(phase="parse", code="unexpected-shape", detail="no version")
    try:
        described = await api.get(SWAGGER, with_token=False, attempts=attempts)
        version = swagger_version(described)
        failure = status_failure(described) or failure
    except WorldFault as refusal:
        failure = refusal.failure
    better = told.keptnversion or ""
    from_metadata = version in _NO_VERSION and better not in _NO_VERSION
    if not version and not from_metadata:
        raise WorldFault(failure)
    return KeptnVersion(
        version=better if from_metadata else version,
        source="metadata" if from_metadata else "swagger",
        bridge_version=told.bridgeversion or "",
        automatic_provisioning=told.automaticprovisioning,
    )


def swagger_version(found: Exchange | Failure) -> str:
    """``info.version`` of a swagger.yaml; "" when the answer is none, or has none."""
    if isinstance(found, Failure) or not found.answer.url.endswith("/swagger.yaml"):
        return ""
    if found.answer.status != 200 or len(found.content) > _LONGEST_SWAGGER:
        return ""
    return _version_in(found.content)


@functools.lru_cache(maxsize=4)  # the same description is asked about by every look at its route
def _version_in(swagger: bytes) -> str:
    try:
        described = yaml.load(swagger, Loader=_YAML)  # noqa: S506 - makes strings only
    except (yaml.YAMLError, ValueError, RecursionError):
        return ""
    info = described.get("info") if isinstance(described, dict) else None
    version = info.get("version") if isinstance(info, dict) else None
    return version if isinstance(version, str) else ""
