"""Simulated clients against the lab's network: what follows from a cause, by version."""

from __future__ import annotations

import re
import time

import pytest
from sim_worlds import (
    ADDRESS,
    HOST,
    REGISTRATION,
    ask,
    changed,
    client,
    listener,
    pod,
    stopped_clock,
    texts,
    with_public,
    world,
)

from keptn_doctor.lab.settings import (
    BackendSettings,
    DeletedRegistration,
    DnsRecord,
    DnsRule,
    DnsSettings,
    DnsViewSettings,
    EditedSubscriptions,
    EgressRule,
    EgressSettings,
    EventSettings,
    FrontSettings,
    HopSettings,
    IdentityProviderSettings,
    ListenerSettings,
    PlaneNetworkSettings,
    ProxySettings,
    RegistrationSettings,
    ServiceContainerSettings,
    StoreSettings,
    SubscriptionSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio

HTTPS = f"https://{HOST}/api"


def records(lab: Simulation, name: str = "helm-service"):
    return lab.keptn.uniform.matching(name, "keptn-exec", lab.clock())


def age(lab: Simulation, name: str = "helm-service") -> float:
    now = lab.clock()
    return (now - records(lab, name)[0].last_seen(now)).total_seconds()


@pytest.mark.parametrize(
    "version",
    [
        "0.8.7",
        "0.9.2",
        "0.10.0",
        "0.11.4",
        "0.12.7",
        "0.13.0",
        "0.13.6",
        "0.14.3",
        "0.15.1",
        "0.16.2",
        "0.18.2",
        "0.19.3",
        "1.0.0",
        "1.4.5",
    ],
)
async def test_a_healthy_client_of_every_version_is_registered_and_fresh(version):
    async with Simulation(world(version, client(version))) as lab:
        assert len(records(lab)) == 1
        assert age(lab) <= 10.5
        run = pod(lab)
        assert (run.container().state, run.container().restarts) == ("running", 0)
        assert any(
            f"Registered Keptn Integration with id {records(lab)[0].id}" in t for t in texts(run)
        )
        assert not any("level=error" in t or "level=warning" in t for t in texts(run))


async def test_a_control_plane_with_three_clients_starts_well_under_a_second():
    clients = (
        client("0.18.0"),
        client("0.18.0", name="jmeter-service"),
        client("0.20.4", name="job-executor-service", plane="exec-b", client="sdk"),
    )
    begin = time.perf_counter()
    async with Simulation(world("0.19.3", *clients)):
        assert time.perf_counter() - begin < 1.0


async def test_heartbeats_go_on_with_the_clock_and_nothing_else():
    settings = world("1.4.5", client("1.4.5"))
    async with Simulation(settings) as lab:
        now = lab.clock()
        record = records(lab)[0]
        later = record.last_seen(now.replace(year=now.year + 1))
        assert later > record.last_seen(now)


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


@pytest.mark.parametrize(
    ("control_plane", "nodes", "count"),
    [
        ("0.8.7", ("n1", "n2"), 1),
        ("0.13.6", ("n1", "n2"), 2),
        ("0.13.6", ("n1", "n1"), 1),
        ("0.16.2", ("n1", "n2"), 1),
        ("1.4.5", ("n1", "n2"), 1),
    ],
)
async def test_two_planes_share_a_record_by_the_rule_of_the_version(control_plane, nodes, count):
    first = client(control_plane, nodes=(nodes[0],), running_for_s=8000, env={"STAGE_FILTER": ""})
    second = client(control_plane, plane="exec-b", nodes=(nodes[1],))
    async with Simulation(world(control_plane, second, first)) as lab:
        assert len(records(lab)) == count
        ids = {pod(lab, 0).integration_id, pod(lab, 1).integration_id}
        assert len(ids) == count


async def test_the_first_registrant_decides_the_subscriptions_of_a_shared_record():
    dev = client("0.18.0", running_for_s=9000, env={"STAGE_FILTER": "dev"})
    prod = client("0.18.0", plane="exec-b", env={"STAGE_FILTER": "prod"})
    async with Simulation(world("1.4.5", prod, dev)) as lab:
        assert {s.stages for s in records(lab)[0].subscriptions} == {("dev",)}
        assert {s.stages for s in pod(lab, 0).phases[-1].calls.subscriptions} == {("dev",)}


async def test_filters_are_split_on_commas_and_not_trimmed():
    filtered = client("0.18.0", env={"STAGE_FILTER": "dev, prod"})
    async with Simulation(world("1.4.5", filtered)) as lab:
        assert records(lab)[0].subscriptions[0].stages == ("dev", " prod")


async def test_a_later_change_of_topics_does_not_reach_an_existing_record():
    old = RegistrationSettings(
        name="helm-service",
        node="node-1",
        seen_ago_s=7300,
        subscriptions=(SubscriptionSettings(event="sh.keptn.event.old.triggered"),),
    )
    async with Simulation(world("1.4.5", client("0.18.0"), keptn={"registrations": (old,)})) as lab:
        assert [s.event for s in records(lab)[0].subscriptions] == ["sh.keptn.event.old.triggered"]
        assert list(pod(lab).phases[-1].calls.polls)  # and that is what is polled
        polls = [t for _, t in lab.gateways["keptn"].log if "/event/triggered/" in t]
        assert polls
        assert all("sh.keptn.event.old.triggered" in t for t in polls)


async def test_a_client_whose_subscriptions_were_removed_only_pings():
    keptn = {"edited": (EditedSubscriptions(name="helm-service"),)}
    async with Simulation(world("1.4.5", client("0.18.0"), keptn=keptn)) as lab:
        assert records(lab)[0].subscriptions == ()
        lines = [t for _, t in lab.gateways["keptn"].log]
        assert any("/ping HTTP" in t for t in lines)
        assert not any("/event/triggered/" in t for t in lines)


DELETED = {"deleted": (DeletedRegistration(name="helm-service", ago_s=1000),)}


async def test_a_0_13_distributor_pings_a_lost_record_for_ever():
    async with Simulation(world("0.19.3", client("0.13.6"), keptn=DELETED)) as lab:
        run = pod(lab)
        lost = [
            t
            for t in texts(run)
            if "Could not send heart beat to Keptn's control plane: "
            "uniform integration not found" in t
        ]
        assert 95 <= len(lost) <= 101
        assert (run.container().restarts, records(lab)) == (0, [])


async def test_a_0_18_distributor_leaves_with_code_0_and_registers_again():
    async with Simulation(world("0.19.3", client("0.18.0"), keptn=DELETED)) as lab:
        run = pod(lab)
        assert run.container().restarts == 1
        assert (run.container().last.exit_code, run.container().last.reason) == (0, "Completed")
        before = [text for _, text in run.previous_log() or ()]
        assert any("(retry count: 10/10): uniform integration not found" in t for t in before)
        assert "Stop trying to send heart beat to control plane and exiting..." in before[-1]
        assert age(lab) <= 10.5


async def test_an_sdk_client_registers_again_after_its_record_is_gone():
    sdk = client("0.20.4", client="sdk")
    async with Simulation(world("0.19.3", sdk, keptn=DELETED)) as lab:
        run = pod(lab)
        assert run.container().restarts == 1
        assert run.container().last.exit_code == 1
        before = [text for _, text in run.previous_log() or ()]
        assert before[-1].endswith(" <nil>")
        assert age(lab) <= 5.5


async def test_an_sdk_client_that_cannot_register_ends_at_once():
    sdk = client(
        "0.3.0",
        name="job-executor-service",
        client="sdk",
        token="wrong",
        product="job-executor-service",
    )
    async with Simulation(world("1.4.5", sdk)) as lab:
        run = pod(lab)
        assert run.container().state == "waiting"
        assert not run.container().ready
        assert texts(run)[-1].endswith(
            "could not register integration: unauthenticated or invalid credentials"
        )


@pytest.mark.parametrize(
    ("version", "restarts", "still_pinging"),
    [
        ("0.13.6", False, True),
        ("0.18.0", True, False),
    ],
)
async def test_a_link_that_broke_leaves_a_record_as_old_as_the_break(
    version, restarts, still_pinging
):
    lost = client(version, endpoint="http://203.0.113.99/api", connected_until_ago_s=3000)
    async with Simulation(world("1.4.5", lost)) as lab:
        assert 2985 <= age(lab) <= 3015
        run = pod(lab)
        assert (run.container().restarts > 0) == restarts
        failing = any("heart beat" in t for t in texts(run))
        assert failing == still_pinging
        if restarts:
            assert run.container().last.exit_code == 1
            assert any("could not start uniform watch" in t for t in texts(run))


async def test_a_rollout_starts_the_pods_at_the_time_of_the_change():
    rolled = client("0.18.0", token="wrong", connected_until_ago_s=600, changed_by="rollout")
    async with Simulation(world("1.4.5", rolled)) as lab:
        assert 595 <= age(lab) <= 615
        assert all(
            p.begin >= pod(lab).history.processes[0].begin for p in pod(lab).history.processes
        )
        assert pod(lab).container().restarts < 10


async def test_a_workload_that_was_stopped_leaves_its_record():
    gone = client("0.18.0", stopped_ago_s=3 * 3600, running_for_s=10 * 3600)
    async with Simulation(world("1.4.5", gone)) as lab:
        assert 3 * 3600 - 15 <= age(lab) <= 3 * 3600 + 15
        assert not pod(lab).is_alive()


async def test_a_full_disk_stops_all_heartbeats_at_once():
    store = StoreSettings(mongodb="disk-full", mongodb_ago_s=1800)
    async with Simulation(world("1.4.5", client("0.13.6"), keptn={"store": store})) as lab:
        assert 1785 <= age(lab) <= 1815
        assert any("No space left on device" in t for t in texts(pod(lab)))


async def test_a_firewall_that_blocks_put_ends_the_process_every_two_minutes():
    front = FrontSettings(name="waf", product="waf", blocked_methods=("PUT",), blocked_status=403)
    settings = world("1.4.5", client("1.4.5"), fronts=(front,), listeners=(listener(serves="waf"),))
    async with Simulation(settings) as lab:
        run = pod(lab)
        assert len(records(lab)) == 1
        assert run.container().restarts > 10
        assert run.container().last.exit_code == 0
        before = [t for _, t in run.previous_log() or ()]
        assert any(
            "heart beat to control plane (retry count: 4/10): error with status code 403" in t
            for t in before
        )


@pytest.mark.parametrize(("status", "registers"), [(301, False), (302, False), (308, True)])
async def test_a_redirect_to_https_turns_a_registration_into_a_read(status, registers):
    front = FrontSettings(name="ingress", redirect_status=status)
    settings = world(
        "1.4.5",
        client("1.4.5"),
        fronts=(front,),
        listeners=(listener(serves="ingress"), listener(443, certificate="good", serves="ingress")),
    )
    async with Simulation(settings) as lab:
        assert bool(records(lab)) == registers
        text = (
            "json: cannot unmarshal array into Go value of type models.RegisterIntegrationResponse"
        )
        assert any(text in t for t in texts(pod(lab))) != registers


async def test_0_8_registers_over_http_whatever_the_endpoint_says():
    settings = world(
        "0.8.7",
        client("0.8.7", endpoint=HTTPS),
        listeners=(
            listener(443, certificate="good"),
            listener(hops=(HopSettings(behaviour="refuse"),)),
        ),
    )
    async with Simulation(settings) as lab:
        lines = texts(pod(lab))
        assert any(
            f'Post \\"http://{HOST}/api/controlPlane/v1/uniform/registration\\": dial tcp '
            f"{ADDRESS}:80: connect: connection refused" in t
            for t in lines
        )
        assert not any("Could not retrieve events" in t for t in lines)
        assert records(lab) == []


def _proxied(version: str, **more):
    plane = PlaneNetworkSettings(
        vantage="exec-a",
        egress=(EgressSettings(default="drop", allow=(EgressRule(cidr="10.0.0.9/32"),)),),
    )
    env = {"HTTPS_PROXY": "http://10.0.0.9:3128", "HTTP_PROXY": "http://10.0.0.9:3128"}
    return world(
        version,
        client(version, endpoint=HTTPS, env=env | more),
        planes=(plane,),
        proxies=(ProxySettings(name="squid"),),
        listeners=(
            listener(),
            listener(443, certificate="good"),
            listener(3128, address="10.0.0.9", serves="squid"),
        ),
    )


@pytest.mark.parametrize(
    ("version", "registered", "polls_fail"),
    [
        ("0.9.2", False, False),
        ("0.12.7", True, True),
        ("0.13.6", True, False),
        ("1.4.5", True, False),
    ],
)
async def test_an_egress_proxy_is_used_by_what_supports_it(version, registered, polls_fail):
    async with Simulation(_proxied(version)) as lab:
        assert bool(records(lab)) == registered
        failing = [t for t in texts(pod(lab)) if "Could not retrieve events" in t]
        assert bool(failing) == polls_fail


async def test_a_proxy_that_wants_a_password_is_named_in_the_error():
    settings = _proxied("1.4.5")
    settings = changed(settings, proxies=(ProxySettings(name="squid", needs_authentication=True),))
    async with Simulation(settings) as lab:
        assert any("Proxy Authentication Required" in t for t in texts(pod(lab)))


async def test_no_proxy_exempts_a_host():
    settings = _proxied("1.4.5", NO_PROXY=f".example.com,{HOST}")
    async with Simulation(settings) as lab:
        assert any(f"dial tcp {ADDRESS}:443" in t for t in texts(pod(lab)))


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


async def test_a_split_horizon_fails_inside_and_resolves_outside():
    dns = with_public()
    dns = DnsSettings(
        public=dns.public,
        views=(DnsViewSettings(vantage="exec-a", rules=(DnsRule(name=HOST, answer="nxdomain"),)),),
    )
    async with Simulation(world("1.4.5", client("1.4.5"), dns=dns)) as lab:
        assert any(f"lookup {HOST} on 10.96.0.10:53: no such host" in t for t in texts(pod(lab)))
        assert (await ask(lab, REGISTRATION)).status_code == 200


EVENT = EventSettings(
    type="sh.keptn.event.deployment.triggered", open=True, id="event-1", ago_s=500
)


async def test_an_open_event_is_handed_to_the_service():
    async with Simulation(world("1.4.5", client("0.18.0"), keptn={"events": (EVENT,)})) as lab:
        lines = texts(pod(lab))
        assert (
            sum('Sending CloudEvent with ID event-1 to http://127.0.0.1"' in t for t in lines) == 1
        )
        assert any("has already been sent for subscription" in t for t in lines)


async def test_a_service_that_does_not_listen_gets_the_event_again_and_again():
    deaf = client("0.18.0", service=ServiceContainerSettings(listens_on=0))
    async with Simulation(world("1.4.5", deaf, keptn={"events": (EVENT,)})) as lab:
        failed = [
            t
            for t in texts(pod(lab))
            if "Sending CloudEvent with ID event-1 to "
            'http://127.0.0.1 failed: Post \\"http://127.0.0.1:8080\\": dial tcp '
            "127.0.0.1:8080: connect: connection refused" in t
        ]
        assert len(failed) > 10
        assert age(lab) <= 10.5


@pytest.mark.parametrize(
    ("keptn", "service", "text"),
    [
        ({"store": StoreSettings(nats="down")}, {}, "nats: no servers available for connection"),
        (
            {"event_validation": True},
            {"event_fields_missing": ("triggeredid",)},
            "Failed to forward CloudEvent: triggeredid must be set",
        ),
        (
            {},
            {"resource_bytes": 6_000_000},
            "Failed to forward CloudEvent: error with status code 413",
        ),
    ],
)
async def test_events_that_cannot_be_sent_back_are_in_the_log(keptn, service, text):
    answering = client("0.18.0", service=ServiceContainerSettings(**service))
    async with Simulation(world("1.4.5", answering, keptn={"events": (EVENT,), **keptn})) as lab:
        assert any(text in t for t in texts(pod(lab)))
        assert age(lab) <= 10.5


async def test_a_closed_event_of_the_past_was_handled_once():
    closed = changed(EVENT, open=False)
    async with Simulation(world("1.4.5", client("0.18.0"), keptn={"events": (closed,)})) as lab:
        sent = [t for t in texts(pod(lab)) if "Sending CloudEvent with ID event-1" in t]
        assert len(sent) == 1


async def test_an_sdk_service_says_when_its_events_are_refused():
    sdk = client(
        "0.3.0",
        name="job-executor-service",
        client="sdk",
        product="job-executor-service",
        service=ServiceContainerSettings(event_fields_missing=("triggeredid",)),
    )
    keptn = {"events": (EVENT,), "event_validation": True}
    async with Simulation(world("1.4.5", sdk, keptn=keptn)) as lab:
        assert "Unable to send '.started' event: triggeredid must be set" in texts(pod(lab))[-1]


async def test_a_missing_node_name_is_a_default_for_distributors_and_an_error_for_the_sdk():
    async with Simulation(world("1.4.5", client("0.18.0", omit_env=("K8S_NODE_NAME",)))) as lab:
        assert any("K8S_NODE_NAME is not set. Using default value" in t for t in texts(pod(lab)))
        assert records(lab)[0].node == "keptn-node"
    sdk = client("0.20.4", client="sdk", omit_env=("K8S_NODE_NAME",))
    async with Simulation(world("1.4.5", sdk)) as lab:
        assert "incomplete integration ID" in texts(pod(lab))[-1]


async def test_a_slow_backend_makes_some_heartbeats_fail():
    slow = BackendSettings(component="shipyard-controller", slow_ms=500, every=3)
    async with Simulation(world("1.4.5", client("0.13.6"), keptn={"backends": (slow,)})) as lab:
        failed = [t for t in texts(pod(lab)) if "Could not send heart beat" in t]
        assert failed
        assert pod(lab).container().restarts == 0


async def test_a_new_distributor_finds_no_ping_on_an_0_8_control_plane():
    async with Simulation(world("0.8.7", client("0.9.2"))) as lab:
        lines = texts(pod(lab))
        assert any("invalid character 'p' after top-level value" in t for t in lines)
        assert not any("/event/triggered/" in t for _, t in lab.gateways["keptn"].log)


async def test_a_control_plane_without_uniform_answers_404():
    async with Simulation(world("0.8.2", client("0.12.7"))) as lab:
        assert pod(lab).container().last.exit_code == 1
        assert any("404 page not found" in t for t in texts(pod(lab)))


async def test_out_of_memory_kills_leave_gaps_between_heartbeats():
    leaky = client("0.9.2", out_of_memory_every_s=120)
    async with Simulation(world("0.9.2", leaky)) as lab:
        last = pod(lab).container().last
        assert (last.exit_code, last.reason) == (137, "OOMKilled")
        assert pod(lab).container().restarts > 5


async def test_the_gateway_log_shows_each_heartbeat_of_a_shared_record():
    first = client("0.18.0", running_for_s=8000)
    second = client("0.18.0", plane="exec-b")
    async with Simulation(world("1.4.5", first, second), clock=stopped_clock()) as lab:
        pings = [(at, t) for at, t in lab.gateways["keptn"].log if "/ping HTTP" in t]
        window = [t for at, t in pings if (lab.clock() - at).total_seconds() < 60]
        assert 11 <= len(window) <= 13
        assert len({re.search("registration/([0-9a-f]+)/ping", t)[1] for t in window}) == 1
        assert len({t.split()[0] for t in window}) == 2


async def test_a_banner_shows_the_effective_endpoint_from_0_14():
    async with Simulation(world("1.4.5", client("0.16.2"))) as lab:
        lines = texts(pod(lab))
        assert "Remote execution plane..................true" in lines
        assert f"Keptn API endpoint......................http://{HOST}/api" in lines
        assert "lab-token" not in "\n".join(lines)
