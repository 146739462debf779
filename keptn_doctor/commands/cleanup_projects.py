"""Keptn projects that a killed run left, found by their names.

Only the control plane is looked at for it: where its API is, and what its token is, as in a run.
"""

from __future__ import annotations

import msgspec

from keptn_doctor.commands.outcome import Outcome
from keptn_doctor.discover import discover
from keptn_doctor.model.failure import Failure
from keptn_doctor.observe.keptn_api import reach_keptn_api
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_projects import projects
from keptn_doctor.probes.round_trip_project import ProjectEntry, remove
from keptn_doctor.probes.round_trip_writes import own_projects
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
    removed: list[str] = []
    remaining: list[str] = []
    for own in own_projects(project.name for project in listed.projects):
        # Whether a task of it is still with a Keptn service is not known, so it is waited for.
        entry = ProjectEntry(api=api, own=own, made=True, event_sent=True, unanswered=True)
        problem = "" if dry_run else await _remove(entry)
        (remaining if problem else removed).append(f"project {own.name} in Keptn{problem}")
    return Outcome(removed=tuple(removed), remaining=tuple(remaining))


async def _api(session: Session) -> KeptnApi | str:
    """The way to Keptn's API with a token, or why there is none."""
    topology = await discover(session)
    api = await reach_keptn_api(session, topology)
    if api is None:
        return "no way to its API was found; give --endpoint"
    return api if api.token else "no token of its API was given; give --token-file"


async def _remove(entry: ProjectEntry) -> str:
    """Why the project is still there, "" when it is not."""
    try:
        await remove(entry)
    except WorldFault as fault:
        return f" was not removed: {_why(fault.failure)}"
    return ""


def _why(failure: Failure) -> str:
    return failure.detail or failure.code
