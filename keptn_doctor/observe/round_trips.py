"""The round trips of a run: after everything else was looked at, and only when asked for.

What speaks against one is found out beforehand and told as a look that was not taken. It was asked
for, so a run without it does not end in 0. Refusals have reasons; nothing is tried "to see".
"""

from __future__ import annotations

import asyncio
from typing import Literal

from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.keptn_facts import (
    IntegrationListing,
    KeptnVersion,
    ProjectListing,
    RoundTrip,
    TokenCheck,
)
from keptn_doctor.model.topology import KeptnService, Topology
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.round_trip import datastore_trip
from keptn_doctor.probes.round_trip_choice import Choice, Refusal, choose, names_of
from keptn_doctor.probes.round_trip_controller import Place, controller_trip, why_not_here
from keptn_doctor.probes.round_trip_project import files_path, git_fields
from keptn_doctor.probes.round_trip_service import Errand, service_trip
from keptn_doctor.probes.round_trip_settings import AT_ONCE, MAKING_S, REMOVING_S
from keptn_doctor.probes.round_trip_writes import unused_project
from keptn_doctor.session import Session

_PROBE = "round-trip"
_MARGIN_S = 10.0  # of a look beyond what its parts may take

Wanted = list[tuple[KeptnService, Choice]]


async def make_round_trips(session: Session, topology: Topology, api: KeptnApi | None) -> None:
    """Make the round trips that were asked for; those that cannot be made are noted."""
    subject = topology.control_plane.subject
    if api is None:
        _skip(session, subject, Refusal(reason="no way to the Keptn API was found"))
        return
    refusal = _without_token(session, api)
    if refusal:
        _skip(session, subject, refusal)
        return
    match session.targets.trip.level:
        case "datastore":
            await _to_the_datastore(session, subject, api)
        case "controller":
            await _to_the_controller(session, topology, api)
        case "service":
            await _to_services(session, topology, api)


def _without_token(session: Session, api: KeptnApi) -> Refusal | None:
    if not api.token:
        unlock = "a token: KEPTN_API_TOKEN, or a right to read the control plane's Secret"
        return Refusal(reason="no token of the Keptn API was given", unlock=unlock)
    checks = [fact for _, fact in session.recorder.facts(TokenCheck)]
    if api.token_refused or any(not c.accepted and not c.masked_by for c in checks):
        unlock = "the token of the control plane's Secret keptn-api-token"
        return Refusal(reason="the token was refused", unlock=unlock)
    return None


async def _to_the_datastore(session: Session, subject: str, api: KeptnApi) -> None:
    limit_s = session.targets.trip.limit_s
    whole_s = limit_s + api.deadlines.request_s + _MARGIN_S
    looking = datastore_trip(api, limit_s=limit_s)
    await session.recorder.look(_PROBE, subject, looking, deadline_s=whole_s)


async def _to_the_controller(session: Session, topology: Topology, api: KeptnApi) -> None:
    subject, trip = topology.control_plane.subject, session.targets.trip
    place = Place(project=trip.project, stage=trip.stage, service=trip.service)
    version = _version(session, topology)
    known = next((fact for _, fact in session.recorder.facts(ProjectListing)), None)
    refusal = await why_not_here(api, place, version=version, known=known)
    if refusal:
        _skip(session, subject, refusal)
        return
    whole_s = trip.limit_s + api.deadlines.request_s + _MARGIN_S
    looking = controller_trip(api, place, limit_s=trip.limit_s)
    await session.recorder.look(_PROBE, subject, looking, deadline_s=whole_s)


async def _to_services(session: Session, topology: Topology, api: KeptnApi) -> None:
    wanted = _wanted(session, topology)
    if not wanted:
        return
    trip = session.targets.trip
    provided = any(fact.automatic_provisioning for _, fact in session.recorder.facts(KeptnVersion))
    git = git_fields(_version(session, topology), trip.upstream, provided=provided)
    if isinstance(git, Refusal):
        for service, _ in wanted:
            _skip(session, service.subject, git)
        return
    upstream = trip.upstream if git != "none" else None
    at_once = asyncio.Semaphore(1 if upstream else AT_ONCE)  # one repository holds one project
    async with asyncio.TaskGroup() as group:
        for service, choice in wanted:
            errand = Errand(
                choice=choice, names=names_of(service), git=git, upstream=upstream,
                files=files_path(_version(session, topology)),
            )  # fmt: skip
            group.create_task(_to_one(session, api, service.subject, errand, at_once))


