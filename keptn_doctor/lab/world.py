"""A running world: the simulated network and Keptn, the Kubernetes APIs, and the operator's files.

``start`` is the way in. Everything here is on the loopback and lives in one temporary directory.
"""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from keptn_doctor.lab.blueprint import Blueprint, Site, blueprint, by_clock_of
from keptn_doctor.lab.client_certificates import accept_clients, foreign_authority_pem
from keptn_doctor.lab.clients.results import client_logs, results_into_plans
from keptn_doctor.lab.kube import Cluster, KubeApiServer
from keptn_doctor.lab.kubeconfig import Access, Server, access, write_kubeconfig
from keptn_doctor.lab.levers import ContextLevers
from keptn_doctor.lab.network.certificates import server_context, trusted_pem
from keptn_doctor.lab.network.loopback import LOOPBACK, BlackHole, port_of, refusing
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.charts import chart
from keptn_doctor.lab.objects.cluster import build_suffix
from keptn_doctor.lab.objects.custom_resources import custom_resources
from keptn_doctor.lab.objects.exposure import assign_addresses
from keptn_doctor.lab.objects.inventory import key_of
from keptn_doctor.lab.pods_backend import LabPods
from keptn_doctor.lab.pods_keptn import keptn_logs, keptn_ports
from keptn_doctor.lab.probe_pods import ProbePods
from keptn_doctor.lab.reading import ScenarioError
from keptn_doctor.lab.scenario import Scenario
from keptn_doctor.lab.settings import CertificateSettings, TlsSettings
from keptn_doctor.lab.simulation import Simulation, wall_clock
from keptn_doctor.lab.wiring import simulation_settings
from keptn_doctor.lab.workloads import Controllers
from keptn_doctor.lab.workloads.write import write_workloads
from keptn_doctor.lab.writes import Write, is_kubernetes_write
from keptn_doctor.secret import Secret
from keptn_doctor.targets import ApiTarget, ClusterTarget, Targets


