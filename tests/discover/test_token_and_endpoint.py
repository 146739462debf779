from __future__ import annotations

import base64

import pytest

from keptn_doctor.model.topology import EnvProblem
from keptn_doctor.probes.endpoint_url import parse_endpoint, without_userinfo
from keptn_doctor.probes.environment import Environment, Variable
from keptn_doctor.probes.token_state import shape, token_state

SALT = b"salt"
TOKEN = b"fake-token-0123456789"


def test_equal_tokens_have_equal_fingerprints_and_no_token_is_shown() -> None:
    state = shape(TOKEN, salt=SALT)
    assert state.fingerprint == shape(TOKEN, salt=SALT).fingerprint != ""
    assert state.fingerprint != shape(TOKEN, salt=b"other").fingerprint
    assert TOKEN.decode() not in repr(state)


@pytest.mark.parametrize(
    ("token", "blanks", "control"),
    [
        (TOKEN, False, False),
        (TOKEN + b" ", True, False),
        (b"\t" + TOKEN, True, False),
        (TOKEN + b"\n", False, True),
        (TOKEN + b"\r\n", False, True),
        (b"a\x00b", False, True),
    ],
)
def test_blanks_are_told_from_control_characters(
    token: bytes, *, blanks: bool, control: bool
) -> None:
    state = shape(token, salt=SALT)
    assert (state.surrounding_whitespace, state.control_characters) == (blanks, control)


def test_a_token_left_in_base64_is_known_by_its_decoding() -> None:
    state = shape(base64.b64encode(TOKEN) + b"\n", salt=SALT)
    assert state.decoded_fingerprint == shape(TOKEN, salt=SALT).fingerprint


def test_a_plain_token_has_no_decoding() -> None:
    assert (
        shape(b"AbCdEfGh01234567AbCdEfGh01234567AbCdEfGh01234", salt=SALT).decoded_fingerprint == ""
    )


def environment(*problems: EnvProblem, **variables: Variable) -> Environment:
    return Environment(variables=variables, problems=problems)


def test_where_a_token_comes_from() -> None:
    secret = Variable(value=TOKEN, source="secret", reference="secret a/b key c")
    state = token_state(environment(KEPTN_API_TOKEN=secret), salt=SALT)
    assert (state.source, state.reference, state.empty) == ("secret", "secret a/b key c", False)
    empty = token_state(environment(KEPTN_API_TOKEN=Variable(value=b"")), salt=SALT)
    assert (empty.source, empty.empty, empty.fingerprint) == ("value", True, "")
    assert token_state(environment(), salt=SALT).source == "none"


@pytest.mark.parametrize(
    ("problem", "source"),
    [
        ("not-found", "missing"),
        ("key-missing", "missing"),
        ("forbidden", "unreadable"),
        ("unreadable", "unreadable"),
    ],
)
def test_an_unreadable_token_is_not_an_empty_one(problem: str, source: str) -> None:
    told = EnvProblem(variable="KEPTN_API_TOKEN", reference="secret a/b", problem=problem)  # type: ignore[arg-type]
    state = token_state(environment(told), salt=SALT)
    assert (state.source, state.empty) == (source, False)


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path"),
    [
        ("https://keptn.example.com/api", "https", "keptn.example.com", 443, "/api"),
        ("http://192.0.2.10:31090/api/", "http", "192.0.2.10", 31090, "/api/"),
        ("HTTP://[2001:db8::1]/api", "http", "2001:db8::1", 80, "/api"),
    ],
)
def test_parts_of_an_endpoint(url: str, scheme: str, host: str, port: int, path: str) -> None:
    endpoint = parse_endpoint(url)
    assert endpoint.defect == ""
    assert (endpoint.scheme, endpoint.host, endpoint.port, endpoint.path) == (
        scheme, host, port, path
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "defect"),
    [
        ("my-host/api", "no scheme"),
        ("my-host:8080/api", "no scheme"),
        ("ftp://h/api", "scheme ftp"),
        ("http:///api", "no host"),
        ("http://h:99999/api", "port"),
        ("http://h:0/api", "port"),
        (" http://h/api", "whitespace"),
        ("http://h/api\n", "whitespace"),
        ("http://h x/api", "whitespace"),
    ],
)
def test_what_makes_an_endpoint_unusable(url: str, defect: str) -> None:
    assert defect in parse_endpoint(url).defect


def test_a_password_in_an_endpoint_is_dropped() -> None:
    assert without_userinfo("https://user:pass@h/api?x=a@b") == "https://h/api?x=a@b"
