"""The declared objects of a Keptn control plane, of any version the chart table knows.

Source: the rendered charts (``knowledge/components.json``) and, for names of Secrets, keys and
labels, ``installer/manifests/keptn @0.8.7 … @1.4.5`` of keptn/keptn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from keptn_doctor.lab import objects
from keptn_doctor.lab.keptn.nginx_config import nginx_config
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.charts import (
    Chart,
    ChartContainer,
    ChartService,
    Component,
    Probe,
    chart,
)
from keptn_doctor.model.base import Record

GATEWAY = "api-gateway-nginx"
TOKEN_SECRET = "keptn-api-token"  # noqa: S105 - the name of a Secret, and of its key


class ControlPlaneObjects(Record, frozen=True, kw_only=True):
    """What decides the objects of one control plane."""

    version: str
    namespace: str
    token: str
    born: datetime
    prefix_path: str = ""
    token_secret: str = TOKEN_SECRET  # apiService.tokenSecretName, from 0.13.0
    event_validation: bool = False
    registration_ttl: str = ""  # UNIFORM_INTEGRATION_TTL; "" = the chart's own value
    without: tuple[str, ...] = ()  # workloads left out


def control_plane_objects(plan: ControlPlaneObjects) -> Iterator[Object]:
    """Everything ``helm install keptn`` makes, with the namespace first."""
    release = chart(plan.version)
    common = _common_labels(release, plan.namespace)
    managed = {"keptn.sh/managed-by": "keptn"}
    yield objects.namespace(plan.namespace, born=plan.born, labels=managed)
    yield from _secrets(release, plan, common)
    yield from _config_maps(release, plan, common)
    accounts = sorted({component.service_account for component in release.components})
    for account in accounts:
        yield objects.obj(
            "ServiceAccount", account, plan.namespace, labels=common, born=plan.born
        )
    for component in release.components:
        if component.name not in plan.without:
            yield from _component(component, plan, common)


def _common_labels(release: Chart, namespace: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/part-of": release.part_of.replace("<namespace>", namespace),
        "app.kubernetes.io/component": release.component_label,
        "app.kubernetes.io/version": release.version,
        "helm.sh/chart": release.chart_label,
    }


def _secrets(release: Chart, plan: ControlPlaneObjects, common: dict[str, str]) -> Iterator[Object]:
    for row in release.secrets:
        name = row.name
        values = {key: objects.generated(f"{plan.token}/{name}/{key}", 20) for key in row.keys}
        if name == TOKEN_SECRET:
            name = plan.token_secret
            values = {TOKEN_SECRET: plan.token}
        yield objects.secret(name, plan.namespace, values, born=plan.born, labels=common)


def _config_maps(
    release: Chart, plan: ControlPlaneObjects, common: dict[str, str]
) -> Iterator[Object]:
    files = nginx_config(release.numbers, plan.prefix_path)
    yield objects.config_map(
        "api-nginx-config", plan.namespace, files, born=plan.born, labels=common
    )
    nats = next((c.name for c in release.components if c.name.startswith("keptn-nats")), "")
    if nats and nats not in plan.without:
        text = 'pid_file: "/var/run/nats/nats.pid"\nhttp: 8222\n'
        if nats == "keptn-nats":
            text += "jetstream {\n  max_mem: 500Mi\n  store_dir: /data\n  max_file: 5Gi\n}\n"
        files = {"nats.conf": text}
        yield objects.config_map(f"{nats}-config", plan.namespace, files, born=plan.born)


def _component(
    component: Component, plan: ControlPlaneObjects, common: dict[str, str]
) -> Iterator[Object]:
    own = component.selector.get("app.kubernetes.io/instance") == "keptn"
    foreign = "mongo" in component.name or "nats" in component.name
    labels = {**({} if foreign and not own else common), **component.selector}
    if foreign:
        labels = {"app.kubernetes.io/managed-by": "Helm", **component.selector}
    containers = [_container(c, component, plan) for c in component.containers]
    pod_spec: Object = {
        "serviceAccountName": component.service_account,
        "terminationGracePeriodSeconds": component.termination_grace_s,
        "containers": containers,
    }
    if component.init_containers:
        pod_spec["initContainers"] = [
            {"name": c.name, "image": _image(c.image, plan)} for c in component.init_containers
        ]
    _storage(component, pod_spec)
    made = objects.deployment(
        component.name, plan.namespace, kind=component.kind, selector=component.selector,
        labels=labels, pod_spec=pod_spec, born=plan.born, replicas=component.replicas,
    )  # fmt: skip
    if component.strategy:
        made["spec"]["strategy"] = {"type": component.strategy}
    if component.kind == "StatefulSet":
        made["spec"]["serviceName"] = component.name
    yield from _claims(component, made, plan)
    yield made
    for row in component.services:
        yield _service(row, component, plan, labels)


def _storage(component: Component, pod_spec: Object) -> None:
    plain = [c.name for c in component.pvcs if not c.template]
    if plain:
        pod_spec["volumes"] = [
            {"name": name, "persistentVolumeClaim": {"claimName": name}} for name in plain
        ]


def _claims(component: Component, made: Object, plan: ControlPlaneObjects) -> Iterator[Object]:
    templates = []
    for row in component.pvcs:
        yield objects.claim(
            row.name, plan.namespace, size=row.size, born=plan.born, labels=component.selector
        )
        if row.template:
            spec = {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": row.size}},
            }
            templates.append({"metadata": {"name": row.template}, "spec": spec})
    if templates:
        made["spec"]["volumeClaimTemplates"] = templates


def _service(
    row: ChartService, component: Component, plan: ControlPlaneObjects, labels: Mapping[str, str]
) -> Object:
    ports = [
        {"port": p.port, "targetPort": p.target, **({"name": p.name} if p.name else {})}
        for p in row.ports
    ]
    return objects.service(
        row.name, plan.namespace, selector=component.selector, ports=ports, born=plan.born,
        labels=labels, cluster_ip="None" if row.headless else "",
    )  # fmt: skip


def _image(image: str, plan: ControlPlaneObjects) -> str:
    return image.replace("<keptn-version>", plan.version)


def _container(row: ChartContainer, component: Component, plan: ControlPlaneObjects) -> Object:
    made: Object = {
        "name": row.name,
        "image": _image(row.image, plan),
        "imagePullPolicy": "IfNotPresent",
        "env": _environment(row, component, plan),
        "resources": _resources(row.requests, row.limits),
    }
    ports = [
        {"containerPort": number, "protocol": "TCP", **({"name": name} if name else {})}
        for port in row.ports
        for name, number in (port.items() if isinstance(port, dict) else (("", port),))
    ]
    if ports:
        made["ports"] = ports
    for kind, probe in row.probes.items():
        made[f"{kind}Probe"] = probe_object(probe)
    return made


def _resources(requests: dict[str, str], limits: dict[str, str]) -> Object:
    pairs = (("requests", requests), ("limits", limits))
    return {key: dict(value) for key, value in pairs if value}


def probe_object(probe: Probe) -> Object:
    """A probe of the table in the API's own shape."""
    how, _, rest = probe.check.partition(":")
    made: dict[str, Any] = {
        "initialDelaySeconds": probe.initial_delay_s,
        "periodSeconds": probe.period_s,
        "timeoutSeconds": probe.timeout_s,
        "failureThreshold": probe.failure_threshold,
        "successThreshold": 1,
    }
    if how == "http":
        port, slash, path = rest.partition("/")
        made["httpGet"] = {"path": slash + path, "port": int(port), "scheme": "HTTP"}
    elif how == "tcp":
        made["tcpSocket"] = {"port": int(rest)}
    else:
        made["exec"] = {"command": ["/bin/sh", "-c", rest]}
    return made


