"""A scenario as declared objects: one inventory per cluster, before anything is derived from it.

Tokens are made here, anew for each world, and go nowhere but into the world's own Secrets and
Deployments.
"""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Iterator
from datetime import datetime, timedelta

from keptn_doctor.lab import objects
from keptn_doctor.lab.levers import (
    ClusterLevers,
    ControlPlaneLevers,
    ObjectChange,
    PlaneLevers,
    ServiceLevers,
)
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.charts import numbers
from keptn_doctor.lab.objects.cluster import cluster_objects
from keptn_doctor.lab.objects.control_plane import (
    TOKEN_SECRET,
    ControlPlaneObjects,
    control_plane_objects,
)
from keptn_doctor.lab.objects.exposure import expose_service, exposure_objects
from keptn_doctor.lab.objects.inventory import Inventory
from keptn_doctor.lab.objects.published import default_endpoint
from keptn_doctor.lab.objects.services import (
    ServicePlan,
    chart_of,
    default_topics,
    fitting_versions,
    service_objects,
)
from keptn_doctor.lab.scenario import CONTROL_PLANE, Scenario, planes_of
from keptn_doctor.model.base import Record

_INSTALLED = timedelta(days=30)  # how old clusters and the control plane are
_GROUPS = {"api-gateway-nginx": 101, "bridge": 65532}
_RECREATED = timedelta(hours=1)  # a Service whose old address the gateway still uses
_DEPLOYED = timedelta(days=10)  # and the execution planes' services


class Tokens(Record, frozen=True, kw_only=True):
    """The API tokens of one world, by the names that scenarios use."""

    current: str
    old: str
    wrong: str

    @classmethod
    def made(cls) -> Tokens:
        return cls(current=_token(), old=_token(), wrong=_token())

    def named(self, name: str) -> str:
        """The token a lever means; anything that is no name is a token itself."""
        known = {
            "current": self.current,
            "old": self.old,
            "wrong": self.wrong,
            "empty": "",
            "none": "",
            "base64": base64.b64encode(self.current.encode()).decode(),
            "newline": self.current + "\n",
            "blank-padded": f" {self.current} ",
            "truncated": self.current[:-1],
            "quoted": f'"{self.current}"',
        }
        return known.get(name, name)


def _token() -> str:
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(45))


class Site(Record, frozen=True, kw_only=True):
    """One cluster: what is declared in it, and the changes still to be made to derived objects."""

    context: str
    levers: ClusterLevers
    inventory: Inventory
    later: tuple[ObjectChange, ...] = ()
    now: datetime  # by its own clock
    keptn_namespace: str = ""  # of the control plane, when it lives here
    planes: tuple[str, ...] = ()  # execution planes that live here


class Blueprint(Record, frozen=True, kw_only=True):
    """All clusters of a scenario, the control plane's first."""

    scenario: Scenario
    planes: dict[str, PlaneLevers]
    tokens: Tokens
    endpoint: str  # what the exposure gives
    sites: tuple[Site, ...]
    now: datetime

    def site_of(self, plane: str) -> Site:
        """The cluster an execution plane lives in; ``control-plane`` is one of the names."""
        if plane == CONTROL_PLANE:
            return self.sites[0]
        return next(site for site in self.sites if plane in site.planes)


def blueprint(scenario: Scenario, *, now: datetime) -> Blueprint:
    """Declare everything, then make the scenario's changes to it."""
    planes, tokens = planes_of(scenario), Tokens.made()
    levers = scenario.control_plane
    here = by_clock_of(levers.cluster, now)
    home = Inventory(cluster_objects(levers.cluster, number=1, born=here - _INSTALLED))
    for obj in _control_plane(scenario, tokens, here):
        home.add(obj)
    expose_service(home, levers)
    endpoint = default_endpoint(levers, home)
    inventories = {CONTROL_PLANE: home}
    for number, (name, plane) in enumerate(planes.items(), start=2):
        if not plane.same_cluster_as:
            born = by_clock_of(plane.cluster, now) - _INSTALLED
            inventories[name] = Inventory(cluster_objects(plane.cluster, number=number, born=born))
    owners = {name: _owner(name, planes) for name in planes}
    clusters = {CONTROL_PLANE: levers.cluster, **{n: p.cluster for n, p in planes.items()}}
    for name, plane in planes.items():
        there = by_clock_of(clusters[owners[name]], now)
        for obj in _plane(name, plane, scenario, tokens=tokens, endpoint=endpoint, now=there):
            inventories[owners[name]].add(obj)
    sites = []
    for owner, inventory in inventories.items():
        cluster = clusters[owner]
        sites.append(
            Site(
                context=levers.context if owner == CONTROL_PLANE else planes[owner].context,
                levers=cluster, inventory=inventory, later=inventory.apply(cluster.objects),
                now=by_clock_of(cluster, now),
                keptn_namespace=levers.namespace if owner == CONTROL_PLANE else "",
                planes=tuple(n for n in planes if owners[n] == owner),
            )
        )  # fmt: skip
    return Blueprint(
        scenario=scenario, planes=planes, tokens=tokens, endpoint=endpoint, sites=tuple(sites),
        now=now,
    )  # fmt: skip


