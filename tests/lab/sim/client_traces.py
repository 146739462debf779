"""What a simulated client left behind, as tests ask for it: its records and how old they are."""

from __future__ import annotations

from sim_worlds import (
    HOST,
)

from keptn_doctor.lab.simulation import Simulation

HTTPS = f"https://{HOST}/api"


def records(lab: Simulation, name: str = "helm-service"):
    return lab.keptn.uniform.matching(name, "keptn-exec", lab.clock())


def age(lab: Simulation, name: str = "helm-service") -> float:
    now = lab.clock()
    return (now - records(lab, name)[0].last_seen(now)).total_seconds()
