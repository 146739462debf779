"""Level controller: asks a real project for a sequence that it does not have.

shipyard-controller reads the shipyard from Git, finds no such sequence and answers with a failed
one: proof of it, of its publishing and of the Git upstream, at the price of one failed sequence in
that project's history. Up to 0.9.0 an unknown sequence is answered by nothing but a log line
(``onTriggerSequenceFailed``, ``shipyardcontroller.go@0.9.2``).
"""

from __future__ import annotations

import re
import uuid

import msgspec

from keptn_doctor.knowledge.versions import Version
from keptn_doctor.model.base import Record
from keptn_doctor.model.keptn_facts import Project, ProjectListing, RoundTrip
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_projects import shipyard_sequences
from keptn_doctor.probes.round_trip import NOT_STORED
from keptn_doctor.probes.round_trip_choice import Refusal
from keptn_doctor.probes.round_trip_legs import (
    STORED_S,
    BrokenLegError,
    Found,
    Legs,
    Mailbox,
    message_of,
    send,
)
from keptn_doctor.probes.round_trip_writes import NAME, NO_SEQUENCE, PROJECTS, unknown_sequence

_FIRST_TO_ANSWER = "0.9.1"
_NOT_READ = re.compile(r"shipyard file|retrieve shipyard|load shipyard", re.IGNORECASE)


class Place(Record, frozen=True, kw_only=True):
    """Where in Keptn an event belongs."""

    project: str
    stage: str
    service: str

    def __str__(self) -> str:
        return f"project {self.project}, stage {self.stage}, service {self.service}"


class _Shown(msgspec.Struct, frozen=True):
    shipyard: str | None = None


async def why_not_here(
    api: KeptnApi, place: Place, *, version: str, known: ProjectListing | None
) -> Refusal | None:
    """What speaks against sending the event there; asks for the project's shipyard."""
    release = Version.parse(version)
    if release is None:
        return Refusal(reason="the version of Keptn is not known, so nobody knows if it answers")
    if not release.within(_FIRST_TO_ANSWER, ""):
        return Refusal(
            reason=f"Keptn {version} does not answer a sequence that is unknown; "
            f"{_FIRST_TO_ANSWER} is the first that does",
            unlock="--round-trip, which stops at the datastore",
        )
    if known is None:
        return Refusal(reason="the projects could not be listed")
    missing = _missing(place, known)
    if missing:
        return Refusal(reason=missing, unlock="--project, --stage and --service that Keptn knows")
    return await _has_that_sequence(api, place)


def _missing(place: Place, known: ProjectListing) -> str:
    project = next((p for p in known.projects if p.name == place.project), None)
    if project is None:
        return f"Keptn has no project {place.project}"
    stage = next((s for s in project.stages if s.name == place.stage), None)
    if stage is None or not NAME.fullmatch(place.stage):
        return f"project {place.project} has no stage {place.stage}{_those(project)}"
    if place.service not in stage.services:
        return f"stage {place.stage} of project {place.project} has no service {place.service}"
    return ""


def _those(project: Project) -> str:
    names = ", ".join(stage.name for stage in project.stages)
    return f", only {names}" if names else ""


async def _has_that_sequence(api: KeptnApi, place: Place) -> Refusal | None:
    """A shipyard that has a sequence of this name after all would do what it says."""
    try:
        shown, _ = await api.get_as(f"{PROJECTS}/{place.project}", _Shown, fresh=True)
    except WorldFault as fault:
        said = fault.failure.detail or fault.failure.code
        return Refusal(reason=f"the shipyard of project {place.project} could not be read: {said}")
    if NO_SEQUENCE in shipyard_sequences(shown.shipyard or "", place.stage):
        return Refusal(
            reason=f"project {place.project} has a sequence {NO_SEQUENCE} itself, which would run"
        )
    return None


async def controller_trip(
    api: KeptnApi, place: Place, *, limit_s: float, pause_s: float = 1.0
) -> RoundTrip:
    """Post the event and wait for the failed sequence, ``limit_s`` seconds after it was accepted.

    Raises PermissionError when the run is not active.
    """
    legs = Legs("accepted", "stored", "sequence-answered")
    context = str(uuid.uuid4())
    left: tuple[str, ...] = ()
    stays = f"one failed sequence {NO_SEQUENCE} in {place}, for good"
    try:
        write = unknown_sequence(
            context, project=place.project, stage=place.stage, service=place.service
        )
        context = await send(api, write, context)
        legs.passed()
        legs.start_limit()
        left = (stays,)
        mailbox = Mailbox(api, context, project=place.project, pause_s=pause_s)
        stored_s = legs.left_s(limit_s, most_s=STORED_S)
        if not await mailbox.until(lambda events: events or None, limit_s=stored_s):
            raise mailbox.or_refused(NOT_STORED.format(stored_s))
        legs.passed()
        answer_s = legs.left_s(limit_s)
        answer = await mailbox.until(_answer, limit_s=answer_s)
        legs.passed(_read_shipyard(answer, mailbox, api, waited_s=answer_s))
    except BrokenLegError as broken:
        legs.broke(broken)
        if broken.perhaps_taken:
            left = (f"perhaps {stays}",)
    return RoundTrip(
        level="controller",
        hops=legs.hops(),
        context=context,
        project=place.project,
        stage=place.stage,
        service=place.service,
        left_behind=left,
    )


def _answer(events: tuple[Found, ...]) -> Found | None:
    ending = f".{NO_SEQUENCE}.finished"
    return next((event for event in events if event.type.endswith(ending)), None)


def _read_shipyard(
    answer: Found | None, mailbox: Mailbox, api: KeptnApi, *, waited_s: float
) -> str:
    """What shipyard-controller said; raises BrokenLegError when Git kept it from its work."""
    if answer is None:
        raise mailbox.or_refused(
            f"shipyard-controller did not answer in {waited_s:.0f} s: it did not get the event, or "
            "cannot publish"
        )
    said = message_of(answer, api.redactor.clean)
    if _NOT_READ.search(said):
        raise BrokenLegError(
            f"shipyard-controller answers, but cannot read the shipyard from Git: {said}"
        )
    return f"as it should: {said}" if said else ""
