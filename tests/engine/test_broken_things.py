"""Which thing a sentence of Kubernetes is about: shared ones by identity, a pod's own by none."""

from __future__ import annotations

import pytest

from keptn_doctor.api import (
    EnvProblem,
    ExecutionPlane,
    closed_nodes,
    cluster_of,
    missing_objects,
    missing_source,
    refusing_policy,
    refusing_quota,
)
from keptn_doctor.testing import keptn_service

WHERE = {"namespace": "ns", "cluster": "c"}
SERVICE = keptn_service()


@pytest.mark.parametrize(
    ("told", "things"),
    [
        ('secret "keys" not found', ("secret ns/keys of c is missing",)),
        ('configmap "settings" not found', ("configmap ns/settings of c is missing",)),
        (
            'MountVolume.SetUp failed for volume "v" : secret "keys" not found',
            ("secret ns/keys of c is missing",),
        ),
        (
            "couldn't find key token in Secret ns/keys",
            ("secret ns/keys key token of c is missing",),
        ),
        ("references non-existent secret key: token", ()),
        ('host path "/x" not found', ()),
    ],
)
def test_what_the_kubelet_misses(told, things):
    assert missing_objects(told, **WHERE) == things


@pytest.mark.parametrize("problem", ["not-found", "key-missing"])
def test_a_missing_source_is_one_thing_whether_settings_or_the_kubelet_tell_of_it(problem):
    told = {
        "not-found": 'secret "k" not found',
        "key-missing": "couldn't find key t in Secret ns/k",
    }
    found = EnvProblem(variable="X", reference="secret ns/k key t", problem=problem)

    assert missing_source(found, cluster="c") == missing_objects(told[problem], **WHERE) != ()


@pytest.mark.parametrize("problem", ["forbidden", "unreadable"])
def test_a_source_that_could_not_be_read_is_not_called_missing(problem):
    found = EnvProblem(variable="X", reference="secret ns/k key t", problem=problem)

    assert missing_source(found, cluster="c") == ()


def test_a_quota_that_is_used_up_is_another_fault_than_one_that_demands_limits():
    used_up = refusing_quota('pods "x" is forbidden: exceeded quota: team, requested: 1', **WHERE)
    unstated = refusing_quota('pods "x" is forbidden: failed quota: team: must specify', **WHERE)

    assert len(used_up) == len(unstated) == 1
    assert used_up != unstated
    assert refusing_quota("maximum memory usage per Container is 1Gi", **WHERE) == ()


def test_one_level_of_pod_security_is_one_thing_and_a_webhook_is_none():
    one = refusing_policy(
        'pods "a-1" is forbidden: violates PodSecurity "restricted:v1": x', **WHERE
    )
    two = refusing_policy(
        'pods "b-1" is forbidden: violates PodSecurity "restricted:v1": y', **WHERE
    )

    assert one == two != ()
    assert refusing_policy('admission webhook "kyverno" denied the request', **WHERE) == ()


@pytest.mark.parametrize(
    ("told", "things"),
    [
        ("0/1 nodes are available: 1 Insufficient cpu.", ("nodes of c: cpu",)),
        (
            "0/3 nodes are available: 1 Too many pods, 2 Insufficient nvidia.com/gpu. x: 0",
            ("nodes of c: Too many pods", "nodes of c: nvidia.com/gpu"),
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: }.",
            ("nodes of c: dedicated",),
        ),
        (
            "0/1 nodes are available: 1 node(s) had taint {a/b: c}, that the pod didn't tolerate.",
            ("nodes of c: a/b",),
        ),
        ("0/2 nodes are available: 1 Insufficient cpu, 1 didn't match Pod's node affinity.", ()),
        ("pod has unbound immediate PersistentVolumeClaims", ()),
    ],
)
def test_what_keeps_pods_off_the_nodes_unless_the_pod_asks_for_certain_ones(told, things):
    assert closed_nodes(told, cluster="c") == things


def test_two_planes_of_one_cluster_share_its_things():
    here = ExecutionPlane(name="exec-a", context="exec-a", cluster_uid="u")
    there = ExecutionPlane(name="exec-b", context="exec-b", cluster_uid="u")

    assert cluster_of(SERVICE, here) == cluster_of(keptn_service(plane="exec-b"), there)
    assert cluster_of(SERVICE, None) != cluster_of(keptn_service(plane="exec-b"), None)
