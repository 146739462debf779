"""What options and file say of round trips: a file gives places, an option alone starts one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from keptn_doctor.targets import Targets, UsageError

Resolve = Callable[..., Targets]
API = "http://keptn.example.com/api"
FILE = """\
control-plane: {endpoint: http://keptn.example.com/api}
round-trip:
  project: sockshop
  stage: dev
  service: carts
  keptn-services: [eu/keptn-exec/jmeter-service]
  timeout: 20
  upstream: {url: https://git.example.com/r.git, user: u, token-env: GIT_TOKEN}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "doctor.yaml"
    path.write_text(FILE)
    return str(path)


def refusal(resolved: Resolve, **options: object) -> str:
    with pytest.raises(UsageError) as caught:
        resolved(**{"endpoint": API, **options})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_alone_starts_no_round_trip_and_reads_no_token(resolved: Resolve, file: str) -> None:
    targets = resolved(config=file)
    assert not targets.round_trip
    assert targets.trip.upstream is not None
    assert targets.trip.upstream.token is None


def test_the_file_says_where_and_the_option_wins(resolved: Resolve, file: str) -> None:
    by_file = resolved(config=file, round_trip="controller").trip
    assert (by_file.project, by_file.stage, by_file.service) == ("sockshop", "dev", "carts")
    assert by_file.limit_s == 20
    by_option = resolved(
        config=file, round_trip="controller", project="other", round_trip_timeout=9.0
    ).trip
    assert (by_option.project, by_option.stage, by_option.limit_s) == ("other", "dev", 9)


def test_the_token_of_the_upstream_is_read_when_it_is_needed(resolved: Resolve, file: str) -> None:
    environ = {"GIT_TOKEN": "git-0123456789"}
    upstream = resolved(environ, config=file, round_trip="service").trip.upstream
    assert upstream is not None
    assert upstream.token is not None
    assert upstream.token.reveal() == "git-0123456789"
    assert "git-0123456789" not in repr(upstream)
    with pytest.raises(UsageError, match=r"doctor.yaml:8: .*GIT_TOKEN, which is not set"):
        resolved(config=file, round_trip="service")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"round_trip": "controller"}, "--project and --stage and --service missing"),
        ({"round_trip": "controller", "project": "p", "stage": "s"}, "where: --service missing"),
        ({"project": "p"}, "--project is of use with --round-trip=controller only"),
        ({"round_trip": "service", "stage": "s"}, "--stage is of use with --round-trip=controller"),
        ({"keptn_services": ("x",)}, "--keptn-service is of use with --round-trip=service only"),
        ({"allow_deploying": True, "round_trip": "datastore"}, "--allow-deploying is of use with"),
        ({"round_trip_timeout": 5.0}, "--round-trip-timeout is of use with --round-trip only"),
        ({"round_trip": "service", "keptn_services": ("a/b/c/d",)}, "not of the form"),
        ({"round_trip": "service", "timeout": 30.0}, "the run may take 30 s, and its round trips"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(
    resolved: Resolve, options: dict[str, object], words: str
) -> None:
    assert words in refusal(resolved, **options)


@pytest.mark.parametrize(
    "url", ["git.example.com/r.git", "https://u:p@git.example.com/r", "ssh://g"]
)
def test_an_upstream_that_is_no_https_url_is_refused(
    resolved: Resolve, tmp_path: Path, url: str
) -> None:
    path = tmp_path / "doctor.yaml"
    path.write_text(f"round-trip: {{upstream: {{url: '{url}'}}}}\n")
    said = refusal(resolved, config=str(path), round_trip="service")
    assert said.startswith(f"{path}: round-trip.upstream.url: ")
    assert "u:p@" not in said


def test_a_token_in_the_file_is_refused(resolved: Resolve, tmp_path: Path) -> None:
    path = tmp_path / "doctor.yaml"
    path.write_text("round-trip: {upstream: {url: https://g/r, token: abcdefgh}}\n")
    said = refusal(resolved, config=str(path), round_trip="service")
    assert "a secret has no place in this file" in said
    assert "abcdefgh" not in said


def test_a_run_has_room_for_its_round_trips(resolved: Resolve) -> None:
    usual = resolved(endpoint=API).deadlines.run_s
    assert resolved(endpoint=API, round_trip="datastore").deadlines.run_s == usual + 15
    assert resolved(endpoint=API, round_trip="datastore", timeout=5.0).deadlines.run_s == 5
    one = resolved(endpoint=API, round_trip="service").deadlines.run_s
    four = resolved(
        endpoint=API, round_trip="service", keptn_services=("a", "b", "c", "d")
    ).deadlines.run_s
    assert usual < one < four
