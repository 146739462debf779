"""The Secret that a Keptn service takes its token from does not exist.

Meaning       The pod refers to a Secret, or a key of it, that is not there. The container is not
              started (CreateContainerConfigError), or will not start again.
Decided by    The reference in the pod's template and the namespace's Secrets, and the container's
              state.
What to do    Create the Secret with that key in the same namespace.
False alarms  A Secret that was deleted after the pod had started does no harm until it restarts;
              then this is a warning.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    Workload,
    check,
    cluster_of,
    containers,
    failed,
    is_running,
    kubectl,
    missing_source,
    passed,
    skipped,
    undecided,
)


@check(
    about=KeptnService, layer=Layer.WORKLOAD, breaks="disconnected", proven_by="state", since="0.1"
)
def judge(service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None) -> Finding:
    """The reference leads nowhere; the container's state tells whether it matters yet."""
    token = service.token
    if token.source in ("value", "none"):
        return skipped(f"{service.name} takes its token from no Secret.")
    if token.source == "unreadable":
        return undecided(
            f"Whether {token.reference} exists could not be read.",
            missing=(f"get {token.reference.split(' key ')[0]}",),
        )
    if token.source != "missing":
        return passed(f"{token.reference} exists.")
    stuck = [
        c
        for c in containers(workload, service.container)
        if c.reason == "CreateContainerConfigError"
    ]
    summary = f"{service.name} takes its token from {token.reference}, which does not exist."
    remedy = f"Create {token.reference}."
    problem = next((p for p in service.env_problems if p.reference == token.reference), None)
    lacks_key = problem is not None and problem.problem == "key-missing"
    create = _add_key(token.reference) if lacks_key else _create(token.reference)
    command = kubectl(plane, create, namespace=service.namespace)
    if is_running(workload, service.container) and not stuck:
        return failed(
            f"{summary} The running pod started before that.",
            remedy=remedy,
            command=command,
            severity="warning",
            breaks="nothing",
        )
    cluster = cluster_of(service, plane)
    at_fault = missing_source(problem, cluster=cluster) if problem is not None else ()
    return failed(summary, remedy=remedy, command=command, at_fault=at_fault)


def _create(reference: str) -> str:
    kind, name, key = _parts(reference)
    what = "secret generic" if kind == "secret" else kind
    return f'create {what} {name} --from-literal={key}="$KEPTN_API_TOKEN"'


def _add_key(reference: str) -> str:
    kind, name, key = _parts(reference)
    field = "stringData" if kind == "secret" else "data"
    return f'patch {kind} {name} -p "{{\\"{field}\\":{{\\"{key}\\":\\"$KEPTN_API_TOKEN\\"}}}}"'


def _parts(reference: str) -> tuple[str, str, str]:
    """``secret keptn-exec/keptn-api-token key token``; all keys of an object are variables."""
    whole, _, key = reference.partition(" key ")
    kind, _, name = whole.partition(" ")
    return kind, name.rpartition("/")[2], key or "KEPTN_API_TOKEN"
