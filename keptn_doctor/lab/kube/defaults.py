"""What the API server and its admission plugins add to an object when it is created.

Only missing keys are filled, never a key that is present (even with null), and only in the parts
that a diagnosis reads: pods and pod templates, services, workloads, namespaces, nodes, events.
Values are those of the recorded answers and of ``pkg/apis/*/v1/defaults.go``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import Object, dicts, dig, metadata, name_of, namespace_of


def fill(target: Any, **values: Any) -> None:
    """Set the keys that are missing; anything but a dict is left alone."""
    if isinstance(target, dict):
        for key, value in values.items():
            target.setdefault(key, value)


def _pull_policy(image: Any) -> str:
    text = str(image or "")
    last = text.rpartition("/")[2]
    tagged = ":" in last or "@" in text
    return "IfNotPresent" if tagged and not last.endswith(":latest") else "Always"


def _pod_spec(spec: Any) -> None:
    if not isinstance(spec, dict):
        return
    for container in (*dicts(spec.get("initContainers")), *dicts(spec.get("containers"))):
        fill(
            container,
            resources={},
            terminationMessagePath="/dev/termination-log",
            terminationMessagePolicy="File",
            imagePullPolicy=_pull_policy(container.get("image")),
        )
        for port in dicts(container.get("ports")):
            fill(port, protocol="TCP")
    fill(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )


def _template(obj: Object, generation: Generation, *path: str) -> None:
    template = dig(obj, *path)
    if isinstance(template, dict):
        if not generation.drops_null_creation_time:
            fill(template.setdefault("metadata", {}), creationTimestamp=None)
        _pod_spec(template.get("spec"))


def _qos(spec: Any) -> str:
    containers = dicts(dig(spec, "containers"))
    resources = [c.get("resources") or {} for c in containers]
    if not any(r.get("requests") or r.get("limits") for r in resources):
        return "BestEffort"
    limits = [r.get("limits") or {} for r in resources]
    whole = all({"cpu", "memory"} <= set(limit) for limit in limits)
    same = all((r.get("requests") or r.get("limits")) == r.get("limits") for r in resources)
    return "Guaranteed" if whole and same else "Burstable"


def _toleration(key: str) -> dict[str, Any]:
    return {
        "key": f"node.kubernetes.io/{key}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }


def _pod(pod: Object, generation: Generation) -> None:
    spec = pod.get("spec")
    _pod_spec(spec)
    fill(
        spec,
        tolerations=[_toleration("not-ready"), _toleration("unreachable")],
        priority=0,
        enableServiceLinks=True,
        preemptionPolicy="PreemptLowerPriority",
    )
    if generation.pods_have_generation:
        fill(metadata(pod), generation=1)
    status = pod.setdefault("status", {})
    if isinstance(status, dict):
        fill(status, phase="Pending")
        fill(status, qosClass=_qos(spec))
    complete_pod_status(pod)


def complete_pod_status(pod: Object) -> None:
    """Fields of a pod's status that Go writes even when nobody set them."""
    status = pod.get("status")
    if not isinstance(status, dict):
        return
    for condition in dicts(status.get("conditions")):
        fill(condition, lastProbeTime=None, lastTransitionTime=None)
    if status.get("podIP"):
        fill(status, podIPs=[{"ip": status["podIP"]}])
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in dicts(status.get(field)):
            fill(container, state={}, lastState={}, ready=False, restartCount=0, imageID="")


