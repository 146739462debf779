"""How the parts of a control plane suffer when another part, or cluster DNS, is missing.

Sources: init containers ``wait-for-*`` from 1.0.0 (``installer/manifests/keptn/templates @1.4.5``);
nginx resolves its upstreams once, at start (``api-gateway-nginx.yaml``, all tags); ``/health`` of
the four SDK services is 412 until they are connected (``approval-service/main.go @0.16.2``).
"""

from __future__ import annotations

from keptn_doctor.lab.keptn.nginx_config import upstreams
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.charts import Chart
from keptn_doctor.lab.objects.control_plane import GATEWAY
from keptn_doctor.lab.workloads.containers import crash_loop
from keptn_doctor.lab.workloads.plan import ContainerPlan, LastRun
from keptn_doctor.model.base import Record

_NATS_MAINS = {"shipyard-controller": (0, 14, 0), "mongodb-datastore": (0, 16, 0)}
_MONGO_MAINS = ("shipyard-controller", "mongodb-datastore")
_WAITED_FOR = {
    "wait-for-nats": "keptn-nats",
    **{
        f"wait-for-{name}": name
        for name in (
            "keptn-mongo", "mongodb-datastore", "shipyard-controller", "secret-service",
            "resource-service",
        )
    },
}  # fmt: skip
_SDK = ("approval-service", "lighthouse-service", "remediation-service", "webhook-service")


class Condition(Record, frozen=True, kw_only=True):
    """What the other parts look like at one moment."""

    services: frozenset[str]  # Services that exist in the namespace
    answering: frozenset[str]  # of those, the ones with a ready endpoint
    dns_up: bool
    never_up: frozenset[str]  # Services that have had no endpoint since the installation
    restarted: bool  # this workload was restarted after the trouble began


def dependency_faults(
    chart: Chart, workload: Object, condition: Condition
) -> dict[str, ContainerPlan]:
    """Plans of the containers of one control plane workload that cannot work; {} when all can."""
    name = str(workload["metadata"]["name"])
    spec = (workload["spec"]["template"] or {}).get("spec") or {}
    waiting = _waiting_inits(spec, condition)
    if waiting:
        return waiting
    containers = {str(c.get("name")): c for c in spec.get("containers") or []}
    if name == GATEWAY:
        return _gateway(chart, containers, condition)
    faults: dict[str, ContainerPlan] = {}
    mongo = _service(chart, "mongo")
    nats = _service(chart, "nats")
    if name in _MONGO_MAINS and name in containers and mongo not in condition.services:
        text = f"failed to connect to mongodb: lookup {mongo}: no such host"
        faults[name] = crash_loop(containers[name], exit_code=1, log=(_fatal(text),))
    if nats not in condition.services:
        needs = _NATS_MAINS.get(name)
        victim = name if needs and chart.numbers >= needs else "distributor"
        if victim in containers:
            text = f"could not connect to nats://{nats}: dial tcp: lookup {nats}: no such host"
            faults[victim] = crash_loop(containers[victim], exit_code=1, log=(_fatal(text),))
    if name in _SDK and chart.numbers >= (0, 16, 0):
        for other in (nats, "shipyard-controller"):
            if other not in condition.answering and name in containers:
                faults[name] = _unconnected(containers[name])
    return faults


def _fatal(text: str) -> str:
    return f'level=fatal msg="{text}"'


def _service(chart: Chart, part: str) -> str:
    names = [s.name for c in chart.components for s in c.services if part in c.name]
    named = [n for n in names if n != "mongodb-datastore"]
    return named[0] if named else part


def _waiting_inits(spec: Object, condition: Condition) -> dict[str, ContainerPlan]:
    """Only pods that (re)start while a dependency is away wait for it."""
    for container in spec.get("initContainers") or []:
        other = _WAITED_FOR.get(str(container.get("name")), "")
        if not other or other in condition.answering:
            continue
        if other in condition.never_up or other not in condition.services or condition.restarted:
            port = ":8222" if "nats" in other else ":8080/health"
            waited = f"waiting for http://{other}{port}"
            return {
                str(container["name"]): ContainerPlan(
                    name=str(container["name"]), image=str(container.get("image")), init=True,
                    state="running", ready=False, log=(waited,) * 5,
                )
            }  # fmt: skip
    return {}


def _gateway(
    chart: Chart, containers: dict[str, Object], condition: Condition
) -> dict[str, ContainerPlan]:
    names = ["api-service", *(service for _, service in upstreams(chart.numbers))]
    missing = [n for n in names if n not in condition.services or not condition.dns_up]
    if not missing or GATEWAY not in containers:
        return {}
    text = (
        f'[emerg] host not found in upstream "{missing[0]}" in '
        f"/etc/nginx/keptn-endpoints.conf:{10 + names.index(missing[0])}"
    )
    return {GATEWAY: crash_loop(containers[GATEWAY], exit_code=1, log=(text,), restarts=16)}


def _unconnected(container: Object) -> ContainerPlan:
    last = LastRun(exit_code=2, reason="Error", ago_s=20, lasted_s=30)
    return ContainerPlan(
        name=str(container.get("name")), image=str(container.get("image")), ready=False,
        restarts=9, started_ago_s=15, last=last,
        log=(_fatal("could not connect to the control plane, retrying"),),
    )  # fmt: skip
