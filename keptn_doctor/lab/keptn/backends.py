"""The components behind the gateway except shipyard-controller: api-service, datastore, Git, rest.

Each is a function from state, call and path (without the gateway's prefix) to an answer, as the
version answers. They know nothing of nginx; a component that is down is not asked at all.
"""

from __future__ import annotations

from typing import Any

from keptn_doctor.lab.keptn import files
from keptn_doctor.lab.keptn.event_rules import post
from keptn_doctor.lab.keptn.state import KeptnState
from keptn_doctor.lab.network.exchange import Answer, Call, as_error, as_json, as_text

_SWAGGER = (
    "swagger: '2.0'\ninfo:\n  title: {title}\n  version: {version}\nbasePath: /v1\n"
    "schemes:\n- http\nconsumes:\n- application/json\nproduces:\n- application/json\npaths: {{}}\n"
)
_PAGE = 20
_MOST = 100


def swagger(state: KeptnState, title: str) -> Answer:
    """A component's API description; needs no token and carries the Keptn version."""
    text = _SWAGGER.format(title=title, version=state.settings.version)
    return as_text(200, text, content_type="text/yaml")


def token_error(state: KeptnState, token: str | None) -> Answer | None:
    """api-service's 401 (``api/middleware/tokenauth.go``), None for the right token."""
    if not token:
        return as_error(401, "unauthenticated for invalid credentials")
    if token != state.token:
        return as_error(401, "incorrect api key auth")
    return None


def authenticate(state: KeptnState, call: Call) -> Answer:
    """``POST /v1/auth`` behind its rate limiter."""
    refused = token_error(state, call.headers.get("x-token"))
    key = state.limiter.key(call)
    if call.origin.rehearsal:
        state.auth_keys[call.origin.client] = (key, refused is None)
    elif not state.limiter.check(key, call.at, valid=refused is None):
        return as_text(429, "Too Many Requests")
    if refused is not None:
        if call.headers.get("x-token"):
            state.bad_tokens.append(call.at)
            del state.bad_tokens[:-1000]
        return refused
    return Answer(status=200)


def api_service(state: KeptnState, call: Call, path: str) -> Answer:
    """Everything under ``/api`` that no other location takes."""
    if path.startswith("/swagger-ui"):
        return swagger(state, "keptn api")
    if path == "/health" and state.version >= (0, 11, 0):
        return Answer(status=200)
    if path == "/v1/auth":
        if call.method != "POST":
            return as_error(405, f"method {call.method} is not allowed, but [POST] are")
        return authenticate(state, call)
    routes = {"/v1/metadata": ("GET",), "/v1/event": ("POST",)}
    if path not in routes:
        return as_error(404, f"path {path} was not found")
    if call.method not in routes[path]:
        allowed = ",".join(routes[path])
        return as_error(405, f"method {call.method} is not allowed, but [{allowed}] are")
    refused = token_error(state, call.headers.get("x-token"))
    if refused is not None:
        return refused
    if path == "/v1/event":
        return post(state, call)
    return as_json(200, metadata(state))


def metadata(state: KeptnState) -> dict[str, Any]:
    """``GET /v1/metadata`` (``api/handlers/metadata.go``)."""
    version = state.settings.version
    bridge = version if state.version >= (0, 13, 0) else f"docker.io/keptn/bridge2:{version}"
    shown: dict[str, Any] = {
        "bridgeversion": bridge,
        "keptnlabel": "keptn",
        "keptnversion": version,
        "namespace": state.settings.namespace,
        "shipyardversion": "0.2.0",
    }
    provisioning = state.settings.automatic_provisioning
    if state.version >= (0, 15, 0) or (provisioning and state.version >= (0, 14, 0)):
        shown["automaticprovisioning"] = provisioning
    return shown


def datastore(state: KeptnState, call: Call, path: str) -> Answer:
    """mongodb-datastore: the events of the past."""
    if path == "/health" and state.version >= (0, 10, 0):
        return Answer(status=200)
    if path == "/event" and call.method == "POST" and state.version < (0, 16, 0):
        return Answer(status=201)
    if path != "/event" and not path.startswith("/event/type/"):
        return as_error(404, f"path {path} was not found")
    if call.method != "GET":
        return as_error(405, f"method {call.method} is not allowed, but [GET] are")
    broken = state.store_error(writing=False)
    if broken is not None:
        return broken
    if path != "/event":
        return _by_type(state, call, path.rpartition("/")[2])
    found = state.documents.queried(call.query)
    size = min(_whole(call.query.get("pageSize"), _PAGE), _MOST)
    start = _whole(call.query.get("nextPageKey"), 0)
    following = str(start + size) if start + size < len(found) else "0"
    return as_json(
        200,
        {
            "events": [e.shown() for e in found[start : start + size]],
            "nextPageKey": following,
            "pageSize": size,
            "totalCount": len(found),
        },
    )


def _by_type(state: KeptnState, call: Call, event_type: str) -> Answer:
    wanted = call.query.get("filter", "")
    if not wanted and state.version >= (0, 11, 0):
        return as_error(400, "filter must not be empty")
    found = state.documents.of_type(event_type, wanted)
    return as_json(200, {"events": [e.shown() for e in found][:_MOST]})


def _whole(text: str | None, default: int) -> int:
    try:
        return max(int(text or default), 0)
    except ValueError:
        return default


def resources(state: KeptnState, call: Call, path: str) -> Answer:
    """configuration-service or resource-service: the first that needs the Git upstream."""
    if path == "/health" and state.version >= (0, 11, 0):
        return Answer(status=200)
    return files.answer(state, call, path)


def secret_service(state: KeptnState, call: Call, path: str) -> Answer:
    """Names only; never a value."""
    if path == "/v1/secret" and call.method == "GET":
        return as_json(
            200,
            {
                "secrets": [
                    {"name": name, "scope": "keptn-default", "keys": []} for name in state.secrets
                ]
            },
        )
    return as_text(404, "404 page not found")


def statistics_service(state: KeptnState, call: Call, path: str) -> Answer:
    """Counts of a span that nobody in the lab asks about in earnest."""
    if path != "/v1/statistics":
        return as_text(404, "404 page not found")
    broken = state.store_error(writing=False)
    if broken is not None:
        return broken
    return as_json(
        200,
        {
            "from": call.query.get("from", ""),
            "to": call.query.get("to", ""),
            "projects": [{"name": name} for name in state.projects],
        },
    )


def bridge(state: KeptnState, _call: Call, _path: str) -> Answer:
    """Bridge's page, as far as anybody without a browser sees it."""
    page = f"<!doctype html><html><head><title>Keptn</title></head><body>{state.text}</body>"
    return as_text(200, page + "</html>", content_type="text/html; charset=utf-8")
