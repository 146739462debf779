"""/version, the health endpoints and the 404 of everything that is no API path."""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.negotiation import answer, text_answer
from keptn_doctor.lab.kube.status import page_not_found

_OLD_CHECKS = (
    "ping log etcd informer-sync poststarthook/start-kube-apiserver-admission-initializer "
    "poststarthook/generic-apiserver-start-informers "
    "poststarthook/priority-and-fairness-config-consumer "
    "poststarthook/priority-and-fairness-filter poststarthook/start-apiextensions-informers "
    "poststarthook/start-apiextensions-controllers poststarthook/crd-informer-synced "
    "poststarthook/bootstrap-controller poststarthook/rbac/bootstrap-roles "
    "poststarthook/scheduling/bootstrap-system-priority-classes "
    "poststarthook/priority-and-fairness-config-producer "
    "poststarthook/start-cluster-authentication-info-controller "
    "poststarthook/start-kube-aggregator-informers "
    "poststarthook/apiservice-registration-controller "
    "poststarthook/apiservice-status-available-controller "
    "poststarthook/kube-apiserver-autoregistration autoregister-completion "
    "poststarthook/apiservice-openapi-controller shutdown"
)
_NEW_CHECKS = (
    "ping log informer-sync poststarthook/start-apiserver-admission-initializer "
    "poststarthook/generic-apiserver-start-informers "
    "poststarthook/priority-and-fairness-config-consumer "
    "poststarthook/priority-and-fairness-filter poststarthook/storage-object-count-tracker-hook "
    "poststarthook/start-apiextensions-informers poststarthook/start-apiextensions-controllers "
    "poststarthook/crd-informer-synced poststarthook/start-system-namespaces-controller "
    "poststarthook/peer-endpoint-reconciler-controller "
    "poststarthook/start-cluster-authentication-info-controller "
    "poststarthook/start-kube-apiserver-identity-lease-controller "
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector "
    "poststarthook/storage-readiness poststarthook/start-legacy-token-tracking-controller "
    "poststarthook/start-service-ip-repair-controllers poststarthook/rbac/bootstrap-roles "
    "poststarthook/scheduling/bootstrap-system-priority-classes "
    "poststarthook/priority-and-fairness-config-producer poststarthook/bootstrap-controller "
    "poststarthook/start-kubernetes-service-cidr-controller "
    "poststarthook/start-kube-aggregator-informers "
    "poststarthook/apiservice-status-local-available-controller "
    "poststarthook/apiservice-status-remote-available-controller "
    "poststarthook/apiservice-registration-controller "
    "poststarthook/apiservice-wait-for-first-sync poststarthook/apiservice-discovery-controller "
    "poststarthook/kube-apiserver-autoregistration autoregister-completion "
    "poststarthook/apiservice-openapi-controller poststarthook/apiservice-openapiv3-controller "
    "shutdown"
)
_ENDPOINTS = ("healthz", "livez", "readyz")
# What the innermost of 1.20's three servers (apiextensions) lists when no path matched.
_INDEX_CHECKS = (
    "etcd",
    "log",
    "ping",
    "poststarthook/crd-informer-synced",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/start-apiextensions-informers",
)


def version_document(generation: Generation, build: str = "") -> dict[str, Any]:
    """The answer of /version; ``build`` is what a distribution appends, such as ``+k3s1``."""
    commit = hashlib.sha1(generation.text.encode(), usedforsecurity=False).hexdigest()
    document = {"major": "1", "minor": str(generation.minor)}
    if generation.minor >= 33:
        document["emulationMajor"], document["emulationMinor"] = "1", str(generation.minor)
        document["minCompatibilityMajor"] = "1"
        document["minCompatibilityMinor"] = str(generation.minor - 1)
    return {
        **document,
        "gitVersion": f"v{generation.text}.2{build}",
        "gitCommit": commit,
        "gitTreeState": "clean",
        "buildDate": "2021-01-13T13:20:00Z",
        "goVersion": "go1.27.3" if generation.is_new else "go1.15.5",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def health_answer(path: str, generation: Generation, *, verbose: bool) -> web.Response | None:
    """The answer of /healthz, /livez, /readyz and their single checks; None for other paths."""
    endpoint, _, check = path.strip("/").partition("/")
    if endpoint not in _ENDPOINTS:
        return None
    checks = (_NEW_CHECKS if generation.is_new else _OLD_CHECKS).split()
    if endpoint != "readyz":
        checks = [c for c in checks if c not in {"informer-sync", "shutdown"}]
    if check:
        if check not in checks:
            raise page_not_found()
        return text_answer("ok")
    if not verbose:
        return text_answer("ok")
    lines = "".join(f"[+]{name} ok\n" for name in checks)
    return text_answer(f"{lines}{endpoint} check passed\n")


def unknown_path(generation: Generation) -> web.Response:
    """1.20 answers 404 with an index of paths, newer servers with one line of text."""
    if generation.is_new:
        raise page_not_found()
    group = "/apis/apiextensions.k8s.io"
    paths = ["/apis", "/apis/", group, f"{group}/v1", f"{group}/v1beta1", "/metrics", "/openapi/v2"]
    for endpoint in _ENDPOINTS:
        paths += [f"/{endpoint}", *(f"/{endpoint}/{check}" for check in _INDEX_CHECKS)]
    paths += ["/readyz/informer-sync", "/readyz/shutdown", "/version"]
    return answer({"paths": sorted(paths)}, status=404)
