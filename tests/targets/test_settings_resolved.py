"""Endpoint, token, network and time limits: whence they come, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest

from keptn_doctor.network_settings import ConnectTo, Deadlines, NetworkSettings
from keptn_doctor.targets import Secret, Targets, UsageError
from keptn_doctor.targets.options import parse_connect_to

Resolve = Callable[..., Targets]
API = "http://keptn.example.com/api"


def refusal(resolved: Resolve, *args: object, **options: object) -> str:
    with pytest.raises(UsageError) as caught:
        resolved(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def token(targets: Targets) -> str:
    assert targets.api is not None
    assert targets.api.token is not None
    return targets.api.token.reveal()


def test_the_endpoint_comes_from_option_before_variable(resolved: Resolve) -> None:
    environ = {"KEPTN_API_ENDPOINT": "http://variable/api"}
    by_variable, by_option = resolved(environ), resolved(environ, endpoint=API)
    assert by_variable.api is not None
    assert by_option.api is not None
    assert by_variable.api.endpoint == "http://variable/api"
    assert by_option.api.endpoint == API


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("keptn.example.com/api", "has no scheme: write http://keptn.example.com/api"),
        ("ftp://keptn.example.com", "no http or https URL"),
        ("http://", "no http or https URL"),
        ("http://host:99999/api", "no URL"),
        ("http://jane:secret@host/api", "must not hold a user or password"),
    ],
)
def test_an_endpoint_that_is_none_is_refused(resolved: Resolve, endpoint: str, words: str) -> None:
    text = refusal(resolved, endpoint=endpoint)
    assert text.startswith("--endpoint: ")
    assert words in text
    assert "secret@" not in text


def test_a_bad_variable_is_named_in_the_complaint(resolved: Resolve) -> None:
    assert refusal(resolved, {"KEPTN_ENDPOINT": "x"}).startswith("KEPTN_ENDPOINT: ")


def test_a_token_comes_from_prompt_file_or_variable_in_that_order(
    resolved: Resolve, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("of-file\n")
    environ = {"KEPTN_API_TOKEN": " of-variable\n"}
    assert token(resolved(environ, endpoint=API)) == "of-variable"
    assert token(resolved(environ, endpoint=API, token_file=str(file))) == "of-file"
    asked = resolved(environ, endpoint=API, ask_token=True, ask=lambda: "of-prompt")
    assert token(asked) == "of-prompt"


def test_a_token_never_shows(resolved: Resolve) -> None:
    targets = resolved({"KEPTN_API_TOKEN": "open-sesame"}, endpoint=API)
    assert "open-sesame" not in f"{targets!r} {targets} {targets.api}"


def test_no_token_is_no_error(resolved: Resolve) -> None:
    targets = resolved({"KEPTN_API_TOKEN": " "}, endpoint=API)
    assert targets.api is not None
    assert targets.api.token is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the token is empty"),
        (b" \n", "the token is empty"),
        (b"two words", "holds a blank"),
        (b"a\x00b", "holds a blank"),
        (b"\xff\xfe", "not a text file"),
    ],
)
def test_a_file_without_a_token_is_refused(
    resolved: Resolve, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    text = refusal(resolved, endpoint=API, token_file=str(file))
    assert str(file) in text
    assert words in text


def test_a_missing_token_file_is_said(resolved: Resolve, tmp_path: Path) -> None:
    text = refusal(resolved, endpoint=API, token_file=str(tmp_path / "gone"))
    assert "gone cannot be read: No such file" in text


def test_a_token_may_come_by_standard_input() -> None:
    program = (
        "from keptn_doctor.targets import resolve\n"
        "from keptn_doctor.targets.options import Options\n"
        f"targets = resolve(Options(endpoint={API!r}, token_file='-'), {{}})\n"
        "print(targets.api.token.reveal())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        input="of-stdin\n", capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert run.stdout == "of-stdin\n"


def test_two_ways_to_give_a_token_exclude_each_other(resolved: Resolve) -> None:
    text = refusal(resolved, endpoint=API, token_file="f", ask_token=True)
    assert text == "--ask-token and --token-file: give one of them"


def test_a_prompt_without_anyone_to_ask_is_refused(resolved: Resolve) -> None:
    assert "needs a terminal" in refusal(resolved, endpoint=API, ask_token=True)


def test_network_settings_come_through(resolved: Resolve) -> None:
    authority = certifi.where()
    targets = resolved(
        endpoint=API,
        nameservers=("192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53"),
        connect_to=("keptn.example.com:80:127.0.0.1:8080", "::[::1]:"),
        ca_file=authority,
        proxy="http://jane:secret@proxy.example.com:3128",
    )
    assert targets.network == NetworkSettings(
        nameservers=("192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53"),
        connect_to=(
            ConnectTo(host="keptn.example.com", port=80, to_host="127.0.0.1", to_port=8080),
            ConnectTo(to_host="::1"),
        ),
        trust_ca_file=authority,
        proxy="http://jane:secret@proxy.example.com:3128",
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"nameservers": ("dns.example.com",)}, "no address of a name server"),
        ({"nameservers": ("192.0.2.1:99999",)}, "no valid port"),
        ({"connect_to": ("a:b:c:d",)}, "HOST:PORT:TO-HOST:TO-PORT"),
        ({"connect_to": ("a:1:b:99999",)}, "HOST:PORT:TO-HOST:TO-PORT"),
        ({"ca_file": "/nowhere/ca.pem"}, "--ca-file: there is no file"),
        ({"ca_file": __file__}, "holds no certificates in PEM form"),
        ({"proxy": "proxy:3128"}, "--proxy: an http:// or https:// URL is needed"),
        ({"timeout": 0.0}, "no sensible time limit"),
        ({"kube_timeout": -1.0}, "no sensible time limit"),
        ({"log_window": "soon"}, "no duration such as"),
        ({"log_window": "0m"}, "no duration such as"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    resolved: Resolve, options: dict[str, object], words: str
) -> None:
    assert words in refusal(resolved, endpoint=API, **options)


def test_time_limits_and_the_log_window_come_through(resolved: Resolve) -> None:
    targets = resolved(
        endpoint=API, connect_timeout=1.0, kube_timeout=3.0, timeout=60.0, log_window="2h"
    )
    assert targets.deadlines == Deadlines(connect_s=1, request_s=10, kube_s=3, run_s=60)
    assert targets.log_window_s == 7200


def test_only_a_probe_pod_makes_a_run_active(resolved: Resolve) -> None:
    assert not resolved(endpoint=API).active
    assert resolved(endpoint=API, probe_pod=True).active


@pytest.mark.parametrize(
    ("rule", "host", "port", "destination"),
    [
        ("a:80:b:8080", "A", 80, ("b", 8080)),
        ("a:80:b:8080", "a", 81, ("a", 81)),
        ("a:80::8080", "a", 80, ("a", 8080)),
        (":443:b:", "anything", 443, ("b", 443)),
        ("[::1]:80:b:1", "::1", 80, ("b", 1)),
    ],
)
def test_a_detour_holds_for_what_it_names(
    rule: str, host: str, port: int, destination: tuple[str, int]
) -> None:
    network = NetworkSettings(connect_to=(parse_connect_to(rule, "--connect-to"),))
    assert network.destination(host, port) == destination


def test_the_first_detour_that_fits_wins() -> None:
    rules = ("a:80:first:1", ":0:second:2")
    network = NetworkSettings(connect_to=tuple(parse_connect_to(r, "x") for r in rules))
    assert network.destination("a", 80) == ("first", 1)
    assert network.destination("b", 80) == ("second", 2)


def test_a_secret_hides_itself_and_compares_by_fingerprint() -> None:
    first, second = Secret("open-sesame"), Secret("open-sesame")
    assert first == second
    assert first.fingerprint(b"s") == second.fingerprint(b"s") != first.fingerprint(b"t")
    assert "sesame" not in f"{first!r} {first!s} {first:>20} {[first]}"
    assert Secret("").fingerprint(b"s") == ""
