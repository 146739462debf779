"""Commands for people, ready to paste: the right cluster, namespace and name filled in."""

from __future__ import annotations

from keptn_doctor.model.topology import ControlPlane, ExecutionPlane, KeptnService


def kubectl(
    cluster: ControlPlane | ExecutionPlane | None, arguments: str, *, namespace: str = ""
) -> str:
    """A kubectl command against one cluster; the context is left out when it is not known."""
    context = f" --context {cluster.context}" if cluster is not None and cluster.context else ""
    scope = f" -n {namespace}" if namespace else ""
    return f"kubectl{context}{scope} {arguments}"


def set_variable(plane: ExecutionPlane | None, service: KeptnService, assignment: str) -> str:
    """The command that sets an environment variable of a service's client: ``NAME=value``."""
    return kubectl(
        plane,
        f"set env {workload(service)} -c {service.container or service.name} {assignment}",
        namespace=service.namespace,
    )


def restart(plane: ExecutionPlane | None, service: KeptnService) -> str:
    """The command that restarts a service's pods."""
    return kubectl(plane, f"rollout restart {workload(service)}", namespace=service.namespace)


def read_log(plane: ExecutionPlane | None, service: KeptnService) -> str:
    """The command that shows the log of a service's client."""
    container = service.container or service.name
    return kubectl(
        plane, f"logs {workload(service)} -c {container} --tail 50", namespace=service.namespace
    )


def workload(service: KeptnService) -> str:
    """How kubectl names a service: deployment/helm-service."""
    return f"{service.workload_kind.lower()}/{service.name}"
