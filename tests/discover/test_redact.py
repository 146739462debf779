from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keptn_doctor.redact import _RULES, REDACTED, Redactor

TOKEN = "fake-Token/with+odd=chars%" + secrets.token_urlsafe(12)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda t: t,
    "base64": lambda t: b64(t.encode()),
    "base64 with a newline": lambda t: b64(t.encode() + b"\n"),
    "url-safe base64 without padding": (
        lambda t: base64.urlsafe_b64encode(t.encode()).decode().rstrip("=")
    ),
    "base64 twice": lambda t: b64(b64(t.encode()).encode()),
    "basic authentication": lambda t: b64(b"keptn:" + t.encode()),
    "another alignment": lambda t: b64(b"xy" + t.encode() + b"tail"),
    "percent": lambda t: quote(t, safe=""),
    "percent, slashes kept": quote,
    "form": quote_plus,
    "percent, lower case": lambda t: quote(t, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "hexadecimal": lambda t: t.encode().hex(),
    "JSON": json.dumps,
    "JSON in JSON": lambda t: json.dumps(json.dumps(t)),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_known_secret_is_gone_in_every_encoding(name: str) -> None:
    redactor = Redactor()
    redactor.learn(TOKEN)
    wrapped = ENCODINGS[name](TOKEN)
    cleaned = redactor.clean(f"odd line <{wrapped}> end")
    assert REDACTED in cleaned
    assert cleaned.endswith(" end")
    middle = wrapped.strip('"=')[8:-8]
    assert middle not in cleaned


def test_a_token_with_a_newline_is_found_as_go_and_logrus_print_it() -> None:
    token = secrets.token_hex(20) + "\n"
    redactor = Redactor()
    redactor.learn(token.encode())
    line = 'msg="net/http: invalid header field value \\"%s\\\\n\\" for key X-Token"'
    cleaned = redactor.clean(line % token.strip())
    assert token.strip() not in cleaned
    assert "invalid header field value" in cleaned
    assert "for key X-Token" in cleaned


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('msg="Access attempt with incorrect api key auth: s3cr3t value"', "s3cr3t value"),
        ('invalid header field value "abc\\n" for key X-Token', "abc"),
        ('msg="invalid header field value \\"abc\\\\n\\" for key X-Token"', "abc"),
        ("Authorization: Bearer abcdefghijkl", "abcdefghijkl"),
        ("authorization: basic a2VwdG46cGFzcw==", "a2VwdG46cGFzcw"),
        ("x-token: 0123456789", "0123456789"),
        ("{'X-Token': '0123456789'}", "0123456789"),
        ("map[X-Token:[0123456789]]", "0123456789"),
        ('curl -H "x-token:0123456789" http://h', "0123456789"),
        ("got eyJhbGciOi.eyJzdWIiOiI.c2lnbmF0dXJl now", "eyJzdWIiOiI"),
        ("proxy http://user:pass@proxy:3128", "pass"),
        ("mongodb://keptn:hunter22@keptn-mongo:27017/keptn", "hunter22"),
        ("KEPTN_API_TOKEN=abcdef", "abcdef"),
        ('{"client_secret": "abcdef"}', "abcdef"),
        ('msg="{\\"access_token\\":\\"abcdef\\"}"', "abcdef"),
        ("/cb?api_key=abcdef&x=1", "abcdef"),
        ("-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----", "MIIabc"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc", "MIIabc"),
    ],
)
def test_what_looks_like_a_secret_is_gone_without_being_known(line: str, secret: str) -> None:
    cleaned = Redactor().clean(line)
    assert secret not in cleaned
    assert REDACTED in cleaned
    assert Redactor().clean(cleaned) == cleaned


@pytest.mark.parametrize(
    "line",
    [
        "oauth2: cannot fetch token: 401 Unauthorized",
        'Error: secret "keptn-api-token" not found',
        "couldn't find key keptn-api-token in Secret keptn-exec/keptn-api-token",
        'msg="Access attempt with incorrect API token"',
        "lookup keptn.example.com on 10.96.0.10:53: no such host",
        'Get "https://keptn.example.com:8443/api/v1/metadata?x=a@b": EOF',
        "Using Token URL https://idp.example.com/token",
        "basic setup",
    ],
)
def test_what_only_mentions_a_secret_stays(line: str) -> None:
    assert Redactor().clean(line) == line


def test_a_very_short_secret_does_not_shred_the_text() -> None:
    redactor = Redactor()
    redactor.learn("e")
    redactor.learn("")
    assert redactor.clean("every letter") == "every letter"


def test_the_redactor_shows_no_secret() -> None:
    redactor = Redactor()
    redactor.learn(TOKEN)
    assert TOKEN not in repr(redactor)


PIECES = (
    "Bearer ", "bas\u0131c ", "BA\u017fIC ", "x-to\u212aen: ", "Pas\u017fword", "api_\u212aey",
    "to\u212aen", "secret", "key", "=", '": "', '"', "\\", "https://", "user:", "@", "eyJ", ".",
    "abcdefghij", 'invalid header field value "', '" for key', "\n", " ", "[redacted]",
    "Access attempt with incorrect api key auth: ", "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_looking_before_searching_misses_nothing(text: str) -> None:
    searched = text
    for _, pattern, replacement in _RULES:
        searched = pattern.sub(replacement, searched)

    assert Redactor().clean(text) == searched


@given(st.lists(st.sampled_from((*PIECES, TOKEN, quote(TOKEN, safe=""))), max_size=12).map("".join))
def test_a_line_of_a_text_is_cleaned_as_it_would_be_alone(text: str) -> None:
    redactor = Redactor()
    redactor.learn(TOKEN)
    clean = redactor.cleaner_of(text)
    assert [clean(row) for row in text.split("\n")] == [
        redactor.clean(row) for row in text.split("\n")
    ]


@pytest.mark.parametrize(
    "written", ["pass w\u00f6rd", "pass+w%c3%b6rd", "pass%20w%C3%B6rd", "pass w\u00c3\u00b6rd"]
)
def test_a_secret_with_a_blank_and_an_umlaut_is_found_as_it_may_be_written(written: str) -> None:
    redactor = Redactor()
    redactor.learn("pass w\u00f6rd")
    assert redactor.clean(f"<{written}>") == f"<{REDACTED}>"
