"""Whole runs with --probe-pod: what a probe pod sees, what may keep it away, what is left of it."""

from __future__ import annotations

import pytest
from inside_worlds import HELM, JES, JMETER, MAY_WRITE, looked_at

from keptn_doctor.lab.world import Lab
from keptn_doctor.probes.probe_pod_manifest import ProbeOptions
from keptn_doctor.renderers.text import render

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]

IMAGE = "registry.example.com/tools/busybox@sha256:" + "b" * 64


def in_exec_b(text: str) -> str:
    return f"{MAY_WRITE}execution-planes: {{exec-b: {{{text}}}}}"


def objects(*rows: str) -> str:
    return f"cluster: {{objects: [{', '.join(rows)}]}}"


def denying(selector: str) -> str:
    """A policy of exec-b that lets nothing but DNS out of the pods it selects."""
    return (
        "{add: {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, "
        "metadata: {name: closed, namespace: keptn-jes}, spec: {podSelector: "
        f"{selector}, policyTypes: [Egress], "
        "egress: [{ports: [{protocol: UDP, port: 53}]}]}}}"
    )


# ------------------------------------------------------------------ nothing without it


@pytest.mark.parametrize(
    "scenario",
    ["", "execution-planes: {exec-b: {egress: [{default: drop}]}}",
     "execution-planes: {exec-a: {all-services: {endpoint: 'http://no-such-name.example.com/api'}}}"],
)  # fmt: skip
async def test_no_object_is_created_or_changed_without_the_option(scenario: str) -> None:
    async with looked_at(MAY_WRITE + scenario) as run:
        assert run.written() == []
        assert run.pods_made == ()
        assert (run.report.created, run.report.remaining) == (0, 0)


async def test_services_whose_own_view_is_enough_get_no_pod() -> None:
    async with looked_at(MAY_WRITE, probe_pod=True) as run:
        assert [m["metadata"]["namespace"] for m in run.pods_made] == ["keptn-jes"]
        assert run.looks("pod-probe", HELM) == run.looks("pod-probe", JMETER) == []


# ------------------------------------------------------------------ what it sees


async def test_a_probe_pod_sees_what_an_sdk_service_cannot_show_and_is_gone_afterwards() -> None:
    async with looked_at(MAY_WRITE, probe_pod=True) as run:
        (look,) = run.looks("pod-probe", JES)
        assert look.vantage.place == "inside"
        assert look.vantage.pod.startswith("exec-b/keptn-jes/keptn-doctor-")
        seen = run.probe(JES)
        assert (seen.resolve, seen.connect, seen.http_status) == ("ok", "ok", 200)
        assert (run.report.created, run.report.remaining) == (1, 0)
        assert run.probe_pods_left() == []
        assert render(run.report).endswith("Audit of the clusters: created 1, remaining 0\n")
        assert sorted(method for method, _ in run.written()) == ["DELETE", "POST"]


async def test_another_address_inside_is_seen_from_inside() -> None:
    split = "dns: {records: [{name: keptn.example.com, values: [192.0.2.77]}]}"
    async with looked_at(in_exec_b(split), probe_pod=True) as run:
        assert run.probe(JES).addresses == ("192.0.2.77",)
        assert run.probe(JES).connect == "connect-timeout"


@pytest.mark.parametrize(
    ("lever", "rung", "code"),
    [
        ("dns: {rules: [{name: keptn.example.com, answer: nxdomain}]}", "resolve", "name-unknown"),
        ("dns: {rules: [{name: keptn.example.com, answer: servfail}]}", "resolve",
         "server-failure"),
        ("dns: {server: drop}", "resolve", "resolver-timeout"),
        ("egress: [{default: drop}]", "connect", "connect-timeout"),
        ("egress: [{default: refuse}]", "connect", "connection-refused"),
        ("egress: [{default: no-route}]", "connect", "host-unreachable"),
    ],
)  # fmt: skip
async def test_the_rung_that_breaks_inside_is_named(lever: str, rung: str, code: str) -> None:
    async with looked_at(in_exec_b(lever), probe_pod=True) as run:
        assert getattr(run.probe(JES), rung) == code
        verdict = run.verdict(JES)
        assert verdict.connection == "disconnected"
        assert run.probe_pods_left() == []


async def test_a_distributor_that_reaches_nobody_is_looked_beside() -> None:
    scenario = (
        "keptn: 0.9.2\n" + MAY_WRITE +
        "execution-planes: {exec-a: {dns: {rules: [{name: keptn.example.com, answer: nxdomain}]}}}"
    )  # fmt: skip
    async with looked_at(scenario, probe_pod=True) as run:
        assert {run.probe(HELM).resolve, run.probe(JMETER).resolve} == {"name-unknown"}


