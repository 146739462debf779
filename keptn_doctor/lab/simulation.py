"""The simulated network and Keptn as a whole: started once, asked through sockets.

Joins wire, name servers, gateways, fronts, proxies and clients. What Kubernetes shows of all this
is built elsewhere from ``runs`` and the logs offered here.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from keptn_doctor.lab.clients.client import ClientRun
from keptn_doctor.lab.clients.go_resolver import Resolver
from keptn_doctor.lab.clients.rehearsal import Rehearsal
from keptn_doctor.lab.clients.services import Services
from keptn_doctor.lab.keptn.founding import build
from keptn_doctor.lab.keptn.gateway import Gateway
from keptn_doctor.lab.keptn.state import KeptnState
from keptn_doctor.lab.network.certificates import trusted_pem
from keptn_doctor.lab.network.dns import NameServer
from keptn_doctor.lab.network.exchange import Answer, Call, Handler, HttpServer
from keptn_doctor.lab.network.fronts import Front, black_hole_cluster
from keptn_doctor.lab.network.proxies import PROXY_VANTAGE, EgressProxy
from keptn_doctor.lab.network.routes import BLACK_HOLE_CLUSTER
from keptn_doctor.lab.network.sso import IdentityProvider
from keptn_doctor.lab.network.wire import Wire
from keptn_doctor.lab.settings import (
    CONTROL_PLANE,
    OPERATOR,
    Component,
    ControlPlaneSettings,
    SimulationSettings,
)
from keptn_doctor.lab.writes import Write, is_keptn_write
from keptn_doctor.network_settings import NetworkSettings

_COMPONENTS: tuple[Component, ...] = (
    "api-service",
    "shipyard-controller",
    "mongodb-datastore",
    "configuration-service",
    "resource-service",
    "secret-service",
    "statistics-service",
    "bridge",
)


_MOST_WRITES = 20_000


def wall_clock() -> datetime:
    return datetime.now(UTC)


class Simulation:
    """One running world. Use as ``async with Simulation(settings) as simulation``."""

    def __init__(
        self, settings: SimulationSettings, *, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.wire = Wire(settings, clock=clock)
        self.gateways: dict[str, Gateway] = {}
        self.name_servers: dict[str, NameServer] = {}
        self.runs: tuple[ClientRun, ...] = ()
        self.writes: deque[Write] = deque(maxlen=_MOST_WRITES)
        self._services: Services | None = None
        self._handlers: dict[str, Handler] = {}
        self._servers: list[HttpServer | EgressProxy] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def keptn(self) -> KeptnState:
        """The state of the first control plane, the one that is diagnosed."""
        return self.gateways[self.settings.control_planes[0].name].state

    def network(self, vantage: str = OPERATOR) -> NetworkSettings:
        """What the doctor is told so that its own packets take this world's ways."""
        server = self.name_servers[vantage]
        return NetworkSettings(
            nameservers=(server.address,),
            search=server.view.search,
            ndots=1,
            connect_to=self.wire.connect_to(vantage),
            trust_ca_file=str(self.ca_file()),
        )

    def ca_file(self) -> Path:
        """PEM of the authority that signs the good certificates of this world."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="keptn-doctor-lab-")
        path = Path(self._folder.name, "ca.pem")
        if not path.exists():
            path.write_text(trusted_pem(), encoding="ascii")
        return path

    def run_of(self, plane: str, namespace: str, name: str) -> ClientRun | None:
        """The run of one Keptn service."""
        return next((r for r in self.runs if r.subject == f"{plane}/{namespace}/{name}"), None)

    async def close(self) -> None:
        if self._services is not None:
            await self._services.close()
        for gateway in self.gateways.values():
            gateway.state.close()
        for run in self.runs:
            for pod in run.pods:
                for port in pod.ports:
                    await port.close()
        await self.wire.close()
        for server in self._servers:
            await server.close()
        for name_server in self.name_servers.values():
            await name_server.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    async def _start(self) -> None:
        await asyncio.gather(*(self._start_name_server(v) for v in self._vantages()))
        await self._serve_http(BLACK_HOLE_CLUSTER, black_hole_cluster)
        for control_plane in self.settings.control_planes:
            await self._start_control_plane(control_plane)
        for front in self.settings.fronts:
            made = Front(front, lambda to=front.to: self._handlers.get(to))  # type: ignore[misc]
            await self._serve_http(front.name, made.answer)
        for provider in self.settings.identity_providers:
            await self._serve_http(provider.name, IdentityProvider(provider).answer)
        for proxy in self.settings.proxies:
            self._start_proxy(proxy.name)
        self.runs = await Rehearsal(
            self.settings,
            wire=self.wire,
            gateways=self.gateways,
            name_servers=self.name_servers,
            clock=self.clock,
        ).run()
        self._services = Services(self.runs, tuple(g.state for g in self.gateways.values()))

    def _vantages(self) -> tuple[str, ...]:
        planes = (
            *(p.vantage for p in self.settings.planes),
            *(c.plane for c in self.settings.clients),
            *(v.vantage for v in self.settings.dns.views),
        )
        return tuple(dict.fromkeys((OPERATOR, CONTROL_PLANE, PROXY_VANTAGE, *planes)))

    async def _start_name_server(self, vantage: str) -> None:
        server = NameServer(self.settings.dns, vantage)
        self.name_servers[vantage] = server
        await server.start()

    async def _start_control_plane(self, settings: ControlPlaneSettings) -> None:
        gateway = Gateway(build(settings, clock=self.clock), clock=self.clock)
        self.gateways[settings.name] = gateway
        missing = any(b.state == "missing-service" for b in settings.backends)
        if settings.gateway == "up" and not missing:
            await self._serve_http(settings.name, gateway.answer)
        for component in _COMPONENTS:
            down = any(b.component == component and b.state == "down" for b in settings.backends)
            if down:
                continue

            async def direct(
                call: Call, name: Component = component, gateway: Gateway = gateway
            ) -> Answer:
                return await gateway.component(name, call)

            await self._serve_http(f"{settings.name}/{component}", direct)

    async def _serve_http(self, name: str, handler: Handler) -> None:
        async def counted(call: Call) -> Answer:
            own = call.origin.client or call.origin.sender
            if not own and is_keptn_write(call.method, call.path):
                self.writes.append(Write(server=name, method=call.method, path=call.path))
            return await handler(call)

        server = HttpServer(counted, origin_of=self.wire.origin_of, clock=self.clock)
        await server.start()
        self._servers.append(server)
        self._handlers[name] = handler
        self.wire.serve(name, server)

    def _start_proxy(self, name: str) -> None:
        settings = next(p for p in self.settings.proxies if p.name == name)
        resolver = Resolver(
            server=self.name_servers[settings.vantage or PROXY_VANTAGE], namespace="proxy"
        )
        proxy = EgressProxy(
            settings, wire=self.wire, resolver=resolver, origin_of=self.wire.origin_of
        )
        self._servers.append(proxy)
        self.wire.serve(name, proxy)