def by_clock_of(cluster: ClusterLevers, moment: datetime) -> datetime:
    """What the clock of a cluster shows at a moment."""
    return moment + timedelta(seconds=cluster.clock_offset_s)


def _owner(plane: str, planes: dict[str, PlaneLevers]) -> str:
    for _ in planes:
        other = planes[plane].same_cluster_as if plane in planes else ""
        if not other:
            break
        plane = other
    return plane


def _absent(cluster: ClusterLevers) -> tuple[str, ...]:
    return tuple(name for name, levers in cluster.workloads.items() if levers.absent)


def _control_plane(scenario: Scenario, tokens: Tokens, now: datetime) -> Iterator[Object]:
    levers = scenario.control_plane
    born = now - _INSTALLED
    plan = ControlPlaneObjects(
        version=scenario.version, namespace=levers.namespace, token=tokens.current, born=born,
        prefix_path=levers.gateway.prefix_path, token_secret=levers.token.secret,
        event_validation=levers.event_validation, registration_ttl=levers.registration_ttl,
        without=_absent(levers.cluster),
    )  # fmt: skip
    recreated = {b.component for b in levers.backends if b.state == "stale-address"}
    fixed_ids = levers.cluster.platform == "openshift" and numbers(plan.version) < (0, 12, 0)
    for obj in control_plane_objects(plan):
        if fixed_ids and obj["kind"] == "Deployment":
            _fix_group(obj)
        _scale(obj, levers.cluster)
        if obj["kind"] == "Secret" and obj["metadata"]["name"] == levers.token.secret:
            _rewritten(obj, levers, now)
        if obj["kind"] == "Service" and obj["metadata"]["name"] in recreated:
            obj["metadata"]["creationTimestamp"] = objects.stamp(now - _RECREATED)
        yield obj
    if levers.token.leftover_secret and levers.token.secret != TOKEN_SECRET:
        values = {TOKEN_SECRET: tokens.old}
        yield objects.secret(TOKEN_SECRET, levers.namespace, values, born=born)
    yield from exposure_objects(levers, born, now)


def _fix_group(deployment: Object) -> None:
    """Charts before 0.12.0 set group ids that no value can switch off."""
    group = _GROUPS.get(str(deployment["metadata"]["name"]))
    if group is not None:
        deployment["spec"]["template"]["spec"]["securityContext"] = {"fsGroup": group}


def _rewritten(secret: Object, levers: ControlPlaneLevers, now: datetime) -> None:
    for row in secret["metadata"]["managedFields"]:
        row["manager"] = levers.token.changed_by
        if levers.token.changed_ago_s is not None:
            row["time"] = objects.stamp(now - timedelta(seconds=levers.token.changed_ago_s))


def _scale(obj: Object, cluster: ClusterLevers) -> None:
    levers = cluster.workloads.get(obj["metadata"]["name"])
    if levers is not None and levers.replicas is not None and "replicas" in obj.get("spec", {}):
        obj["spec"]["replicas"] = levers.replicas


def _plane(
    name: str,
    plane: PlaneLevers,
    scenario: Scenario,
    *,
    tokens: Tokens,
    endpoint: str,
    now: datetime,
) -> Iterator[Object]:
    born = now - _DEPLOYED
    given = [s.namespace for s in plane.services.values() if s is not None]
    homes = dict.fromkeys([plane.namespace, *given])
    for home in homes:
        if home:
            yield objects.namespace(home, born=born)
    for service, levers in plane.services.items():
        if levers is None or service in _absent(plane.cluster):
            continue
        plan = _service_plan(
            name, service, levers, plane=plane, keptn=scenario.version, tokens=tokens,
            endpoint=endpoint, born=born,
        )  # fmt: skip
        for obj in service_objects(plan):
            _scale(obj, plane.cluster)
            yield obj


def _service_plan(
    plane_name: str,
    name: str,
    levers: ServiceLevers,
    *,
    plane: PlaneLevers,
    keptn: str,
    tokens: Tokens,
    endpoint: str,
    born: datetime,
) -> ServicePlan:
    chart = levers.chart or chart_of(name)
    version, distributor = fitting_versions(chart, keptn)
    if levers.client == "sdk":
        distributor = ""
    elif levers.client == "distributor" and not distributor:
        distributor = keptn
    if levers.version and not levers.distributor and chart in {"helm-service", "jmeter-service"}:
        distributor = levers.version
    return ServicePlan(
        plane=plane_name, name=name, namespace=levers.namespace or plane.namespace, chart=chart,
        version=levers.version or version, distributor=levers.distributor or distributor,
        integration_name=levers.integration_name or name, replicas=levers.replicas,
        workload=levers.workload, remote=levers.remote, endpoint=levers.endpoint or endpoint,
        token=tokens.named(levers.token), token_from=levers.token_from,
        token_secret=levers.token_secret,
        ssl_verify=True if levers.ssl_verify is None else levers.ssl_verify,
        topics=default_topics(chart) if levers.topics is None else levers.topics,
        project_filter=levers.project_filter, stage_filter=levers.stage_filter,
        service_filter=levers.service_filter, env=levers.env, born=born,
    )  # fmt: skip
