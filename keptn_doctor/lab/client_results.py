"""What the simulated clients did, carried over to their pods: restarts, states, logs, ports."""

from __future__ import annotations

from keptn_doctor.lab.blueprint import Site
from keptn_doctor.lab.pods_backend import LabPods
from keptn_doctor.lab.simulation import Simulation
from keptn_doctor.lab.workloads import Controllers


def results_into_plans(simulation: Simulation, site: Site, controllers: Controllers) -> None:
    """Replace the plans of pods whose client ended, restarts or is not ready."""


def client_logs(
    simulation: Simulation, site: Site, controllers: Controllers, pods: LabPods
) -> None:
    """Serve the clients' logs and local ports."""
