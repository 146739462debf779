"""Tells which workloads are Keptn services and what each is told to do.

A Keptn service is known by a distributor sidecar, or by an environment that only clients of Keptn
have; its name decides nothing. Pure: the objects and environments were read before.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from keptn_doctor.knowledge.behaviour import client_behaviour
from keptn_doctor.knowledge.components import component_names
from keptn_doctor.knowledge.variables import go_bool, malformed_variables
from keptn_doctor.knowledge.versions import Version, image_name, image_tag
from keptn_doctor.model.topology import KeptnService, OAuthSettings
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.endpoint_url import without_userinfo
from keptn_doctor.probes.environment import Environment
from keptn_doctor.probes.token_state import token_state
from keptn_doctor.probes.workloads import FoundWorkload

ENDPOINT = "KEPTN_API_ENDPOINT"
_DISTRIBUTOR = "distributor"
_NAMES = frozenset({"K8S_DEPLOYMENT_NAME", "K8S_NAMESPACE", "K8S_POD_NAME", "K8S_NODE_NAME"})
_CLIENT = frozenset({"PUBSUB_TOPIC", "EVENTBROKER", ENDPOINT, "KEPTN_API_TOKEN", "PUBSUB_URL"})
_PART_OF = re.compile(r"^keptn(-.+)?$")
_OWN_COMPONENTS = frozenset({"control-plane", "keptn"})

Client = Literal["distributor", "sdk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContainer:
    """The container of a workload that talks to the control plane."""

    client: Client
    container: k8s.Container
    service: k8s.Container  # the one that does the work; the same for an SDK service


def client_container(
    workload: FoundWorkload, *, known_names: frozenset[str] = frozenset()
) -> ClientContainer | None:
    """The client of a Keptn service, None when the workload is none.

    ``known_names`` are variables that whole ConfigMaps bring in beside the declared ones.
    """
    containers = workload.containers
    for container in containers:
        if _is_distributor(container):
            service = next((c for c in containers if not _is_distributor(c)), container)
            return ClientContainer(client="distributor", container=container, service=service)
    for container in containers:
        names = {variable.name or "" for variable in container.env or ()}
        if container.env_from:
            names |= known_names
        if ENDPOINT in names or _is_sdk(names):
            return ClientContainer(client="sdk", container=container, service=container)
    return None


def _is_distributor(container: k8s.Container) -> bool:
    return container.name == _DISTRIBUTOR or image_name(container.image or "") == _DISTRIBUTOR


def _is_sdk(names: set[str]) -> bool:
    """Names itself to Keptn and names what it wants of it.

    Source: ``go-utils pkg/sdk/internal/config/config.go@v0.20.4``.
    """
    wants = bool(names & _CLIENT) or any(name.startswith("KEPTN_") for name in names)
    return "K8S_DEPLOYMENT_NAME" in names and len(names & _NAMES) > 1 and wants


def is_control_planes_own(workload: FoundWorkload, environment: Environment) -> bool:
    """Whether a workload came with the control plane's chart and talks to it in its own cluster."""
    if environment.text(ENDPOINT):
        return False
    labels = workload.object.labels
    part_of = labels.get("app.kubernetes.io/part-of", "")
    component = labels.get("app.kubernetes.io/component", "")
    if _PART_OF.match(part_of) and component in _OWN_COMPONENTS:
        return True
    chart = labels.get("helm.sh/chart", "")
    from_chart = chart.startswith(("control-plane-", "keptn-"))
    return workload.object.name in component_names() and (from_chart or not chart)


def describe(
    workload: FoundWorkload,
    client: ClientContainer,
    environment: Environment,
    *,
    plane: str,
    salt: bytes,
    control_plane_version: str = "",
    service_environment: Environment | None = None,
) -> KeptnService:
    """A KeptnService from its workload and effective environment; namesakes come later."""
    thing = workload.object
    image = client.container.image or ""
    version = client_version(client.client, image, environment)
    own = is_control_planes_own(workload, environment)
    oauth = oauth_settings(environment)
    text = environment.text
    ssl_verify = text("HTTP_SSL_VERIFY")
    names = {name: environment.text(name) for name in environment.variables}
    distributor = client.client == "distributor"
    return KeptnService(
        plane=plane,
        namespace=thing.namespace,
        name=thing.name,
        workload_kind=workload.kind,
        client=client.client,
        container=client.container.name or "",
        service_container=client.service.name or "",
        image=image,
        client_version=version,
        mode=_mode(environment),
        endpoint=without_userinfo(text(ENDPOINT)),
        token=token_state(environment, salt=salt),
        oauth=oauth,
        ssl_verify=go_bool(ssl_verify) is not False,
        ssl_verify_set="HTTP_SSL_VERIFY" in environment,
        http_proxy=without_userinfo(_either_case(environment, "HTTP_PROXY")),
        https_proxy=without_userinfo(_either_case(environment, "HTTPS_PROXY")),
        no_proxy=_either_case(environment, "NO_PROXY"),
        topics=_listed(text("PUBSUB_TOPIC")),
        project_filter=_listed(text("PROJECT_FILTER")) if distributor else (),
        stage_filter=_listed(text("STAGE_FILTER")) if distributor else (),
        service_filter=_listed(text("SERVICE_FILTER")) if distributor else (),
        integration_name=text("K8S_DEPLOYMENT_NAME"),
        integration_namespace=text("K8S_NAMESPACE"),
        registration_disabled=distributor and go_bool(text("DISABLE_REGISTRATION")) is True,
        api_proxy_port=_port(text("API_PROXY_PORT"), default=8081),
        health_port=_port(text("HEALTH_ENDPOINT_PORT"), default=_readiness_port(client.container)),
        polling_interval=text("HTTP_POLLING_INTERVAL"),
        pubsub_url=without_userinfo(text("PUBSUB_URL")),
        recipient=_recipient(environment) if distributor else "",
        malformed_variables=malformed_variables(names, client=client.client, version=version),
        resource_service_url=_resource_service(service_environment or environment),
        env_problems=environment.problems,
        belongs_to="control-plane" if own else "execution-plane",
        behaviour=client_behaviour(
            client.client,
            version,
            oauth=oauth.enabled,
            control_plane_version=control_plane_version,
        ),
    )


