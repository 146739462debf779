"""A user who has what ``keptn-doctor rbac`` prints, and no more, sees all there is to see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab import scenario as scenarios
from keptn_doctor.lab.kube import User
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import (
    Claims,
    ClusterFacts,
    ExposureRoutes,
    GatewayService,
    LoadBalancerProvider,
    NamespaceFacts,
    NetworkPolicies,
    Nodes,
)
from keptn_doctor.model.report import Report
from keptn_doctor.rights.needed import Need, Role, needs
from keptn_doctor.rights.rbac import Subject, manifests
from keptn_doctor.targets import Targets

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]

PARTS: dict[str, tuple[Role, tuple[str, ...]]] = {
    "keptn-cp": ("control-plane", ("keptn",)),
    "exec-a": ("execution-plane", ("keptn-exec",)),
    "exec-b": ("execution-plane", ("keptn-jes",)),
}
HEALTHY = "title: all is well"
BROKEN = """\
title: a token that was rotated, and a name that does not resolve
execution-planes:
  exec-a:
    services:
      helm-service: {endpoint: "http://no-such-name.example.com/api"}
  exec-b:
    services:
      job-executor-service: {token: old}
"""
HELM, JMETER = "exec-a/keptn-exec/helm-service", "exec-a/keptn-exec/jmeter-service"
JES = "exec-b/keptn-jes/job-executor-service"
SECOND_HELM = "exec-b/keptn-exec/helm-service"
INSIDE_DIFFERS: dict[str, tuple[str, dict[str, str]]] = {
    "a token and a name are wrong": (
        BROKEN,
        {HELM: "disconnected", JES: "disconnected", JMETER: "connected"},
    ),
    "egress blocked for one, split DNS for another plane": (
        """\
title: one service cannot get out, one plane cannot resolve
keptn: 0.12.7
execution-planes:
  exec-a: {egress: [{applies-to: [keptn-exec/helm-service], default: drop}]}
  exec-b: {dns: {rules: [{name: keptn.example.com, answer: nxdomain}]}}
""",
        {HELM: "disconnected", JES: "disconnected", JMETER: "connected"},
    ),
    "a namesake masks a dead plane, and one plane has a wrong token": (
        """\
title: a shared record is kept fresh by the other plane
execution-planes:
  exec-a: {services: {helm-service: {}, jmeter-service: {token: wrong}}}
  exec-b:
    namespace: keptn-exec
    egress: [{default: drop}]
    services: {helm-service: {registered-before: true}, job-executor-service: null}
""",
        {SECOND_HELM: "disconnected", JMETER: "disconnected"},
    ),
    "a proxy is needed, and a registration outlives its service": (
        """\
title: registered but deaf behind a proxy; registered three hours ago
keptn: 0.12.7
control-plane: {exposure: {tls: {}}}
proxies: [{name: squid}]
listeners: [{address: 10.20.0.8, port: 3128, serves: squid}]
execution-planes:
  exec-a:
    services:
      helm-service:
        {connected-until-ago: 3h, endpoint: "https://no-such-name.example.com/api"}
  exec-b:
    all-services: {env: {HTTPS_PROXY: "http://10.20.0.8:3128"}}
    egress: [{default: drop, allow: [{cidr: 10.0.0.0/8}]}]
