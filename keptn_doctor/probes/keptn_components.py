"""The control plane's own workloads: which there are, how they are set, what version they say.

Only settings on a short list are kept, because an environment may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from keptn_doctor.knowledge.components import component_names, expected_components
from keptn_doctor.knowledge.versions import Version, image_tag
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import KeptnVersion, ReferenceToken
from keptn_doctor.model.kube_facts import Components
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.environment import (
    Lookup,
    PodFields,
    Reference,
    effective_environment,
)
from keptn_doctor.probes.exposure import GATEWAY
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.token_state import shape
from keptn_doctor.probes.workloads import (
    FoundWorkload,
    Surroundings,
    owned_pods,
    workload_fact,
)
from keptn_doctor.redact import Redactor

API_SERVICE = "api-service"
TOKEN_SECRET = "keptn-api-token"  # noqa: S105 - its name
_VERSIONED = ("shipyard-controller", API_SERVICE, "mongodb-datastore", "bridge")
_SETTINGS = frozenset(
    {
        "UNIFORM_INTEGRATION_TTL", "EVENT_VALIDATION_ENABLED", "MAX_EVENT_SIZE_KB",
        "MAX_AUTH_ENABLED", "MAX_AUTH_REQUESTS_PER_SECOND", "MAX_AUTH_REQUESTS_BURST",
        "PREFIX_PATH", "OAUTH_ENABLED", "AUTOMATIC_PROVISIONING_URL", "TASK_STARTED_WAIT_DURATION",
        "PUBSUB_URL", "NATS_URL", "MONGODB_HOST", "DISABLE_LEADER_ELECTION",
    }
)  # fmt: skip
_BODY_SIZE = re.compile(r"client_max_body_size\s+([^;]+);")
_API_LOCATION = re.compile(r"location\s+[~*=^]*\s*(\S*?)/api(?:/|\s)")
_RESOURCES_LOCATION = re.compile(r"/api/(configuration-service|resource-service)/")


def is_component(workload: FoundWorkload) -> bool:
    """Whether a workload of the control plane's namespace is one that its charts install."""
    labels = workload.object.labels
    part_of = labels.get("app.kubernetes.io/part-of", "")
    return workload.object.name in component_names() or (
        part_of.startswith("keptn")
        and labels.get("app.kubernetes.io/component") in {"control-plane", "keptn"}
    )


def components_fact(
    workloads: Iterable[FoundWorkload],
    around: Surroundings,
    *,
    version: str,
    nginx_config: str,
    namespace: str,
    redactor: Redactor,
) -> Components:
    """Expected and found workloads, with the settings that checks know about."""
    own = [item for item in workloads if is_component(item)]
    settings = {
        f"{item.object.name}/{name}": value
        for item in own
        for name, value in _settings(item, namespace).items()
    }
    return Components(
        keptn_version=version,
        expected=expected_components(version),
        found=tuple(workload_fact(item, around, redactor=redactor) for item in own),
        settings=settings | _nginx_settings(nginx_config),
    )


def _settings(workload: FoundWorkload, namespace: str) -> dict[str, str]:
    """Plain variables only: one from a Secret or ConfigMap is left out."""
    found: dict[str, str] = {}
    for container in workload.containers:
        if container.name == "distributor":
            continue
        plain = [v for v in container.env or () if v.name in _SETTINGS and not v.value_from]
        narrowed = k8s.Container(name=container.name, env=plain)
        environment = effective_environment(narrowed, pod=PodFields(namespace=namespace), lookup={})
        found |= {name: environment.text(name) for name in environment.variables}
    return found


def _nginx_settings(config: str) -> dict[str, str]:
    """Body limit, prefix path and the route for resources, as the gateway is configured."""
    found = {}
    if size := _BODY_SIZE.search(config):
        found[f"{GATEWAY}/client_max_body_size"] = size[1].strip()
    if location := _API_LOCATION.search(config):
        found[f"{GATEWAY}/prefix"] = location[1]
    routes = sorted(set(_RESOURCES_LOCATION.findall(config)))
    if routes:
        found[f"{GATEWAY}/resource_routes"] = ",".join(routes)
    return found


def version_fact(workloads: Iterable[FoundWorkload]) -> KeptnVersion:
    """The version that the workloads carry; raises WorldFault when none tells one.

    The image tag is what runs. The label app.kubernetes.io/version is the same text in the charts
    of all versions, and is all there is where images are given by digest.
    """
    by_name = {item.object.name: item for item in workloads}
    for name in _VERSIONED:
        workload = by_name.get(name)
        for container in workload.containers if workload else ():
            tag = image_tag(container.image or "")
            if container.name != "distributor" and Version.parse(tag):
                return KeptnVersion(version=tag, source="image")
    for name in (*_VERSIONED, GATEWAY):
        if name in by_name:
            label = by_name[name].object.labels.get("app.kubernetes.io/version", "")
            if Version.parse(label):
                return KeptnVersion(version=label, source="label")
    raise WorldFault(
        Failure(
            phase="kube",
            code="not-found",
            detail="no image tag or version label of the control plane names a release",
        )
    )


def token_reference(api_service: FoundWorkload | None, namespace: str) -> tuple[Reference, str]:
    """The Secret and key that hold the API token: what api-service reads, else the usual one."""
    for container in api_service.containers if api_service else ():
        for variable in container.env or ():
            ref = variable.value_from.secret_key_ref if variable.value_from else None
            if variable.name == "SECRET_TOKEN" and ref and ref.name:
                reference = Reference(kind="secret", namespace=namespace, name=ref.name)
                return reference, ref.key or TOKEN_SECRET
    return Reference(kind="secret", namespace=namespace, name=TOKEN_SECRET), TOKEN_SECRET


def reference_token(
    reference: Reference,
    key: str,
    lookup: Lookup,
    *,
    api_service: FoundWorkload | None,
    around: Surroundings,
    salt: bytes,
) -> tuple[ReferenceToken, bytes]:
    """The fingerprint of the control plane's token, and the token for the caller to guard.

    Raises WorldFault when the Secret or its key is not there or may not be read.
    """
    contents = lookup[reference]
    if isinstance(contents, Failure):
        raise WorldFault(contents)
    if key not in contents.data:
        raise WorldFault(
            Failure(phase="kube", code="not-found", detail=f"{reference} has no key {key}")
        )
    token = contents.data[key]
    seen = shape(token, salt=salt)
    return (
        ReferenceToken(
            namespace=reference.namespace,
            name=reference.name,
            fingerprint=seen.fingerprint,
            decoded_fingerprint=seen.decoded_fingerprint,
            changed_at=contents.changed_at,
            api_service_started_at=_started(api_service, around),
            managers=contents.managers,
            standard_name=reference.name == TOKEN_SECRET,
        ),
        token,
    )


def _started(api_service: FoundWorkload | None, around: Surroundings) -> datetime | None:
    """When the oldest api-service container now running started; it reads the token then."""
    if api_service is None:
        return None
    started = [
        status.state.running.started_at
        for pod in owned_pods(api_service, around)
        if pod.deleted_at is None
        for status in (pod.status and pod.status.container_statuses) or ()
        if status.name == API_SERVICE and status.state and status.state.running
    ]
    return min((moment for moment in started if moment), default=None)
