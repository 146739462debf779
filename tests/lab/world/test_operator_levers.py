"""The operator's kubeconfig, rights and API servers, good and bad."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest
import yaml
from world_lab import ask, kube, kubectl, listed, run

from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]
PODS = "/api/v1/namespaces/keptn-exec/pods"


def context(text: str, name: str = "exec-a") -> str:
    return f"title: t\noperator: {{contexts: {{{name}: {{{text}}}}}}}"


async def status(lab: Lab, path: str, name: str = "exec-a") -> int:
    async with kube(lab, name) as client:
        return (await client.get(path)).status_code


@pytest.mark.parametrize("credentials", ["expired", "revoked"])
async def test_bad_credentials_are_unauthorized_in_their_cluster_only(credentials: str) -> None:
    async with start(loads(context(f"credentials: {credentials}"))) as lab:
        assert await status(lab, PODS) == 401
        assert await status(lab, "/api/v1/namespaces/keptn/pods", "keptn-cp") == 200


async def test_without_credentials_the_operator_is_anonymous() -> None:
    async with start(loads(context("credentials: none"))) as lab:
        assert await status(lab, PODS) == 403
        assert await status(lab, "/version") == 200


async def test_what_cannot_be_read_is_forbidden_and_the_rest_is_not() -> None:
    async with start(loads(context("cannot: [pods/log, secrets, list nodes]"))) as lab:
        pod = (await listed(lab, "exec-a", PODS))[0]["metadata"]["name"]
        assert await status(lab, f"{PODS}/{pod}/log?container=distributor") == 403
        assert await status(lab, "/api/v1/namespaces/keptn-exec/secrets") == 403
        assert await status(lab, "/api/v1/nodes") == 403
        assert await status(lab, "/api/v1/nodes/node-1") == 200
        assert await status(lab, "/api/v1/namespaces/keptn-exec/services") == 200


async def test_rights_may_end_at_the_namespace() -> None:
    async with start(loads(context("only-in: [keptn-exec]"))) as lab:
        assert await status(lab, PODS) == 200
        assert await status(lab, "/api/v1/pods") == 403
        assert await status(lab, "/api/v1/nodes") == 403
        assert await status(lab, "/api/v1/namespaces/kube-system/pods") == 403


async def test_no_rights_at_all_are_still_not_401() -> None:
    async with start(loads(context('cannot: ["*"]'))) as lab:
        assert await status(lab, PODS) == 403


async def test_a_context_may_point_to_another_cluster() -> None:
    async with start(loads(context("points-to: exec-b", "keptn-cp"))) as lab:
        assert await status(lab, "/api/v1/namespaces/keptn", "keptn-cp") == 404
        assert await status(lab, "/api/v1/namespaces/keptn-jes", "keptn-cp") == 200


async def test_a_client_certificate_is_a_credential() -> None:
    async with start(loads(context("credentials: client-certificate"))) as lab:
        command = ["get", "pods", "-n", "keptn-exec", "--context", "exec-a"]
        assert "helm-service" in (await kubectl(lab, *command)).stdout


async def test_an_expired_client_certificate_is_unauthorized() -> None:
    async with start(loads(context("credentials: client-certificate-expired"))) as lab:
        done = await kubectl(lab, "get", "pods", "--context", "exec-a")
    assert done.returncode != 0
    assert "Unauthorized" in done.stderr or "logged in" in done.stderr


@pytest.mark.parametrize(
    ("server", "error"),
    [
        ("refused", httpx.ConnectError),
        ("unreachable", httpx.ConnectTimeout),
        ("other-ca", httpx.ConnectError),
        ("unknown-host", httpx.ConnectError),
    ],
)
async def test_an_api_server_may_be_out_of_reach(server: str, error: type[Exception]) -> None:
    async with start(loads(context(f"server: {server}"))) as lab, kube(lab, "exec-a") as client:
        with pytest.raises(error):
            await client.get("/version", timeout=0.3)


async def test_the_name_that_tls_is_checked_against_may_be_wrong() -> None:
    async with start(loads(context("server: wrong-name"))) as lab:
        document = yaml.safe_load(lab.kubeconfig.read_text())
    names = {c["name"]: c["cluster"].get("tls-server-name") for c in document["clusters"]}
    assert names == {"keptn-cp": None, "exec-a": "kubernetes.other.example", "exec-b": None}


@pytest.mark.parametrize(
    ("how", "code", "phrase"),
    [
        ("plugin", 0, "ExecCredential"),
        ("plugin-fails", 1, "could not refresh the session"),
        ("plugin-prints-garbage", 0, "Welcome!"),
    ],
)
async def test_credential_plugins_do_what_they_are_told(how: str, code: int, phrase: str) -> None:
    async with start(loads(context(f"credentials: {how}"))) as lab:
        document = yaml.safe_load(lab.kubeconfig.read_text())
        user = next(u["user"] for u in document["users"] if u["name"] == "operator@exec-a")
        plugin = user["exec"]
        done = await run(plugin["command"], *plugin["args"])
    assert plugin["command"] == sys.executable
    assert done.returncode == code
    assert phrase in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("state", "content"),
    [("missing", None), ("empty", ""), ("dangling-user", "users: []")],
)
async def test_the_kubeconfig_itself_may_be_bad(state: str, content: str | None) -> None:
    async with start(loads(f"title: t\noperator: {{kubeconfig: {state}}}")) as lab:
        exists = lab.kubeconfig.exists()
        text = lab.kubeconfig.read_text() if exists else ""
    assert exists == (content is not None)
    assert (content or "") in text


async def test_a_malformed_kubeconfig_is_not_yaml() -> None:
    async with start(loads("title: t\noperator: {kubeconfig: malformed}")) as lab:
        text = lab.kubeconfig.read_text()
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(text)


async def test_a_cluster_that_is_not_given_is_no_target() -> None:
    async with start(loads(context("given: false", "keptn-cp"))) as lab:
        targets = lab.targets()
    assert targets.control_plane is None
    assert [plane.name for plane in targets.execution_planes] == ["exec-a", "exec-b"]


async def test_namespaces_that_the_operator_names_are_in_the_targets() -> None:
    async with start(loads(context("namespaces: [elsewhere]"))) as lab:
        plane = lab.targets().execution_planes[0]
    assert plane.namespaces == ("elsewhere",)


async def test_one_cluster_may_hold_two_planes() -> None:
    text = "title: t\nexecution-planes: {exec-a: {same-cluster-as: control-plane}}"
    async with start(loads(text)) as lab:
        first = await listed(lab, "keptn-cp", "/api/v1/namespaces")
        second = await listed(lab, "exec-a", "/api/v1/namespaces")
    assert first == second
    assert {"keptn", "keptn-exec"} <= {space["metadata"]["name"] for space in first}


async def test_a_planes_clock_may_be_wrong_and_all_its_times_agree() -> None:
    text = "title: t\nexecution-planes: {exec-a: {cluster: {clock-offset: 1h}}}"
    async with start(loads(text)) as lab:
        async with kube(lab, "exec-a") as client:
            answer = await client.get(PODS)
            pod = answer.json()["items"][0]
            path = f"{PODS}/{pod['metadata']['name']}/log?container=distributor&timestamps=true"
            line = (await client.get(path)).text.splitlines()[-1]
        now = datetime.now(UTC)
    served = parsedate_to_datetime(answer.headers["date"])
    born = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    stamp, _, text = line.partition(" ")
    assert abs((served - now).total_seconds() - 3600) < 10
    assert abs((served - born).total_seconds() - 7200) < 10
    assert stamp[:16] in text


async def test_the_control_planes_clock_is_that_of_its_registrations() -> None:
    text = "title: t\ncontrol-plane: {cluster: {clock-offset: -1h}}"
    async with start(loads(text)) as lab:
        url = f"{lab.endpoint}/controlPlane/v1/uniform/registration"
        answer = await ask(lab, url, token=lab.api_token)
    served = parsedate_to_datetime(answer.headers["date"])
    seen = datetime.fromisoformat(answer.json()[0]["metadata"]["lastseen"])
    assert abs((datetime.now(UTC) - served).total_seconds() - 3600) < 10
    assert abs((served - seen).total_seconds()) < 30


async def test_an_api_server_may_misbehave() -> None:
    text = """
        title: t
        execution-planes:
          exec-a:
            cluster: {api-server: [{kind: html, path-prefix: /api/v1/namespaces}]}
        """
    async with start(loads(text)) as lab, kube(lab, "exec-a") as client:
        answer = await client.get(PODS)
    assert answer.headers["content-type"].startswith("text/html")


