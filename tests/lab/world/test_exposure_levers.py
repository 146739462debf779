"""How the gateway is exposed, and what therefore answers from which vantage."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.x509 import load_pem_x509_certificate
from world_lab import addresses, ask, events, listed, pods

from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]

EXPOSURE = "title: t\ncontrol-plane:\n  exposure: {}\n"
GATEWAY = "/api/v1/namespaces/keptn/services/api-gateway-nginx"


async def metadata(lab: Lab, url: str, vantage: str = "operator") -> int:
    answer = await ask(lab, f"{url}/v1/metadata", token=lab.api_token, vantage=vantage)
    return answer.status_code


def exposure(text: str, rest: str = "") -> str:
    return f"title: t\ncontrol-plane:\n  exposure: {{{text}}}\n{rest}"


@pytest.mark.parametrize(
    ("levers", "endpoint"),
    [
        ("by: load-balancer", "http://keptn.example.com/api"),
        ("by: load-balancer, port: 8081", "http://keptn.example.com:8081/api"),
        ("by: load-balancer, tls: {}", "https://keptn.example.com/api"),
        (
            "load-balancer-hostname: abc.elb.amazonaws.com",
            "http://abc.elb.amazonaws.com/api",
        ),
        ("by: node-port", "http://10.0.1.11:31090/api"),
        ("by: ingress", "http://keptn.example.com/api"),
        ("by: ingress, tls: {}", "https://keptn.example.com/api"),
        ("by: ingress, controller: traefik", "http://keptn.example.com/api"),
        ("by: route", "http://keptn.example.com/api"),
        ("by: route, tls: {}", "https://keptn.example.com/api"),
        ("by: virtual-service", "http://keptn.example.com/api"),
    ],
)
async def test_each_exposure_gives_an_endpoint_that_works_from_outside(
    levers: str, endpoint: str
) -> None:
    async with start(loads(exposure(levers))) as lab:
        assert lab.endpoint == endpoint
        assert await metadata(lab, lab.endpoint) == 200
        assert await metadata(lab, lab.endpoint, "exec-a") == 200


async def test_a_cluster_address_is_reached_from_inside_only() -> None:
    beside = "execution-planes: {exec-b: {same-cluster-as: control-plane}}"
    text = exposure("by: cluster-ip", beside)
    async with start(loads(text)) as lab:
        assert lab.endpoint == "http://api-gateway-nginx.keptn/api"
        service = next(
            s
            for s in await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/services")
            if s["metadata"]["name"] == "api-gateway-nginx"
        )
        inside = f"http://{service['spec']['clusterIP']}/api"
        assert await metadata(lab, inside, "exec-b") == 200
        with pytest.raises(TimeoutError):
            await metadata(lab, inside, "exec-a")
        name = "api-gateway-nginx.keptn.svc.cluster.local"
        assert await addresses(lab, name, "exec-b") == [service["spec"]["clusterIP"]]


@pytest.mark.parametrize(
    "text",
    [
        exposure("pending: true"),
        "title: t\ncontrol-plane: {cluster: {load-balancer: none}}",
    ],
)
async def test_a_pending_load_balancer_has_no_address_and_answers_nowhere(text: str) -> None:
    async with start(loads(text)) as lab:
        services = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/services")
        gateway = next(s for s in services if s["metadata"]["name"] == "api-gateway-nginx")
        assert gateway["spec"]["type"] == "LoadBalancer"
        assert not gateway["status"]["loadBalancer"].get("ingress")
        with pytest.raises(TimeoutError):
            await metadata(lab, "http://203.0.113.20/api")


async def test_an_address_that_is_not_announced_has_no_route() -> None:
    async with start(loads(exposure("announced: false"))) as lab:
        with pytest.raises(OSError, match="no route"):
            await metadata(lab, lab.endpoint)
        assert await metadata(lab, lab.endpoint, "control-plane") == 200


async def test_source_ranges_drop_whoever_is_outside() -> None:
    text = """
        title: t
        control-plane:
          cluster:
            objects:
              - patch: Service keptn/api-gateway-nginx
                merge: {spec: {loadBalancerSourceRanges: [198.51.100.0/28]}}
        """
    async with start(loads(text)) as lab:
        assert await metadata(lab, lab.endpoint) == 200
        with pytest.raises(TimeoutError):
            await metadata(lab, lab.endpoint, "exec-a")


async def test_a_changed_ingress_host_leaves_the_default_backend() -> None:
    text = """
        title: t
        control-plane:
          exposure: {by: ingress}
          cluster:
            objects:
              - patch: Ingress keptn/api-keptn-ingress
                merge: {spec: {rules: [{host: 10.0.0.5.nip.io, http: {paths: [
                  {path: /, pathType: Prefix, backend: {service: {name: api-gateway-nginx,
                   port: {number: 80}}}}]}}]}}
        """
    async with start(loads(text)) as lab:
        answer = await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
    assert answer.status_code == 404
    assert answer.text == "default backend - 404"


async def test_without_its_secret_an_ingress_shows_the_fake_certificate() -> None:
    text = """
        title: t
        control-plane:
          exposure: {by: ingress, tls: {}}
          cluster: {objects: [{remove: Secret keptn/keptn-tls}]}
        """
    async with start(loads(text)) as lab:
        tls = next(x.tls for x in lab.simulation.settings.listeners if x.port == 443)
    assert tls is not None
    assert tls.certificate.kind == "ingress-fake"


async def test_an_ingress_with_tls_redirects_plain_requests() -> None:
    async with start(loads(exposure("by: ingress, tls: {}"))) as lab:
        answer = await ask(lab, "http://keptn.example.com/api/v1/metadata")
    assert answer.status_code == 308
    assert answer.headers["location"].startswith("https://keptn.example.com/api/")


@pytest.mark.parametrize(
    ("annotation", "status"),
    [
        ("nginx.ingress.kubernetes.io/auth-signin: https://login.example.com", 302),
        ('nginx.ingress.kubernetes.io/auth-tls-verify-client: "on"', 400),
        ("nginx.ingress.kubernetes.io/whitelist-source-range: 192.0.2.0/24", 403),
    ],
)
async def test_annotations_of_an_ingress_take_effect(annotation: str, status: int) -> None:
    text = f"""
        title: t
        control-plane:
          exposure: {{by: ingress}}
          cluster:
            objects:
              - patch: Ingress keptn/api-keptn-ingress
                merge: {{metadata: {{annotations: {{{annotation}}}}}}}
        """
    async with start(loads(text)) as lab:
        assert await metadata(lab, lab.endpoint) == status


async def test_a_route_to_a_port_that_does_not_exist_is_not_available() -> None:
    text = """
        title: t
        control-plane:
          exposure: {by: route}
          cluster:
            platform: openshift
            objects:
              - patch: Route keptn/api-gateway-nginx
                merge: {spec: {port: {targetPort: 8443}}}
        """
    async with start(loads(text)) as lab:
        answer = await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
    assert answer.status_code == 503
    assert "Application is not available" in answer.text


async def test_strict_mutual_tls_resets_plain_connections_to_a_meshed_gateway() -> None:
    text = """
        title: t
        control-plane:
          cluster:
            objects:
              - patch: Namespace keptn
                merge: {metadata: {labels: {istio-injection: enabled}}}
              - add:
                  apiVersion: security.istio.io/v1beta1
                  kind: PeerAuthentication
                  metadata: {name: default, namespace: keptn}
                  spec: {mtls: {mode: STRICT}}
        """
    async with start(loads(text)) as lab:
        with pytest.raises(ConnectionResetError):
            await metadata(lab, lab.endpoint)


async def test_on_k3s_another_service_may_own_the_port() -> None:
    text = """
        title: t
        control-plane:
          cluster:
            platform: k3s
            objects:
              - add:
                  apiVersion: v1
                  kind: Service
                  metadata: {name: traefik, namespace: kube-system,
                             creationTimestamp: "2020-01-01T00:00:00Z"}
                  spec:
                    type: LoadBalancer
                    selector: {app: traefik}
                    ports: [{name: web, port: 80, targetPort: 8000}]
        """
    async with start(loads(text)) as lab:
        system = await pods(lab, "keptn-cp", "kube-system")
        seen = await events(lab, "keptn-cp", "kube-system")
        answer = await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
    gateway = next(p for name, p in system.items() if "api-gateway-nginx" in name)
    assert gateway["status"]["phase"] == "Pending"
    assert any("didn't have free ports" in message for _, message in seen)
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", ["expired", "self-signed", "wrong-name", "unknown-ca"])
async def test_the_certificate_of_the_exposure_is_the_one_asked_for(kind: str) -> None:
    text = exposure(f"tls: {{certificate: {{kind: {kind}}}}}")
    async with start(loads(text)) as lab:
        assert await metadata(lab, lab.endpoint) == 200
        tls = next(x.tls for x in lab.simulation.settings.listeners if x.port == 443)
    assert tls is not None
    assert tls.certificate.kind == kind


async def test_a_prefix_path_is_part_of_the_endpoint_and_missed_without() -> None:
    async with start(loads("title: t\ncontrol-plane: {gateway: {prefix-path: /keptn}}")) as lab:
        assert lab.endpoint == "http://keptn.example.com/keptn/api"
        assert await metadata(lab, lab.endpoint) == 200
        assert await metadata(lab, "http://keptn.example.com/api") == 404
        maps = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/configmaps")
    config = next(m for m in maps if m["metadata"]["name"] == "api-nginx-config")
    assert "location /keptn/api" in config["data"]["keptn-endpoints.conf"]


async def test_a_front_stands_before_the_load_balancer() -> None:
    text = exposure("front: {name: waf, product: waf, blocked-methods: [PUT]}")
    async with start(loads(text)) as lab:
        url = f"{lab.endpoint}/controlPlane/v1/uniform/registration/x/ping"
        blocked = await ask(lab, url, token=lab.api_token, method="PUT")
        assert await metadata(lab, lab.endpoint) == 200
    assert blocked.status_code == 405


async def test_a_front_stands_before_an_ingress() -> None:
    text = exposure("by: ingress, front: {name: proxy, strips-headers: [x-token]}")
    async with start(loads(text)) as lab:
        assert await metadata(lab, lab.endpoint) == 401


async def test_the_secret_of_an_ingress_holds_the_certificate_that_is_shown() -> None:
    text = exposure("by: ingress, tls: {certificate: {kind: expired}}")
    async with start(loads(text)) as lab:
        found = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/secrets")
    secret = next(s for s in found if s["metadata"]["name"] == "keptn-tls")
    certificate = load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))
    assert certificate.not_valid_after_utc < datetime.now(UTC)
