"""The manifest of a probe pod: what it shares with the pod it stands beside, and what it never has.

Pod Security "restricted" is judged here by the words of the standard
(https://kubernetes.io/docs/concepts/security/pod-security-standards/).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from keptn_doctor.model.topology import ClientBehaviour, Endpoint, KeptnService
from keptn_doctor.probes.probe_pod_manifest import (
    RUN_LABEL,
    PodSelector,
    ProbeOptions,
    ServiceSelector,
    copied_labels,
    drawn_in_by,
    own_image,
    probe_pod,
    why_not,
    without_image,
)

DIGEST = "sha256:" + "a" * 64
ENDPOINT = Endpoint(
    url="https://keptn.example.com/api", scheme="https", host="keptn.example.com", port=443,
    path="/api",
)  # fmt: skip
SERVICE = KeptnService(
    plane="exec-a", namespace="keptn-exec", name="helm-service", container="distributor"
)


def model(**spec: Any) -> dict[str, Any]:
    """A pod of helm-service as the cluster shows it."""
    return {
        "metadata": {
            "name": "helm-service-1", "namespace": "keptn-exec", "uid": "u-1",
            "labels": {"app": "helm-service", "tier": "work", "pod-template-hash": "abc"},
        },
        "spec": {
            "nodeName": "node-1",
            "serviceAccountName": "helm-service",
            "containers": [
                {"name": "helm-service", "image": "docker.io/keptn/helm-service:0.19.3"},
                {
                    "name": "distributor",
                    "image": "docker.io/keptn/distributor:0.19.3",
                    "env": [
                        {"name": "KEPTN_API_TOKEN", "value": "an-obviously-fake-token"},
                        {"name": "HTTPS_PROXY", "valueFrom": {"secretKeyRef": {"name": "proxy"}}},
                        {"name": "no_proxy", "value": ".svc"},
                    ],
                },
            ],
            "volumes": [{"name": "secrets", "secret": {"secretName": "x"}}],
            **spec,
        },
        "status": {
            "containerStatuses": [
                {
                    "name": "distributor",
                    "imageID": f"docker-pullable://docker.io/keptn/distributor@{DIGEST}",
                }
            ]
        },
    }  # fmt: skip


def made(
    pod: dict[str, Any] | None = None,
    *,
    service: KeptnService = SERVICE,
    labels: dict[str, str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    return probe_pod(
        pod or model(), service, ENDPOINT, name="keptn-doctor-1", run="r1", labels=labels or {},
        options=ProbeOptions(**options),
    )  # fmt: skip


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["spec"]["containers"]
    return only


def test_it_is_as_restricted_as_pod_security_asks() -> None:
    pod = made()
    spec, own = pod["spec"], container(pod)["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert own["readOnlyRootFilesystem"] is True
    assert not {"volumes", "hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(spec)


def test_it_holds_no_token_of_any_kind() -> None:
    pod = made()
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert "fake-token" not in json.dumps(pod)
    assert "KEPTN_API_TOKEN" not in json.dumps(container(pod)["env"])
    assert "serviceAccountName" not in pod["spec"]


def test_it_asks_for_little_and_says_so() -> None:
    resources = container(made())["resources"]
    assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}


def test_it_ends_by_itself_and_is_never_started_again() -> None:
    spec = made()["spec"]
    assert spec["activeDeadlineSeconds"] == 60
    assert spec["restartPolicy"] == "Never"


def test_its_image_is_the_clients_own_by_digest() -> None:
    assert container(made())["image"] == f"docker.io/keptn/distributor@{DIGEST}"
    assert container(made())["imagePullPolicy"] == "IfNotPresent"


def test_without_a_digest_its_image_is_the_one_that_was_declared() -> None:
    pod = model()
    pod["status"] = {"containerStatuses": [{"name": "distributor", "imageID": "sha256:123"}]}
    assert own_image(pod, "distributor") == "docker.io/keptn/distributor:0.19.3"


def test_the_image_can_be_chosen() -> None:
    image = f"registry.example.com/busybox@{DIGEST}"
    assert container(made(image=image))["image"] == image


def test_it_resolves_and_goes_out_as_its_model_does() -> None:
    dns = {"nameservers": ["192.0.2.53"], "options": [{"name": "ndots", "value": "1"}]}
    aliases = [{"ip": "192.0.2.7", "hostnames": ["keptn.example.com"]}]
    spec = made(model(dnsPolicy="None", dnsConfig=dns, hostAliases=aliases))["spec"]
    assert (spec["dnsPolicy"], spec["dnsConfig"], spec["hostAliases"]) == ("None", dns, aliases)


def test_it_stands_on_the_same_node_where_its_image_is() -> None:
    required = made()["spec"]["affinity"]["nodeAffinity"]
    (term,) = required["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchFields"] == [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]


def test_a_private_registry_opens_for_it_as_for_its_model() -> None:
    secrets = [{"name": "registry"}]
    assert made(model(imagePullSecrets=secrets))["spec"]["imagePullSecrets"] == secrets


def test_proxy_variables_come_along_as_they_stand_unread() -> None:
    env = {item["name"]: item for item in container(made())["env"]}
    assert env["HTTPS_PROXY"] == {
        "name": "HTTPS_PROXY", "valueFrom": {"secretKeyRef": {"name": "proxy"}},
    }  # fmt: skip
    assert env["no_proxy"]["value"] == ".svc"


def test_a_client_that_ignores_proxies_is_looked_beside_without_them() -> None:
    old = msgspec.structs.replace(SERVICE, behaviour=ClientBehaviour(proxy_on_poll=False))
    names = {item["name"] for item in container(made(service=old))["env"]}
    assert names == {"PROBE_HOST", "PROBE_PORT", "PROBE_SCHEME", "PROBE_PATH"}


def test_the_services_account_is_used_on_request_and_its_token_is_not() -> None:
    spec = made(service_account=True)["spec"]
    assert spec["serviceAccountName"] == "helm-service"
    assert spec["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("pod", "container_level", "user"), [(None, None, 65_532), (1001, None, 1001),
                                         (1001, 1002, 1002), (0, None, 65_532)],
)  # fmt: skip
def test_it_runs_as_its_model_but_never_as_root(
    pod: int | None, container_level: int | None, user: int
) -> None:
    beside = model(securityContext={} if pod is None else {"runAsUser": pod})
    if container_level is not None:
        beside["spec"]["containers"][1]["securityContext"] = {"runAsUser": container_level}
    assert made(beside)["spec"]["securityContext"]["runAsUser"] == user


# ------------------------------------------------------------- labels, owners, Services


def test_only_the_labels_that_policies_read_are_copied() -> None:
    policies = [PodSelector(keys=("tier", "absent"))]
    assert copied_labels(model(), policies) == {"tier": "work"}
    assert copied_labels(model(), []) == {}


def test_the_label_of_the_run_is_there_for_the_clean_up() -> None:
    labels = made(labels={"tier": "work"})["metadata"]["labels"]
    assert (labels[RUN_LABEL], labels["tier"]) == ("r1", "work")


def test_it_is_owned_so_that_no_controller_adopts_it_and_the_cluster_collects_it() -> None:
    (owner,) = made()["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Pod", "helm-service-1", "u-1")
    assert owner["controller"] is True
    assert owner["blockOwnerDeletion"] is False


def test_it_never_becomes_ready_so_that_no_service_sends_it_traffic() -> None:
    assert made()["spec"]["readinessGates"] == [{"conditionType": "keptn-doctor/never-ready"}]


def test_a_service_for_unready_pods_would_draw_it_in() -> None:
    labels = {"app": "helm-service", "tier": "work"}
    usual = ServiceSelector(name="usual", labels={"app": "helm-service"})
    early = ServiceSelector(name="early", labels={"app": "helm-service"}, unready_too=True)
    other = ServiceSelector(name="other", labels={"app": "other"}, unready_too=True)
    manual = ServiceSelector(name="manual", labels={}, unready_too=True)
    assert drawn_in_by(labels, [usual, other, manual]) == ""
    assert drawn_in_by(labels, [usual, early]) == "early"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"hostNetwork": True}, "network"),
        ({"containers": [{"name": "istio-proxy"}]}, "istio-proxy"),
        ({"initContainers": [{"name": "istio-proxy"}]}, "istio-proxy"),
        ({"nodeName": None}, "node"),
    ],
)
def test_where_it_would_see_another_way_out_there_is_no_probe_pod(
    change: dict[str, Any], word: str
) -> None:
    assert word in why_not(model(**change))
    assert why_not(model()) == ""


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_that_the_node_has_not_is_no_probe_pods_image(reason: str) -> None:
    pod = model()
    pod["status"] = {
        "containerStatuses": [{"name": "distributor", "state": {"waiting": {"reason": reason}}}]
    }
    assert "--probe-image" in without_image(pod, "distributor")
    assert without_image(pod, "helm-service") == ""
    assert without_image(model(), "distributor") == ""
