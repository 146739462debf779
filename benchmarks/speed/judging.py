"""The pure half alone: judging and rendering a snapshot of so many Keptn services.

No process and no socket; the worlds are built by hand, as tests build them. Memory is what
``tracemalloc`` counts, which is the same on every machine.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator

from benchmarks.speed.tables import Table, mib, ms, times
from keptn_doctor.catalogue import load_checks
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.renderers.text import render
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

_SIZES = (20, 200, 1_000)
_ROUNDS = 3


def measure() -> Iterator[Table]:
    catalogue = load_checks()
    measured = []
    for count in _SIZES:
        snapshot = healthy(count)
        report = assemble(snapshot, catalogue)
        measured.append((
            count, best_s(lambda s=snapshot: assemble(s, catalogue)),  # type: ignore[misc]
            best_s(lambda r=report: render(r)),  # type: ignore[misc]
            allocated(lambda s=snapshot: assemble(s, catalogue)),  # type: ignore[misc]
        ))  # fmt: skip
    size, judged, rendered, memory = measured[0]
    rows = tuple(
        (
            f"{n:,}", ms(j), ms(r), mib(m / 1024 / 1024), times(n / size), times(j / judged),
            times(r / rendered), times(m / memory),
        )
        for n, j, r, m in measured
    )  # fmt: skip
    header = (
        "Keptn services", "judging", "rendering", "memory", "size", "judging", "rendering",
        "memory",
    )  # fmt: skip
    yield Table(name="judging", header=header, rows=rows)


def healthy(count: int) -> Snapshot:
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
            own_request(service),
            pod_log(service, registered_line(), ids=(record.id,)),
        )
    ]
    return world(*services, uniform(*records), *looks)


def best_s(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few rounds: what else the machine does only ever adds."""
    took = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def allocated(work: Callable[[], object]) -> int:
    """Peak bytes that the work held on to, above what there was."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
