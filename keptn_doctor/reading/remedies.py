"""Commands for people, ready to paste: the right cluster, namespace and name filled in."""

from __future__ import annotations

from shlex import quote

from keptn_doctor.model.topology import ControlPlane, ExecutionPlane, KeptnService


def kubectl(
    cluster: ControlPlane | ExecutionPlane | None, arguments: str, *, namespace: str = ""
) -> str:
    """A kubectl command against one cluster; the context is left out when it is not known.

    Context and namespace are quoted for the shell; so must be every name in ``arguments`` that
    Kubernetes has not checked.
    """
    named = cluster.context if cluster is not None else ""
    context = f" --context {quote(named)}" if named else ""
    scope = f" -n {quote(namespace)}" if namespace else ""
    return f"kubectl{context}{scope} {arguments}"


def set_variable(plane: ExecutionPlane | None, service: KeptnService, assignment: str) -> str:
    """The command that sets an environment variable of a service's client: ``NAME=value``.

    The value is quoted for the shell, unless it is a command substitution already in quotes.
    """
    name, equals, value = assignment.partition("=")
    written = value if value.startswith('"$(') or not value else quote(value)
    container = service.container or service.name
    return kubectl(
        plane,
        f"set env {workload(service)} -c {container} {name}{equals}{written}",
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


def read_all_logs(plane: ExecutionPlane | None, service: KeptnService) -> str:
    """The command that shows what client and service say: of work, not of the connection."""
    return kubectl(
        plane,
        f"logs {workload(service)} --all-containers --prefix --tail 50",
        namespace=service.namespace,
    )


def workload(service: KeptnService) -> str:
    """How kubectl names a service: deployment/helm-service."""
    return f"{service.workload_kind.lower()}/{service.name}"
