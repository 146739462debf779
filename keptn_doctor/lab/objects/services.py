"""The declared objects of an execution plane's Keptn services, as their charts render them.

Sources: ``helm-service/chart``, ``jmeter-service/chart`` of keptn/keptn @0.8.7 … @0.18.2 and of
keptn-contrib @0.18.1; ``chart`` of keptn-contrib/job-executor-service @0.1.8, @0.2.5, @0.3.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from keptn_doctor.lab import objects
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.charts import Probe, numbers
from keptn_doctor.lab.objects.control_plane import TOKEN_SECRET, probe_object
from keptn_doctor.model.base import Record

JES = "job-executor-service"
_JES_CONFIG, _JES_SECRET = "job-service-config", "job-service-keptn-secrets"
_HELM_TOPICS = (
    "sh.keptn.event.deployment.triggered,sh.keptn.event.rollback.triggered,"
    "sh.keptn.event.release.triggered,sh.keptn.event.action.triggered,"
    "sh.keptn.event.service.delete.finished"
)
_TOPICS = {
    "helm-service": _HELM_TOPICS,
    "jmeter-service": "sh.keptn.event.test.triggered",
    JES: "sh.keptn.event.remote-task.triggered",
    "custom": "sh.keptn.event.test.triggered",
}


class ServicePlan(Record, frozen=True, kw_only=True):
    """What decides the objects of one Keptn service; everything is settled here."""

    plane: str
    name: str
    namespace: str
    chart: str
    version: str
    distributor: str  # "" for an SDK service
    integration_name: str
    replicas: int
    workload: str
    remote: bool
    endpoint: str
    token: str
    token_from: str
    token_secret: str
    ssl_verify: bool
    topics: str
    project_filter: str
    stage_filter: str
    service_filter: str
    env: dict[str, str | None]
    born: datetime

    @property
    def client_container(self) -> str:
        return "distributor" if self.distributor else self.main_container

    @property
    def main_container(self) -> str:
        return self.name if self.chart == "custom" else self.chart


def chart_of(name: str) -> str:
    """The known chart that a service name ends in; anything else is a service of the user's."""
    return next((c for c in _TOPICS if name.endswith(c)), "custom")


def default_topics(chart: str) -> str:
    return _TOPICS[chart]


def fitting_versions(chart: str, keptn: str) -> tuple[str, str]:
    """Version of a service and of its distributor ("" = none) that go with a control plane."""
    at = numbers(keptn)
    if chart == JES:
        if at >= (0, 16, 0):
            return "0.3.0", ""
        return ("0.2.0" if at >= (0, 13, 0) else "0.1.8"), keptn
    if at >= (0, 18, 0):
        return "0.18.1", "0.18.0"
    return keptn, keptn


def service_objects(plan: ServicePlan) -> Iterator[Object]:
    """Deployment, Service, ServiceAccount and what they refer to."""
    selector = _selector(plan)
    labels = {
        **selector,
        "app.kubernetes.io/version": plan.version,
        "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": f"{plan.chart}-{plan.version}",
    }
    yield from _references(plan)
    yield objects.obj("ServiceAccount", plan.name, plan.namespace, labels=labels, born=plan.born)
    containers = [_main(plan)]
    if plan.distributor:
        containers.append(_distributor(plan))
    pod_spec: Object = {
        "serviceAccountName": plan.name,
        "terminationGracePeriodSeconds": 30,
        "containers": containers,
    }
    yield objects.deployment(
        plan.name, plan.namespace, selector=selector, labels=labels, pod_spec=pod_spec,
        born=plan.born, replicas=plan.replicas, kind=plan.workload, pod_labels=labels,
    )  # fmt: skip
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    yield objects.service(
        plan.name, plan.namespace, selector=selector, ports=ports, born=plan.born, labels=labels
    )


def _selector(plan: ServicePlan) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": plan.integration_name,
        "app.kubernetes.io/instance": plan.name,
    }


def _references(plan: ServicePlan) -> Iterator[Object]:
    if plan.chart == JES:
        yield objects.config_map(
            _JES_CONFIG, plan.namespace,
            {"keptn_api_endpoint": plan.endpoint, "task_deadline_seconds": "0"}, born=plan.born,
        )  # fmt: skip
        secret, key = _JES_SECRET, "token"
        if plan.token_from == "secret":  # noqa: S105 - not a password
            secret, key = plan.token_secret, TOKEN_SECRET
        yield objects.secret(secret, plan.namespace, {key: plan.token}, born=plan.born)
    elif plan.token_from == "secret":  # noqa: S105 - not a password
        values = {TOKEN_SECRET: plan.token}
        yield objects.secret(plan.token_secret, plan.namespace, values, born=plan.born)


