"""Asks a control plane for all that its API tells, in the order that harms nobody.

The token's own check comes first, and what needs a token is not asked once that is refused. A
token that was accepted is used side by side, as far as the limiter's burst allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import msgspec

from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import (
    IntegrationListing,
    OpenEvents,
    ProjectListing,
    TokenCheck,
)
from keptn_doctor.probes.keptn_answers import old_events, past_answers
from keptn_doctor.probes.keptn_api import TURNS, KeptnApi
from keptn_doctor.probes.keptn_identity import check_token, keptn_version
from keptn_doctor.probes.keptn_projects import open_events, projects
from keptn_doctor.probes.keptn_registrations import integration_log, integrations
from keptn_doctor.probes.keptn_sequences import sequences
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.retry import Attempts

F = TypeVar("F")

_NEEDS_TOKEN = (
    "integrations", "projects", "integration-log", "open-events", "old-events", "past-answers",
    "sequences",
)  # fmt: skip


class Interests(msgspec.Struct, frozen=True, kw_only=True):
    """What Keptn is asked about that its own lists do not name.

    ``event_types`` are the subscribed types to look for open events of, beside those that the
    registrations name; ``sources`` those whose last answers are looked for, which are the names of
    Keptn services.
    """

    event_types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


async def _none() -> Interests:
    return Interests()


async def observe_keptn_api(
    recorder: Recorder,
    api: KeptnApi,
    *,
    subject: str,
    interests: Callable[[], Awaitable[Interests]] = _none,
    read_again_after_s: float = 0.0,
) -> None:
    """Record the control plane's facts under ``subject`` ("control-plane/keptn").

    ``interests`` are asked for when the registrations and projects were read, and may still be
    waited for then. ``read_again_after_s`` is the time between two reads of the registrations, 0
    for one read. ``api`` has been reached: it comes from ``observe_endpoint``.
    """
    asking = _Asking(recorder, api, subject)
    usable = await _token_usable(asking)

    await asking.look(
        "keptn-version",
        lambda attempts: keptn_version(api, with_token=usable, attempts=attempts),
    )
    if not usable:
        return
    more_pages_s = api.deadlines.request_s
    listing, known = await asyncio.gather(
        asking.look(
            "integrations",
            lambda attempts: integrations(api, again_after_s=read_again_after_s, attempts=attempts),
            extra_s=read_again_after_s,
        ),
        asking.look(
            "projects", lambda attempts: projects(api, attempts=attempts), extra_s=more_pages_s
        ),
    )
    looks: list[Awaitable[object]] = []
    also = await interests()
    wanted = tuple(sorted({*also.event_types, *_subscribed(listing)}))
    if wanted:
        looks.append(
            asking.look(
                "open-events",
                lambda attempts: open_events(api, wanted, attempts=attempts),
                extra_s=more_pages_s,
            )
        )
    if isinstance(known, ProjectListing) and known.projects:
        looks += _of_the_past(asking, known, also.sources)
    log = asking.look("integration-log", lambda attempts: integration_log(api, attempts=attempts))
    await asyncio.gather(*looks, log)


async def look_at_old_events(recorder: Recorder, api: KeptnApi, *, subject: str) -> None:
    """The second read of events that lay open for long at the first: for the end of a run."""
    seen = next((fact for _, fact in recorder.facts(OpenEvents)), None)
    if seen is not None:
        await _Asking(recorder, api, subject).look(
            "old-events",
            lambda attempts: old_events(api, seen, attempts=attempts),
            extra_s=api.deadlines.request_s,
        )


def _of_the_past(
    asking: _Asking, known: ProjectListing, sources: tuple[str, ...]
) -> Iterator[Awaitable[object]]:
    api, more_s = asking.api, asking.api.deadlines.request_s
    yield asking.look(
        "sequences",
        lambda attempts: sequences(api, known, attempts=attempts),
        extra_s=more_s,
    )
    if sources:
        names = [project.name for project in known.projects]
        yield asking.look(
            "past-answers",
            lambda attempts: past_answers(api, sources, names, attempts=attempts),
            extra_s=more_s,
        )


class _Asking:
    def __init__(self, recorder: Recorder, api: KeptnApi, subject: str) -> None:
        self.recorder, self.api, self.subject = recorder, api, subject
        self.lanes = asyncio.Semaphore(1)  # of a token of which nothing is known

    async def look(
        self, probe: str, looking: Callable[[Attempts], Awaitable[F]], *, extra_s: float = 0.0
    ) -> F | Failure:
        """``extra_s`` is what a look may take beyond one request and another try.

        Its time begins when there is a lane for it: a slow neighbour must not use it up.
        """
        attempts = Attempts()
        async with self.lanes:
            return await self.recorder.look(
                probe,
                self.subject,
                looking(attempts),
                deadline_s=3 * self.api.deadlines.request_s + extra_s,
                attempts=attempts,
            )

    def skip_what_needs_a_token(self, reason: str, unlock: str) -> None:
        for probe in _NEEDS_TOKEN:
            self.recorder.skip(
                NotAttempted(probe=probe, subject=self.subject, reason=reason, unlock=unlock)
            )


async def _token_usable(asking: _Asking) -> bool:
    api = asking.api
    if not api.token:
        unlock = "give a token: KEPTN_API_TOKEN, or a right to read the control plane's Secret"
        reason = "no token of the Keptn API was given"
        asking.recorder.skip(
            NotAttempted(probe="token-check", subject=asking.subject, reason=reason, unlock=unlock)
        )
        asking.skip_what_needs_a_token(reason, unlock)
        return False

    checked: TokenCheck | Failure = await asking.look(
        "token-check", lambda attempts: check_token(api, attempts=attempts)
    )
    if isinstance(checked, Failure):
        refused = checked.phase == "auth"
    else:
        refused = not checked.accepted and not checked.masked_by
    if isinstance(checked, TokenCheck) and checked.accepted:
        asking.lanes = asyncio.Semaphore(TURNS)
    if refused:
        unlock = "give the token of the control plane's Secret keptn-api-token"
        asking.skip_what_needs_a_token("the token was refused", unlock)
        return False
    return True


def _subscribed(listing: IntegrationListing | Failure) -> set[str]:
    if isinstance(listing, Failure):
        return set()
    return {s.event for one in listing.integrations for s in one.subscriptions if s.event}
