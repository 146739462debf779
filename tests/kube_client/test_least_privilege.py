"""A user who has what ``keptn-doctor rbac`` prints, and no more, sees all there is to see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
from keptn_doctor.model.report import Report
from keptn_doctor.needed_rights import Need, Role, needs
from keptn_doctor.rbac import Subject, manifests
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
Change = Callable[[dict[str, Any]], dict[str, Any]]


def unchanged(document: dict[str, Any]) -> dict[str, Any]:
    return document


def admit(
    lab: Lab,
    folder: Path,
    *,
    user: str = "doctor",
    cluster_wide: bool = True,
    change: Change = unchanged,
) -> Targets:
    """Grant what rbac prints, and point the targets at a kubeconfig of that user."""
    token = f"{user}-lab-token"
    for context, (role, namespaces) in PARTS.items():
        cluster = lab.clusters[context]
        cluster.users[token] = User(name=user)
        subject = Subject(kind="User", name=user)
        text = manifests(role, namespaces=namespaces, cluster_wide=cluster_wide, subject=subject)
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
        control_plane=replace(found.control_plane, kubeconfig=str(path), namespaces=("keptn",)),
        execution_planes=tuple(
            replace(plane, kubeconfig=str(path), namespaces=PARTS[plane.context][1])
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


async def test_no_missing_right_changes_the_truth_into_its_opposite(tmp_path: Path) -> None:
    catalogue = load_checks()
    lacking = {(n.verb, n.resource): n for role in ("control-plane", "execution-plane")
               for n in needs(role) if not n.cluster}  # fmt: skip
    limit = asyncio.Semaphore(3)
    async with start(scenarios.loads(BROKEN)) as lab:

        async def run(number: int, need: Need) -> tuple[str, dict[str, str]]:
            targets = admit(
                lab, tmp_path, user=f"u{number}", cluster_wide=False, change=without(need)
            )
            async with limit:
                report = report_on(await examine(targets), catalogue)
            return f"{need.verb} {need.resource}", connections(report)

        results = await asyncio.gather(*(run(i, n) for i, n in enumerate(lacking.values())))
    opposites = {
        "exec-a/keptn-exec/helm-service": ("connected", "degraded"),
        "exec-b/keptn-jes/job-executor-service": ("connected", "degraded"),
        "exec-a/keptn-exec/jmeter-service": ("disconnected", "degraded"),
    }
    wrong = [
        (right, service, found[service])
        for right, found in results
        for service, opposite in opposites.items()
        if found.get(service) in opposite
    ]
    assert wrong == []
    assert len(results) > 20
