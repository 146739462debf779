"""A lab seen through relays: the targets that lead there, and what was seen of a run."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
import yaml

from benchmarks.speed.relay import Relay
from keptn_doctor.lab.world import Lab
from keptn_doctor.network_settings import NetworkSettings
from keptn_doctor.targets import ClusterTarget, Targets

_ACCESS = re.compile(r'(\S+) .*?"(\S+) (\S+) HTTP/1\.1" (\d+) .*"keptn-doctor"$')


async def relayed(lab: Lab, relay: Relay) -> Targets:
    """The lab's targets with a relay before each of its sockets.

    A kubeconfig for them is written beside the lab's own. API servers that are dead have no relay.
    """
    contexts = {server.port: name for name, server in lab.servers.items()}
    kubeconfig = lab.folder / "kubeconfig-relayed"
    document = yaml.safe_load(lab.kubeconfig.read_text(encoding="utf-8"))
    for row in document["clusters"]:
        port = int(row["cluster"]["server"].rpartition(":")[2])
        if port in contexts:
            passed = await relay.tcp(port, contexts[port])
            row["cluster"]["server"] = f"https://127.0.0.1:{passed}"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    targets = lab.targets()
    first = targets.control_plane
    return msgspec.structs.replace(
        targets,
        control_plane=_by(first, str(kubeconfig)) if first else None,
        execution_planes=tuple(_by(p, str(kubeconfig)) for p in targets.execution_planes),
        network=await _network(targets.network, relay),
    )


def _by(target: ClusterTarget, kubeconfig: str) -> ClusterTarget:
    return msgspec.structs.replace(target, kubeconfig=kubeconfig)


async def _network(network: NetworkSettings, relay: Relay) -> NetworkSettings:
    server = await relay.udp(int(network.nameservers[0].rpartition(":")[2]), "dns")
    rules = []
    for rule in network.connect_to:
        if rule.host and rule.to_port and rule.to_host == "127.0.0.1":
            port = await relay.tcp(rule.to_port, f"{rule.host}:{rule.port}")
            rules.append(msgspec.structs.replace(rule, to_port=port))
        else:
            rules.append(rule)
    return msgspec.structs.replace(
        network, nameservers=(f"127.0.0.1:{server}",), connect_to=tuple(rules)
    )


def forget(lab: Lab, relay: Relay) -> datetime:
    """Begin anew; gives the moment for ``seen``."""
    relay.reset()
    for server in lab.servers.values():
        server.served.clear()
        server.hit.clear()
    return lab.simulation.clock()


def seen(lab: Lab, relay: Relay, since: datetime) -> dict[str, Any]:
    """What arrived: requests of each API server, of Keptn, and connections through the relays."""
    return {
        "served": {
            name: [msgspec.to_builtins(s) for s in server.served]
            for name, server in lab.servers.items()
        },
        "hit": {name: list(server.hit) for name, server in lab.servers.items()},
        "keptn": _asked(lab, since),
        "connections": [asdict(c) | {"bare": c.bare} for c in relay.connections],
        "endpoint": lab.endpoint,
        "operator": lab.scenario.operator.nat_address,
    }


def _asked(lab: Lab, since: datetime) -> list[str]:
    """The doctor's requests to Keptn: "ADDRESS METHOD TARGET STATUS", by the gateways' logs."""
    return [
        " ".join(found.groups())
        for gateway in lab.simulation.gateways.values()
        for at, line in gateway.log
        if at >= since and (found := _ACCESS.match(line))
    ]
