"""The cluster as data, and how its kinds, versions and generations are served."""

from __future__ import annotations

from typing import Any

import pytest
from kube_lab import NOW, PODS, ClientFor, StartServer, running_pod, users

from keptn_doctor.lab.kube import Change, Cluster, Resource

# Each minor in which the served versions changed.
MINORS = [f"1.{minor}" for minor in (14, 18, 19, 20, 21, 22, 25, 29, 34, 36)]


def ingress() -> dict[str, Any]:
    backend = {"service": {"name": "api-gateway-nginx", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "keptn", "namespace": "keptn"},
        "spec": {"rules": [{"host": "keptn.lab.test", "http": {"paths": [path]}}]},
    }


def test_identity_and_defaults_are_filled_in() -> None:
    cluster = Cluster("1.24", [running_pod()], now=lambda: NOW, name="exec-1")
    pod = cluster.get("pods", "helm-service-0", "keptn-exec")
    assert pod is not None
    assert pod["metadata"]["creationTimestamp"] == "2026-11-23T13:50:00Z"
    assert pod["metadata"]["resourceVersion"] == str(cluster.revision)
    assert pod["spec"]["restartPolicy"] == "Always"
    assert cluster.get("ns", "keptn-exec") is not None


def test_uids_follow_from_the_name_of_the_cluster() -> None:
    def uid(name: str) -> str:
        found = Cluster("1.24", name=name).get("namespaces", "kube-system")
        assert found is not None
        return str(found["metadata"]["uid"])

    assert uid("one") == uid("one")
    assert uid("one") != uid("two")
    assert uid("") != uid("")


def test_what_was_given_is_kept() -> None:
    pod = running_pod()
    pod["metadata"] |= {"uid": "u-1", "creationTimestamp": "2020-01-01T00:00:00Z"}
    pod["spec"]["dnsPolicy"] = "None"
    cluster = Cluster("1.24", [pod])
    seen = cluster.get("pods", "helm-service-0", "keptn-exec")
    assert seen is not None
    assert seen["metadata"]["uid"] == "u-1"
    assert seen["metadata"]["creationTimestamp"] == "2020-01-01T00:00:00Z"
    assert seen["spec"]["dnsPolicy"] == "None"
    assert "uid" not in running_pod()["metadata"]  # the given object was not touched


def test_copies_handed_out_do_not_change_the_cluster() -> None:
    cluster = Cluster("1.24", [running_pod()])
    seen = cluster.get("pods", "helm-service-0", "keptn-exec")
    assert seen is not None
    seen["spec"].clear()
    again = cluster.get("pods", "helm-service-0", "keptn-exec")
    assert again is not None
    assert again["spec"]


@pytest.mark.asyncio
async def test_an_odd_object_is_served_as_it_is(start: StartServer, client_for: ClientFor) -> None:
    cluster = Cluster("1.24", [running_pod()], users())
    meta = {"name": "odd", "namespace": "keptn-exec", "labels": None}
    odd = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": None}}
    cluster.add(odd, raw=True)
    server = await start(cluster)
    table = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    async with client_for(server) as client:
        items = (await client.get(PODS)).json()["items"]
        rows = (await client.get(PODS, headers=table)).json()["rows"]
        selected = (await client.get(f"{PODS}?labelSelector=app")).json()["items"]
    assert items[1]["spec"] == {"containers": None}
    assert "status" not in items[1]
    assert len(rows) == 2
    assert len(selected) == 1


def test_an_unknown_kind_is_refused_with_its_name() -> None:
    route = {"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": {"name": "r"}}
    with pytest.raises(ValueError, match=r"does not serve route.openshift.io/v1 Route"):
        Cluster("1.24", [route])
    with pytest.raises(ValueError, match="not a Kubernetes version"):
        Cluster("new")
    with pytest.raises(ValueError, match=r"outside 1\.14 to 1\.36"):
        Cluster("1.99")


def test_listeners_hear_each_change_until_they_stop() -> None:
    cluster = Cluster("1.24")
    heard: list[Change] = []
    stop = cluster.listen(heard.append)
    cluster.add(running_pod())
    cluster.patch("po", "helm-service-0", {"status": {"phase": "Failed"}}, "keptn-exec")
    cluster.remove("pods", "helm-service-0", "keptn-exec")
    stop()
    cluster.add(running_pod())
    kinds = [change.kind for change in heard if change.key == ("", "pods")]
    assert kinds == ["ADDED", "MODIFIED", "DELETED"]


@pytest.mark.asyncio
async def test_a_definition_adds_its_kind_in_every_served_version(
    start: StartServer, client_for: ClientFor
) -> None:
    names = {"plural": "virtualservices", "kind": "VirtualService", "shortNames": ["vs"]}
    column = {"name": "Hosts", "type": "string", "jsonPath": ".spec.hosts[0]"}
    versions = [
        {"name": "v1", "served": True, "storage": True, "additionalPrinterColumns": [column]},
        {"name": "v1beta1", "served": True},
        {"name": "v1alpha1", "served": False},
    ]
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "virtualservices.networking.istio.io"},
        "spec": {
            "group": "networking.istio.io",
            "scope": "Namespaced",
            "names": names,
            "versions": versions,
        },
    }
    one = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "keptn", "namespace": "keptn"},
        "spec": {"hosts": ["keptn.lab.test"]},
    }
    server = await start(Cluster("1.24", [one, definition], users()))
    table = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    root = "/apis/networking.istio.io"
    async with client_for(server) as client:
        listed = (await client.get(f"{root}/v1/virtualservices")).json()
        older = (await client.get(f"{root}/v1beta1/virtualservices")).json()
        gone = await client.get(f"{root}/v1alpha1/virtualservices")
        rows = (await client.get(f"{root}/v1/virtualservices", headers=table)).json()["rows"]
    assert listed["items"][0]["kind"] == "VirtualService"  # custom items repeat their kind
    assert older["items"][0]["apiVersion"] == "networking.istio.io/v1beta1"
    assert gone.status_code == 404
    assert rows[0]["cells"] == ["keptn", "keptn.lab.test"]


