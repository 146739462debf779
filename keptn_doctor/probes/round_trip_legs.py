"""The legs of a round trip, each with its time and, where it broke, with what that implies.

What is sent, and which events answer it, is the business of the three levels; here is what they
share: the clock, the post, and reading events back from the datastore.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import msgspec

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import Hop, Leg
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import STORED_EVENTS, KeptnApi, status_failure
from keptn_doctor.probes.keptn_registrations import lenient
from keptn_doctor.probes.round_trip_writes import Write

T = TypeVar("T")

STORED_S = 15.0  # after that an event is taken for lost; it takes one or two as a rule
_PAGE = "100"
_LONGEST_MESSAGE = 300


class BrokenLegError(Exception):
    """Ends a trip at the leg that it was on; ``why`` is a line for people."""

    def __init__(self, why: str, *, perhaps_taken: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.perhaps_taken = perhaps_taken  # an event got no answer, and may have arrived


class Legs:
    """A trip under way: legs in their order, each begins where the one before it ended."""

    def __init__(self, *order: Leg) -> None:
        self._order = order
        self._hops: list[Hop] = []
        self._started = self._began = time.perf_counter()

    def left_s(self, limit_s: float, *, most_s: float = math.inf) -> float:
        """What is left of the trip's limit, or ``most_s`` when that is less."""
        return max(min(limit_s - (time.perf_counter() - self._started), most_s), 0.0)

    def start_limit(self) -> None:
        """What was before does not count towards the limit."""
        self._started = time.perf_counter()

    def passed(self, detail: str = "", *, certain: bool = True) -> None:
        """The current leg held; not ``certain`` = it may have been somebody else's answer."""
        self._add("ok" if certain else "unknown", detail)

    def broke(self, broken: BrokenLegError) -> None:
        """The current leg did not hold, so those after it were not reached."""
        self._add("failed", broken.why)

    def _add(self, state: Literal["ok", "failed", "unknown"], detail: str) -> None:
        now = time.perf_counter()
        leg = self._order[len(self._hops)]
        seconds = round(now - self._began, 3)
        self._hops.append(Hop(leg=leg, state=state, seconds=seconds, detail=detail))
        self._began = now

    def hops(self) -> tuple[Hop, ...]:
        """All of them; what was not come to is "not-reached"."""
        rest = self._order[len(self._hops) :]
        return (*self._hops, *(Hop(leg=leg, state="not-reached") for leg in rest))


class Found(msgspec.Struct, frozen=True):
    """An event as the datastore gives it back."""

    id: str = ""
    type: str = ""
    source: str = ""
    triggeredid: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Said(msgspec.Struct, frozen=True):
    message: str | None = None
    status: str | None = None
    result: str | None = None


class _Page(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...] | None = None


class _Sent(msgspec.Struct, frozen=True):
    keptnContext: str | None = None  # noqa: N815 - Keptn's own spelling


async def send(api: KeptnApi, write: Write, context: str) -> str:
    """Post an event; the context that Keptn gave it. Raises BrokenLegError."""
    try:
        exchange = await api.write(write)
    except WorldFault as fault:
        lost = fault.failure
        unanswered = lost.phase == "http" or lost.code in ("connection-reset", "connection-closed")
        raise BrokenLegError(_not_taken(lost), perhaps_taken=unanswered) from None
    refused = status_failure(exchange)
    if refused:
        raise BrokenLegError(_not_taken(refused))
    try:
        sent = msgspec.json.decode(exchange.content, type=_Sent)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BrokenLegError("the answer is not that of Keptn's api-service") from None
    return sent.keptnContext or context


def _not_taken(failure: Failure) -> str:
    """Why api-service did not take an event, and what stands behind such an answer."""
    said = failure.detail or failure.code
    if failure.phase in ("resolve", "connect", "tls"):
        return f"the endpoint was not reached: {said}"
    if failure.phase == "auth":
        return f"the token was refused: {said}"
    if failure.status == 400:
        return f"api-service refuses the event, by its validation or its form: {said}"
    if failure.status in (413, 414):
        return f"something on the way limits the size of requests: {said}"
    if failure.status in (502, 503, 504):
        return f"api-service does not answer behind the gateway: {said}"
    if failure.status >= 500:
        return f"api-service took it and could not pass it on, to NATS as a rule: {said}"
    return said


class Mailbox:
    """The events of one context, asked for again and again."""

    def __init__(self, api: KeptnApi, context: str, *, project: str = "", pause_s: float) -> None:
        self._api = api
        self._params = {"keptnContext": context, "pageSize": _PAGE}
        if project:
            self._params["project"] = project
        self._pause_s = pause_s
        self.refusal = ""  # why the datastore could not be asked, when it could not the last time

    async def until(
        self, wanted: Callable[[tuple[Found, ...]], T | None], *, limit_s: float
    ) -> T | None:
        """What ``wanted`` makes of the events as soon as it is not None; None after ``limit_s``."""
        return await until(lambda: self._look(wanted), limit_s=limit_s, pause_s=self._pause_s)

    async def _look(self, wanted: Callable[[tuple[Found, ...]], T | None]) -> T | None:
        try:
            return wanted(await self.read())
        except WorldFault as fault:  # it may be slow or starting: the limit decides
            self.refusal = fault.failure.detail or fault.failure.code
            return None

    async def read(self) -> tuple[Found, ...]:
        """The events so far, up to a hundred; raises WorldFault."""
        page, _ = await self._api.get_as(STORED_EVENTS, _Page, params=self._params, fresh=True)
        self.refusal = ""
        read = (lenient(raw, Found) for raw in page.events or ())
        return tuple(event for event in read if event is not None)

    def or_refused(self, why: str) -> BrokenLegError:
        """That something did not come, or that the datastore did not say whether it did."""
        if self.refusal:
            return BrokenLegError(f"mongodb-datastore does not answer: {self.refusal}")
        return BrokenLegError(why)


async def until(
    look: Callable[[], Awaitable[T | None]], *, limit_s: float, pause_s: float
) -> T | None:
    """Look again and again until there is something; None after ``limit_s``.

    The first looks follow each other quickly, the later ones every ``pause_s``.
    """
    pause = pause_s / 8
    try:
        async with asyncio.timeout(max(limit_s, 0)):
            while True:
                found = await look()
                if found is not None:
                    return found
                await asyncio.sleep(pause)
                pause = min(2 * pause, pause_s)
    except TimeoutError:
        return None


def message_of(event: Found, clean: Callable[[str], str]) -> str:
    """What an answer says in words, with its status where it says nothing; without secrets."""
    said = lenient(event.data, _Said) or _Said()
    words = said.message or " ".join(filter(None, (said.status, said.result)))
    return clean(words).strip()[:_LONGEST_MESSAGE]
