"""A lab in a process of its own, behind relays; asked over its standard input.

``python -m benchmarks.speed.lab_process SIZE`` (JSON, see ``worlds.Size``) prints one line of JSON
when the world is up: the configuration for the doctor and the kubeconfig for kubectl. Each line of
its input is a command, ``reset ROUND_TRIP_MS`` or ``report``, each answered by one line. The end of
its input is its end.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml

from benchmarks.speed.relay import Relay
from benchmarks.speed.worlds import Size, fill, scenario
from keptn_doctor.lab.configuration import configuration
from keptn_doctor.lab.scenario import Scenario, load
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.network_settings import NetworkSettings

_ACCESS = re.compile(r'(\S+) .*?"(\S+) (\S+) HTTP/1\.1" (\d+) .*"keptn-doctor"$')


async def main(wanted: dict[str, Any]) -> None:
    file = wanted.pop("scenario", "")
    size = Size(**wanted)
    world = load(Path(file)) if file else scenario(size)
    async with start(world) as lab:
        if not file:
            fill(lab, size)
        relay = Relay()
        try:
            print(json.dumps(await _opened(lab, relay, world)), flush=True)
            await _obey(lab, relay)
        finally:
            await relay.close()


async def _opened(lab: Lab, relay: Relay, world: Scenario) -> dict[str, Any]:
    """Write down a world of relays."""
    clusters = {server.port: name for name, server in lab.servers.items()}
    kubeconfig = lab.folder / "kubeconfig-relayed"
    document = yaml.safe_load(lab.kubeconfig.read_text(encoding="utf-8"))
    for row in document["clusters"]:
        port = int(row["cluster"]["server"].rpartition(":")[2])
        if port in clusters:  # a dead one is dead without a relay, too
            passed = await relay.tcp(port, clusters[port])
            row["cluster"]["server"] = f"https://127.0.0.1:{passed}"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    targets = lab.targets()
    network = await _network(targets.network, relay)
    config = lab.folder / "keptn-doctor.yaml"
    relayed = msgspec.structs.replace(targets, network=network)
    config.write_text(configuration(relayed, kubeconfig), encoding="utf-8")
    return {
        "config": str(config), "kubeconfig": str(kubeconfig), "endpoint": lab.endpoint,
        "nameserver": network.nameservers[0], "ca_file": network.trust_ca_file,
        "connect_to": [[r.host, r.port, r.to_host, r.to_port] for r in network.connect_to],
        "control_plane": [world.control_plane.context, world.control_plane.namespace],
        "planes": {
            name: [plane.context, plane.namespace, list(plane.services)]
            for name, plane in lab.plan.planes.items()
        },
    }  # fmt: skip


async def _network(network: NetworkSettings, relay: Relay) -> NetworkSettings:
    server = await relay.udp(int(network.nameservers[0].rpartition(":")[2]), "dns")
    rules = []
    for rule in network.connect_to:
        if rule.host and rule.to_port and rule.to_host == "127.0.0.1":
            port = await relay.tcp(rule.to_port, f"{rule.host}:{rule.port}")
            rule = msgspec.structs.replace(rule, to_port=port)  # noqa: PLW2901
        rules.append(rule)
    return msgspec.structs.replace(
        network, nameservers=(f"127.0.0.1:{server}",), connect_to=tuple(rules)
    )


async def _obey(lab: Lab, relay: Relay) -> None:
    loop, since = asyncio.get_running_loop(), lab.simulation.clock()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, _, value = line.strip().partition(" ")
        if command == "reset":
            relay.round_trip_s = float(value) / 1000
            relay.reset()
            for server in lab.servers.values():
                server.served.clear()
                server.hit.clear()
            since = lab.simulation.clock()
            print("{}", flush=True)
        if command == "report":
            served = {
                name: [msgspec.to_builtins(s) for s in server.served]
                for name, server in lab.servers.items()
            }
            carried = [asdict(c) | {"bare": c.bare} for c in relay.connections]
            found = {
                "hit": {name: list(server.hit) for name, server in lab.servers.items()},
                "served": served, "connections": carried, "keptn": _asked(lab, since),
                "endpoint": lab.endpoint, "operator": lab.scenario.operator.nat_address,
            }  # fmt: skip
            print(json.dumps(found), flush=True)


def _asked(lab: Lab, since: datetime) -> list[str]:
    """The doctor's requests to Keptn: "ADDRESS METHOD TARGET STATUS", by the gateways' logs."""
    return [
        " ".join(found.groups())
        for gateway in lab.simulation.gateways.values()
        for at, line in gateway.log
        if at >= since and (found := _ACCESS.match(line))
    ]


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
