"""Files that are no kubeconfig and no configuration: one line, exit code 2, in no time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from keptn_doctor.targets import resolve
from keptn_doctor.targets.options import Options
from keptn_doctor.usage import UsageError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
FILES: dict[str, bytes] = {
    "empty": b"",
    "a comment": b"# nothing\n",
    "binary": bytes(range(256)) * 40,
    "a NUL": b"apiVersion: v1\0\n",
    "UTF-16": "contexts: []\n".encode("utf-16"),
    "Latin-1": "# Straße\ncontexts: []\n".encode("latin-1"),
    "tabs": b"contexts:\n\t- name: x\n",
    "a list": b"- a\n",
    "a text": b"hello world\n",
    "a number": b"42\n",
    "a date that is none": b"x: 2024-13-45\n",
    "a number without end": b"x: " + b"9" * 10_000 + b"\n",
    "too deep": b"[" * 20_000,
    "a bomb": BOMB.encode(),
    "itself": b"&a\ncontexts: *a\n",
    "python": b"!!python/object/apply:os.system ['false']\n",
    "two documents": b"a: 1\n---\nb: 2\n",
    "a key that is a list": b"? [a, b]\n: c\n",
}
DEVICES = ("/dev/zero", "/")


def refused(folder: Path, *options: str) -> str:
    """The one line that the real command ends with; its reports say the same."""
    run = subprocess.run(
        [sys.executable, "-m", "keptn_doctor", "check", *options,
         "--output", "json=r.json", "--output", "junit=r.xml"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/dev/null/nobody", "PYTHONWARNINGS": "error"},
        capture_output=True,
        timeout=30,
        check=False,
    )  # fmt: skip
    told = run.stderr.decode()
    assert run.returncode == 2, told
    assert run.stdout == b""
    (line,) = told.splitlines()
    assert line.isprintable()
    assert len(line) < 600
    said = json.loads((folder / "r.json").read_text())
    assert said["exit_code"] == 2
    assert line == f"keptn-doctor: {said['error']}"
    assert ET.parse(folder / "r.xml").getroot().tag == "testsuites"
    return line


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("part", ["kubeconfig", "config"])
def test_a_bad_file_is_named_in_one_line(tmp_path: Path, part: str, kind: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_bytes(FILES[kind])
    options = Options(control_plane="x", **{part: str(file)})
    with pytest.raises(UsageError) as refusal:
        resolve(options, {"HOME": "/dev/null/nobody"}, cwd=tmp_path)
    line = str(refusal.value)
    assert str(file) in line
    assert line.isprintable()
    assert len(line) < 600


@pytest.mark.parametrize("option", ["--kubeconfig", "--config"])
def test_a_bad_file_is_told_in_the_reports_too(tmp_path: Path, option: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_bytes(FILES["tabs"])
    assert str(file) in refused(tmp_path, option, str(file), "--control-plane", "x")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("option", ["--kubeconfig", "--config"])
def test_what_is_no_regular_file_ends_too(tmp_path: Path, option: str, device: str) -> None:
    assert device in refused(tmp_path, option, device, "--control-plane", "x")


def test_an_endless_scenario_and_an_endless_token_end_too(tmp_path: Path) -> None:
    assert "/dev/zero" in refused(tmp_path, "--lab", "--scenario", "/dev/zero")
    assert "/dev/zero" in refused(tmp_path, "--endpoint", "http://x/api",
                                  "--token-file", "/dev/zero")  # fmt: skip


def test_a_name_that_is_no_text_is_told_all_the_same(tmp_path: Path) -> None:
    assert "there is no file" in refused(tmp_path, "--kubeconfig", os.fsdecode(b"k\xffc"))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--endpoint", "http://x y/api"),
        ("--endpoint", "http://x/api?token=abc"),
        ("--endpoint", "http://[::1/api"),
        ("--endpoint", "http://x:99999/api"),
        ("--endpoint", "http://jane:secret@x/api"),
        ("--timeout", "nan"),
        ("--timeout", "inf"),
        ("--log-window", "-5m"),
        ("--nameserver", "192.0.2.1:99999"),
        ("--ca-file", "/dev/null"),
    ],
)
def test_a_bad_value_is_told_in_one_line(tmp_path: Path, option: str, value: str) -> None:
    line = refused(tmp_path, *(("--endpoint", "http://x/api") if option != "--endpoint" else ()),
                   option, value)  # fmt: skip
    assert "secret" not in line
