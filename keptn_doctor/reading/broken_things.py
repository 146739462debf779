"""What is broken of the things that several Keptn services share, by identity and state.

Kubernetes tells of them in sentences alone; they are read here for the name of the thing, and what
is not surely a shared one has none. Sources (Kubernetes 1.20 to 1.30): ``kubelet_pods.go`` and
``volume/{secret,configmap}`` (Secrets, ConfigMaps and keys that are not there),
``resourcequota/controller.go``, ``scheduler/framework/types.go`` (FitError) and the filter plugins,
``pod-security-admission/admission/admission.go``; the constraints of OpenShift:
``apiserver-library-go/pkg/securitycontextconstraints/sccadmission/admission.go``.
"""

from __future__ import annotations

import re

from keptn_doctor.model.topology import EnvProblem, ExecutionPlane, KeptnService

_MISSING = re.compile(r'\b(secret|configmap)s? "([^"]+)" not found', re.IGNORECASE)
_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (\S+/[^\s:]+)", re.IGNORECASE)
_QUOTA = re.compile(r"\b(exceeded|failed) quota: ([a-z0-9.-]+)")
_POD_SECURITY = re.compile(r'violates PodSecurity "([^"]+)"')
_CONSTRAINTS = "unable to validate against any security context constraint"
_ROOM = re.compile(r"Insufficient ([\w./-]*\w)|(Too many pods)|taints? \{([^:}]+)|(unschedulable)")
_OWN_WISH = re.compile(r"affinity|selector|free ports|topology spread|volume|claim", re.IGNORECASE)


def cluster_of(service: KeptnService, plane: ExecutionPlane | None) -> str:
    """What tells the service's cluster from others; two planes can lie in one."""
    return (plane.cluster_uid if plane is not None else "") or service.plane


def missing_objects(told: str, *, namespace: str, cluster: str) -> tuple[str, ...]:
    """The Secrets, ConfigMaps and keys of them that the kubelet does not find."""
    objects = [
        _missing(f"{kind} {namespace}/{name}", cluster) for kind, name in _MISSING.findall(told)
    ]
    keys = [
        _missing(f"{kind} {where} key {key}", cluster) for key, kind, where in _KEY.findall(told)
    ]
    return (*objects, *keys)


def missing_source(problem: EnvProblem, *, cluster: str) -> tuple[str, ...]:
    """The same for a variable whose source was looked for and is not there."""
    whole, _, _ = problem.reference.partition(" key ")
    if problem.problem == "not-found":
        return (_missing(whole, cluster),)
    return (_missing(problem.reference, cluster),) if problem.problem == "key-missing" else ()


def _missing(what: str, cluster: str) -> str:
    kind, _, name = what.partition(" ")
    return f"{kind.lower()} {name} of {cluster} is missing"


def refusing_quota(refusal: str, *, namespace: str, cluster: str) -> tuple[str, ...]:
    """The ResourceQuota that has no room, or that demands what pods do not state."""
    quotas = _QUOTA.findall(refusal)
    return tuple(f"quota {namespace}/{name} of {cluster} is {how}" for how, name in quotas)


def refusing_policy(refusal: str, *, namespace: str, cluster: str) -> tuple[str, ...]:
    """The namespace's level of Pod Security, or OpenShift's constraints; a webhook has many rules.

    Which of a webhook's rules refuses a pod is not told, so no two refusals of it are one thing.
    """
    levels = _POD_SECURITY.findall(refusal)
    levels += ["security context constraints"] if _CONSTRAINTS in refusal else []
    return tuple(f"{level} of namespace {namespace} of {cluster}" for level in levels)


def closed_nodes(refusal: str, *, cluster: str) -> tuple[str, ...]:
    """What keeps pods off the nodes; nothing when the pod itself asks for certain nodes."""
    if _OWN_WISH.search(refusal):
        return ()
    why = ["".join(match).strip() for match in _ROOM.findall(refusal)]
    return tuple(dict.fromkeys(f"nodes of {cluster}: {reason}" for reason in why))
