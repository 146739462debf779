"""Which simulated clients verify whom: certificates, OAuth providers, tokens by version."""

from __future__ import annotations

import pytest
from client_traces import HTTPS, age, records
from sim_worlds import (
    client,
    listener,
    pod,
    texts,
    with_public,
    world,
)

from keptn_doctor.lab.settings import (
    DnsRecord,
    IdentityProviderSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("expired", "certificate has expired"),
        ("self-signed", "signed by unknown authority"),
        ("wrong-name", "certificate is valid for"),
    ],
)
async def test_a_0_9_distributor_with_a_bad_certificate_is_registered_and_deaf(kind, word):
    async with Simulation(world("0.9.2", client("0.9.2", endpoint=HTTPS), certificate=kind)) as lab:
        assert age(lab) <= 10.5
        lines = texts(pod(lab))
        failed = [t for t in lines if "Could not retrieve events of type" in t]
        assert failed
        assert all(f"x509: {word}" in t or word in t for t in failed)
        assert not any("heart beat" in t for t in lines)


async def test_a_1_4_5_distributor_does_not_care_about_certificates():
    settings = world("1.4.5", client("1.4.5", endpoint=HTTPS), certificate="expired")
    async with Simulation(settings) as lab:
        assert age(lab) <= 10.5
        assert not any("level=warning" in t for t in texts(pod(lab)))


async def test_switching_verification_off_mends_an_old_distributor():
    old = client("0.9.2", endpoint=HTTPS, env={"HTTP_SSL_VERIFY": "false"})
    async with Simulation(world("0.9.2", old, certificate="self-signed")) as lab:
        assert not any("level=error" in t for t in texts(pod(lab)))


async def test_oauth_mode_verifies_everything():
    oauth = {
        "OAUTH_CLIENT_ID": "keptn-doctor-lab",
        "OAUTH_CLIENT_SECRET": "lab-client-secret",
        "OAUTH_SCOPES": "keptn:integrations:write",
        "OAUTH_TOKEN_URL": "http://login.example.com/oauth2/token",
    }
    settings = world(
        "1.4.5",
        client("1.4.5", endpoint=HTTPS, env=oauth),
        certificate="self-signed",
        identity_providers=(IdentityProviderSettings(name="idp"),),
        listeners=(
            listener(),
            listener(443, certificate="self-signed"),
            listener(address="203.0.113.50", serves="idp"),
        ),
        dns=with_public(DnsRecord(name="login.example.com", values=("203.0.113.50",))),
    )
    async with Simulation(settings) as lab:
        run = pod(lab)
        assert run.container().state == "waiting"
        assert any("x509: certificate signed by unknown authority" in t for t in texts(run))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"OAUTH_CLIENT_SECRET": "wrong"}, "oauth2: cannot fetch token: 401 Unauthorized"),
        ({"OAUTH_SCOPES": "keptn:nothing"}, "oauth2: cannot fetch token: 400 Bad Request"),
        (
            {"OAUTH_TOKEN_URL": "", "OAUTH_DISCOVERY": "http://nowhere.example.com/x"},
            'level=fatal msg="Could not initialize http client." error="Get ',
        ),
    ],
)
async def test_oauth_failures_are_worded_by_the_library(changes, text):
    oauth = {
        "OAUTH_CLIENT_ID": "keptn-doctor-lab",
        "OAUTH_CLIENT_SECRET": "lab-client-secret",
        "OAUTH_SCOPES": "keptn:integrations:write",
        "OAUTH_TOKEN_URL": "http://login.example.com/oauth2/token",
    } | changes
    settings = world(
        "1.4.5",
        client("1.4.5", env=oauth),
        identity_providers=(IdentityProviderSettings(name="idp"),),
        listeners=(listener(), listener(address="203.0.113.50", serves="idp")),
        dns=with_public(DnsRecord(name="login.example.com", values=("203.0.113.50",))),
    )
    async with Simulation(settings) as lab:
        assert any(text in t for t in texts(pod(lab)))
        assert pod(lab).container().state == "waiting"


@pytest.mark.parametrize(
    ("version", "control_plane", "text", "state", "code"),
    [
        (
            "0.8.7",
            "0.8.7",
            (
                "Unable to (re)register to Keptn's control plane: invalid character '<' "
                "looking for beginning of value\\n-----DETAILS-----<html>"
            ),
            "running",
            None,
        ),
        (
            "0.9.2",
            "0.9.2",
            "Unable to register to Keptn's control plane: invalid character '<'",
            "running",
            None,
        ),
        (
            "0.11.4",
            "0.13.6",
            "Could notregister to Keptn's control plane: invalid character '<'",
            "running",
            None,
        ),
        (
            "0.12.7",
            "0.13.6",
            "Could not register to Keptn's control plane: invalid character '<'",
            "waiting",
            1,
        ),
        (
            "0.13.6",
            "0.13.6",
            "Could not register to Keptn's control plane: error with status code 401",
            "waiting",
            1,
        ),
        ("0.16.2", "0.16.2", "(retry count: 3/10), error with status code 401", "waiting", 1),
        (
            "0.18.0",
            "1.4.5",
            "(retry count: 10/10), unauthenticated or invalid credentials",
            "waiting",
            1,
        ),
    ],
)
async def test_a_wrong_token_by_version(version, control_plane, text, state, code):
    async with Simulation(world(control_plane, client(version, token="wrong"))) as lab:
        run = pod(lab)
        assert any(text in t for t in texts(run)), texts(run)[-3:]
        assert run.container().state == state
        if code is not None:
            assert run.container().last.exit_code == code
            assert run.container().restarts > 10
        assert records(lab) == []
