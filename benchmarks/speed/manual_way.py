"""The same question answered by hand: the commands of Keptn's own pages, one after the other.

What a user is told to type, in that order:

- *Troubleshooting the installation*: ``kubectl get pods`` in Keptn's namespace, and ``kubectl
  describe`` for restarts, images and events
  (``content/docs/install/troubleshooting/index.md`` of keptn/keptn.github.io);
- *API token*: the Secret, ``kubectl get secret keptn-api-token``
  (``content/docs/0.17.x/operate/api_token``);
- *Choose access options*: the address of the gateway's Service
  (``content/docs/install/access/index.md``);
- *Multi-cluster setup*, "Execution plane service does not start working": compare hostname,
  protocol and token of every service, and test the connection
  (``content/docs/install/multi-cluster/index.md``).

The page's test is ``helm test``, which runs a pod that calls the API, and takes seconds. What
stands in for it answers the same question faster: curl through a port-forward to the distributor's
API proxy, so that the call is made from inside the plane; and curl with the service's own endpoint
and token from here, once for each pair of them. Nobody's typing, reading or thinking is counted,
kubectl's discovery cache is warm, and what one command tells is not asked twice.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.speed.processes import LabProcess, Run, check, lab, spawn
from benchmarks.speed.tables import Table, met, secs, times

TARGET = 5.0
_WORLDS: tuple[tuple[str, dict[str, int], float], ...] = (
    ("3 services in 2 planes, no distance", {"planes": 2, "services": 3}, 0),
    ("3 services in 2 planes, 20 ms away", {"planes": 2, "services": 3}, 20),
    ("3 services in 2 planes, 50 ms away", {"planes": 2, "services": 3}, 50),
    ("20 services in 10 planes, 20 ms away", {"planes": 10, "services": 20}, 20),
    ("20 services in 10 planes, 50 ms away", {"planes": 10, "services": 20}, 50),
)


@dataclass(slots=True)
class ByHand:
    """One pass by hand; ``commands`` are told without tokens."""

    running: LabProcess
    home: str  # of kubectl's cache
    commands: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)  # what was learnt of each service
    addresses: dict[str, str] = field(default_factory=dict)  # by name

    def answer(self) -> float:
        """Go through all steps; gives the seconds that the commands took."""
        began = time.monotonic()
        token, endpoint = self._control_plane()
        listed = self._curl(f"{endpoint}/controlPlane/v1/uniform/registration", token)
        registered = {row["name"] for row in json.loads(listed)}
        tried: set[tuple[str, str]] = set()
        for plane, (context, namespace, services) in self.running.world["planes"].items():
            self._pods(context, namespace)
            for service in services:
                where = self._service(context, namespace, service)
                if where not in tried:
                    tried.add(where)
                    self._resolve(where[0])
                    self._curl(f"{where[0]}/v1/auth", where[1])
                same = "the same token" if where[1] == token else "another token"
                known = "registered" if service in registered else "not registered"
                self.seen[f"{plane}/{service}"] = f"{where[0]}, {same}, {known}"
        return time.monotonic() - began

    def _control_plane(self) -> tuple[str, str]:
        """Its token and its endpoint, after a look at its pods."""
        context, namespace = self.running.world["control_plane"]
        self._pods(context, namespace)
        path = "jsonpath={.data.keptn-api-token}"
        encoded = self._kubectl(context, namespace, "get", "secret", "keptn-api-token", "-o", path)
        path = "jsonpath={.status.loadBalancer.ingress[0].ip}"
        self._kubectl(context, namespace, "get", "service", "api-gateway-nginx", "-o", path)
        endpoint: str = self.running.world["endpoint"]
        token = base64.b64decode(encoded).decode()
        self._resolve(endpoint)
        self._curl(f"{endpoint}/v1/auth", token)
        return token, endpoint

    def _pods(self, context: str, namespace: str) -> None:
        """How the pods of a namespace fare, and their events."""
        self._kubectl(context, namespace, "get", "pods")
        self._kubectl(context, namespace, "describe", "pods")

    def _service(self, context: str, namespace: str, service: str) -> tuple[str, str]:
        """Endpoint and token of one service, after a look at its pod and its log."""
        found = self._kubectl(context, namespace, "get", "deployment", service, "-o", "json")
        log = ("logs", f"deployment/{service}", "--all-containers", "--tail=100")
        self._kubectl(context, namespace, *log)
        pod: dict[str, Any] = json.loads(found)["spec"]["template"]["spec"]
        if any(container["name"] == "distributor" for container in pod["containers"]):
            self._from_inside(context, namespace, service)
        rows = [row for container in pod["containers"] for row in container.get("env") or []]
        endpoint, token = (
            next((self._value(context, namespace, row) for row in rows if row["name"] == name), "")
            for name in ("KEPTN_API_ENDPOINT", "KEPTN_API_TOKEN")
        )
        return endpoint, token

    def _value(self, context: str, namespace: str, row: dict[str, Any]) -> str:
        """Of a variable, read from where it comes from."""
        where = row.get("valueFrom") or {}
        for kind, key in (("configmap", "configMapKeyRef"), ("secret", "secretKeyRef")):
            if key in where:
                path = f"jsonpath={{.data.{where[key]['key']}}}"
                name = where[key]["name"]
                found = self._kubectl(context, namespace, "get", kind, name, "-o", path)
                return base64.b64decode(found).decode() if kind == "secret" else found
        return str(row.get("value", ""))

    def _from_inside(self, context: str, namespace: str, service: str) -> None:
        """The registrations as the service's own distributor gets them."""
        given = ("--context", context, "-n", namespace, "port-forward", f"deployment/{service}")
        self.commands.append(" ".join(("kubectl", *given, ":8081")))
        with subprocess.Popen(
            (_kubectl(), *given, ":8081"), stdout=subprocess.PIPE, text=True,
            env=os.environ | self._environ(),
        ) as forwarding:  # fmt: skip
            said = forwarding.stdout.readline() if forwarding.stdout else ""
            found = re.search(r"127\.0\.0\.1:(\d+)", said)
            if found is None:
                raise SystemExit(f"kubectl port-forward said {said!r}")
            url = f"http://127.0.0.1:{found[1]}/controlPlane/v1/uniform/registration"
            self.commands.append("curl http://127.0.0.1:…/controlPlane/v1/uniform/registration")
            spawn("curl", "-sS", "-m", "10", url)
            forwarding.terminate()

    def _kubectl(self, context: str, namespace: str, *arguments: str) -> str:
        given = ("--context", context, "-n", namespace, *arguments)
        self.commands.append(" ".join(("kubectl", *given)))
        return spawn(_kubectl(), *given, environ=self._environ()).stdout

    def _environ(self) -> dict[str, str]:
        return {"KUBECONFIG": str(self.running.world["kubeconfig"]), "HOME": self.home}

    def _curl(self, url: str, token: str) -> str:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self.addresses.get(parts.hostname or "", parts.hostname)
        to_host, to_port = self.running.detour(address or "", port)
        detour = f"::{to_host}:{to_port}"
        self.commands.append(f"curl -H x-token:… {url}")
        header = f"x-token: {token}"
        return spawn("curl", "-sS", "-m", "10", "--connect-to", detour, "-H", header, url).stdout

    def _resolve(self, endpoint: str) -> None:
        """What dig asks and waits for, without dig's start."""
        name = urlsplit(endpoint).hostname or ""
        self.commands.append(f"dig {name}")
        self.addresses[name] = self.running.look_up(name)


