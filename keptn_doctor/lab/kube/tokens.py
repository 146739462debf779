"""serviceaccounts/token: a bearer token that lives for a while, as ``kubectl create token`` asks.

The body is read as JSON for its lifetime; a protobuf body (kubectl's) gets the default hour. The
token is random text and no JWT: nothing in the lab reads its inside.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.bodies import PROTOBUF, decode, media_type, read_bytes
from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.negotiation import answer, negotiate
from keptn_doctor.lab.kube.objects import dig, stamp
from keptn_doctor.lab.kube.status import unsupported_media_type
from keptn_doctor.lab.kube.users import service_account

_DEFAULT_SECONDS = 3_600
_LEAST_SECONDS = 600


async def create_token(call: Call) -> web.Response:
    media = negotiate(call.accept, call.cluster.generation).media
    account = call.cluster.peek(call.resource.key, call.namespace, call.target.name)
    if account is None:
        raise call.missing()
    seconds = await _lifetime(call)
    expires = call.cluster.now() + timedelta(seconds=seconds)
    token = secrets.token_urlsafe(32)
    user = service_account(call.namespace, call.target.name, expires=expires)
    call.cluster.users[token] = user
    body: dict[str, Any] = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": call.target.name, "namespace": call.namespace},
        "spec": {"expirationSeconds": seconds},
        "status": {"token": token, "expirationTimestamp": stamp(expires)},
    }
    return answer(body, status=201, media=media)


async def _lifetime(call: Call) -> int:
    raw, media = await read_bytes(call.request), media_type(call)
    if media == PROTOBUF or not raw:
        return _DEFAULT_SECONDS
    if media not in {"application/json", "application/yaml"}:
        raise unsupported_media_type()
    asked = dig(decode(raw, media, "TokenRequest"), "spec", "expirationSeconds")
    return max(asked, _LEAST_SECONDS) if isinstance(asked, int) else _DEFAULT_SECONDS