async def test_tls_and_http_are_rungs_of_their_own() -> None:
    secure = f"control-plane: {{exposure: {{tls: {{}}}}}}\n{MAY_WRITE}"
    async with looked_at(secure, probe_pod=True) as run:
        assert (run.probe(JES).tls, run.probe(JES).http_status) == ("ok", 200)
    plain = in_exec_b(
        "services: {job-executor-service: {endpoint: 'https://keptn.example.com:80/api'}}"
    )
    async with looked_at(plain, probe_pod=True) as run:
        assert (run.probe(JES).tls, run.probe(JES).http_status) == ("not-tls", None)


async def test_a_proxy_of_the_service_is_the_probe_pods_too() -> None:
    scenario = (
        "proxies: [{name: squid}]\n"
        "listeners: [{address: 10.20.0.8, port: 3128, serves: squid}]\n"
        + in_exec_b(
            "all-services: {env: {HTTP_PROXY: 'http://10.20.0.8:3128'}}, "
            "egress: [{default: drop, allow: [{cidr: 10.0.0.0/8}]}]"
        )
    )
    async with looked_at(scenario, probe_pod=True) as run:
        seen = run.probe(JES)
        assert (seen.proxy, seen.connect, seen.http_status) == ("10.20.0.8:3128", "ok", 200)
        assert run.verdict(JES).connection == "connected"


# ------------------------------------------------------------------ labels and placing


