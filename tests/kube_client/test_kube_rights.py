"""One table of rights: what rbac prints is what the review asks for and what a run needs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import yaml
from kube_worlds import World, kube_api, pod

from keptn_doctor.lab.kube import Rule, User
from keptn_doctor.model.kube_facts import Nodes
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.rights import review_rights
from keptn_doctor.rights.needed import NEEDS, Role, needs
from keptn_doctor.rights.plan import plan
from keptn_doctor.rights.rbac import Subject, manifests
from keptn_doctor.targets import ApiTarget, ClusterTarget, Secret, Targets, UsageError

ROLES: tuple[Role, ...] = ("control-plane", "execution-plane")
TOKEN = "doctor-lab-token"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}}


def granted(text: str) -> tuple[dict[str, Any], ...]:
    return (NAMESPACE, *yaml.safe_load_all(text))


async def review(
    world: World, role: Role, objects: tuple[dict[str, Any], ...], *, active: bool = False
) -> dict[tuple[str, str, str], bool | None]:
    members = {TOKEN: User(name="jane")}
    limits = Deadlines(kube_s=30)
    async with (
        kube_api(world.tls(), objects=objects, members=members) as server,
        KubeClient(world.access(server.url, TOKEN), deadlines=limits) as kube,
    ):
        found = await review_rights(kube, role=role, namespaces=("ns",), active=active)
    return {(r.verb, r.resource, r.namespace): r.allowed for r in found.rights}


@pytest.mark.asyncio
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("active", [False, True])
async def test_who_has_what_rbac_prints_has_every_right(
    world: World, role: Role, *, active: bool
) -> None:
    text = manifests(
        role, namespaces=("ns",), active=active, subject=Subject(kind="User", name="jane")
    )
    rights = await review(world, role, granted(text), active=active)
    assert len(rights) == len(needs(role, active=active))
    assert set(rights.values()) == {True}


@pytest.mark.asyncio
@pytest.mark.parametrize("namespaces", [(), ("ns",)])
async def test_a_review_that_fails_leaves_no_question_under_way(
    world: World, namespaces: tuple[str, ...]
) -> None:
    async with (
        kube_api(world.tls(), members={TOKEN: User(name="jane")}) as server,
        KubeClient(world.access(server.url, "another"), deadlines=Deadlines(kube_s=30)) as kube,
    ):
        with pytest.raises(WorldFault):
            await review_rights(kube, role="execution-plane", namespaces=namespaces)
        left = [repr(task) for task in asyncio.all_tasks() if "probes/rights.py" in repr(task)]
    assert left == []


@pytest.mark.asyncio
@pytest.mark.parametrize("role", ROLES)
async def test_the_manifests_grant_nothing_that_is_not_in_the_table(
    world: World, role: Role
) -> None:
    text = manifests(role, namespaces=("ns",), subject=Subject(kind="User", name="jane"))
    table = {(n.verb, *n.group_resource()) for n in needs(role)}
    rules = [rule for document in yaml.safe_load_all(text) for rule in document.get("rules", ())]
    printed = {
        (verb, group, resource)
        for rule in rules
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert printed == table
    assert not any("*" in value for item in printed for value in item)
    rights = await review(world, role, granted(text), active=True)
    assert not any(rights.get((verb, "pods", "ns")) for verb in ("create", "delete"))


@pytest.mark.asyncio
async def test_each_right_that_is_taken_away_is_missed(world: World) -> None:
    jane = Subject(kind="User", name="jane")
    text = manifests("execution-plane", namespaces=("ns",), cluster_wide=False, subject=jane)
    for need in (n for n in needs("execution-plane") if not n.cluster):
        documents = list(yaml.safe_load_all(text))
        group, resource = need.group_resource()
        for document in documents:
            if document["kind"] == "Role":
                document["rules"] = [
                    left
                    for rule in document["rules"]
                    for left in _without(rule, need.verb, group, resource)
                ]
        rights = await review(world, "execution-plane", (NAMESPACE, *documents))
        refused = {key for key, allowed in rights.items() if not allowed and key[2] == "ns"}
        assert refused == {(need.verb, need.resource, "ns")}


def _without(rule: dict[str, Any], verb: str, group: str, resource: str) -> list[dict[str, Any]]:
    """A rule without one right, as up to two rules."""
    if not (verb in rule["verbs"] and group in rule["apiGroups"] and resource in rule["resources"]):
        return [rule]
    others = [r for r in rule["resources"] if r != resource]
    verbs = [v for v in rule["verbs"] if v != verb]
    kept = [rule | {"resources": others}] if others else []
    return [*kept, *([rule | {"resources": [resource], "verbs": verbs}] if verbs else [])]


@pytest.mark.asyncio
async def test_a_right_says_what_it_is_for_and_whether_it_is_needed(world: World) -> None:
    members = {TOKEN: User(name="poor")}
    async with (
        kube_api(world.tls(), objects=(NAMESPACE,), members=members) as server,
        KubeClient(world.access(server.url, TOKEN)) as kube,
    ):
        found = await review_rights(kube, role="execution-plane", namespaces=("ns",))
    assert not any(right.allowed for right in found.rights)
    lacking = {(r.verb, r.resource): r.purpose for r in found.rights if not r.optional}
    assert lacking[("list", "pods")] == "see whether the containers run, and why not"
    assert ("get", "pods/proxy") not in lacking
    assert found.user == "tester"


@pytest.mark.asyncio
async def test_the_review_costs_one_call_per_namespace(world: World) -> None:
    async with (
        kube_api(world.tls(), objects=(NAMESPACE, pod("a"))) as server,
        KubeClient(world.access(server.url)) as kube,
    ):
        await review_rights(kube, role="execution-plane", namespaces=("ns", "keptn-exec"))
    rules = [s for s in server.served if s.path.endswith("selfsubjectrulesreviews")]
    assert len(rules) == 2
    assert {s.method for s in server.served} == {"POST"}


@pytest.mark.asyncio
async def test_rights_everywhere_are_asked_for_when_no_namespace_is_given(world: World) -> None:
    everything = Rule(resources=("*",), api_groups=("*",), verbs=("list",))
    members = {TOKEN: User(name="lister", rules=(everything,))}
    async with (
        kube_api(world.tls(), members=members) as server,
        KubeClient(world.access(server.url, TOKEN)) as kube,
    ):
        found = await review_rights(kube, role="execution-plane", namespaces=())
    answers = {(r.verb, r.resource): r.allowed for r in found.rights}
    assert answers[("list", "pods")] is True
    assert answers[("get", "pods/log")] is False
    assert {r.namespace for r in found.rights} == {""}
    assert len(answers) == len(found.rights)


def test_a_service_account_is_made_where_it_is_bound() -> None:
    documents = list(yaml.safe_load_all(manifests("execution-plane", namespaces=("a", "b"))))
    kinds = [(d["kind"], d["metadata"].get("namespace", "")) for d in documents]
    assert kinds == [
        ("ServiceAccount", "a"),
        ("Role", "a"),
        ("RoleBinding", "a"),
        ("Role", "b"),
        ("RoleBinding", "b"),
        ("ClusterRole", ""),
        ("ClusterRoleBinding", ""),
    ]
    subjects = [d["subjects"] for d in documents if "subjects" in d]
    assert all(s == [{"kind": "ServiceAccount", "name": "keptn-doctor", "namespace": "a"}]
               for s in subjects)  # fmt: skip


def test_rights_can_be_kept_to_the_namespaces() -> None:
    text = manifests("control-plane", namespaces=("keptn",), cluster_wide=False)
    assert not any("Cluster" in d["kind"] for d in yaml.safe_load_all(text))
    with pytest.raises(UsageError):
        manifests("control-plane", namespaces=(), cluster_wide=False)


def test_only_the_token_secret_of_the_control_plane_may_be_read() -> None:
    text = manifests("control-plane", namespaces=("keptn",))
    rules = [r for d in yaml.safe_load_all(text) for r in d.get("rules", ())]
    secrets = [r for r in rules if "secrets" in r["resources"]]
    assert secrets == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "verbs": ["get"],
            "resourceNames": ["keptn-api-token"],
        }
    ]


def test_every_right_says_what_it_is_for() -> None:
    assert all(need.why and need.roles for need in NEEDS)
    assert len({(n.verb, n.resource, n.roles, n.cluster) for n in NEEDS}) == len(NEEDS)


# --- the plan -------------------------------------------------------------------------------


def test_the_plan_names_hosts_verbs_and_objects_without_touching_them(world: World) -> None:
    executable = world.folder / "never-run"
    user = {"exec": {"command": str(executable), "apiVersion": "client.authentication.k8s.io/v1"}}
    path = world.kubeconfig("https://192.0.2.1:6443", user)
    targets = Targets(
        execution_planes=(
            ClusterTarget(
                name="eu", context="test", kubeconfig=str(path), namespaces=("keptn-exec",)
            ),
        ),
        api=ApiTarget(endpoint="https://keptn.example.com/api", token=Secret("open-sesame")),
    )
    lines = plan(targets, {})
    rows = {(line.host, line.verb, line.object) for line in lines}
    assert ("this machine", "run", str(executable)) in rows
    assert ("192.0.2.1:6443", "list", "pods in namespace keptn-exec") in rows
    assert ("192.0.2.1:6443", "list", "nodes in the whole cluster") in rows
    assert ("keptn.example.com:443", "resolve", "A and AAAA") in rows
    assert "open-sesame" not in repr(lines)
    assert not any(row[1:] == ("create", "pods in namespace keptn-exec") for row in rows)


def test_the_plan_of_an_active_run_names_what_it_creates(world: World) -> None:
    path = world.kubeconfig("https://192.0.2.1:6443", {"token": "t"})
    plane = ClusterTarget(name="eu", context="test", kubeconfig=str(path), namespaces=("ns",))
    lines = plan(Targets(execution_planes=(plane,), probe_pod=True, active=True), {})
    assert {line.verb for line in lines if line.object == "pods in namespace ns"} == {
        "list", "get", "create", "delete",
    }  # fmt: skip
    inside = [line for line in lines if line.host.startswith("from probe pods")]
    assert [line.verb for line in inside] == ["resolve", "connect", "GET"]


def test_the_plan_of_a_passive_run_has_no_look_from_a_pod(world: World) -> None:
    path = world.kubeconfig("https://192.0.2.1:6443", {"token": "t"})
    plane = ClusterTarget(name="eu", context="test", kubeconfig=str(path), namespaces=("ns",))
    lines = plan(Targets(execution_planes=(plane,)), {})
    assert not [line for line in lines if "probe pod" in f"{line.host} {line.why}"]


def test_chosen_checks_narrow_the_optional_rights_alone() -> None:
    everything = needs("control-plane")
    narrow = needs("control-plane", facts=frozenset({Nodes}))
    gone = set(everything) - set(narrow)
    assert gone
    assert all(need.optional for need in gone)
    assert any(need.resource == "nodes" for need in narrow)
    assert set(needs("control-plane", facts=frozenset())) < set(narrow)


def test_a_probe_pod_needs_to_know_the_policies_whatever_is_checked() -> None:
    def policies(*, active: bool) -> bool:
        chosen = needs("execution-plane", active=active, facts=frozenset())
        return any(need.resource.startswith("networkpolicies") for need in chosen)

    assert policies(active=True)
    assert not policies(active=False)
