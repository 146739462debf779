"""What there is: control planes, execution planes, the Keptn services in them, where we look from.

Every entity has a *subject path*, the string that observations, findings and verdicts name it by:

==================  =============================================
ControlPlane        ``control-plane/<name>``
ExecutionPlane      ``<plane>``
Endpoint            ``endpoint:<url>``
KeptnService        ``<plane>/<namespace>/<name>``
==================  =============================================
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from keptn_doctor.model.base import Record


class Vantage(Record, frozen=True, kw_only=True):
    """Where a look was taken from: the operator's machine, or inside one pod of a plane."""

    place: Literal["operator", "inside"] = "operator"
    pod: str = ""  # "<plane>/<namespace>/<pod>" when inside

    def __str__(self) -> str:
        return "operator" if self.place == "operator" else f"inside:{self.pod}"


OPERATOR = Vantage()


class ControlPlane(Record, frozen=True, kw_only=True):
    """The cluster part that orchestrates; ``context`` is empty when only its API is known."""

    name: str = "keptn"
    context: str = ""
    namespace: str = ""
    api_url: str = ""  # the endpoint the operator uses, ending in /api as a rule
    version: str = ""  # "" = not known
    cluster_uid: str = ""  # uid of kube-system: two contexts with one uid are one cluster
    elsewhere: tuple[str, ...] = ()  # other namespaces of the cluster that hold a Keptn gateway

    @property
    def subject(self) -> str:
        return f"control-plane/{self.name}"


class ExecutionPlane(Record, frozen=True, kw_only=True):
    """One cluster (or part of one) in which Keptn services do the work."""

    name: str
    context: str = ""
    namespaces: tuple[str, ...] = ()  # the namespaces that were searched
    all_namespaces: bool = False  # true when the whole cluster could be listed
    cluster_uid: str = ""

    @property
    def subject(self) -> str:
        return self.name


class Endpoint(Record, frozen=True, kw_only=True):
    """One distinct value of KEPTN_API_ENDPOINT, taken apart once for all services that share it."""

    url: str
    scheme: str = ""
    host: str = ""
    port: int = 0  # the explicit port, else the scheme's default, 0 when there is no known scheme
    path: str = ""
    services: tuple[str, ...] = ()  # subject paths of the Keptn services told to call it
    used_by_operator: bool = False  # given with --endpoint, or derived from the control plane
    defect: str = ""  # why the URL cannot be used at all, e.g. "has no scheme"

    @property
    def subject(self) -> str:
        return f"endpoint:{self.url}"


class TokenState(Record, frozen=True, kw_only=True):
    """What is known of a KEPTN_API_TOKEN, without the token: salted fingerprints and its shape.

    Fingerprints of one run share a salt, so equal fingerprints mean equal tokens within one
    snapshot and nothing across snapshots.
    """

    source: Literal["value", "secret", "configmap", "none", "missing", "unreadable"] = "none"
    reference: str = ""  # "secret keptn-exec/keptn-api-token key keptn-api-token"
    fingerprint: str = ""  # of the value as it stands; "" when not readable or empty
    stripped_fingerprint: str = ""  # of the value without surrounding whitespace
    decoded_fingerprint: str = ""  # of its base64 decoding, when it decodes to printable text
    empty: bool = False
    surrounding_whitespace: bool = False  # harmless blanks on HTTP/1.1
    control_characters: bool = False  # newline, carriage return...: Go refuses the header
    changed_at: datetime | None = None  # last write of the Secret; pods read it at start only


class EnvProblem(Record, frozen=True, kw_only=True):
    """One environment variable whose value could not be found out, and why."""

    variable: str
    reference: str  # "secret keptn-exec/x key y"
    problem: Literal["not-found", "key-missing", "forbidden", "unreadable"]
    detail: str = ""


class OAuthSettings(Record, frozen=True, kw_only=True):
    """Which of the five OAUTH_ variables are set; Keptn turns OAuth on only with all it needs.

    Source: ``distributor/pkg/config/envconfig.go@0.16.2`` (OAuthEnabled).
    """

    client_id: bool = False
    client_secret: bool = False
    scopes: tuple[str, ...] = ()
    discovery_url: str = ""
    token_url: str = ""

    @property
    def enabled(self) -> bool:
        return bool(
            self.client_id and self.client_secret and self.scopes
            and (self.discovery_url or self.token_url)
        )

    @property
    def half_configured(self) -> bool:
        some = self.client_id or self.client_secret or self.scopes
        return bool(some or self.discovery_url or self.token_url) and not self.enabled


