from __future__ import annotations

import pytest

from keptn_doctor.knowledge.behaviour import client_behaviour, registration_identity


@pytest.mark.parametrize(
    ("version", "poll", "registration"),
    [
        ("0.8.7", (True, False), (False, False)),
        ("0.9.2", (True, False), (False, False)),
        ("0.10.0", (True, False), (False, True)),
        ("0.12.7", (True, False), (False, True)),
        ("0.13.0", (False, True), (False, True)),
        ("0.19.3", (False, True), (False, True)),
        ("1.4.5", (False, True), (False, True)),
    ],
)
def test_who_verifies_certificates_and_who_honours_proxies(
    version: str, poll: tuple[bool, bool], registration: tuple[bool, bool]
) -> None:
    """Each pair is (verifies TLS, honours the proxy)."""
    act = client_behaviour("distributor", version)
    assert (act.verifies_tls_on_poll, act.proxy_on_poll) == poll
    assert (act.verifies_tls_on_registration, act.proxy_on_registration) == registration


def test_oauth_verifies_everything_and_ignores_proxies_from_0_13() -> None:
    act = client_behaviour("distributor", "0.16.2", oauth=True)
    assert act.verifies_tls_on_poll
    assert act.verifies_tls_on_registration
    assert not act.proxy_on_poll
    assert not act.proxy_on_registration
    assert client_behaviour("distributor", "0.12.7", oauth=True) == client_behaviour(
        "distributor", "0.12.7"
    )
    assert client_behaviour("sdk", "0.3.0", oauth=True).verifies_tls_on_poll


@pytest.mark.parametrize(
    ("version", "heartbeat", "gives_up_registering", "gives_up_pinging", "reregisters"),
    [
        ("0.8.3", "none", False, False, False),
        ("0.8.7", "reregister", False, False, True),
        ("0.9.0", "ping", False, False, False),
        ("0.11.4", "ping", False, False, False),
        ("0.12.0", "ping", True, False, False),
        ("0.13.6", "ping", True, False, False),
        ("0.14.0", "ping", True, True, False),
        ("1.4.5", "ping", True, True, False),
    ],
)
def test_what_a_lost_control_plane_does_to_a_distributor(
    version: str,
    heartbeat: str,
    *,
    gives_up_registering: bool,
    gives_up_pinging: bool,
    reregisters: bool,
) -> None:
    act = client_behaviour("distributor", version)
    assert act.heartbeat == heartbeat
    assert act.exits_when_registration_fails is gives_up_registering
    assert act.exits_when_heartbeat_fails is gives_up_pinging
    assert act.reregisters is reregisters


@pytest.mark.parametrize(
    ("version", "banner", "quiet", "path"),
    [
        ("0.10.0", False, False, "/configuration-service"),
        ("0.11.0", False, True, "/configuration-service"),
        ("0.14.0", True, True, "/configuration-service"),
        ("0.17.1", True, True, "/configuration-service"),
        ("0.18.0", True, True, "/resource-service"),
    ],
)
def test_what_it_prints_and_which_resources_it_proxies(
    version: str, path: str, *, banner: bool, quiet: bool
) -> None:
    act = client_behaviour("distributor", version)
    assert (act.prints_banner, act.quiet_when_healthy, act.resource_path) == (banner, quiet, path)


def test_only_0_8_polls_without_a_registration_and_applies_the_filters_of_its_environment() -> None:
    old, new = client_behaviour("distributor", "0.8.7"), client_behaviour("distributor", "0.9.0")
    assert old.polls_without_registration
    assert old.filters_from_environment
    assert old.registers_over_http
    assert not new.polls_without_registration
    assert not new.filters_from_environment
    assert not new.registers_over_http


@pytest.mark.parametrize("version", ["", "latest", "N/A"])
def test_an_unreadable_version_acts_like_the_newest_and_says_so(version: str) -> None:
    act = client_behaviour("distributor", version)
    assert not act.known
    newest = client_behaviour("distributor", "1.4.5")
    assert act.verifies_tls_on_poll == newest.verifies_tls_on_poll
    assert act.exits_when_heartbeat_fails == newest.exits_when_heartbeat_fails


def test_sdk_services_ping_every_five_seconds_and_have_no_filters() -> None:
    act = client_behaviour("sdk", "0.3.0", control_plane_version="0.15.1")
    assert act.heartbeat_interval_s == 5
    assert not act.filters_from_environment
    assert act.registration_identity == "node"


@pytest.mark.parametrize(
    ("version", "identity"),
    [
        ("0.8.7", "filters"),
        ("0.9.0", "node"),
        ("0.15.1", "node"),
        ("0.16.0", "name"),
        ("1.4.5", "name"),
        ("", "name"),
    ],
)
def test_the_control_plane_decides_what_identifies_a_registration(
    version: str, identity: str
) -> None:
    assert registration_identity(version) == identity
    act = client_behaviour("distributor", "0.13.6", control_plane_version=version or "1.0.0")
    assert act.registration_identity == identity
