"""A lab in a process of its own, behind relays; asked over its standard input.

``python -m benchmarks.speed.lab_process SIZE`` (JSON, see ``worlds.Size``) prints one line of JSON
when the world is up: the configuration for the doctor and the kubeconfig for kubectl. Each line of
its input is a command, ``reset ROUND_TRIP_MS`` or ``report``, each answered by one line. The end of
its input is its end.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from benchmarks.speed.relay import Relay
from benchmarks.speed.relayed import forget, relayed, seen
from benchmarks.speed.worlds import Size, scenario
from keptn_doctor.lab.configuration import configuration
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.targets import Targets


async def main(size: Size) -> None:
    async with start(scenario(size)) as lab:
        relay = Relay()
        try:
            print(json.dumps(_world(lab, await relayed(lab, relay))), flush=True)
            await _obey(lab, relay)
        finally:
            await relay.close()


def _world(lab: Lab, targets: Targets) -> dict[str, Any]:
    """What there is, and how the doctor and a user with kubectl and curl get there."""
    network, home = targets.network, lab.scenario.control_plane
    kubeconfig = lab.folder / "kubeconfig-relayed"
    config = lab.folder / "keptn-doctor.yaml"
    config.write_text(configuration(targets, kubeconfig), encoding="utf-8")
    return {
        "config": str(config), "kubeconfig": str(kubeconfig), "endpoint": lab.endpoint,
        "nameserver": network.nameservers[0],
        "connect_to": [[r.host, r.port, r.to_host, r.to_port] for r in network.connect_to],
        "control_plane": [home.context, home.namespace],
        "planes": {
            name: [plane.context, plane.namespace, list(plane.services)]
            for name, plane in lab.plan.planes.items()
        },
    }  # fmt: skip


async def _obey(lab: Lab, relay: Relay) -> None:
    loop, since = asyncio.get_running_loop(), forget(lab, relay)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, _, value = line.strip().partition(" ")
        if command == "reset":
            relay.round_trip_s = float(value) / 1000
            since = forget(lab, relay)
            print("{}", flush=True)
        if command == "report":
            print(json.dumps(seen(lab, relay, since)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Size(**json.loads(sys.argv[1]))))
