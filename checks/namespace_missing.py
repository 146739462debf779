"""A namespace that was named for an execution plane does not exist.

Meaning       The doctor looked where nothing can be: a mistyped namespace, or the wrong cluster.
Decided by    The answer of the Kubernetes API about that namespace.
What to do    Correct the namespace, or the context.
False alarms  Only namespaces that somebody named are asked for.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    Layer,
    NamespaceFacts,
    check,
    failed,
    kubectl,
    passed,
)


@check(about=ExecutionPlane, layer=Layer.ACCESS, severity="warning", since="0.1")
def judge(plane: ExecutionPlane, *, namespaces: tuple[NamespaceFacts, ...]) -> Finding:
    """Asked for, and not there."""
    missing = [n.namespace for n in namespaces if n.exists is False]
    if not missing:
        return passed(f"Every namespace that was searched in {plane.name} exists.")
    return failed(
        f"Namespace {', '.join(missing)} does not exist in the cluster of {plane.name}.",
        remedy="Correct the namespace, or the context.",
        command=kubectl(plane, "get namespaces"),
    )
