"""Everything that this program can ask Keptn to change: a closed list, made by functions.

A ``Write`` cannot be made elsewhere, so no other event, no other path and no other method than
those below can be sent; ``sh.keptn.event.project.delete.finished``, which wipes the history of the
project that it names, is not among them. A project is deleted through an ``OwnProject`` alone: one
that Keptn did not know the moment before, or one whose name has the exact form of those names.
Sources: ``api/handlers/event.go``, ``mongodb-datastore/handlers/event.go@1.4.5``,
``shipyard-controller/handler/projecthandler.go@1.4.5``.
"""

from __future__ import annotations

import base64
import re
import secrets
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, final

import msgspec
import yaml

from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.secret import Secret

if TYPE_CHECKING:
    from keptn_doctor.probes.keptn_api import KeptnApi

EVENTS: Final = "/v1/event"
PROJECTS: Final = "/controlPlane/v1/project"
HARMLESS_EVENT: Final = "sh.keptn.event.keptn-doctor.invalidated"
NO_SEQUENCE: Final = "keptn-doctor"  # of which no shipyard has one; the probe makes sure
OWN_SEQUENCE: Final = "round-trip"
TASK: Final = re.compile(r"[a-z][a-z0-9-]*")
NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]*")  # no dot: an event's type has dots between

OWN_PREFIX: Final = "keptn-doctor-trip-q7x-"
_OWN_NAME = re.compile(OWN_PREFIX + r"[0-9a-f]{12}")
_SOURCE = "keptn-doctor"
# jmeter-service says nothing to a test without an address, and breaks off with a nil pointer at one
# without a strategy. Its own port is an address where nothing is tested, as a new project has no
# script (``jmeter-service/eventhandler.go``, ``testrunner.go@0.13.6``).
_OF_TASK: dict[str, dict[str, object]] = {
    "test": {
        "test": {"teststrategy": "functional"},
        "deployment": {"deploymentURIsLocal": ["http://127.0.0.1:8080"]},
    }
}
_PASS = object()  # what makes the constructors below refuse everybody else
_GIT_S = 30.0  # making and removing a project waits for Git


@final
class OwnProject:
    """The right to make and to remove one project of the doctor's own."""

    __slots__ = ("name",)

    def __init__(self, name: str, *, pass_: object = None) -> None:
        if pass_ is not _PASS or not _OWN_NAME.fullmatch(name):
            raise TypeError("a project of one's own comes from unused_project or own_projects")
        self.name = name

    def __repr__(self) -> str:
        return f"OwnProject({self.name})"


@final
class Write:
    """One request that changes something; ``repr`` shows no body, which may hold a Git token."""

    __slots__ = ("body", "method", "path", "patience_s")

    def __init__(
        self,
        method: Literal["POST", "DELETE"],
        path: str,
        body: bytes = b"",
        *,
        patience_s: float = 0.0,
        pass_: object = None,
    ) -> None:
        """``patience_s`` is how long the answer may take when that is more than usual."""
        if pass_ is not _PASS:
            raise TypeError("a Write comes from one of the functions of this module")
        self.method, self.path, self.body, self.patience_s = method, path, body, patience_s

    def __repr__(self) -> str:
        return f"Write({self.method} {self.path})"


async def unused_project(api: KeptnApi) -> OwnProject:
    """A name that Keptn does not know this moment; raises WorldFault when it does not say so."""
    own = OwnProject(OWN_PREFIX + secrets.token_hex(6), pass_=_PASS)
    if await is_there(api, own):
        raise fault("kube", "conflict", f"a project {own.name} exists already")
    return own


def own_projects(names: Iterable[str]) -> tuple[OwnProject, ...]:
    """Those of the names that only this program gives: what earlier runs have left."""
    return tuple(OwnProject(name, pass_=_PASS) for name in names if _OWN_NAME.fullmatch(name))


async def is_there(api: KeptnApi, own: OwnProject) -> bool:
    """Whether Keptn knows the project; raises WorldFault when it says neither 200 nor 404."""
    try:
        await api.get_as(f"{PROJECTS}/{own.name}", msgspec.Raw, fresh=True)
    except WorldFault as refusal:
        if refusal.failure.code == "not-found":
            return False
        raise
    return True


def harmless_event(context: str) -> Write:
    """An event without a project, of a kind that Keptn stores and otherwise ignores."""
    return _event(HARMLESS_EVENT, context, {"keptn-doctor": "round trip"})