def measure() -> Iterator[Table]:
    rows = [_row(title, size, distance) for title, size, distance in _WORLDS]
    header = (
        "world", "by hand", "commands", "keptn-doctor", "ratio", "target", "by hand gives",
        "keptn-doctor gives",
    )  # fmt: skip
    yield Table(name="manual-way", header=header, rows=tuple(rows))


def compared(size: dict[str, int], distance_ms: float) -> tuple[float, ByHand, Run]:
    """Both ways against one lab: seconds by hand with what was learnt, and the doctor's run."""
    with lab(**size) as running, tempfile.TemporaryDirectory() as home:
        running.reset()
        ByHand(running, home).answer()  # fills kubectl's cache
        running.reset(round_trip_ms=distance_ms)
        hand = ByHand(running, home)
        took = hand.answer()
        running.reset(round_trip_ms=distance_ms)
        return took, hand, check(running, outputs=("json",))


def _row(title: str, size: dict[str, int], distance_ms: float) -> tuple[str, ...]:
    took, hand, run = compared(size, distance_ms)
    report = json.loads(run.files["json"])
    ratio = took / run.wall_s
    return (
        title,
        secs(took),
        str(len(hand.commands)),
        secs(run.wall_s),
        times(ratio),
        f"{TARGET:g}x: {met(ratio, TARGET, at_least=True)}",
        f"output about {len(hand.seen)} services, to be read",
        f"{len(report['verdicts'])} verdicts, {len(report['findings'])} findings",
    )


def _kubectl() -> str:
    """The one beside this Python, which the tests install, else that of the machine."""
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if not found or not shutil.which("curl"):
        raise SystemExit("the manual way needs kubectl and curl")
    return found