class Lab:
    """One world while it runs. Made by ``start``; tests reach its parts through the attributes."""

    def __init__(self, scenario: Scenario, *, clock: Callable[[], datetime] = wall_clock) -> None:
        self.scenario = scenario
        self.clock = clock
        self.plan: Blueprint = blueprint(scenario, now=clock())
        self.controllers = {site.context: self._controllers(site) for site in self.plan.sites}
        assign_addresses(self.controllers[scenario.control_plane.context], scenario.control_plane)
        settings = simulation_settings(self.plan, self.controllers)
        self.simulation = Simulation(settings, clock=self._clock_of(self.plan.sites[0]))
        self.clusters: dict[str, Cluster] = {}
        self.servers: dict[str, KubeApiServer] = {}
        self.pods: dict[str, LabPods] = {}
        self._accesses: tuple[Access, ...] = ()
        self._stack = contextlib.AsyncExitStack()
        self._folder = Path()

    @property
    def folder(self) -> Path:
        """A temporary directory that goes away with the lab."""
        return self._folder

    @property
    def kubeconfig(self) -> Path:
        """The operator's kubeconfig; the file may be missing if the scenario says so."""
        return self._folder / "kubeconfig"

    @property
    def endpoint(self) -> str:
        """The endpoint that the exposure of the gateway gives."""
        return self.plan.endpoint

    @property
    def api_token(self) -> str:
        """The token that the control plane's Secret holds."""
        return self.plan.tokens.current

    def writes(self) -> tuple[Write, ...]:
        """Every request that could have changed something; see ``lab.writes`` for what counts."""
        kubernetes = [
            Write(server=context, method=request.method, path=request.path)
            for context, server in self.servers.items()
            for request in server.served
            if is_kubernetes_write(request.method, request.path)
        ]
        return (*self.simulation.writes, *kubernetes)

    def left_of(self, project: str) -> dict[str, int]:
        """What exists under a project's name in Keptn; see ``KeptnState.left_of``."""
        return self.simulation.keptn.left_of(project)

    def targets(self) -> Targets:
        """What the operator of the scenario would have pointed the doctor at."""
        operator = self.scenario.operator
        home = self.scenario.control_plane.context
        control_plane = self._target(home, home)
        planes = [
            self._target(plane.context, name)
            for name, plane in self.plan.planes.items()
            if plane.context != home
        ]
        token = self.plan.tokens.named(operator.token)
        endpoint = self.endpoint if operator.endpoint == "exposed" else operator.endpoint
        api = ApiTarget(endpoint=endpoint, token=Secret(token) if token else None)
        return Targets(
            control_plane=control_plane,
            execution_planes=tuple(plane for plane in planes if plane is not None),
            api=api if endpoint or token else None,
            network=self.simulation.network(),
        )

    def _target(self, context: str, name: str) -> ClusterTarget | None:
        levers = self._context(context)
        if not levers.given:
            return None
        return ClusterTarget(
            name=name, context=context, kubeconfig=str(self.kubeconfig),
            namespaces=levers.namespaces,
        )  # fmt: skip

    def _context(self, context: str) -> ContextLevers:
        return self.scenario.operator.contexts.get(context, ContextLevers())

    def _controllers(self, site: Site) -> Controllers:
        return Controllers(
            site.inventory, site.levers, now=site.now,
            chart=chart(self.scenario.version) if site.keptn_namespace else None,
            keptn_namespace=site.keptn_namespace, pod_ages_s=self._pod_ages(site),
        )  # fmt: skip

    def _pod_ages(self, site: Site) -> dict[tuple[str, str], float]:
        """The pods of execution-plane services are as old as their clients' running time."""
        ages = {}
        for name in site.planes:
            plane = self.plan.planes[name]
            for service, levers in plane.services.items():
                if levers is not None:
                    running = levers.running_for_s
                    ages[levers.namespace or plane.namespace, service] = (
                        self.scenario.running_for_s if running is None else running
                    )
        return ages

    # Starting, in the order in which things depend on each other

    async def open(self) -> None:
        """Start everything; ``close`` must follow, also after an error."""
        folder = tempfile.TemporaryDirectory(prefix="keptn-doctor-lab-")
        self._folder = Path(self._stack.enter_context(folder))
        await self._stack.enter_async_context(self.simulation)
        for site in self.plan.sites:
            self._populate(site)
        context = _api_context(self.plan.now)
        for name, cluster in self.clusters.items():
            levers = next(s.levers for s in self.plan.sites if s.context == name)
            server = KubeApiServer(
                cluster, self.pods[name], context, misbehaviours=levers.api_server
            )
            self.servers[name] = await self._stack.enter_async_context(server)
        self._let_operator_in()

    async def close(self) -> None:
        """Stop and remove everything."""
        await self._stack.aclose()

    def _populate(self, site: Site) -> None:
        """Write down what the simulation made of the plans, and serve it."""
        controllers = self.controllers[site.context]
        shift = site.now - self.plan.sites[0].now
        pods = LabPods(self.simulation.clock, shift=shift)
        results_into_plans(self.simulation, site, controllers)
        write_workloads(controllers, site.context)
        left = site.inventory.finish(site.later)
        if left:
            target = left[0].patch or left[0].remove
            raise ScenarioError(f"objects of {site.context}: nothing matches '{target}'")
        self.pods[site.context] = pods
        keptn_logs(self.simulation, site, controllers, pods)
        if site.keptn_namespace:
            keptn_ports(self.simulation, site, controllers, pods)
        client_logs(self.simulation, site, controllers, pods)
        self.clusters[site.context] = self._cluster(site)

    def _clock_of(self, site: Site) -> Callable[[], datetime]:
        """A cluster's clock; Keptn and its clients all go by the control plane's."""
        return lambda: by_clock_of(site.levers, self.clock())

    def _cluster(self, site: Site) -> Cluster:
        openshift = site.levers.platform == "openshift"
        probes = ProbePods(
            simulation=self.simulation, site=site, controllers=self.controllers[site.context],
            clock=self._clock_of(site),
        )  # fmt: skip
        self._stack.push_async_callback(probes.close)
        made = list(site.inventory)
        cluster = Cluster(
            site.levers.kubernetes, now=self._clock_of(site), name=site.context,
            extra_resources=custom_resources(made, openshift=openshift),
            build=build_suffix(site.levers), on_pod_created=probes.hook, admit_pod=probes.admit,
        )  # fmt: skip
        made.sort(key=lambda o: o["kind"] != "Namespace")
        for obj in made:
            raw = key_of(obj) in site.inventory.raw
            cluster.put(_bootstrapped(cluster, obj), raw=raw)
        return cluster

    def _let_operator_in(self) -> None:
        black_hole, closed = BlackHole(), refusing()
        self._stack.callback(black_hole.close)
        self._stack.callback(closed.close)
        owners = {self.scenario.control_plane.context: self.plan.sites[0].context}
        for name, plane in self.plan.planes.items():
            owners[plane.context] = self.plan.site_of(name).context
        accesses = []
        for context, owner in owners.items():
            levers = self._context(context)
            server = Server(
                url=self.servers[owner].url, ca_pem=trusted_pem(),
                silent_url=f"https://{LOOPBACK}:{black_hole.port}",
                refusing_url=f"https://{LOOPBACK}:{port_of(closed)}",
            )  # fmt: skip
            made = access(
                context, levers, server, folder=self._folder, now=self.plan.now,
                other_ca=foreign_authority_pem(),
            )  # fmt: skip
            accesses.append(made)
            home = owners.get(levers.points_to, owner)
            if made.user is not None:
                self.clusters[home].users[made.token] = made.user
        self._accesses = tuple(accesses)
        write_kubeconfig(
            self.kubeconfig, self._accesses, self.scenario.operator,
            self.scenario.control_plane.context,
        )  # fmt: skip


def _bootstrapped(cluster: Cluster, obj: Object) -> Object:
    """Keep the identity of what the cluster made itself: kube-system's uid is the cluster's."""
    if obj["kind"] != "Namespace":
        return obj
    known = cluster.get("namespaces", str(obj["metadata"]["name"]))
    if known is None:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "uid": known["metadata"]["uid"]}}


def _api_context(now: datetime) -> ssl.SSLContext:
    """TLS of the Kubernetes APIs: one certificate for all, client certificates taken."""
    certificate = CertificateSettings(names=(LOOPBACK, "localhost"))
    context = server_context(TlsSettings(certificate=certificate), now=now)
    accept_clients(context)
    return context