class ClientBehaviour(Record, frozen=True, kw_only=True):
    """How a distributor or SDK client of one version acts: version knowledge as named behaviours.

    Made by ``keptn_doctor.knowledge.behaviour`` from the version tables; ``known`` is false when
    the version could not be read, and then the values are those of the newest release.
    """

    known: bool = True
    verifies_tls_on_poll: bool = False  # polls, event posts, the local API proxy
    verifies_tls_on_registration: bool = False  # registration, heartbeat, log upload
    proxy_on_poll: bool = True  # HTTP(S)_PROXY honoured there
    proxy_on_registration: bool = True
    registers: bool = True
    registers_over_http: bool = False  # registers at http:// even when the endpoint is https
    heartbeat: Literal["none", "reregister", "ping"] = "ping"
    heartbeat_interval_s: int = 10
    exits_when_registration_fails: bool = True
    exits_when_heartbeat_fails: bool = True
    reregisters: bool = False  # without a restart, when its record vanishes
    polls_without_registration: bool = False
    filters_from_environment: bool = False  # applied to every event, not only at first registration
    registration_identity: Literal["filters", "node", "name"] = "name"
    resource_path: Literal["/configuration-service", "/resource-service"] = "/resource-service"
    prints_banner: bool = True
    quiet_when_healthy: bool = True  # silence after start is health, not a fault


class KeptnService(Record, frozen=True, kw_only=True):
    """One Keptn service of an execution plane (or beside the control plane) and its settings."""

    plane: str
    namespace: str
    name: str  # the workload's name
    workload_kind: str = "Deployment"
    client: Literal["distributor", "sdk"] = "distributor"
    container: str = ""  # the container that talks to the control plane
    service_container: str = ""  # the container that does the work; same as above for SDK services
    image: str = ""
    client_version: str = ""  # version of the distributor or of the SDK service; "" = not readable
    mode: Literal["remote", "nats", "unknown"] = "unknown"
    endpoint: str = ""  # KEPTN_API_ENDPOINT, resolved; "" when unset or not readable
    token: TokenState = TokenState()
    oauth: OAuthSettings = OAuthSettings()
    ssl_verify: bool = True
    ssl_verify_set: bool = False
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    topics: tuple[str, ...] = ()  # PUBSUB_TOPIC, split on commas, not trimmed
    project_filter: tuple[str, ...] = ()  # split on commas and not trimmed, as Keptn does
    stage_filter: tuple[str, ...] = ()
    service_filter: tuple[str, ...] = ()
    integration_name: str = ""  # K8S_DEPLOYMENT_NAME
    integration_namespace: str = ""  # K8S_NAMESPACE
    node_names: tuple[str, ...] = ()  # as its pods register them; () = not known
    registration_disabled: bool = False
    api_proxy_port: int = 8081
    health_port: int = 8080
    polling_interval: str = ""  # HTTP_POLLING_INTERVAL as set
    pubsub_url: str = ""  # PUBSUB_URL as set: where a distributor in NATS mode connects
    recipient: str = ""  # "host:port" that a distributor hands events to; "" for SDK services
    malformed_variables: tuple[str, ...] = ()  # typed variables whose value stops the process
    resource_service_url: str = ""  # CONFIGURATION_SERVICE / RESOURCE_SERVICE of the service
    env_problems: tuple[EnvProblem, ...] = ()
    belongs_to: Literal["execution-plane", "control-plane"] = "execution-plane"
    behaviour: ClientBehaviour = ClientBehaviour()
    namesakes: tuple[str, ...] = ()  # subject paths of services with the same registered identity

    @property
    def subject(self) -> str:
        return f"{self.plane}/{self.namespace}/{self.name}"


Entity = ControlPlane | ExecutionPlane | Endpoint | KeptnService


class Topology(Record, frozen=True, kw_only=True):
    """All entities of one run."""

    control_plane: ControlPlane = ControlPlane()
    execution_planes: tuple[ExecutionPlane, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    services: tuple[KeptnService, ...] = ()

    def entities(self) -> tuple[Entity, ...]:
        """Every entity, widest first."""
        return (self.control_plane, *self.execution_planes, *self.endpoints, *self.services)

    def endpoint_of(self, service: KeptnService) -> Endpoint | None:
        return next((e for e in self.endpoints if service.subject in e.services), None)

    def plane_of(self, service: KeptnService) -> ExecutionPlane | None:
        return next((p for p in self.execution_planes if p.name == service.plane), None)
