"""What a run looks at, as records: clusters, the Keptn API, and how to reach them."""

from __future__ import annotations

from keptn_doctor.model.base import Record
from keptn_doctor.network_settings import Deadlines, NetworkSettings
from keptn_doctor.probes.probe_pod_manifest import ProbeOptions
from keptn_doctor.probes.round_trip_settings import TripSettings
from keptn_doctor.secret import Secret


class ClusterTarget(Record, frozen=True, kw_only=True):
    """One cluster to look at and how to get credentials for it."""

    name: str  # of the control plane or execution plane in reports
    context: str = ""  # kubeconfig context; "" with ``in_cluster``
    kubeconfig: str = ""  # paths joined like KUBECONFIG; "" = KUBECONFIG, then ~/.kube/config
    in_cluster: bool = False  # the service account of the pod that the doctor runs in
    namespaces: tuple[str, ...] = ()  # to search; empty = all that can be listed


class ApiTarget(Record, frozen=True, kw_only=True):
    """The Keptn API as the operator reaches it."""

    endpoint: str = ""  # e.g. "http://keptn.example.com/api"; "" = derive it from the cluster
    token: Secret | None = None


class Targets(Record, frozen=True, kw_only=True):
    """Everything a run was pointed at, resolved and checked."""

    control_plane: ClusterTarget | None = None
    execution_planes: tuple[ClusterTarget, ...] = ()
    api: ApiTarget | None = None
    network: NetworkSettings = NetworkSettings()
    deadlines: Deadlines = Deadlines()
    log_window_s: float = 900.0  # how far back logs are read
    probe_pod: bool = False  # may create probe pods
    probe: ProbeOptions = ProbeOptions()
    active: bool = False  # may write to clusters: true only with an option that asks for it
    round_trip: bool = False  # may send the events of round trips to Keptn, which keeps some
    trip: TripSettings = TripSettings()
    guessed: bool = False  # no cluster was named: the current context plays both roles

    def clusters(self) -> tuple[ClusterTarget, ...]:
        """Every cluster, the control plane's first."""
        first = (self.control_plane,) if self.control_plane else ()
        return first + self.execution_planes

    def cluster(self, name: str) -> ClusterTarget | None:
        return next((c for c in self.clusters() if c.name == name), None)