async def test_the_policies_of_the_service_hold_for_its_probe_pod() -> None:
    by_label = denying("{matchLabels: {app.kubernetes.io/name: job-executor-service}}")
    async with looked_at(in_exec_b(objects(by_label)), probe_pod=True) as run:
        assert run.probe(JES).connect == "connect-timeout"
        (pod,) = run.pods_made
        labels = pod["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "job-executor-service"
        assert "app.kubernetes.io/instance" not in labels


async def test_labels_that_no_policy_reads_stay_with_the_service() -> None:
    async with looked_at(MAY_WRITE, probe_pod=True) as run:
        (pod,) = run.pods_made
        assert not [k for k in pod["metadata"]["labels"] if k.startswith("app.kubernetes.io/name")]


async def test_a_policy_that_leaves_the_service_alone_leaves_its_probe_pod_alone() -> None:
    others = denying("{matchExpressions: [{key: app.kubernetes.io/name, operator: NotIn, "
                     "values: [job-executor-service]}]}")  # fmt: skip
    async with looked_at(in_exec_b(objects(others)), probe_pod=True) as run:
        assert run.probe(JES).connect == "ok"


async def test_a_restricted_namespace_lets_it_in() -> None:
    def restrict(lab: Lab) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        lab.clusters["exec-b"].patch("namespaces", "keptn-jes", {"metadata": {"labels": labels}})

    async with looked_at(MAY_WRITE, probe_pod=True, before=restrict) as run:
        assert (run.report.created, run.report.remaining) == (1, 0)


async def test_the_chosen_image_runs() -> None:
    options = ProbeOptions(image=IMAGE, service_account=True)
    async with looked_at(MAY_WRITE, probe_pod=True, options=options) as run:
        (pod,) = run.pods_made
        assert pod["spec"]["containers"][0]["image"] == IMAGE
        assert pod["spec"]["serviceAccountName"] == "job-executor-service"
        assert run.probe(JES).http_status == 200


# ------------------------------------------------------------------ what keeps it away


async def test_without_the_right_to_create_nothing_is_tried_and_the_right_is_named() -> None:
    async with looked_at("", probe_pod=True) as run:
        (note,) = run.not_attempted("pod-probe", JES)
        assert (note.kind, note.unlock) == ("right", "create pods in namespace keptn-jes")
        assert run.written() == []
        assert run.verdict(JES).connection == "connected"  # as without a probe pod


async def test_without_the_right_to_list_policies_there_is_no_pod_that_could_mislead() -> None:
    scenario = (
        "operator: {contexts: {exec-b: {may-write: true, cannot: [networkpolicies]}}}\n"
        "execution-planes: {exec-b: {egress: [{default: drop}]}}"
    )
    async with looked_at(scenario, probe_pod=True) as run:
        failure = run.probe_failure(JES)
        assert failure.right == "list networkpolicies.networking.k8s.io in namespace keptn-jes"
        assert run.written() == []
        assert (run.report.created, run.report.remaining) == (0, 0)


async def test_a_quota_without_room_is_told_in_the_clusters_own_words() -> None:
    quota = (
        "{add: {apiVersion: v1, kind: ResourceQuota, metadata: {name: team, namespace: keptn-jes},"
        " spec: {hard: {pods: '1'}}}}"
    )
    async with looked_at(in_exec_b(objects(quota)), probe_pod=True) as run:
        failure = run.probe_failure(JES)
        assert (failure.phase, failure.code, failure.right) == ("kube", "forbidden", "")
        assert "exceeded quota: team" in failure.detail
        assert "exceeded quota: team" in render(run.report)
        assert (run.report.created, run.report.remaining) == (0, 0)
        assert run.verdict(JES).connection == "connected"


async def test_where_the_services_image_is_not_to_be_had_another_one_is_needed() -> None:
    scenario = in_exec_b('cluster: {unpullable: {"*job-executor*": not-found}}')
    async with looked_at(scenario, probe_pod=True) as run:
        failure = run.probe_failure(JES)
        assert failure.code == "pod-not-running"
        assert "ImagePull" in failure.detail
        assert run.verdict(JES).connection == "disconnected"
        assert run.written() == []
        assert "--probe-image" in run.probe_failure(JES).detail


async def test_a_service_for_unready_pods_keeps_it_away() -> None:
    early = (
        "{add: {apiVersion: v1, kind: Service, metadata: {name: early, namespace: keptn-jes}, spec:"
        " {clusterIP: None, publishNotReadyAddresses: true, selector:"
        " {app.kubernetes.io/name: job-executor-service}, ports: [{port: 80}]}}}"
    )
    selecting = denying("{matchLabels: {app.kubernetes.io/name: job-executor-service}}")
    async with looked_at(in_exec_b(objects(early, selecting)), probe_pod=True) as run:
        assert "Service early" in run.probe_failure(JES).detail
        assert run.written() == []


async def test_no_probe_pod_carries_a_token_anywhere() -> None:
    async with looked_at(MAY_WRITE, probe_pod=True) as run:
        (pod,) = run.pods_made
        assert run.lab.api_token not in str(pod)


# ------------------------------------------------------------------ what it settles

BLIND = (
    "keptn: 0.9.2\n"
    "operator: {contexts: {keptn-cp: {cannot: [secrets, pods/log, pods/portforward]}, "
    "exec-a: {may-write: true, cannot: [pods/log, pods/portforward]}}}\n"
    "execution-planes: {exec-a: {egress: [{default: drop}]}}"
)


async def test_what_no_right_lets_one_see_is_unknown() -> None:
    async with looked_at(BLIND) as run:
        assert run.verdict(HELM).connection == "unknown"
        assert run.verdict(JMETER).connection == "unknown"


async def test_a_probe_pod_settles_it_from_inside() -> None:
    async with looked_at(BLIND, probe_pod=True) as run:
        verdict = run.verdict(HELM)
        assert (verdict.connection, verdict.row) == ("disconnected", "probe-stopped")
        assert verdict.vantage.startswith("inside:exec-a/keptn-exec/keptn-doctor-")
        assert any(c.rung == "connect" and c.differs for c in verdict.compared)
        assert "connect: operator ok, inside exec-a connect-timeout" in render(run.report)
        assert (run.report.created, run.report.remaining) == (2, 0)


async def test_a_probe_pod_never_makes_a_service_connected() -> None:
    blind = BLIND.partition("execution-planes")[0]
    async with looked_at(blind, probe_pod=True) as run:
        assert run.probe(HELM).http_status == 200
        assert run.verdict(HELM).connection == "unknown"


# ------------------------------------------------------------------ what is left of it


def deletions_fail(times: str) -> str:
    return in_exec_b(
        "cluster: {api-server: [{kind: unavailable, methods: [DELETE], "
        f"path-prefix: /api/v1/namespaces/keptn-jes/pods/keptn-doctor-{times}}}]}}"
    )


async def test_a_deletion_that_fails_is_tried_again_at_the_end() -> None:
    async with looked_at(deletions_fail(", times: 1"), probe_pod=True) as run:
        assert (run.report.created, run.report.remaining) == (1, 0)
        assert run.probe_pods_left() == []


async def test_a_pod_that_cannot_be_removed_is_counted_and_the_way_to_remove_it_is_told() -> None:
    async with looked_at(deletions_fail(""), probe_pod=True) as run:
        assert (run.report.created, run.report.remaining) == (1, 1)
        assert len(run.probe_pods_left()) == 1
        text = render(run.report)
        assert "$ keptn-doctor cleanup" in text
        assert text.endswith("Audit of the clusters: created 1, remaining 1\n")
