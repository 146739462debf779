"""Pipes in place of files: ``<(command)`` works, and nobody at the other end is a clear line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from keptn_doctor.named_file import read_named

ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "HOME": "/dev/null/nobody",
    "LANG": "C.UTF-8",
    "PYTHONWARNINGS": "error",
}
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: exec-a
contexts: [{name: exec-a, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {token: a-fake-one}}]
"""


def outcome(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_a_kubeconfig_that_a_command_writes_is_read_once_and_used_throughout(
    tmp_path: Path,
) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    run = outcome("keptn-doctor check --kubeconfig <(cat config)", tmp_path)
    assert run.returncode == 3, run.stderr
    assert "127.0.0.1:1" in run.stdout
    assert "is empty" not in run.stdout


def test_a_pipe_with_nobody_at_its_other_end_is_one_clear_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config")
    run = outcome("keptn-doctor check --kubeconfig config", tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        "keptn-doctor: config: cannot be read: it is no file, and nobody writes into it "
        "within 5 s\n"
    )


def test_more_than_a_pipe_holds_is_read_to_its_end_and_given_again(tmp_path: Path) -> None:
    pipe, content = tmp_path / "pipe", os.urandom(300_000)
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert read_named(pipe, most=1_000_000) == content
    writer.join()
    assert read_named(pipe, most=1_000_000) == content


def test_of_a_device_without_end_no_more_is_read_than_fits() -> None:
    assert read_named(Path("/dev/zero"), most=100_000) == bytes(100_000)
    assert read_named(Path("/dev/null"), most=100) == b""