def unknown_sequence(context: str, *, project: str, stage: str, service: str) -> Write:
    """Asks a real project for a sequence that it does not have; Keptn answers with a failure."""
    place = {"project": project, "stage": stage, "service": service}
    return _event(f"sh.keptn.event.{_named(stage)}.{NO_SEQUENCE}.triggered", context, place)


def own_sequence(context: str, own: OwnProject, *, stage: str, service: str, task: str) -> Write:
    """Starts the one sequence of a project of one's own, with what its task needs for nothing."""
    data = {"project": own.name, "stage": stage, "service": service, **_OF_TASK.get(task, {})}
    return _event(f"sh.keptn.event.{_named(stage)}.{OWN_SEQUENCE}.triggered", context, data)


def _named(stage: str) -> str:
    if not NAME.fullmatch(stage):
        raise ValueError(f"{stage!r} is no name of a stage")
    return stage


def _event(kind: str, context: str, data: Mapping[str, object]) -> Write:
    event = {
        "type": kind,
        "source": _SOURCE,
        "specversion": "1.0",
        "contenttype": "application/json",
        "shkeptncontext": context,
        "data": data,
    }
    return Write("POST", EVENTS, msgspec.json.encode(event), pass_=_PASS)


GitFields = Literal["none", "flat", "nested"]  # how a version wants them


def new_project(
    own: OwnProject,
    *,
    stage: str,
    task: str,
    git: GitFields = "none",
    url: str = "",
    user: str = "",
    token: Secret | None = None,
) -> Write:
    """Makes the project, with one stage of one sequence of one task.

    ``git`` is how this Keptn takes the upstream: flat up to 0.16, nested from 0.17.0 on
    (``CHANGELOG.md@0.17.0``).
    """
    if not TASK.fullmatch(task):
        raise ValueError(f"{task!r} is no name of a task")
    shipyard = base64.b64encode(_shipyard(own.name, _named(stage), task).encode()).decode()
    body: dict[str, object] = {"name": own.name, "shipyard": shipyard}
    secret = token.reveal() if token else ""
    if git == "flat":
        body |= {"gitRemoteURL": url, "gitUser": user, "gitToken": secret}
    elif git == "nested":
        body["gitCredentials"] = {"remoteURL": url, "user": user, "https": {"token": secret}}
    return Write("POST", PROJECTS, msgspec.json.encode(body), patience_s=_GIT_S, pass_=_PASS)


def _shipyard(name: str, stage: str, task: str) -> str:
    properties = _OF_TASK.get(task, {}).get(task)
    one = {"name": task, "properties": properties} if properties else {"name": task}
    sequence = {"name": OWN_SEQUENCE, "tasks": [one]}
    shipyard = {
        "apiVersion": "spec.keptn.sh/0.2.0",
        "kind": "Shipyard",
        "metadata": {"name": f"shipyard-{name}"},
        "spec": {"stages": [{"name": stage, "sequences": [sequence]}]},
    }
    return yaml.safe_dump(shipyard, sort_keys=False)


def new_service(own: OwnProject, service: str) -> Write:
    """Makes a service of that project."""
    path = f"{PROJECTS}/{urllib.parse.quote(own.name, safe='')}/service"
    body = msgspec.json.encode({"serviceName": service})
    return Write("POST", path, body, patience_s=_GIT_S, pass_=_PASS)


FilesPath = Literal["/configuration-service", "/resource-service"]


def new_empty_job(
    own: OwnProject, *, stage: str, service: str, task: str, files: FilesPath
) -> Write:
    """Gives the service a job without tasks for the task's event: job-executor-service answers it.

    Without a job that matches it says nothing; of one without tasks it says that it is done, and
    creates none (``pkg/eventhandler/eventhandlers.go`` of job-executor-service @0.2.5).
    """
    action = {
        "name": "keptn-doctor round trip",
        "events": [{"name": f"sh.keptn.event.{task}.triggered"}],
        "tasks": [],
    }
    text = yaml.safe_dump({"apiVersion": "v2", "actions": [action]}, sort_keys=False)
    content = base64.b64encode(text.encode()).decode()
    body = {"resources": [{"resourceURI": "job/config.yaml", "resourceContent": content}]}
    place = f"/v1/project/{own.name}/stage/{_named(stage)}/service/{_named(service)}/resource"
    return Write("POST", files + place, msgspec.json.encode(body), patience_s=_GIT_S, pass_=_PASS)


def removal(own: OwnProject) -> Write:
    """Removes that project with all that Keptn has stored of it."""
    path = f"{PROJECTS}/{urllib.parse.quote(own.name, safe='')}"
    return Write("DELETE", path, patience_s=_GIT_S, pass_=_PASS)
