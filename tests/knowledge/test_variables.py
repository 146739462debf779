from __future__ import annotations

import pytest

from keptn_doctor.knowledge.variables import go_bool, malformed_variables


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_SSL_VERIFY", ""),
        ("HTTP_SSL_VERIFY", "yes"),
        ("HTTP_SSL_VERIFY", "false "),
        ("API_PROXY_PORT", "http"),
        ("HEARTBEAT_INTERVAL", "10"),
        ("MAX_HEARTBEAT_RETRIES", ""),
        ("API_PROXY_MAX_PAYLOAD_BYTES_KB", "64k"),
    ],
)
def test_values_that_stop_the_process(name: str, value: str) -> None:
    assert malformed_variables({name: value}, client="distributor", version="0.19.3") == (name,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_SSL_VERIFY", "False"),
        ("API_PROXY_PORT", "8081"),
        ("HEARTBEAT_INTERVAL", "1m30s"),
        ("HTTP_POLLING_INTERVAL", "often"),  # falls back to 10
        ("API_PROXY_HTTP_TIMEOUT", ""),  # falls back to 30
        ("STAGE_FILTER", ""),
    ],
)
def test_values_that_do_not(name: str, value: str) -> None:
    assert malformed_variables({name: value}, client="distributor", version="0.19.3") == ()


def test_a_variable_that_the_release_does_not_read_cannot_stop_it() -> None:
    values = {"HEARTBEAT_INTERVAL": "often"}
    assert malformed_variables(values, client="distributor", version="0.13.6") == ()
    assert malformed_variables(values, client="distributor", version="0.14.0")
    assert malformed_variables(values, client="sdk", version="0.3.0") == ()


def test_booleans_as_go_reads_them() -> None:
    assert [go_bool(text) for text in ("t", "FALSE", "yes", "")] == [True, False, None, None]
