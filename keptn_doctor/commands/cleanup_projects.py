"""Keptn projects that a killed run left, found by their names.

Only the control plane is looked at for it: where its API is, and what its token is, as in a run.
"""

from __future__ import annotations

import asyncio

import msgspec

from keptn_doctor.commands.outcome import Outcome
from keptn_doctor.discover import discover
from keptn_doctor.model.failure import Failure
from keptn_doctor.observe.keptn_api import reach_keptn_api
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_projects import projects
from keptn_doctor.probes.round_trip_project import ProjectEntry, is_under_way, remove
from keptn_doctor.probes.round_trip_writes import OwnProject, own_projects
from keptn_doctor.session import Session
from keptn_doctor.targets import Targets


def control_plane_alone(targets: Targets) -> Targets | None:
    """What leads to the Keptn API; None when nothing of a control plane was named."""
    api = targets.api
    if targets.control_plane is None and not (api and api.endpoint):
        return None
    enough = api is not None and api.endpoint and api.token
    return msgspec.structs.replace(
        targets,
        control_plane=None if enough else targets.control_plane,
        execution_planes=(),
        active=False,
        round_trip=True,
    )


async def remove_projects(session: Session, *, dry_run: bool) -> Outcome:
    """Remove those whose names only round trips give, or only find them."""
    api = await _api(session)
    if isinstance(api, str):
        return Outcome(not_searched=(f"Keptn's projects were not searched: {api}",))
    try:
        listed = await projects(api)
    except WorldFault as fault:
        why = _why(fault.failure)
        return Outcome(not_searched=(f"Keptn's projects were not searched: {why}",))
    left = own_projects(project.name for project in listed.projects)
    if dry_run:
        return Outcome(removed=tuple(_line(own) for own in left))
    problems = await asyncio.gather(*(_remove(api, own) for own in left))
    told = list(zip(left, problems, strict=True))
    return Outcome(
        removed=tuple(_line(own) for own, problem in told if not problem),
        remaining=tuple(_line(own) + problem for own, problem in told if problem),
    )


def _line(own: OwnProject) -> str:
    return f"project {own.name} in Keptn"


async def _api(session: Session) -> KeptnApi | str:
    """The way to Keptn's API with a token, or why there is none."""
    topology = await discover(session)
    api = await reach_keptn_api(session, topology)
    if api is None:
        return "no way to its API was found; give --endpoint"
    return api if api.token else "no token of its API was given; give --token-file"


async def _remove(api: KeptnApi, own: OwnProject) -> str:
    """Why the project is still there, "" when it is not."""
    entry = ProjectEntry(api=api, own=own, made=True, event_sent=True)
    try:
        entry.unanswered = await is_under_way(api, own)
        await remove(entry)
    except WorldFault as fault:
        return f" was not removed: {_why(fault.failure)}"
    return ""


def _why(failure: Failure) -> str:
    return failure.detail or failure.code