@pytest.mark.asyncio
async def test_a_cluster_wide_extra_resource_is_served(
    start: StartServer, client_for: ClientFor
) -> None:
    kind = Resource(
        group="cilium.io", version="v2", name="ciliumnodes", kind="CiliumNode", namespaced=False
    )
    node = {"apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "node-1"}}
    server = await start(Cluster("1.24", [node], users(), extra_resources=[kind]))
    async with client_for(server) as client:
        found = (await client.get("/apis/cilium.io/v2/ciliumnodes/node-1")).json()
        groups = (await client.get("/apis")).json()["groups"]
    assert found["metadata"]["name"] == "node-1"
    assert "cilium.io" in [group["name"] for group in groups]


@pytest.mark.asyncio
async def test_an_ingress_shows_the_shape_of_each_version(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.20", [ingress()], users()))
    rest = "namespaces/keptn/ingresses/keptn"
    async with client_for(server) as client:
        old = (await client.get(f"/apis/extensions/v1beta1/{rest}")).json()
        new = (await client.get(f"/apis/networking.k8s.io/v1/{rest}")).json()
        again = await client.put(f"/apis/extensions/v1beta1/{rest}", json=old)
        same = (await client.get(f"/apis/networking.k8s.io/v1/{rest}")).json()
    shown = old["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert shown == {"serviceName": "api-gateway-nginx", "servicePort": 80}
    assert again.status_code == 200
    assert new["spec"] == same["spec"] == ingress()["spec"]


@pytest.mark.asyncio
async def test_an_event_is_one_object_in_two_groups(
    start: StartServer, client_for: ClientFor
) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "keptn-exec"},
        "involvedObject": {"kind": "Pod", "name": "helm-service-0", "namespace": "keptn-exec"},
        "message": "Back-off",
        "reason": "BackOff",
    }
    server = await start(Cluster("1.24", [running_pod(), event], users()))
    path = "/apis/events.k8s.io/v1/namespaces/keptn-exec/events"
    async with client_for(server) as client:
        items = (await client.get(path)).json()["items"]
        query = "?fieldSelector=regarding.name%3Dhelm-service-0,reason%3DBackOff"
        selected = (await client.get(path + query)).json()["items"]
    assert items[0]["note"] == "Back-off"
    pod = server.cluster.get("pods", "helm-service-0", "keptn-exec")
    assert pod is not None
    assert items[0]["regarding"]["uid"] == pod["metadata"]["uid"]
    assert len(selected) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("generation", MINORS)
async def test_every_generation_serves_what_its_discovery_lists(
    generation: str, start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster(generation, [running_pod()], users()))
    async with client_for(server) as client:
        version = (await client.get("/version")).json()
        assert f"{version['major']}.{version['minor']}" == generation
        paths = ["/api/v1"]
        for group in (await client.get("/apis")).json()["groups"]:
            paths += [f"/apis/{v['groupVersion']}" for v in group["versions"]]
        for path in paths:
            listed = (await client.get(path)).json()["resources"]
            for line in listed:
                if "list" in line["verbs"]:
                    answer = await client.get(f"{path}/{line['name']}")
                    assert answer.status_code == 200, line


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("generation", "version"), [("1.20", None), ("1.27", "v2beta1"), ("1.36", "v2")]
)
async def test_aggregated_discovery_is_there_since_1_27(
    generation: str, version: str | None, start: StartServer, client_for: ClientFor
) -> None:
    kinds = [
        f"application/json;g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList"
        for v in ("v2", "v2beta1")
    ]
    server = await start(Cluster(generation, users=users()))
    async with client_for(server) as client:
        answer = await client.get("/apis", headers={"Accept": ",".join([*kinds, "*/*"])})
    body = answer.json()
    if version is None:
        assert body["kind"] == "APIGroupList"
    else:
        assert body["apiVersion"] == f"apidiscovery.k8s.io/{version}"
        apps = next(item for item in body["items"] if item["metadata"]["name"] == "apps")
        names = [line["resource"] for line in apps["versions"][0]["resources"]]
        assert "deployments" in names


@pytest.mark.asyncio
async def test_yaml_is_answered_to_who_asks_for_it(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()))
    async with client_for(server) as client:
        answer = await client.get(PODS, headers={"Accept": "application/yaml"})
    assert answer.text.startswith("kind: PodList\napiVersion: v1\n")


@pytest.mark.asyncio
async def test_the_server_remembers_what_was_asked(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()))
    async with client_for(server) as client:
        await client.get(f"{PODS}?limit=1")
    (seen,) = server.served
    assert (seen.method, seen.verb, seen.path, seen.query) == ("GET", "list", PODS, "limit=1")
    assert (seen.user, seen.status) == ("admin", 200)
