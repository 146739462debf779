"""The kubelet's side of a probe pod: a pod that was made through the API is really run.

It takes the pod's own words (its variables, its labels, the node it stands on) and makes the calls
of its script through the lab's name servers, policies, firewalls and proxies; the result goes into
the termination message as the script would write it. A pod with another script ends with 127.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from keptn_doctor.lab.blueprint import Site
from keptn_doctor.lab.clients.client import PodRun
from keptn_doctor.lab.clients.go_errors import GoError
from keptn_doctor.lab.clients.go_http import Pod, Request, Transport, proxy_for, send_once
from keptn_doctor.lab.kube import Cluster
from keptn_doctor.lab.kube.objects import stamp
from keptn_doctor.lab.network.policies import policies_selecting
from keptn_doctor.lab.network.routes import policies
from keptn_doctor.lab.network.wire import NoRouteToHostError
from keptn_doctor.lab.simulation import Simulation
from keptn_doctor.lab.workloads import Controllers
from keptn_doctor.lab.workloads.admission import Quotas, forbidden_in

Object = dict[str, Any]
_MARK = "PROBE_HOST"  # the script of a probe pod reads it
_PATIENCE = Transport(verify=False, proxies=True, timeout_s=15.0)
_DIRECTLY = Transport(verify=False, proxies=False, timeout_s=15.0)
_PULLING = ("ErrImagePull", "ImagePullBackOff")
_UNRESOLVED = (
    ("no such host", "name-unknown"),
    ("server misbehaving", "server-failure"),
    ("", "resolver-timeout"),
)
_UNANSWERED = (
    ("server gave HTTP response to HTTPS client", "tls", "not-tls"),
    ("certificate required", "tls", "client-certificate-required"),
    ("tls: ", "tls", "handshake-failed"),
    ("Client.Timeout", "http", "read-timeout"),
)


@dataclass(slots=True, kw_only=True)
class ProbePods:
    """Runs the probe pods of one cluster; ``hook`` is its ``on_pod_created``."""

    simulation: Simulation
    site: Site
    controllers: Controllers
    clock: Callable[[], datetime]
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def hook(self, cluster: Cluster, pod: Object) -> None:
        task = asyncio.get_running_loop().create_task(self._run(cluster, pod))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def admit(self, cluster: Cluster, pod: Object) -> str:
        """Pod Security and quotas, as for the pods of ReplicaSets; "" lets the pod in."""
        inventory, namespace = self.controllers.inventory, str(pod["metadata"]["namespace"])
        home = cluster.get("namespaces", namespace) or {}
        insecure = forbidden_in(home, pod["spec"], cluster.generation)
        if insecure:
            return insecure
        quotas = Quotas(inventory)
        for other in cluster.objects("pods", namespace):
            quotas.forbids(other["spec"], namespace)
        return quotas.forbids(pod["spec"], namespace)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=1)

    async def _run(self, cluster: Cluster, pod: Object) -> None:
        meta, container = pod["metadata"], pod["spec"]["containers"][0]
        if not _node_ready(cluster, pod):
            return  # nobody starts it: it stays Pending
        beside = self._beside(meta)
        unpulled = self._not_pulled(cluster, meta, str(container.get("image")))
        if unpulled:
            waiting = {"reason": "ErrImagePull", "message": unpulled}
            self._tell(cluster, meta, container, "Pending", {"waiting": waiting})
            return
        now = stamp(self.clock())
        self._tell(cluster, meta, container, "Running", {"running": {"startedAt": now}})
        ended: Object = {"exitCode": 127, "reason": "Error"}
        if beside is not None and _MARK in str(container.get("command")):
            place = self._place(cluster, meta, container, beside)
            lines = await _look(place, _variables(container))
            ended = {"exitCode": 0, "reason": "Completed", "message": "\n".join(lines) + "\n"}
        ended |= {"startedAt": now, "finishedAt": stamp(self.clock())}
        phase = "Failed" if ended["exitCode"] else "Succeeded"
        self._tell(cluster, meta, container, phase, {"terminated": ended})

    def _beside(self, meta: Object) -> PodRun | None:
        """The client whose pod owns this one: where both stand and what both can reach."""
        owners = {str(o.get("name")) for o in meta.get("ownerReferences") or []}
        return next(
            (
                pod
                for run in self.simulation.runs
                if run.settings.plane in self.site.planes
                and run.settings.namespace == meta.get("namespace")
                for pod in run.pods
                if pod.pod.name in owners
            ),
            None,
        )

    def _place(self, cluster: Cluster, meta: Object, container: Object, beside: PodRun) -> Pod:
        """The place of its owner, but under the policies that its own labels bring it."""
        place, namespace = beside.caller.place, str(meta["namespace"])
        owner = cluster.get("pods", beside.pod.name, namespace) or {}
        own, theirs = (
            policies_selecting(self.controllers, namespace, labels or {})
            for labels in (meta.get("labels"), (owner.get("metadata") or {}).get("labels"))
        )
        same = own == theirs
        service = place.service if same else f"{namespace}/{meta['name']}"
        blocked = [
            p.dns
            for p in policies(self.simulation.settings, place.vantage, service)
            if p.dns != "allow"
        ]
        resolver = replace(
            place.resolver,
            kind="musl",
            reachable=blocked[0] if blocked else "allow",
            remembered=None,
        )
        return replace(
            place,
            resolver=resolver,
            service=service,
            subject=f"{place.vantage}/{namespace}/{meta['name']}",
            environment=_variables(container),
        )

    def _not_pulled(self, cluster: Cluster, meta: Object, image: str) -> str:
        """What keeps an image from the node, if it keeps it from the owner's container as well."""
        for owner in meta.get("ownerReferences") or []:
            pod = cluster.get("pods", str(owner.get("name")), str(meta["namespace"])) or {}
            for status in (pod.get("status") or {}).get("containerStatuses") or []:
                waiting = (status.get("state") or {}).get("waiting") or {}
                if waiting.get("reason") in _PULLING and status.get("image") == image:
                    return str(waiting.get("message") or "")
        return ""

    def _tell(
        self, cluster: Cluster, meta: Object, container: Object, phase: str, state: Object
    ) -> None:
        status = {
            "phase": phase,
            "containerStatuses": [
                {
                    "name": container["name"], "image": container.get("image"), "ready": False,
                    "restartCount": 0, "imageID": "", "state": state,
                }
            ],
        }  # fmt: skip
        name, namespace = str(meta["name"]), str(meta["namespace"])
        if cluster.get("pods", name, namespace) is not None:  # it may be gone again
            cluster.patch("pods", name, {"status": status}, namespace)


