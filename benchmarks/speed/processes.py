"""Starts the lab and the doctor as processes of their own, and measures the doctor's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import dns.message
import dns.query

ROOT = Path(__file__).resolve().parent.parent.parent
_LAUNCHER = Path(__file__).with_name("launcher.py")
# With the last one Python would compile anew, at each start, all that was changed since it was set;
# what a user has installed is compiled.
_NOT_A_USERS = ("KEPTN", "KUBECONFIG", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process from start to end. ``began`` and ``ended`` are ``time.monotonic()``."""

    began: float
    ended: float
    cpu_s: float
    peak_mib: float
    code: int
    stdout: str = ""
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def wall_s(self) -> float:
        return self.ended - self.began


@dataclass(slots=True)
class LabProcess:
    """A running lab; ``world`` is what it said of itself when it was up."""

    process: subprocess.Popen[str]
    world: dict[str, Any]

    def reset(self, *, round_trip_ms: float = 0) -> None:
        """Forget what was seen, and make the wires that long from now on."""
        self._say(f"reset {round_trip_ms}")

    def report(self) -> dict[str, Any]:
        """``served`` requests by context, and ``connections`` through the relays."""
        return self._say("report")

    def look_up(self, name: str) -> str:
        """The address of a name, asked of the lab's name server."""
        server, _, port = str(self.world["nameserver"]).rpartition(":")
        question = dns.message.make_query(name, "A")
        told = dns.query.udp(question, server, port=int(port), timeout=5)
        return str(told.answer[-1][0].to_text())

    def detour(self, address: str, port: int) -> tuple[str, int]:
        """Where connections to an address of the lab's world really go."""
        return next(
            (to_host, to_port)
            for host, by_port, to_host, to_port in self.world["connect_to"]
            if (host, by_port) == (address, port)
        )

    def _say(self, command: str) -> dict[str, Any]:
        stdin, stdout = _pipes(self.process)
        stdin.write(command + "\n")
        stdin.flush()
        return _answered(stdout)


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the lab has no pipes")
    return process.stdin, process.stdout


def _answered(stdout: IO[str]) -> dict[str, Any]:
    line = stdout.readline()
    if not line:
        raise SystemExit("the lab ended early")
    found: dict[str, Any] = json.loads(line)
    return found


@contextmanager
def lab(**size: Any) -> Iterator[LabProcess]:
    """A lab of a size (see ``worlds.Size``), or of ``scenario=FILE``."""
    command = [sys.executable, "-m", "benchmarks.speed.lab_process", json.dumps(size)]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        stdin, stdout = _pipes(process)
        try:
            yield LabProcess(process, _answered(stdout))
        finally:
            stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def check(running: LabProcess, *options: str, outputs: Sequence[str] = ()) -> Run:
    """``keptn-doctor check`` against a lab; ``outputs`` are formats, or "bundle", to be kept."""
    with tempfile.TemporaryDirectory() as folder:
        given = ["check", "--config", running.world["config"], "--quiet", *options]
        for name in outputs:
            file = str(Path(folder, name))
            given += ["--bundle", file] if name == "bundle" else ["--output", f"{name}={file}"]
        run = doctor(*given)
        files = {name: Path(folder, name).read_bytes() for name in outputs}
    return Run(
        began=run.began, ended=run.ended, cpu_s=run.cpu_s, peak_mib=run.peak_mib, code=run.code,
        stdout=run.stdout, files=files,
    )  # fmt: skip


def doctor(*arguments: str) -> Run:
    """``keptn-doctor ARGUMENTS`` as a user starts it, without the settings of this shell."""
    script = Path(sys.executable).with_name("keptn-doctor")
    return spawn(str(script), *arguments)


def spawn(*command: str, environ: dict[str, str] | None = None) -> Run:
    """Any command; what it writes to standard error is shown when it cannot be a normal end."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_A_USERS)}
    with tempfile.TemporaryDirectory() as folder:
        figures, out, err = (Path(folder, name) for name in ("figures", "out", "err"))
        launched = [sys.executable, "-I", "-S", str(_LAUNCHER), str(figures), *command]
        with out.open("wb") as stdout, err.open("wb") as stderr:
            subprocess.run(
                launched, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                env=kept | (environ or {}), check=True,
            )  # fmt: skip
        measured = json.loads(figures.read_bytes())
        if measured["code"] not in (0, 1, 3):
            said = err.read_text(errors="replace")  # the arguments may hold a token
            raise SystemExit(f"{command[0]} ended with {measured['code']}: {said}")
        return Run(**measured, stdout=out.read_text(errors="replace"))
