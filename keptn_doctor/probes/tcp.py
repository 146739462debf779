"""Opens TCP to every address of a host, because one dead address of two is a fault of its own.

It sends nothing, and closes at once what nobody goes on with.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from keptn_doctor.model.failure import Code, Failure
from keptn_doctor.model.path_facts import TcpConnection
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.network import Line, Network, open_line

_MOST_ADDRESSES = 8


async def connect(
    network: Network,
    host: str,
    port: int,
    *,
    addresses: tuple[str, ...],
    deadline_s: float,
    go_on: Callable[[Line], None] | None = None,
) -> TcpConnection:
    """Which of the addresses accept a connection; the first that does is the fact's ``address``.

    Its connection is given to ``go_on``, to be closed there.
    Raises WorldFault of phase "connect" when none does: with the code that most of them gave.
    """
    tried = tuple(dict.fromkeys(addresses))[:_MOST_ADDRESSES]
    lines: dict[str, Line] = {}
    try:
        outcomes = await asyncio.gather(
            *(_connect(network, host, port, a, lines, deadline_s=deadline_s) for a in tried)
        )
        failures = {a: o for a, o in zip(tried, outcomes, strict=True) if isinstance(o, Failure)}
        for address, outcome in zip(tried, outcomes, strict=True):
            if not isinstance(outcome, Failure):
                if go_on:
                    go_on(lines.pop(address))
                return TcpConnection(
                    host=host,
                    port=port,
                    address=address,
                    connect_ms=outcome,
                    failed=tuple(f"{other}: {failure.code}" for other, failure in failures.items()),
                )
    finally:
        for line in lines.values():
            await line.aclose()
    if not failures:
        raise fault("connect", "host-unreachable", f"{host} has no address to connect to")
    raise WorldFault(_common(failures))


async def _connect(
    network: Network,
    host: str,
    port: int,
    address: str,
    lines: dict[str, Line],
    *,
    deadline_s: float,
) -> float | Failure:
    """Milliseconds to the connection, which is added to ``lines``, or why there is none."""
    began = time.perf_counter()
    try:
        ((to_address, to_port), *_) = await network.at(host, address).destinations(host, port)
        lines[address] = await open_line(to_address, to_port, deadline_s=deadline_s)
    except WorldFault as refusal:
        return refusal.failure
    return round((time.perf_counter() - began) * 1000, 1)


def _common(failures: dict[str, Failure]) -> Failure:
    counted: Counter[Code] = Counter(failure.code for failure in failures.values())
    code = counted.most_common(1)[0][0]
    if len(failures) == 1:
        (only,) = failures.values()
        return only
    detail = "; ".join(f"{address}: {failure.code}" for address, failure in failures.items())
    return Failure(phase="connect", code=code, detail=detail)