def _node_ready(cluster: Cluster, pod: Object) -> bool:
    """Whether the node that the pod must run on is there; any will do when it names none."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or []:
        for row in term.get("matchFields") or []:
            node = cluster.get("nodes", str(row["values"][0])) or {}
            conditions = (node.get("status") or {}).get("conditions") or []
            return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
    return True


def _variables(container: Object) -> dict[str, str]:
    return {str(v["name"]): str(v.get("value") or "") for v in container.get("env") or []}


async def _look(place: Pod, env: Mapping[str, str]) -> list[str]:
    """The lines that the script writes."""
    url = f"{env['PROBE_SCHEME']}://{_authority(env)}{env['PROBE_PATH']}"
    proxy = proxy_for(env, urlsplit(url))
    if not proxy:
        return await _climb(place, url, env["PROBE_HOST"], int(env["PROBE_PORT"]))
    via = urlsplit(proxy)
    host, port = via.hostname or "", via.port or 80
    return [f"proxy={host}:{port}", *await _climb(place, url, host, port, proxied=True)]


def _authority(env: Mapping[str, str]) -> str:
    host = env["PROBE_HOST"]
    return f"[{host}]:{env['PROBE_PORT']}" if ":" in host else f"{host}:{env['PROBE_PORT']}"


async def _climb(place: Pod, url: str, host: str, port: int, *, proxied: bool = False) -> list[str]:
    lines, addresses = await _resolve(place, host)
    if not addresses:
        return lines
    connected, detail = await _connect(place, addresses, port)
    lines.append(f"connect={connected}")
    if connected != "ok":
        return [*lines, f"detail={detail}"]
    return lines + await _ask(place, url, proxied=proxied)


async def _resolve(place: Pod, host: str) -> tuple[list[str], tuple[str, ...]]:
    try:
        addresses = await place.resolver.addresses(host)
    except GoError:
        return [f"resolve={await _why_unresolved(place, host)}"], ()
    return ["resolve=ok", f"addresses={','.join(addresses)}"], addresses


async def _why_unresolved(place: Pod, host: str) -> str:
    """What nslookup says of the absolute name."""
    try:
        await replace(place.resolver, kind="go").addresses(f"{host}.")
    except GoError as error:
        return next(code for text, code in _UNRESOLVED if text in error.text)
    return "server-failure"


async def _connect(place: Pod, addresses: tuple[str, ...], port: int) -> tuple[str, str]:
    outcome = ("connect-timeout", "")
    for address in addresses:
        try:
            _, writer = await place.wire.open(place.vantage, address, port, service=place.service)
        except TimeoutError:
            outcome = ("connect-timeout", f"nc: {address}: Operation timed out")
        except NoRouteToHostError:
            outcome = ("host-unreachable", f"nc: {address}: Host is unreachable")
        except ConnectionRefusedError:
            outcome = ("connection-refused", f"nc: {address}: Connection refused")
        else:
            writer.close()
            return "ok", ""
    return outcome


async def _ask(place: Pod, url: str, *, proxied: bool) -> list[str]:
    secure = url.startswith("https:")
    request = Request(method="GET", url=url, headers=(("User-Agent", "keptn-doctor-probe"),))
    try:
        reply = await send_once(place, _PATIENCE if proxied else _DIRECTLY, request)
    except GoError as error:
        if proxied and secure:
            return ["tls=proxy-failed", f"detail={_one_line(error.text)}"]
        for text, rung, code in _UNANSWERED:
            if text in error.text and (rung == "http" or secure):
                return [f"{rung}={code}", f"detail={_one_line(error.text)}"]
        return ["http=connection-reset", f"detail={_one_line(error.text)}"]
    if proxied and secure:
        return []
    return [*(["tls=ok"] if secure else []), f"http={reply.status}"]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
