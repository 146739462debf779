"""What becomes of the containers of a scheduled pod: pulled or not, configured or not, up or not.

Messages are those of the kubelet (1.24) and of containerd.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from keptn_doctor.lab.levers import ContainerFault
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.inventory import Inventory
from keptn_doctor.lab.workloads.plan import ContainerPlan, Incident, LastRun
from keptn_doctor.model.base import Record

_PULL = {
    "not-found": 'failed to resolve reference "{0}": {0}: not found',
    "unauthorized": (
        'failed to resolve reference "{0}": pull access denied, repository does not exist or may '
        "require authorization: server message: insufficient_scope: authorization failed"
    ),
    "rate-limited": (
        'failed to copy: httpReadSeeker: failed open: unexpected status code for "{0}": 429 Too '
        "Many Requests - Server message: toomanyrequests: You have reached your pull rate limit."
    ),
    "registry-unknown": (
        'failed to resolve reference "{0}": failed to do request: Head "https://{1}/v2/": dial '
        "tcp: lookup {1} on 10.96.0.10:53: no such host"
    ),
    "no-platform": (
        'failed to pull and unpack image "{0}": no match for platform in manifest: not found'
    ),
}


class Surroundings(Record, frozen=True, kw_only=True):
    """What a kubelet needs to know to start a container."""

    namespace: str
    architecture: str
    unpullable: dict[str, str]  # image glob to the registry's answer
    faults: dict[str, ContainerFault]  # by container name, from the scenario
    app_faults: dict[str, ContainerPlan]  # by container name, from missing dependencies
    age_s: float  # of the pod


def container_plans(
    pod_spec: Object, around: Surroundings, inventory: Inventory
) -> tuple[ContainerPlan, ...]:
    """Plans of the init containers, in order, and of the containers; all of them appear."""
    plans: list[ContainerPlan] = []
    every = [*(pod_spec.get("initContainers") or []), *(pod_spec.get("containers") or [])]
    if missing_volume(pod_spec, around.namespace, inventory):
        first = len(pod_spec.get("initContainers") or [])
        reason = "PodInitializing" if first else "ContainerCreating"
        return tuple(_waiting(s, reason, "", init=i < first) for i, s in enumerate(every))
    waiting = False
    for spec in pod_spec.get("initContainers") or []:
        plan = _init_plan(spec, around, inventory, blocked=waiting)
        waiting = waiting or plan.state != "terminated"
        plans.append(plan)
    for spec in pod_spec.get("containers") or []:
        if waiting:
            plans.append(_waiting(spec, "PodInitializing", ""))
        else:
            plans.append(_plan(spec, around, inventory))
    return tuple(plans)


def missing_volume(pod_spec: Object, namespace: str, inventory: Inventory) -> str:
    """The kubelet's FailedMount for the first volume whose ConfigMap or Secret is not there."""
    for volume in pod_spec.get("volumes") or []:
        for source, field, kind in (
            ("configMap", "name", "ConfigMap"), ("secret", "secretName", "Secret"),
        ):  # fmt: skip
            given = volume.get(source)
            if not given or given.get("optional"):
                continue
            name = str(given.get(field))
            if inventory.get(kind, namespace, name) is None:
                return (
                    f'MountVolume.SetUp failed for volume "{volume.get("name")}" : '
                    f'{kind.lower()} "{name}" not found'
                )
    return ""


def incidents_of(plans: tuple[ContainerPlan, ...]) -> tuple[Incident, ...]:
    """The kubelet's Events about containers that do not run."""
    found: list[Incident] = []
    for plan in plans:
        if plan.reason in {"ImagePullBackOff", "ErrImagePull"}:
            why = f'Failed to pull image "{plan.image}": rpc error: {plan.message}'
            found += [
                Incident(reason="Failed", message=why, count=4, ago_s=90, first_ago_s=600),
                Incident(reason="Failed", message="Error: ErrImagePull", count=4, ago_s=90),
                Incident(
                    reason="BackOff", kind="Normal", count=22, ago_s=20,
                    message=f'Back-off pulling image "{plan.image}"',
                ),
            ]  # fmt: skip
        elif plan.reason == "CreateContainerConfigError":
            text = f"Error: {plan.message}"
            found.append(Incident(reason="Failed", message=text, count=30, first_ago_s=600))
        elif plan.reason == "CrashLoopBackOff":
            text = "Back-off restarting failed container"
            found.append(Incident(reason="BackOff", message=text, count=40, first_ago_s=1800))
        elif plan.runs and not plan.ready:
            text = "Readiness probe failed: HTTP probe failed with statuscode: 412"
            found.append(Incident(reason="Unhealthy", message=text, count=30, first_ago_s=900))
    return tuple(found)


