"""SelfSubjectAccessReview, SelfSubjectRulesReview and SelfSubjectReview: what may I, who am I."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.bodies import PROTOBUF, decode, media_type, read_bytes
from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.negotiation import answer, negotiate
from keptn_doctor.lab.kube.objects import Object, dig
from keptn_doctor.lab.kube.protobuf import decode_review
from keptn_doctor.lab.kube.rbac import Attributes, authorize, effective_rules
from keptn_doctor.lab.kube.status import (
    Cause,
    bad_request,
    invalid,
    method_not_allowed,
    unsupported_media_type,
)
from keptn_doctor.lab.kube.users import Rule

_ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
_EVERYTHING = Rule(api_groups=("*",), resources=("*",), verbs=("*",))
_EVERY_PATH = Rule(api_groups=(), non_resource_urls=("*",), verbs=("*",))


async def review(call: Call) -> web.Response:
    media = negotiate(call.accept, call.cluster.generation).media
    kind = call.resource.kind
    spec = dig(await _read(call), "spec")
    spec = spec if isinstance(spec, dict) else {}
    if kind == "SelfSubjectAccessReview":
        body = _access(call, spec)
    elif kind == "SelfSubjectRulesReview":
        body = _rules(call, spec)
    elif kind == "SelfSubjectReview":
        user = {"username": call.user.name, "groups": list(call.user.groups)}
        body = {"status": {"userInfo": user}}
    else:
        raise method_not_allowed()
    meta = {} if call.cluster.generation.drops_null_creation_time else {"creationTimestamp": None}
    head = {"kind": kind, "apiVersion": call.resource.api_version, "metadata": meta}
    return answer({**head, **body}, status=201, media=media)


async def _read(call: Call) -> Object:
    media = media_type(call)
    raw = await read_bytes(call.request)
    if media == PROTOBUF:
        return decode_review(raw, call.resource.kind)
    if media not in {"application/json", "application/yaml"}:
        raise unsupported_media_type()
    return decode(raw, media, call.resource.kind)


def _text(attributes: dict[str, Any], field: str) -> str:
    value = attributes.get(field)
    return value if isinstance(value, str) else ""


def _access(call: Call, spec: dict[str, Any]) -> Object:
    about, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if isinstance(about, dict) == isinstance(path, dict):
        null = "null" if call.cluster.generation.is_new else '"null"'
        message = f"Invalid value: {null}: {_ONE_OF}"
        cause = Cause(reason="FieldValueInvalid", message=message, field="spec.resourceAttributes")
        raise invalid("", "authorization.k8s.io", "", (cause,))
    if isinstance(path, dict):
        wanted = Attributes(verb=_text(path, "verb"), path=_text(path, "path") or "/")
    else:
        assert isinstance(about, dict)
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        wanted = Attributes(**{name: _text(about, name) for name in names})
    decision = authorize(call.cluster, call.user, wanted)
    status: dict[str, Any] = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    return {"spec": spec, "status": status}


def _rules(call: Call, spec: dict[str, Any]) -> Object:
    namespace = _text(spec, "namespace")
    if not namespace:
        raise bad_request("no namespace on request")
    if "system:masters" in call.user.groups:
        rules = [_EVERYTHING, _EVERY_PATH]
    else:
        rules = [rule for _, rule in effective_rules(call.cluster, call.user, namespace)]
    resources = [_resource_rule(rule) for rule in rules if rule.resources]
    paths = [
        {"verbs": list(rule.verbs), "nonResourceURLs": list(rule.non_resource_urls)}
        for rule in rules
        if rule.non_resource_urls
    ]
    status = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
    return {"spec": {}, "status": status}


def _resource_rule(rule: Rule) -> dict[str, Any]:
    line: dict[str, Any] = {
        "verbs": list(rule.verbs),
        "apiGroups": list(rule.api_groups),
        "resources": list(rule.resources),
    }
    if rule.resource_names:
        line["resourceNames"] = list(rule.resource_names)
    return line
