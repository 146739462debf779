"""What ``kubectl get`` would print for pods and other kinds in each state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from kube_lab import NOW, running_pod

from keptn_doctor.lab.kube import Cluster
from keptn_doctor.lab.kube.ages import human_duration
from keptn_doctor.lab.kube.columns_pods import pod_state
from keptn_doctor.lab.kube.printers import columns_of, json_path

RUNNING = {"running": {"startedAt": "2026-11-23T11:00:00Z"}}


def waiting(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason}}


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, **more}}


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"containerStatuses": [{"ready": True, "state": RUNNING}]}, "Running"),
        ({"containerStatuses": [{"state": waiting("CrashLoopBackOff")}]}, "CrashLoopBackOff"),
        ({"containerStatuses": [{"state": ended(2)}]}, "ExitCode:2"),
        ({"containerStatuses": [{"state": ended(137, signal=9)}]}, "Signal:9"),
        ({"containerStatuses": [{"state": ended(137, reason="OOMKilled")}]}, "OOMKilled"),
        ({"initContainerStatuses": [{"state": ended(0)}]}, "Running"),
        ({"initContainerStatuses": [{"state": ended(1, reason="Error")}]}, "Init:Error"),
        (
            {"initContainerStatuses": [{"state": waiting("ImagePullBackOff")}]},
            "Init:ImagePullBackOff",
        ),
        ({"initContainerStatuses": [{"state": ended(0)}, {"state": RUNNING}]}, "Init:1/2"),
        (
            {
                "containerStatuses": [
                    {"state": ended(0, reason="Completed")},
                    {"ready": True, "state": RUNNING},
                ]
            },
            "NotReady",
        ),
    ],
)
def test_the_state_of_a_pod_is_its_worst_container(status: dict[str, Any], shown: str) -> None:
    pod = running_pod(**status)
    pod["spec"]["initContainers"] = [{"name": "a"}, {"name": "b"}]
    assert pod_state(pod) == shown


def test_a_dying_pod_is_terminating() -> None:
    pod = running_pod()
    pod["metadata"]["deletionTimestamp"] = "2026-11-23T13:00:00Z"
    assert pod_state(pod) == "Terminating"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (11 * 60 + 5, "11m"),
        (179 * 60, "179m"),
        (3 * 3600 + 60, "3h1m"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (49 * 3600, "2d1h"),
        (8 * 86_400, "8d"),
        (800 * 86_400, "2y70d"),
        (9 * 365 * 86_400, "9y"),
    ],
)
def test_ages_are_rounded_as_kubectl_does(seconds: int, shown: str) -> None:
    assert human_duration(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".spec.hosts[0]", "a"),
        (".spec.hosts[7]", None),
        ('.status.conditions[?(@.type=="Ready")].status', "True"),
        (".status.conditions[?(@.type=='Lost')].status", None),
        (".spec.hosts.name", None),
    ],
)
def test_printer_columns_read_their_path(path: str, value: Any) -> None:
    conditions = [{"type": "Ready", "status": "True"}]
    obj = {"spec": {"hosts": ["a", "b"]}, "status": {"conditions": conditions}}
    assert json_path(obj, path) == value


def cells(obj: dict[str, Any], generation: str = "1.24") -> dict[str, Any]:
    cluster = Cluster(generation, [obj], now=lambda: NOW)
    resource = cluster.catalogue.of_kind(obj["apiVersion"], obj["kind"])
    assert resource is not None
    meta = obj["metadata"]
    stored = cluster.peek(resource.key, meta.get("namespace", ""), meta["name"])
    assert stored is not None
    columns = columns_of(resource, cluster.generation)
    return {column.name: column.cell(stored, NOW) for column in columns}


def made(kind: str, version: str = "v1", namespace: str = "keptn", **body: Any) -> dict[str, Any]:
    meta = {"name": "x", **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **body}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (
            made("Service", spec={"type": "LoadBalancer", "ports": [{"port": 80}]}),
            {"External-IP": "<pending>", "Type": "LoadBalancer"},
        ),
        (
            made(
                "Service",
                spec={"type": "LoadBalancer"},
                status={"loadBalancer": {"ingress": [{"hostname": "lb.test"}]}},
            ),
            {"External-IP": "lb.test"},
        ),
        (
            made("Service", spec={"type": "ExternalName", "externalName": "a.test"}),
            {"External-IP": "a.test", "Cluster-IP": "<none>"},
        ),
        (
            made(
                "Node",
                namespace="",
                status={"conditions": [{"type": "Ready", "status": "Unknown"}]},
            ),
            {"Status": "NotReady"},
        ),
        (
            made("Deployment", "apps/v1", spec={"replicas": 3}, status={"readyReplicas": 1}),
            {"Ready": "1/3"},
        ),
        (
            made(
                "Job",
                "batch/v1",
                status={"startTime": "2026-11-23T13:40:00Z", "succeeded": 1},
            ),
            {"Completions": "1/1", "Duration": "10m"},
        ),
        (
            made("Ingress", "networking.k8s.io/v1", spec={"rules": [{"host": "a"}], "tls": [{}]}),
            {"Hosts": "a", "Ports": "80, 443", "Class": "<none>"},
        ),
        (
            made(
                "Endpoints",
                subsets=[
                    {
                        "addresses": [{"ip": f"10.0.0.{i}"} for i in range(5)],
                        "ports": [{"port": 80}],
                    }
                ],
            ),
            {"Endpoints": "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."},
        ),
        (made("Secret", data={"a": "Yg==", "b": ""}), {"Data": 2, "Type": "Opaque"}),
        (
            made(
                "PersistentVolumeClaim",
                spec={"accessModes": ["ReadWriteOnce"]},
                status={"phase": "Bound", "accessModes": ["ReadWriteOnce"]},
            ),
            {"Status": "Bound", "Access Modes": "RWO"},
        ),
        (
            made(
                "ResourceQuota",
                status={"hard": {"pods": "5", "limits.cpu": "2"}, "used": {"pods": "5"}},
            ),
            {"Request": "pods: 5/5", "Limit": "limits.cpu: 0/2"},
        ),
    ],
)
def test_each_kind_is_printed_with_its_facts(obj: dict[str, Any], expected: dict[str, Any]) -> None:
    shown = cells(obj)
    assert {name: shown[name] for name in expected} == expected


def test_every_kind_can_be_printed_from_almost_nothing() -> None:
    for generation in ("1.14", "1.20", "1.36"):
        cluster = Cluster(generation)
        for resource in cluster.catalogue:
            if "get" in resource.verbs:
                odd = {"metadata": {"name": "x"}, "spec": None, "status": None}
                for column in columns_of(resource, cluster.generation):
                    column.cell(odd, NOW)