def _client_environment(plan: ServicePlan) -> list[Object]:
    env, field = objects.env, objects.env_from_field
    listed: list[Object] = []
    if plan.chart == JES:
        listed.append(
            objects.env_from_config_map("KEPTN_API_ENDPOINT", _JES_CONFIG, "keptn_api_endpoint")
        )
    elif plan.remote:
        listed.append(env("KEPTN_API_ENDPOINT", plan.endpoint))
    if plan.remote or plan.chart == JES:
        listed.append(_token(plan))
        listed.append(env("HTTP_SSL_VERIFY", "true" if plan.ssl_verify else "false"))
    listed.append(env("PUBSUB_TOPIC", plan.topics))
    if plan.distributor:
        listed += [
            env("PUBSUB_RECIPIENT", "127.0.0.1"),
            env("PROJECT_FILTER", plan.project_filter),
            env("STAGE_FILTER", plan.stage_filter),
            env("SERVICE_FILTER", plan.service_filter),
        ]
        if numbers(plan.distributor) >= (0, 13, 0):
            listed.append(env("DISTRIBUTOR_VERSION", plan.distributor))
        listed.append(field("LOCATION", "metadata.labels['app.kubernetes.io/component']"))
    listed += [
        env("VERSION", plan.version),
        field("K8S_DEPLOYMENT_NAME", "metadata.labels['app.kubernetes.io/name']"),
        field("K8S_POD_NAME", "metadata.name"),
        field("K8S_NAMESPACE", "metadata.namespace"),
        field("K8S_NODE_NAME", "spec.nodeName"),
    ]
    return _changed(listed, plan.env)


def _changed(listed: list[Object], changes: dict[str, str | None]) -> list[Object]:
    kept = [item for item in listed if item["name"] not in changes]
    return kept + [objects.env(name, value) for name, value in changes.items() if value is not None]


def _token(plan: ServicePlan) -> Object:
    if plan.token_from == "secret":  # noqa: S105 - not a password
        return objects.env_from_secret("KEPTN_API_TOKEN", plan.token_secret, TOKEN_SECRET)
    if plan.chart == JES:
        return objects.env_from_secret("KEPTN_API_TOKEN", _JES_SECRET, "token")
    return objects.env("KEPTN_API_TOKEN", plan.token)


def _main(plan: ServicePlan) -> Object:
    made: Object = {
        "name": plan.main_container,
        "image": _main_image(plan),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "env": _main_environment(plan) if plan.distributor else _client_environment(plan),
        "resources": _main_resources(plan),
    }
    return made | _probes(8080 if _newer_probes(plan) else 10998)


def _newer_probes(plan: ServicePlan) -> bool:
    return not plan.distributor or numbers(plan.distributor) >= (0, 11, 0)


def _probes(port: int) -> Object:
    probe = Probe(check=f"http:{port}/health", initial_delay_s=10, period_s=5)
    return {"livenessProbe": probe_object(probe), "readinessProbe": probe_object(probe)}


def _main_image(plan: ServicePlan) -> str:
    if plan.chart == JES:
        return f"ghcr.io/keptn-contrib/{JES}:{plan.version}"
    if plan.chart == "custom":
        return f"docker.io/example/{plan.name}:{plan.version}"
    contrib = numbers(plan.version) >= (0, 18, 0)
    registry = "ghcr.io/keptn-contrib" if contrib else "docker.io/keptn"
    return f"{registry}/{plan.chart}:{plan.version}"


def _main_environment(plan: ServicePlan) -> list[Object]:
    listed = [objects.env("EVENTBROKER", "http://localhost:8081/event")]
    if plan.chart in {"helm-service", "jmeter-service", JES}:
        newer = plan.chart != JES and numbers(plan.version) >= (0, 18, 0)
        variable = "RESOURCE_SERVICE" if newer else "CONFIGURATION_SERVICE"
        path = "resource-service" if newer else "configuration-service"
        listed.append(objects.env(variable, f"http://localhost:8081/{path}"))
    return listed


def _main_resources(plan: ServicePlan) -> Object:
    if plan.chart in {JES, "custom"}:
        return {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        }
    small = {"helm-service": ("50m", "128Mi"), "jmeter-service": ("100m", "128Mi")}[plan.chart]
    limits = {"helm-service": ("200m", "128Mi"), "jmeter-service": ("500m", "512Mi")}[plan.chart]
    return {
        "requests": {"cpu": small[0], "memory": small[1]},
        "limits": {"cpu": limits[0], "memory": limits[1]},
    }


def _distributor(plan: ServicePlan) -> Object:
    at = numbers(plan.distributor)
    registry = "ghcr.io/keptn" if at >= (1, 4, 0) else "docker.io/keptn"
    old = at < (0, 9, 0)
    made: Object = {
        "name": "distributor",
        "image": f"{registry}/distributor:{plan.distributor}",
        "imagePullPolicy": "Always",
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "env": _client_environment(plan),
        "resources": {
            "requests": {"cpu": "50m", "memory": "32Mi"} if old else _requests(),
            "limits": {"cpu": "500m" if old else "100m", "memory": "128Mi" if old else "32Mi"},
        },
    }
    return made | _probes(8080 if _newer_probes(plan) else 10999)


def _requests() -> dict[str, str]:
    return {"cpu": "25m", "memory": "16Mi"}
