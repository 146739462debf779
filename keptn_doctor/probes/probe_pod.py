"""Runs one probe pod and reads what it tells: the way out of a pod, rung by rung.

The pod speaks by its termination message, so that neither exec nor logs are needed. What keeps it
from running (a right, a quota, pod security, an image that the node has not) is a failure that says
so. Removing it is the janitor's business.
"""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn, get_args

import msgspec

from keptn_doctor.janitor import Entry
from keptn_doctor.model.failure import Code
from keptn_doctor.model.keptn_facts import PodProbe
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.kube_client import pod_path
from keptn_doctor.probes.probe_pod_manifest import Json
from keptn_doctor.redact import Redactor

_ASK_EVERY_S = 0.5
_MOST_ADDRESSES = 16
_DETAIL_LENGTH = 240
_CODES = frozenset(get_args(Code))
_NEVER_STARTS = frozenset(
    {
        "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
        "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
    }
)  # fmt: skip


async def run_probe_pod(entry: Entry, manifest: Json, *, redactor: Redactor) -> PodProbe:
    """Create the pod that ``entry`` stands for and wait for its word; the caller limits the time.

    Raises:
        WorldFault: the cluster refuses it (auth/forbidden with the right that was missing, or
            kube/forbidden in the words of a quota or of pod security), or it does not run
            (kube/pod-not-running).
    """
    await _create(entry, manifest)
    path = pod_path(entry.namespace, entry.name)
    while True:
        pod = await entry.kube.get(path, dict[str, Any])
        message = _ended(pod.get("status") or {})
        if message is not None:
            seen = read_result(message, redactor=redactor)
            return msgspec.structs.replace(seen, pod=entry.name)
        await asyncio.sleep(_ASK_EVERY_S)


async def _create(entry: Entry, manifest: Json) -> None:
    try:
        made = await entry.kube.create_pod(entry.namespace, manifest)
    except WorldFault as error:
        failure = error.failure
        entry.refused = 400 <= failure.status < 500  # after a 5xx it may exist all the same
        if failure.code == "forbidden" and "cannot create resource" not in failure.detail:
            # Admission, not RBAC: no rule that could be granted would help.
            changed = msgspec.structs.replace(failure, phase="kube", right="")
            raise WorldFault(changed) from error
        raise
    entry.uid = str((made.get("metadata") or {}).get("uid") or "")


def _ended(status: Json) -> str | None:
    """The pod's word once it has ended, None while it may still speak."""
    phase = str(status.get("phase") or "")
    for container in status.get("containerStatuses") or []:
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and ended.get("message"):
            if str(ended.get("reason")) in ("StartError", "ContainerCannotRun"):
                _does_not_run(f"no shell in its image? {ended['message']}")
            return str(ended["message"])
        if waiting.get("reason") in _NEVER_STARTS:
            _does_not_run(f"{waiting['reason']}: {waiting.get('message') or ''}")
    if phase in ("Failed", "Succeeded"):
        said = status.get("message") or status.get("reason") or "it ended without a word"
        _does_not_run(str(said))
    return None


def _does_not_run(why: str) -> NoReturn:
    raise fault("kube", "pod-not-running", f"the probe pod: {why}"[:_DETAIL_LENGTH])


def read_result(message: str, *, redactor: Redactor) -> PodProbe:
    """What the script wrote: ``rung=outcome`` lines; unknown words are taken as not looked at."""
    said: dict[str, str] = {}
    for line in message.splitlines():
        name, _, value = line.partition("=")
        said[name.strip()] = value.strip()
    status, addresses = said.get("http", ""), said.get("addresses", "").split(",")
    failed = _code(said.get("body", "") if status.isdigit() else status)
    detail = redactor.clean(said.get("detail", ""))[:_DETAIL_LENGTH]
    return PodProbe(
        resolve=_code(said.get("resolve", "")),
        addresses=tuple(a for a in addresses if a)[:_MOST_ADDRESSES],
        connect=_code(said.get("connect", "")),
        tls=_code(said.get("tls", "")),
        http_status=int(status) if status.isdigit() else None,
        http=failed,
        proxy=redactor.clean(said.get("proxy", "")),
        detail=detail,
    )


def _code(word: str) -> str:
    return word if word == "ok" or word in _CODES else ""
