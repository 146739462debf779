"""What one run has open: a Kubernetes client per cluster, made when first asked for.

It gives probes their clients and takes them back at the end. It knows nothing of what is looked at.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import msgspec

from keptn_doctor.janitor import Janitor
from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.probes.at_work import AtWork
from keptn_doctor.probes.budget import Budget
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import IN_FLIGHT, KubeClient
from keptn_doctor.probes.kube_credentials import load_access
from keptn_doctor.probes.lines import Lines
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.redact import Redactor
from keptn_doctor.secret import Secret
from keptn_doctor.targets import ClusterTarget, Targets

_MANY_CLUSTERS = 20
_OF_MANY = 2  # requests in flight at each of them


class Session:
    """The open ends of one run; use it as an asynchronous context manager.

    ``salt`` is that of the run's fingerprints. ``redactor`` knows every secret that was read.
    """

    def __init__(
        self,
        targets: Targets,
        recorder: Recorder,
        *,
        salt: bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        environ: Mapping[str, str] | None = None,
        stop: asyncio.Event | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.budget = budget
        self.targets, self.recorder, self.salt, self.now = targets, recorder, salt, now
        self.stop = stop or asyncio.Event()  # set when the user wants no more looking
        self.redactor = Redactor()
        recorder.clean = self.redactor.clean
        self.janitor = Janitor()
        self.reference_token: Secret | None = None  # of the control plane, once it was read
        self._environ = os.environ if environ is None else environ
        self._opened: dict[ClusterTarget, KubeClient | Failure] = {}
        self._at_work = AtWork()
        self._locks: dict[ClusterTarget, asyncio.Lock] = {}
        self._lines: list[Lines] = []
        if targets.api and targets.api.token:
            self.redactor.learn(targets.api.token.reveal())
        if targets.trip.upstream and targets.trip.upstream.token:
            self.redactor.learn(targets.trip.upstream.token.reveal())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every client, and record what their lists left out."""
        for lines in self._lines:
            await lines.aclose()
        opened, self._opened = self._opened, {}
        for client in opened.values():
            if isinstance(client, KubeClient):
                self._record_gaps(client)
                await client.aclose()

    def _record_gaps(self, client: KubeClient) -> None:
        control_plane = self.targets.control_plane
        name = client.access.name
        is_control_plane = control_plane is not None and control_plane.name == name
        for path, gap in client.gaps.items():
            self.recorder.skip(
                NotAttempted(
                    probe="kubernetes-list",
                    subject=f"control-plane/{name}" if is_control_plane else name,
                    kind="limit",
                    reason=f"{path}: {gap}",
                )
            )

    def lines(self) -> Lines:
        """Connections to a Keptn endpoint that stay open until the session is closed."""
        self._lines.append(Lines())
        return self._lines[-1]

    async def kube(self, cluster_name: str) -> KubeClient | Failure:
        """The client of a cluster by its target's name, or why there can be none.

        The first call reads the credentials, which may run a credential plugin; targets with one
        context share a client. Raises KeyError for a name that is no target's.
        """
        target = self.targets.cluster(cluster_name)
        if target is None:
            raise KeyError(cluster_name)
        context = self.context_of(target)
        async with self._locks.setdefault(context, asyncio.Lock()):
            if context not in self._opened:
                self._opened[context] = await self._open(target)
            return self._opened[context]

    @staticmethod
    def context_of(target: ClusterTarget) -> ClusterTarget:
        """What is the same in all targets that share a client."""
        return msgspec.structs.replace(target, name="", namespaces=())

    def _number(self, target: ClusterTarget) -> int:
        """The control plane comes first, then the planes in the order in which they were named."""
        planes = self.targets.execution_planes
        return 1 + planes.index(target) if target in planes else 0

    def _in_flight(self) -> int:
        """With many clusters there is enough to do without opening many connections to each."""
        clusters = len(self.targets.execution_planes)
        return IN_FLIGHT if clusters <= _MANY_CLUSTERS else _OF_MANY

    async def _open(self, target: ClusterTarget) -> KubeClient | Failure:
        try:
            access = await load_access(
                target,
                environ=self._environ,
                deadline_s=self.targets.deadlines.kube_s,
                now=self.now(),
            )
            for secret in (access.authorization, access.key):
                if secret:
                    self.redactor.learn(secret.reveal().removeprefix("Bearer "))
            return KubeClient(
                access,
                deadlines=self.targets.deadlines,
                network=self.targets.network,
                active=self.targets.active,
                at_work=self._at_work,
                number=self._number(target),
                in_flight=self._in_flight(),
            )
        except WorldFault as fault:
            return fault.failure