def client_version(client: Client, image: str, environment: Environment) -> str:
    """Version of a distributor, or of an SDK service, "" when none can be read.

    The image tag counts; a distributor's chart also writes it into a variable from 0.13.0 on, which
    helps where the image is given by digest.
    """
    candidates = [image_tag(image)]
    if client == "distributor":
        candidates.append(environment.text("DISTRIBUTOR_VERSION"))
    return next((tag for tag in candidates if Version.parse(tag) is not None), "")


def oauth_settings(environment: Environment) -> OAuthSettings:
    """Which of the five variables are set; neither id nor secret is kept."""
    text = environment.text
    return OAuthSettings(
        client_id=bool(text("OAUTH_CLIENT_ID")),
        client_secret=bool(text("OAUTH_CLIENT_SECRET")),
        scopes=tuple(scope for scope in text("OAUTH_SCOPES").split(",") if scope),
        discovery_url=without_userinfo(text("OAUTH_DISCOVERY")),
        token_url=without_userinfo(text("OAUTH_TOKEN_URL")),
    )


def _mode(environment: Environment) -> Literal["remote", "nats", "unknown"]:
    if environment.text(ENDPOINT):
        return "remote"
    hidden = environment.problem(ENDPOINT) or (
        environment.problem("*") if ENDPOINT not in environment else None
    )
    return "unknown" if hidden else "nats"


def _either_case(environment: Environment, name: str) -> str:
    """Go reads the upper-case name first (golang.org/x/net/http/httpproxy)."""
    return environment.text(name) or environment.text(name.lower())


def _listed(text: str) -> tuple[str, ...]:
    """Split as Keptn does, without trimming: " prod" stays " prod" and never matches."""
    return tuple(text.split(",")) if text else ()


def _port(text: str, *, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else default


def _readiness_port(container: k8s.Container) -> int:
    """Where the kubelet asks for ``/health``: 8080 as a rule, 8081 in prometheus-service 0.9."""
    probe = container.readiness_probe or k8s.Probe()
    asked = probe.http_get or k8s.HttpGet()
    return asked.port if asked.path == "/health" and isinstance(asked.port, int) else 8080


def _recipient(environment: Environment) -> str:
    host = environment.text("PUBSUB_RECIPIENT") or "127.0.0.1"
    return f"{host.rpartition('://')[2]}:{environment.text('PUBSUB_RECIPIENT_PORT') or '8080'}"


def _resource_service(environment: Environment) -> str:
    named = environment.text("RESOURCE_SERVICE") or environment.text("CONFIGURATION_SERVICE")
    return without_userinfo(named)


def namesakes(
    services: Iterable[KeptnService], nodes: dict[str, frozenset[str]], active: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """For each subject path the services whose registration is the same record.

    ``nodes`` are the nodes of a service's pods, by subject path; ``active`` the subject paths of
    those that can register at all (some pod is wanted). Which fields count is the control plane's
    choice (``ClientBehaviour.registration_identity``).
    """
    by_name: dict[tuple[str, str], list[KeptnService]] = defaultdict(list)
    for service in services:
        if _registers(service):
            by_name[service.integration_name, service.integration_namespace].append(service)
    return {
        one.subject: tuple(
            other.subject
            for other in alike
            if other.subject != one.subject
            and other.subject in active
            and _same_record(one, other, nodes)
        )
        for alike in by_name.values()
        for one in alike
    }


def _registers(service: KeptnService) -> bool:
    return bool(
        service.integration_name
        and service.integration_namespace
        and not service.registration_disabled
        and service.behaviour.registers
        and (service.mode == "remote" or service.belongs_to == "control-plane")
    )


def _same_record(one: KeptnService, other: KeptnService, nodes: dict[str, frozenset[str]]) -> bool:
    """Of two services with one name and namespace."""
    identity = one.behaviour.registration_identity
    if identity == "name":
        return True
    if identity == "node":
        return bool(nodes.get(one.subject, frozenset()) & nodes.get(other.subject, frozenset()))
    return (one.project_filter, one.stage_filter, one.service_filter) == (
        other.project_filter,
        other.stage_filter,
        other.service_filter,
    )