def _environment(
    row: ChartContainer, component: Component, plan: ControlPlaneObjects
) -> list[Object]:
    field = objects.env_from_field
    if row.name == "distributor":
        nats = "keptn-nats" if chart(plan.version).numbers >= (0, 14, 0) else "keptn-nats-cluster"
        return [
            objects.env("PUBSUB_URL", f"nats://{nats}"),
            objects.env("PUBSUB_TOPIC", row.pubsub_topic),
            objects.env("PUBSUB_RECIPIENT", "127.0.0.1"),
            objects.env("STAGE_FILTER", ""),
            objects.env("PROJECT_FILTER", ""),
            objects.env("SERVICE_FILTER", ""),
            field("K8S_DEPLOYMENT_NAME", "metadata.labels['app.kubernetes.io/name']"),
            field("K8S_NAMESPACE", "metadata.namespace"),
            field("K8S_POD_NAME", "metadata.name"),
            field("K8S_NODE_NAME", "spec.nodeName"),
            objects.env("VERSION", plan.version),
        ]
    return [*_own_environment(component.name, plan), field("POD_NAMESPACE", "metadata.namespace")]


def _own_environment(name: str, plan: ControlPlaneObjects) -> Iterator[Object]:
    numbers = chart(plan.version).numbers
    if name == "api-service":
        yield objects.env_from_secret("SECRET_TOKEN", plan.token_secret, TOKEN_SECRET)
        if numbers >= (0, 8, 7):
            yield objects.env("MAX_AUTH_REQUESTS_PER_SECOND", "1.0")
            yield objects.env("MAX_AUTH_REQUESTS_BURST", "2")
        if numbers >= (0, 19, 0):
            text = "true" if plan.event_validation else "false"
            yield objects.env("EVENT_VALIDATION_ENABLED", text)
    elif name == "shipyard-controller" and numbers >= (0, 8, 7):
        usual = "48h" if numbers >= (0, 9, 0) else "2m"
        yield objects.env("UNIFORM_INTEGRATION_TTL", plan.registration_ttl or usual)
    elif name in {"approval-service", "lighthouse-service", "remediation-service"}:
        field = objects.env_from_field
        yield field("K8S_DEPLOYMENT_NAME", "metadata.labels['app.kubernetes.io/name']")
        yield field("K8S_NAMESPACE", "metadata.namespace")