def _service(service: Object, generation: Generation) -> None:
    spec = service.get("spec")
    if not isinstance(spec, dict):
        return
    fill(spec, type="ClusterIP", sessionAffinity="None")
    kind = spec["type"]
    seed = hashlib.sha256(f"{namespace_of(service)}/{name_of(service)}".encode()).digest()
    for port in dicts(spec.get("ports")):
        fill(port, protocol="TCP")
        fill(port, targetPort=port.get("port"))
    if kind != "ExternalName":
        fill(spec, clusterIP=f"10.96.{seed[0]}.{seed[1] or 1}")
        fill(spec, clusterIPs=[spec["clusterIP"]])
        if generation.services_have_ip_families:
            fill(spec, ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
        if generation.services_have_traffic_policy:
            fill(spec, internalTrafficPolicy="Cluster")
    if kind in {"NodePort", "LoadBalancer"}:
        fill(spec, externalTrafficPolicy="Cluster")
        for index, port in enumerate(dicts(spec.get("ports"))):
            fill(port, nodePort=30000 + (int.from_bytes(seed[2:4]) + index) % 2768)
    if kind == "LoadBalancer" and generation.services_have_traffic_policy:
        fill(spec, allocateLoadBalancerNodePorts=True)
    fill(service, status={"loadBalancer": {}})


def _namespace(namespace: Object, generation: Generation) -> None:
    fill(namespace, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"})
    meta = metadata(namespace)
    if generation.namespaces_carry_their_name and isinstance(meta.setdefault("labels", {}), dict):
        fill(meta["labels"], **{"kubernetes.io/metadata.name": name_of(namespace)})


_NODE_INFO = (
    "machineID systemUUID bootID kernelVersion osImage containerRuntimeVersion kubeletVersion "
    "kubeProxyVersion operatingSystem architecture"
)


def _node(node: Object, _generation: Generation) -> None:
    fill(node, spec={}, status={})
    complete_node_status(node)


def complete_node_status(node: Object) -> None:
    """The zero values that Go writes into every node status."""
    status = node.get("status")
    if isinstance(status, dict):
        fill(status, daemonEndpoints={"kubeletEndpoint": {"Port": 0}}, nodeInfo={})
        fill(status["nodeInfo"], **dict.fromkeys(_NODE_INFO.split(), ""))


def _new_node(node: Object, generation: Generation) -> None:
    """Admission (TaintNodesByCondition) taints a node that was registered just now."""
    _node(node, generation)
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    fill(node["spec"], taints=[taint])


def _deployment(deployment: Object, generation: Generation) -> None:
    _generation_one(deployment)
    _template(deployment, generation, "spec", "template")
    fill(
        deployment.get("spec"),
        replicas=1,
        strategy={
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
        },
        revisionHistoryLimit=10,
        progressDeadlineSeconds=600,
    )
    fill(deployment, status={})


def _generation_one(obj: Object) -> None:
    fill(metadata(obj), generation=1)


def _replicated(obj: Object, generation: Generation) -> None:
    _generation_one(obj)
    _template(obj, generation, "spec", "template")
    fill(obj.get("spec"), replicas=1)
    fill(obj, status={"replicas": 0})


def _stateful_set(obj: Object, generation: Generation) -> None:
    fill(
        obj.get("spec"),
        podManagementPolicy="OrderedReady",
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        revisionHistoryLimit=10,
    )
    _replicated(obj, generation)


def _daemon_set(obj: Object, generation: Generation) -> None:
    _generation_one(obj)
    _template(obj, generation, "spec", "template")
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    fill(obj.get("spec"), updateStrategy=rolling, revisionHistoryLimit=10)
    counters = (
        "currentNumberScheduled",
        "desiredNumberScheduled",
        "numberMisscheduled",
        "numberReady",
    )
    fill(obj, status=dict.fromkeys(counters, 0))


def _job(obj: Object, generation: Generation) -> None:
    _template(obj, generation, "spec", "template")
    fill(obj.get("spec"), parallelism=1, completions=1, backoffLimit=6)
    fill(obj, status={})


def _cron_job(obj: Object, generation: Generation) -> None:
    _template(obj, generation, "spec", "jobTemplate", "spec", "template")
    fill(
        obj.get("spec"),
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    )
    fill(obj, status={})


def _ingress(obj: Object, _generation: Generation) -> None:
    _generation_one(obj)
    fill(obj, status={"loadBalancer": {}})


def _event(event: Object, _generation: Generation) -> None:
    fill(event, source={}, eventTime=None, reportingComponent="", reportingInstance="")
    fill(event, firstTimestamp=None, lastTimestamp=None, type="")


def _secret(secret: Object, _generation: Generation) -> None:
    fill(secret, type="Opaque")


def _volume_claim(claim: Object, _generation: Generation) -> None:
    fill(claim.get("spec"), volumeMode="Filesystem")
    fill(claim, status={"phase": "Pending"})


def _network_policy(policy: Object, _generation: Generation) -> None:
    _generation_one(policy)
    spec = policy.get("spec")
    if isinstance(spec, dict):
        kinds = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        fill(spec, policyTypes=kinds, podSelector={})


_BY_KEY: dict[tuple[str, str], Callable[[Object, Generation], None]] = {
    ("", "pods"): _pod,
    ("", "services"): _service,
    ("", "namespaces"): _namespace,
    ("", "nodes"): _node,
    ("", "events"): _event,
    ("", "secrets"): _secret,
    ("", "persistentvolumeclaims"): _volume_claim,
    ("", "replicationcontrollers"): _replicated,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replicated,
    ("apps", "statefulsets"): _stateful_set,
    ("apps", "daemonsets"): _daemon_set,
    ("batch", "jobs"): _job,
    ("batch", "cronjobs"): _cron_job,
    ("networking.k8s.io", "ingresses"): _ingress,
    ("networking.k8s.io", "networkpolicies"): _network_policy,
}


def apply_defaults(key: tuple[str, str], obj: Object, generation: Generation) -> None:
    """Fill what an object of the stored resource ``key`` lacks, in place."""
    default = _BY_KEY.get(key)
    if default is not None:
        default(obj, generation)


def admit(key: tuple[str, str], obj: Object, generation: Generation) -> None:
    """As ``apply_defaults``, for an object that comes through the API and not from the lab."""
    if key == ("", "nodes"):
        _new_node(obj, generation)
    else:
        apply_defaults(key, obj, generation)