async def _to_one(
    session: Session, api: KeptnApi, subject: str, errand: Errand, at_once: asyncio.Semaphore
) -> None:
    limit_s = session.targets.trip.limit_s
    async with at_once:
        await session.recorder.look(
            _PROBE,
            subject,
            _with_a_project(session, api, errand),
            deadline_s=2 * MAKING_S + limit_s + REMOVING_S + _MARGIN_S,
        )


async def _with_a_project(session: Session, api: KeptnApi, errand: Errand) -> RoundTrip:
    own = await unused_project(api)
    entry = session.janitor.enter_project(api, own)
    return await service_trip(entry, errand, limit_s=session.targets.trip.limit_s)


def _wanted(session: Session, topology: Topology) -> Wanted:
    """The Keptn services to reach, each with its task; the others are noted with their reasons."""
    trip, subject = session.targets.trip, topology.control_plane.subject
    listing = next((fact for _, fact in session.recorder.facts(IntegrationListing)), None)
    if listing is None:
        _skip(session, subject, Refusal(reason="the registrations could not be listed"))
        return []
    allow = trip.allow_deploying
    if not trip.keptn_services:
        return _only_candidate(session, topology, listing)
    wanted: Wanted = []
    for name in trip.keptn_services:
        found = [s for s in topology.services if _is_called(s, name)]
        if len(found) != 1:
            listed = ", ".join(s.subject for s in found)
            reason = f"{name} may be any of {listed}" if found else f"no {name} was found"
            unlock = "--keptn-service PLANE/NAMESPACE/NAME of one that was found"
            _skip(session, subject, Refusal(reason=reason, unlock=unlock))
            continue
        chosen = choose(found[0], listing, allow_deploying=allow)
        if isinstance(chosen, Refusal):
            _skip(session, found[0].subject, chosen)
        elif found[0].subject not in {service.subject for service, _ in wanted}:
            wanted.append((found[0], chosen))
    return wanted


def _is_called(service: KeptnService, name: str) -> bool:
    """[PLANE/][NAMESPACE/]NAME: two parts may be either."""
    return name in (
        service.name,
        f"{service.namespace}/{service.name}",
        f"{service.plane}/{service.name}",
        service.subject,
    )


def _only_candidate(session: Session, topology: Topology, listing: IntegrationListing) -> Wanted:
    """The one service with a task of the short list; nothing is chosen where there are several."""
    services = [s for s in topology.services if s.belongs_to == "execution-plane"]
    chosen = [(service, choose(service, listing)) for service in services]
    able = [(s, c) for s, c in chosen if isinstance(c, Choice) and c.harmless]
    if len(able) == 1:
        return able
    subject = topology.control_plane.subject
    if able:
        listed = " ".join(f"--keptn-service {service.subject}" for service, _ in able)
        reason = "several Keptn services could be reached, and none was named"
        _skip(session, subject, Refusal(reason=reason, unlock=listed))
        return []
    why = [f"{service.name}: {_why(choice)}" for service, choice in chosen]
    reason = "no Keptn service has a task that is known to be harmless"
    if why:
        reason += f" ({'; '.join(why)})"
    unlock = "--keptn-service NAME of one whose task you know"
    _skip(session, subject, Refusal(reason=reason, unlock=unlock))
    return []


def _why(choice: Choice | Refusal) -> str:
    if isinstance(choice, Refusal):
        return choice.reason
    return f"nobody knows what its task {choice.task} does"


def _version(session: Session, topology: Topology) -> str:
    told = [fact.version for _, fact in session.recorder.facts(KeptnVersion)]
    return told[0] if told else topology.control_plane.version


def _skip(session: Session, subject: str, refusal: Refusal) -> None:
    kind: Literal["option", "unreachable"] = "option" if refusal.unlock else "unreachable"
    session.recorder.skip(
        NotAttempted(
            probe=_PROBE,
            subject=subject,
            reason=refusal.reason,
            unlock=refusal.unlock,
            kind=kind,
            asked_for=True,
        )
    )