def _init_plan(
    spec: Object, around: Surroundings, inventory: Inventory, *, blocked: bool
) -> ContainerPlan:
    if blocked:
        return _waiting(spec, "PodInitializing", "", init=True)
    refused = _refused(spec, around, inventory, init=True)
    if refused is not None:
        return refused
    name = str(spec.get("name"))
    if name in around.faults:
        wanted = around.faults[name]
        ended = _faulty(spec, wanted)
        return ended if ended.ready else _as_init(ended)
    fault = around.app_faults.get(name)
    if fault is not None:
        return fault
    return ContainerPlan(
        name=str(spec.get("name")), image=str(spec.get("image")), init=True, state="terminated",
        reason="Completed", ready=True,
    )  # fmt: skip


def _as_init(plan: ContainerPlan) -> ContainerPlan:
    values = {field: getattr(plan, field) for field in plan.__struct_fields__}
    return ContainerPlan(**{**values, "init": True})


def _plan(spec: Object, around: Surroundings, inventory: Inventory) -> ContainerPlan:
    name = str(spec.get("name"))
    refused = _refused(spec, around, inventory, init=False)
    if refused is not None:
        return refused
    if around.architecture == "arm64" and _amd64_only(str(spec.get("image"))):
        text = f"exec /{name}: exec format error"
        return crash_loop(spec, exit_code=1, log=(text,), restarts=14)
    if name in around.faults:
        return _faulty(spec, around.faults[name])
    if name in around.app_faults:
        return around.app_faults[name]
    return ContainerPlan(name=name, image=str(spec.get("image")))


def _refused(
    spec: Object, around: Surroundings, inventory: Inventory, *, init: bool
) -> ContainerPlan | None:
    image = str(spec.get("image"))
    for pattern, answer in around.unpullable.items():
        if fnmatchcase(image, pattern):
            registry = image.partition("/")[0] if "/" in image else "registry-1.docker.io"
            why = "code = Unknown desc = " + _PULL[answer].format(image, registry)
            return _waiting(spec, "ImagePullBackOff", why, init=init)
    problem = _missing_reference(spec, around.namespace, inventory)
    if problem:
        return _waiting(spec, "CreateContainerConfigError", problem, init=init)
    return None


def _missing_reference(spec: Object, namespace: str, inventory: Inventory) -> str:
    for item in spec.get("env") or []:
        source = (item or {}).get("valueFrom") or {}
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            reference = source.get(field)
            if reference and not reference.get("optional"):
                name, key = str(reference.get("name")), str(reference.get("key"))
                found = inventory.get(kind, namespace, name)
                if found is None:
                    return f'{kind.lower()} "{name}" not found'
                if key not in {**(found.get("data") or {}), **(found.get("stringData") or {})}:
                    return f"couldn't find key {key} in {kind} {namespace}/{name}"
    return ""


def _amd64_only(image: str) -> bool:
    """Keptn's images were built for amd64 only; most others exist for arm64 too."""
    return "keptn" in image


def _waiting(spec: Object, reason: str, message: str, *, init: bool = False) -> ContainerPlan:
    if reason == "ImagePullBackOff":
        message = message or "image cannot be pulled"
    return ContainerPlan(
        name=str(spec.get("name")), image=str(spec.get("image")), init=init, state="waiting",
        reason=reason, message=message, ready=False,
    )  # fmt: skip


def crash_loop(
    spec: Object, *, exit_code: int, log: tuple[str, ...], restarts: int = 12,
    reason: str = "Error", lasted_s: float = 1, ago_s: float = 120,
) -> ContainerPlan:  # fmt: skip
    """A container that ends soon after each start and waits for the next try."""
    name = str(spec.get("name"))
    return ContainerPlan(
        name=name, image=str(spec.get("image")), state="waiting", ready=False,
        reason="CrashLoopBackOff", restarts=restarts, log=log, previous_log=log,
        message=f"back-off 5m0s restarting failed container={name}",
        last=LastRun(exit_code=exit_code, reason=reason, ago_s=ago_s, lasted_s=lasted_s),
    )  # fmt: skip


def _faulty(spec: Object, fault: ContainerFault) -> ContainerPlan:
    name, image = str(spec.get("name")), str(spec.get("image"))
    if fault.fault in {"not-ready", "throttled"}:
        return ContainerPlan(name=name, image=image, ready=fault.fault == "throttled")
    killed = fault.fault == "out-of-memory"
    code, reason = (137, "OOMKilled") if killed else (fault.exit_code, "Error")
    if code == 0:
        reason = "Completed"
    if not fault.ready_now and fault.every_s <= 0:
        return crash_loop(
            spec, exit_code=code, log=(), restarts=fault.restarts, reason=reason,
            ago_s=fault.last_ago_s,
        )  # fmt: skip
    lasted = fault.every_s or 3600.0
    last = LastRun(exit_code=code, reason=reason, ago_s=fault.last_ago_s, lasted_s=lasted)
    return ContainerPlan(
        name=name, image=image, restarts=fault.restarts, started_ago_s=fault.last_ago_s, last=last
    )
