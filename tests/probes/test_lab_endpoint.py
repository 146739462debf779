"""The whole walk against the embedded lab, whose Keptn nobody wrote for these tests."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
import pytest

from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import IntegrationListing, KeptnVersion, TokenCheck
from keptn_doctor.model.path_facts import GatewayAnswers, TlsSession
from keptn_doctor.model.topology import Endpoint
from keptn_doctor.probes.control_plane_api import observe_keptn_api
from keptn_doctor.probes.endpoint_path import observe_endpoint
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.retry import RetryPolicy
from keptn_doctor.secret import Secret

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]

QUICK = RetryPolicy(attempts=2, base_s=0.001)


async def observed(lab: Lab, token: str) -> Recorder:
    targets = lab.targets()
    parts = urlsplit(lab.endpoint)
    endpoint = Endpoint(
        url=lab.endpoint,
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or {"http": 80, "https": 443}[parts.scheme],
        path=parts.path,
    )
    recorder = Recorder(now=lambda: datetime.now(UTC))
    api = await observe_endpoint(
        recorder,
        Network(targets.network),
        endpoint,
        Secret(token),
        targets.deadlines,
        patience=QUICK,
        policy=QUICK,
    )
    assert api is not None
    await observe_keptn_api(recorder, api, subject="control-plane/keptn")
    return recorder


@pytest.mark.parametrize("version", ["0.8.7", "0.13.6", "0.16.2", "0.19.3", "1.4.5"])
async def test_a_healthy_keptn_of_any_version_answers_everything(version: str) -> None:
    async with start(loads(f"title: t\nkeptn: {version}")) as lab:
        recorder = await observed(lab, lab.api_token)
        text = msgspec.json.encode(recorder.observations).decode()
        assert lab.api_token not in text
    assert not [o for o in recorder.observations if isinstance(o.result, Failure)]
    ((_, answers),) = recorder.facts(GatewayAnswers)
    assert answers.reached == "keptn"
    for route in ("auth", "registration", "project", "datastore", "resources"):
        answer = answers.answer(route, with_token=True)
        assert answer is not None
        assert answer.status == 200, route
    ((_, told),) = recorder.facts(KeptnVersion)
    assert told.version == version
    ((_, listing),) = recorder.facts(IntegrationListing)
    assert listing.malformed == 0
    assert listing.integrations


async def test_a_wrong_token_is_refused_once_and_the_lists_stay_unread() -> None:
    async with start(loads("title: t\nkeptn: 0.13.6")) as lab:
        recorder = await observed(lab, "nobodys-token-0123456789")
    ((_, checked),) = recorder.facts(TokenCheck)
    assert (checked.accepted, checked.status) == (False, 401)
    assert "integrations" in [note.probe for note in recorder.not_attempted]


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("good", ""),
        ("expired", "certificate-expired"),
        ("wrong-name", "certificate-name-mismatch"),
        ("missing-intermediate", "certificate-incomplete-chain"),
        ("unknown-ca", "certificate-untrusted"),
    ],
)
async def test_the_labs_certificates_are_told_apart(kind: str, problem: str) -> None:
    text = (
        "title: t\nkeptn: 0.19.3\ncontrol-plane:\n"
        f"  exposure: {{by: load-balancer, tls: {{certificate: {{kind: {kind}}}}}}}"
    )
    async with start(loads(text)) as lab:
        recorder = await observed(lab, lab.api_token)
    ((_, session),) = recorder.facts(TlsSession)
    assert session.problem == problem
