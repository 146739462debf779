"""A scenario: which world the lab builds, written by hand in YAML.

Everything has a default; the empty scenario (a title) is the healthy world of one control plane and
two execution planes. A scenario names causes only: a file cannot contain log lines, statuses of
pods or findings, and what it expects of a diagnosis (``expect``) is read by tests alone.
"""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TypeVar

from keptn_doctor.lab import settings as sim
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.levers import (
    ClusterLevers,
    ControlPlaneLevers,
    Expectation,
    OperatorLevers,
    PlaneLevers,
    ServiceLevers,
)
from keptn_doctor.lab.objects.charts import chart
from keptn_doctor.lab.reading import Reader, ScenarioError
from keptn_doctor.model.base import Record

__all__ = ["Scenario", "ScenarioError", "load", "loads", "packaged", "planes_of"]

CONTROL_PLANE = "control-plane"

R = TypeVar("R", bound=Record)


class Scenario(Record, frozen=True, kw_only=True):
    """A whole world and the operator who looks at it."""

    title: str
    about: str = ""
    keptn: str = "0.19.3"  # version of the control plane
    running_for_s: float = 7200  # how long its clients have been up
    control_plane: ControlPlaneLevers = ControlPlaneLevers()
    execution_planes: dict[str, PlaneLevers | None] = {}
    other_control_planes: tuple[sim.ControlPlaneSettings, ...] = ()
    dns: tuple[sim.DnsRecord, ...] = ()  # public records
    nip_io: bool = True
    fronts: tuple[sim.FrontSettings, ...] = ()
    listeners: tuple[sim.ListenerSettings, ...] = ()
    proxies: tuple[sim.ProxySettings, ...] = ()
    identity_providers: tuple[sim.IdentityProviderSettings, ...] = ()
    operator: OperatorLevers = OperatorLevers()
    expect: Expectation | None = None

    @property
    def version(self) -> str:
        return self.control_plane.version or self.keptn


_MAX_CHARACTERS = 4 * 1024 * 1024
_DEFAULT_PLANES = {
    "exec-a": PlaneLevers(
        namespace="keptn-exec",
        services={"helm-service": ServiceLevers(), "jmeter-service": ServiceLevers()},
        nat_address="198.51.100.20",
    ),
    "exec-b": PlaneLevers(
        namespace="keptn-jes",
        services={"job-executor-service": ServiceLevers()},
        nat_address="198.51.100.30",
    ),
}


def load(file: FilePath) -> Scenario:
    """Read a scenario file; raises ScenarioError with the line of what is wrong."""
    try:
        with file.open(encoding="utf-8") as opened:  # never all of it: it may be a device
            text = opened.read(_MAX_CHARACTERS + 1)
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{file}: is not UTF-8 text") from None
    if len(text) > _MAX_CHARACTERS:
        raise ScenarioError(f"{file}: is too large for a scenario")
    return loads(text, source=str(file))


def loads(text: str, *, source: str = "scenario") -> Scenario:
    """As ``load``, from text."""
    reader = Reader(source)
    scenario = reader.read(text, Scenario)
    _check(scenario, reader)
    return scenario


def packaged(name: str) -> Scenario:
    """A scenario that comes with keptn-doctor: ``healthy`` or ``demo``."""
    return load(FilePath(__file__).parent / "scenarios" / f"{name}.yaml")


def planes_of(scenario: Scenario) -> dict[str, PlaneLevers]:
    """The execution planes by name, defaults merged in, services complete."""
    names = list(dict.fromkeys((*_DEFAULT_PLANES, *scenario.execution_planes)))
    found = {}
    for index, name in enumerate(names):
        given = scenario.execution_planes.get(name, PlaneLevers())
        if given is None:
            continue
        base = _DEFAULT_PLANES.get(
            name,
            PlaneLevers(namespace="keptn-exec", nat_address=f"198.51.100.{20 + 10 * index}"),
        )
        merged = _merged(base, given)
        services = {
            service: _merged(given.all_services, levers)
            for service, levers in {**base.services, **given.services}.items()
            if levers is not None
        }
        found[name] = _with(merged, services=services, context=merged.context or name)
    return found


def _merged(base: R, over: R) -> R:
    """``over``, with the values of ``base`` where it keeps to the default; dicts are joined."""
    plain = type(over)()
    changes = {}
    for field in over.__struct_fields__:
        value, below = getattr(over, field), getattr(base, field)
        if isinstance(value, dict):
            changes[field] = {**below, **value}
        elif value == getattr(plain, field):
            changes[field] = below
    return _with(over, **changes)


def _with(record: R, **changes: object) -> R:
    values = {field: getattr(record, field) for field in record.__struct_fields__}
    return type(record)(**{**values, **changes})


def _check(scenario: Scenario, reader: Reader) -> None:
    """What types cannot say; raises ScenarioError."""
    path = ("control-plane", "version") if scenario.control_plane.version else ("keptn",)
    try:
        chart(scenario.version)
    except ValueError as error:
        raise reader.error(path, str(error)) from None
    planes = planes_of(scenario)
    clusters: dict[tuple[str, ...], ClusterLevers] = {
        (CONTROL_PLANE,): scenario.control_plane.cluster
    }
    clusters |= {("execution-planes", name): plane.cluster for name, plane in planes.items()}
    for where, cluster in clusters.items():
        try:
            Generation.parse(cluster.kubernetes)
        except ValueError as error:
            raise reader.error((*where, "cluster", "kubernetes"), str(error)) from None
        for index, change in enumerate(cluster.objects):
            if sum(map(bool, (change.patch, change.remove, change.add))) != 1:
                problem = "a change has exactly one of 'patch', 'remove' and 'add'"
                raise reader.error((*where, "cluster", "objects", index), problem)
    for name, plane in planes.items():
        known = {CONTROL_PLANE, *planes} - {name}
        if plane.same_cluster_as and plane.same_cluster_as not in known:
            problem = f"'{plane.same_cluster_as}' is no plane; it can be {', '.join(sorted(known))}"
            raise reader.error(("execution-planes", name, "same-cluster-as"), problem)
        if plane.same_cluster_as and plane.cluster != ClusterLevers():
            problem = f"the cluster of '{name}' is that of '{plane.same_cluster_as}': say it there"
            raise reader.error(("execution-planes", name, "cluster"), problem)
    contexts = {scenario.control_plane.context, *(p.context for p in planes.values())}
    for name in scenario.operator.contexts:
        if name not in contexts:
            there = ", ".join(sorted(contexts))
            problem = f"no cluster has the context '{name}'; there are {there}"
            raise reader.error(("operator", "contexts", name), problem)
