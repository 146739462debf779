"""The named groups: which versions a minor serves, by Kubernetes' deprecation guide.

https://kubernetes.io/docs/reference/using-api/deprecation-guide/. A group is listed with the
resources that the lab can hold; alpha versions are left out.
"""

from __future__ import annotations

from functools import partial

from keptn_doctor.lab.kube.generation import OLDEST
from keptn_doctor.lab.kube.resources import STATUS, Subresource
from keptn_doctor.lab.kube.rows import SCALE, Row, Served


def _both(since: int, until: int, *, beta: str = "v1beta1") -> tuple[Served, ...]:
    """The version v1 since a minor, and its beta until another."""
    return (Served(version="v1", since=since), Served(version=beta, until=until))


_OLD_RBAC = _both(OLDEST, 21)
_REVIEW = ("create",)


def _workload(name: str, kind: str, short: str, *subresources: Subresource) -> Row:
    return Row(name=name, kind=kind, short=(short,), categories=("all",), subresources=subresources)


_cluster = partial(Row, namespaced=False)

_INGRESS = ("networking.k8s.io", "ingresses")
_WEBHOOKS = _both(16, 21)

GROUPS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "apiregistration.k8s.io",
        (
            _cluster(
                name="apiservices",
                kind="APIService",
                versions=_both(OLDEST, 21),
                categories=("api-extensions",),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "apps",
        (
            Row(name="controllerrevisions", kind="ControllerRevision"),
            _workload("daemonsets", "DaemonSet", "ds", STATUS),
            _workload("deployments", "Deployment", "deploy", SCALE, STATUS),
            _workload("replicasets", "ReplicaSet", "rs", SCALE, STATUS),
            _workload("statefulsets", "StatefulSet", "sts", SCALE, STATUS),
        ),
    ),
    (
        "events.k8s.io",
        (
            Row(
                name="events",
                kind="Event",
                versions=_both(19, 24),
                short=("ev",),
                storage=("", "events"),
            ),
        ),
    ),
    (
        "authentication.k8s.io",
        (
            _cluster(
                name="selfsubjectreviews",
                kind="SelfSubjectReview",
                versions=(Served(version="v1", since=28),),
                verbs=_REVIEW,
            ),
            _cluster(name="tokenreviews", kind="TokenReview", versions=_OLD_RBAC, verbs=_REVIEW),
        ),
    ),
    (
        "authorization.k8s.io",
        (
            Row(
                name="localsubjectaccessreviews",
                kind="LocalSubjectAccessReview",
                versions=_OLD_RBAC,
                verbs=_REVIEW,
            ),
            _cluster(
                name="selfsubjectaccessreviews",
                kind="SelfSubjectAccessReview",
                versions=_OLD_RBAC,
                verbs=_REVIEW,
            ),
            _cluster(
                name="selfsubjectrulesreviews",
                kind="SelfSubjectRulesReview",
                versions=_OLD_RBAC,
                verbs=_REVIEW,
            ),
            _cluster(
                name="subjectaccessreviews",
                kind="SubjectAccessReview",
                versions=_OLD_RBAC,
                verbs=_REVIEW,
            ),
        ),
    ),
    (
        "autoscaling",
        (
            Row(
                name="horizontalpodautoscalers",
                kind="HorizontalPodAutoscaler",
                short=("hpa",),
                categories=("all",),
                versions=(
                    Served(version="v2", since=23),
                    Served(version="v1"),
                    Served(version="v2beta1", until=24),
                    Served(version="v2beta2", until=25),
                ),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "batch",
        (
            Row(name="jobs", kind="Job", categories=("all",), subresources=(STATUS,)),
            Row(
                name="cronjobs",
                kind="CronJob",
                short=("cj",),
                categories=("all",),
                versions=_both(21, 24),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "certificates.k8s.io",
        (
            _cluster(
                name="certificatesigningrequests",
                kind="CertificateSigningRequest",
                short=("csr",),
                versions=_both(19, 21),
                subresources=(Subresource(name="approval"), STATUS),
            ),
        ),
    ),
    (
        "networking.k8s.io",
        (
            _cluster(name="ingressclasses", kind="IngressClass", versions=_both(19, 21)),
            Row(
                name="ingresses",
                kind="Ingress",
                short=("ing",),
                versions=_both(19, 21),
                subresources=(STATUS,),
            ),
            Row(name="networkpolicies", kind="NetworkPolicy", short=("netpol",)),
        ),
    ),
    (
        "extensions",
        (
            Row(
                name="ingresses",
                kind="Ingress",
                short=("ing",),
                versions=(Served(version="v1beta1", until=21),),
                subresources=(STATUS,),
                storage=_INGRESS,
            ),
        ),
    ),
    (
        "policy",
        (
            Row(
                name="poddisruptionbudgets",
                kind="PodDisruptionBudget",
                short=("pdb",),
                versions=_both(21, 24),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "rbac.authorization.k8s.io",
        (
            _cluster(name="clusterrolebindings", kind="ClusterRoleBinding", versions=_OLD_RBAC),
            _cluster(name="clusterroles", kind="ClusterRole", versions=_OLD_RBAC),
            Row(name="rolebindings", kind="RoleBinding", versions=_OLD_RBAC),
            Row(name="roles", kind="Role", versions=_OLD_RBAC),
        ),
    ),
    (
        "storage.k8s.io",
        (_cluster(name="storageclasses", kind="StorageClass", short=("sc",), versions=_OLD_RBAC),),
    ),
    (
        "admissionregistration.k8s.io",
        (
            _cluster(
                name="mutatingwebhookconfigurations",
                kind="MutatingWebhookConfiguration",
                versions=_WEBHOOKS,
                categories=("api-extensions",),
            ),
            _cluster(
                name="validatingwebhookconfigurations",
                kind="ValidatingWebhookConfiguration",
                versions=_WEBHOOKS,
                categories=("api-extensions",),
            ),
        ),
    ),
    (
        "apiextensions.k8s.io",
        (
            _cluster(
                name="customresourcedefinitions",
                kind="CustomResourceDefinition",
                short=("crd", "crds"),
                versions=_WEBHOOKS,
                categories=("api-extensions",),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "scheduling.k8s.io",
        (
            _cluster(
                name="priorityclasses", kind="PriorityClass", short=("pc",), versions=_OLD_RBAC
            ),
        ),
    ),
    ("coordination.k8s.io", (Row(name="leases", kind="Lease", versions=_OLD_RBAC),)),
    (
        "node.k8s.io",
        (_cluster(name="runtimeclasses", kind="RuntimeClass", versions=_both(20, 24)),),
    ),
    (
        "discovery.k8s.io",
        (Row(name="endpointslices", kind="EndpointSlice", versions=_both(21, 24)),),
    ),
    (
        "resource.k8s.io",
        (
            Row(
                name="resourceclaims",
                kind="ResourceClaim",
                versions=(Served(version="v1", since=34),),
                subresources=(STATUS,),
            ),
        ),
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        (
            _cluster(
                name="flowschemas",
                kind="FlowSchema",
                versions=(
                    Served(version="v1", since=29),
                    Served(version="v1beta1", since=20, until=25),
                    Served(version="v1beta2", since=23, until=28),
                    Served(version="v1beta3", since=26, until=31),
                ),
                subresources=(STATUS,),
            ),
        ),
    ),
)
