"""What a new object must look like; the rest of Kubernetes' validation is not rebuilt.

Names, and that a pod has containers with names and images: what the recorded 422 shows and what
a probe pod could get wrong.
"""

from __future__ import annotations

import re

from keptn_doctor.lab.kube.objects import Object, dicts, dig, metadata, name_of
from keptn_doctor.lab.kube.resources import Resource
from keptn_doctor.lab.kube.status import Cause, invalid

_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_ANY_NAME = {"clusterroles", "clusterrolebindings", "roles", "rolebindings"}


def validate_new(resource: Resource, obj: Object) -> None:
    """Raise the 422 for an object that a real server would not take."""
    causes = [*_name_causes(resource, obj), *_pod_causes(resource, obj)]
    if causes:
        raise invalid(resource.kind, resource.group, name_of(obj), causes)


def _required(field: str, note: str = "") -> Cause:
    return Cause(reason="FieldValueRequired", message=f"Required value{note}", field=field)


def _name_causes(resource: Resource, obj: Object) -> list[Cause]:
    name = name_of(obj)
    if not name:
        return [_required("metadata.name", ": name or generateName is required")]
    if resource.name in _ANY_NAME:
        return []
    is_label = resource.name in {"namespaces", "services"}
    pattern, rule = (_LABEL, _LABEL_RULE) if is_label else (_SUBDOMAIN, _SUBDOMAIN_RULE)
    if pattern.match(name) and len(name) <= (63 if is_label else 253):
        return []
    message = f'Invalid value: "{name}": {rule}'
    return [Cause(reason="FieldValueInvalid", message=message, field="metadata.name")]


def _pod_causes(resource: Resource, obj: Object) -> list[Cause]:
    if resource.key != ("", "pods"):
        return []
    containers = dicts(dig(obj, "spec", "containers"))
    if not containers:
        return [_required("spec.containers")]
    causes: list[Cause] = []
    for index, container in enumerate(containers):
        missing = [field for field in ("name", "image") if not container.get(field)]
        causes += [_required(f"spec.containers[{index}].{field}") for field in missing]
    return causes


def has_generate_name(obj: Object) -> bool:
    return bool(metadata(obj).get("generateName")) and not name_of(obj)
