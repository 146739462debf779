"""What a simulated client makes of its own settings: endpoints, variables, tokens, modes."""

from __future__ import annotations

import pytest
from client_traces import records
from sim_worlds import (
    HOST,
    client,
    listener,
    pod,
    texts,
    world,
)

from keptn_doctor.lab.settings import (
    HopSettings,
    ListenerSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("endpoint", "cause"),
    [
        (
            "http://ketpn.example.com/api",
            ("dial tcp: lookup ketpn.example.com on 10.96.0.10:53: no such host"),
        ),
        ("http://203.0.113.21/api", "dial tcp 203.0.113.21:80: connect: connection refused"),
        (
            "http://203.0.113.99/api",
            (
                "dial tcp 203.0.113.99:80: i/o timeout (Client.Timeout exceeded "
                "while awaiting headers)"
            ),
        ),
        (f"https://{HOST}:80/api", "http: server gave HTTP response to HTTPS client"),
        (f"http://{HOST}", "error with status code 404"),
        (f"http://{HOST}/api/api", "path /api/controlPlane/v1/uniform/registration was not found"),
    ],
)
async def test_what_is_wrong_with_an_endpoint_is_in_the_log(endpoint, cause):
    settings = world(
        "1.4.5",
        client("1.4.5", endpoint=endpoint),
        listeners=(
            listener(),
            listener(443, certificate="good"),
            ListenerSettings(
                address="203.0.113.21", port=80, serves="", hops=(HopSettings(behaviour="refuse"),)
            ),
        ),
    )
    async with Simulation(settings) as lab:
        lines = texts(pod(lab)) + [text for _, text in pod(lab).previous_log() or ()]
        assert any(cause in t for t in lines), lines[-3:]
        assert any("could not start uniform watch" in t for t in lines)


async def test_an_old_distributor_waits_two_minutes_for_a_black_hole():
    settings = world(
        "0.10.0", client("0.10.0", endpoint="http://203.0.113.99/api", running_for_s=600)
    )
    async with Simulation(settings) as lab:
        failed = [
            t
            for t in texts(pod(lab))
            if "dial tcp 203.0.113.99:80: connect: connection timed out" in t
        ]
        assert 2 <= len(failed) <= 5


@pytest.mark.parametrize(
    ("version", "endpoint", "text", "code"),
    [
        ("0.8.7", "my-host/api", "No valid URL configured for keptn api endpoint: parse", 1),
        ("0.13.6", "10.0.0.1:8080/api", "panic: runtime error: invalid memory address", 2),
        ("0.16.2", "my-host/api", 'msg="Could not initialize API set." error="invalid scheme', 1),
        (
            "0.16.2",
            "my-host:8080/api",
            'msg="Could not initialize API set." error="invalid scheme',
            1,
        ),
    ],
)
async def test_an_endpoint_without_a_scheme_ends_the_process(version, endpoint, text, code):
    async with Simulation(world(version, client(version, endpoint=endpoint))) as lab:
        run = pod(lab)
        if version != "0.13.6":
            assert any(text in t for t in texts(run))
        assert run.container().last.exit_code in (code, 1)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTP_SSL_VERIFY", "yes"),
        ("DISABLE_REGISTRATION", ""),
        ("API_PROXY_PORT", "eight"),
    ],
)
async def test_a_malformed_variable_stops_the_process_at_once(variable, value):
    async with Simulation(world("0.16.2", client("0.16.2", env={variable: value}))) as lab:
        run = pod(lab)
        assert any(
            f"Failed to process env var: envconfig.Process: assigning {variable} to " in t
            for t in texts(run)
        )
        assert run.container().last.exit_code == 1


@pytest.mark.parametrize("token", ["abc\n", "a\rb"])
async def test_a_token_with_a_line_break_never_leaves_the_pod(token):
    async with Simulation(world("1.4.5", client("1.4.5", token=token))) as lab:
        assert any("net/http: invalid header field value for" in t for t in texts(pod(lab)))
        assert lab.gateways["keptn"].rehearsed == []


async def test_nats_mode_on_a_remote_plane_looks_for_keptn_next_door():
    async with Simulation(world("0.13.6", client("0.13.6", endpoint=""))) as lab:
        assert any(
            "lookup shipyard-controller on 10.96.0.10:53: no such host" in t
            for t in texts(pod(lab))
        )
        assert pod(lab).container().state == "waiting"


@pytest.mark.parametrize(
    ("env", "omit", "text"),
    [
        ({"DISABLE_REGISTRATION": "true"}, (), "Registration to Keptn's control plane disabled"),
        ({}, ("K8S_DEPLOYMENT_NAME",), "Skipping Registration because not all mandatory"),
        (
            {"K8S_DEPLOYMENT_NAME": "api-service"},
            (),
            "service name api-service is actively filtered",
        ),
    ],
)
async def test_without_registration_a_service_is_silent_and_deaf(env, omit, text):
    settings = world("1.4.5", client("0.18.0", env=env, omit_env=omit))
    async with Simulation(settings) as lab:
        assert any(text in t for t in texts(pod(lab)))
        assert records(lab) == []
        assert lab.gateways["keptn"].log == ()
        assert pod(lab).container().state == "running"


async def test_a_0_8_distributor_polls_without_any_registration():
    settings = world("0.8.7", client("0.8.7", env={"DISABLE_REGISTRATION": "true"}))
    async with Simulation(settings) as lab:
        lines = texts(pod(lab))
        assert any("Received 0 new .triggered events" in t for t in lines)
        assert records(lab) == []


async def test_a_missing_node_name_is_a_default_for_distributors_and_an_error_for_the_sdk():
    async with Simulation(world("1.4.5", client("0.18.0", omit_env=("K8S_NODE_NAME",)))) as lab:
        assert any("K8S_NODE_NAME is not set. Using default value" in t for t in texts(pod(lab)))
        assert records(lab)[0].node == "keptn-node"
    sdk = client("0.20.4", client="sdk", omit_env=("K8S_NODE_NAME",))
    async with Simulation(world("1.4.5", sdk)) as lab:
        assert "incomplete integration ID" in texts(pod(lab))[-1]