""",
        {HELM: "disconnected", JES: "disconnected", JMETER: "connected"},
    ),
}
OF_SINGLE_FACTS = (
    ExposureRoutes, NetworkPolicies, Claims, NamespaceFacts, Nodes, GatewayService,
    LoadBalancerProvider, ClusterFacts,
)  # fmt: skip
NEVER = {"disconnected": {"connected", "degraded"}, "connected": {"disconnected", "degraded"}}
Change = Callable[[dict[str, Any]], dict[str, Any]]


def unchanged(document: dict[str, Any]) -> dict[str, Any]:
    return document


def namespaces_of(lab: Lab, context: str) -> tuple[str, ...]:
    """Where the services of a context are in this world."""
    plane = lab.plan.planes.get(context)
    return (plane.namespace,) if plane is not None else PARTS[context][1]


def admit(
    lab: Lab,
    folder: Path,
    *,
    user: str = "doctor",
    cluster_wide: bool = True,
    change: Change = unchanged,
    facts: frozenset[type] | None = None,
    active: bool = False,
) -> Targets:
    """Grant what rbac prints, and point the targets at a kubeconfig of that user."""
    token = f"{user}-lab-token"
    for context, (role, _) in PARTS.items():
        cluster, namespaces = lab.clusters[context], namespaces_of(lab, context)
        cluster.users[token] = User(name=user)
        subject = Subject(kind="User", name=user)
        text = manifests(
            role,
            namespaces=namespaces,
            cluster_wide=cluster_wide,
            subject=subject,
            facts=facts,
            active=active,
        )
        for document in yaml.safe_load_all(text):
            document["metadata"]["name"] += f"-{user}"
            if "roleRef" in document:
                document["roleRef"]["name"] += f"-{user}"
            cluster.add(change(document))
    config = yaml.safe_load(lab.kubeconfig.read_text())
    for entry in config["users"]:
        entry["user"] = {"token": token}
    path = folder / f"kubeconfig-{user}"
    path.write_text(yaml.safe_dump(config))
    found = lab.targets()
    assert found.control_plane is not None
    replace = msgspec.structs.replace
    return replace(
        found,
        probe_pod=active,
        active=active,
        control_plane=replace(found.control_plane, kubeconfig=str(path), namespaces=("keptn",)),
        execution_planes=tuple(
            replace(plane, kubeconfig=str(path), namespaces=namespaces_of(lab, plane.context))
            for plane in found.execution_planes
        ),
    )


def without(need: Need) -> Change:
    """Take one right out of the roles."""
    group, resource = need.group_resource()

    def change(document: dict[str, Any]) -> dict[str, Any]:
        rules = []
        for rule in document.get("rules", ()):
            hit = group in rule["apiGroups"] and resource in rule["resources"]
            if not hit or need.verb not in rule["verbs"]:
                rules.append(rule)
                continue
            others = [r for r in rule["resources"] if r != resource]
            verbs = [v for v in rule["verbs"] if v != need.verb]
            rules += [rule | {"resources": others}] if others else []
            rules += [rule | {"resources": [resource], "verbs": verbs}] if verbs else []
        return document | {"rules": rules} if "rules" in document else document

    return change


def connections(report: Report) -> dict[str, str]:
    return {v.service: v.connection for v in report.verdicts if v.service.startswith("exec-")}


async def test_a_whole_run_meets_no_refusal(tmp_path: Path) -> None:
    async with start(scenarios.loads(HEALTHY)) as lab:
        snapshot = await examine(admit(lab, tmp_path))
        refused = {
            (context, s.verb, s.path)
            for context, server in lab.servers.items()
            for s in server.served
            if s.status == 403
        }
    assert refused == set()
    failed = [(o.id, o.result.code) for o in snapshot.observations if isinstance(o.result, Failure)]
    assert failed == []
    assert not [n for n in snapshot.not_attempted if n.kind == "right"]


async def test_rights_in_the_namespaces_alone_give_the_same_verdicts(tmp_path: Path) -> None:
    catalogue = load_checks()
    async with start(scenarios.loads(BROKEN)) as lab:
        everything = connections(report_on(await examine(lab.targets()), catalogue))
        targets = admit(lab, tmp_path, cluster_wide=False)
        narrow = connections(report_on(await examine(targets), catalogue))
    assert everything["exec-a/keptn-exec/helm-service"] == "disconnected"
    assert everything["exec-b/keptn-jes/job-executor-service"] == "disconnected"
    assert narrow == everything


@pytest.mark.parametrize("world", INSIDE_DIFFERS)
async def test_the_truth_is_told_and_says_from_where_it_was_seen(world: str) -> None:
    scenario, truth = INSIDE_DIFFERS[world]
    async with start(scenarios.loads(scenario)) as lab:
        report = report_on(await examine(lab.targets()), load_checks())
    found = {v.service: v for v in report.verdicts}
    assert {path: found[path].connection for path in truth} == truth
    for path, connection in truth.items():
        vantage = found[path].vantage
        assert vantage.startswith(f"inside:{path.rpartition('/')[0]}/") or (
            connection == "disconnected" and found[path].row == "client-not-running"
        ), (path, vantage)


@pytest.mark.parametrize("world", INSIDE_DIFFERS)
async def test_no_missing_right_changes_the_truth_into_its_opposite(
    tmp_path: Path, world: str
) -> None:
    scenario, truth = INSIDE_DIFFERS[world]
    catalogue = load_checks()
    lacking = {(n.verb, n.resource): n for role in ("control-plane", "execution-plane")
               for n in needs(role) if not n.cluster}  # fmt: skip
    limit = asyncio.Semaphore(3)
    async with start(scenarios.loads(scenario)) as lab:

        async def run(number: int, need: Need) -> tuple[str, dict[str, str]]:
            targets = admit(
                lab, tmp_path, user=f"u{number}", cluster_wide=False, change=without(need)
            )
            async with limit:
                report = report_on(await examine(targets), catalogue)
            return f"{need.verb} {need.resource}", connections(report)

        results = await asyncio.gather(*(run(i, n) for i, n in enumerate(lacking.values())))
    wrong = [
        (right, service, found[service])
        for right, found in results
        for service, connection in truth.items()
        if found.get(service) in NEVER[connection]
    ]
    assert wrong == []
    assert len(results) > 20


async def test_the_rights_for_chosen_checks_let_them_find_what_all_rights_let_them_find(
    tmp_path: Path,
) -> None:
    catalogue = load_checks()
    limit = asyncio.Semaphore(3)

    def told(report: Report, checks: Collection[str]) -> set[tuple[str, str, str]]:
        return {(f.check, f.subject, f.status) for f in report.findings if f.check in checks}

    async with start(scenarios.loads(HEALTHY)) as lab:
        everything = report_on(await examine(admit(lab, tmp_path, user="all")), catalogue)

        async def differing(fact: type) -> set[tuple[str, str, str]]:
            checks = [
                check.id
                for check in catalogue.checks
                if {n.kind for n in check.needs if n.kind in OF_SINGLE_FACTS} <= {fact}
            ]
            async with limit:
                user = f"u-{fact.__name__}"
                targets = admit(lab, tmp_path, user=user, facts=frozenset({fact}))
                report = report_on(await examine(targets), catalogue)
            assert connections(report) == connections(everything)
            return told(report, checks) ^ told(everything, checks)

        results = await asyncio.gather(*(differing(fact) for fact in OF_SINGLE_FACTS))
    assert set().union(*results) == set()


async def test_what_rbac_prints_for_probe_pods_is_enough_for_them(tmp_path: Path) -> None:
    async with start(scenarios.loads(HEALTHY)) as lab:
        snapshot = await examine(admit(lab, tmp_path, active=True))
        refused = {
            (context, s.verb, s.path)
            for context, server in lab.servers.items()
            for s in server.served
            if s.status == 403
        }
    assert refused == set()
    assert (snapshot.created, snapshot.remaining) == (1, 0)


@pytest.mark.parametrize("verb", ["get", "create", "delete"])
async def test_without_one_right_of_a_probe_pods_life_there_is_none(
    tmp_path: Path, verb: str
) -> None:
    need = next(n for n in needs("execution-plane", active=True) if n.active and n.verb == verb)
    async with start(scenarios.loads(HEALTHY)) as lab:
        targets = admit(lab, tmp_path, active=True, change=without(need))
        snapshot = await examine(targets)
        written = [
            s.path
            for server in lab.servers.values()
            for s in server.served
            if s.method != "GET" and "authorization.k8s.io" not in s.path
        ]
    assert written == []
    (note,) = [n for n in snapshot.not_attempted if n.probe == "pod-probe"]
    assert note.unlock == f"{verb} pods in namespace keptn-jes"
