"""How cost grows with size, as ratios: a machine's speed cancels out, growth does not.

``make bench`` prints one table. Nothing is asserted and nothing is written: a slow machine is no
fault, and a ratio that strays from its size is for a person to look at.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from rich.console import Console
from rich.table import Table

from keptn_doctor.catalogue import load_checks
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.lab.kube import Cluster, KubeApiServer, Rule, User
from keptn_doctor.lab.network.certificates import server_context, trusted_pem
from keptn_doctor.lab.settings import CertificateSettings, TlsSettings
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.probes.kube_access import ClusterAccess
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_objects import Pod
from keptn_doctor.renderers.text import render
from keptn_doctor.secret import Secret
from keptn_doctor.testing import (
    integration,
    keptn_service,
    own_request,
    pod_log,
    registered_line,
    uniform,
    workload_of,
    world,
)

ROUNDS = 3
READER = "benchmark"  # bearer token of a server that lives for one measurement on the loopback


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list-pods", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list_pods:
        print(json.dumps(asyncio.run(_list(options.list_pods))))
        return
    table = Table("measured", "small", "large", "size grows", "cost grows")
    for row in (_help(), _judging(), _rendering(), *_listing()):
        table.add_row(*row)
    Console(width=110).print(table)


def _help() -> tuple[str, ...]:
    bare = _best(lambda: _spawn("-c", "pass"))
    told = _best(lambda: _spawn("-m", "keptn_doctor", "--help"))
    return ("--help against a bare Python", _ms(bare), _ms(told), "-", f"{told / bare:.1f}x")


def _judging() -> tuple[str, ...]:
    catalogue = load_checks()
    worlds = [_healthy(size) for size in (50, 500)]
    small, large = (_best(partial(assemble, w, catalogue)) for w in worlds)
    return ("judging 50 and 500 services", _ms(small), _ms(large), "10x", f"{large / small:.1f}x")


def _rendering() -> tuple[str, ...]:
    catalogue = load_checks()
    reports = [assemble(_healthy(size), catalogue) for size in (50, 500)]
    small, large = (_best(partial(render, r)) for r in reports)
    return ("rendering the same as text", _ms(small), _ms(large), "10x", f"{large / small:.1f}x")


def _listing() -> tuple[tuple[str, ...], ...]:
    """Each size in a process of its own, since peak memory never falls."""
    small, large = (json.loads(_spawn(__file__, "--list-pods", str(n))) for n in (1000, 10_000))
    grown = {key: f"{large[key] / small[key]:.1f}x" for key in small}
    name = "1,000 and 10,000 pods, server included"
    return (
        (f"{name}, time", _ms(small["s"]), _ms(large["s"]), "10x", grown["s"]),
        (f"{name}, memory above the server's", f"{small['mib']:.0f} MiB",
         f"{large['mib']:.0f} MiB", "10x", grown["mib"]),
    )  # fmt: skip


async def _list(count: int) -> dict[str, float]:
    """Seconds and MiB of one paged list, decoded into the records that the doctor reads."""
    reader = User(name="reader", rules=(Rule(resources=("pods",)),))
    cluster = Cluster("1.24", [_pod(n) for n in range(count)], {READER: reader}, name="bench")
    tls = TlsSettings(certificate=CertificateSettings(names=("127.0.0.1",)))
    context = server_context(tls, now=datetime.now(UTC))
    async with KubeApiServer(cluster, ssl_context=context) as server:
        access = ClusterAccess(
            name="bench", server=server.url, ca_pem=trusted_pem(),
            authorization=Secret(f"Bearer {READER}"),
        )  # fmt: skip
        async with KubeClient(access) as client:
            await client.list("/api/v1/pods", Pod, {"fieldSelector": "spec.nodeName=none"})
            before, began = _peak_mib(), time.perf_counter()
            items = await client.list("/api/v1/pods", Pod)
            elapsed = time.perf_counter() - began
    if len(items) != count:
        raise SystemExit(f"{len(items)} of {count} pods were listed")
    return {"s": elapsed, "mib": max(_peak_mib() - before, 1.0)}


def _pod(number: int) -> dict[str, object]:
    container = {"name": "main", "image": "registry.example.com/team/app:1", "env": [
        {"name": f"VARIABLE_{n}", "value": "x" * 40} for n in range(20)
    ]}  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"pod-{number}", "namespace": "default"},
        "spec": {"nodeName": "node-1", "containers": [container]},
        "status": {"phase": "Running"},
    }


def _healthy(count: int) -> Snapshot:
    """A world of that many connected Keptn services in one plane."""
    services = [keptn_service(f"service-{n}") for n in range(count)]
    records = [
        integration(id=f"{n:040x}", name=service.name) for n, service in enumerate(services)
    ]
    looks = [
        look
        for service, record in zip(services, records, strict=True)
        for look in (
            workload_of(service),
            own_request(service, listed=(record.id,)),
            pod_log(service, registered_line(), ids=(record.id,)),
        )
    ]
    return world(*services, uniform(*records), *looks)


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few rounds: what else the machine does only ever adds."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def _spawn(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
