"""The Keptn services at work: they pick up open task events and answer them, by their own ways.

Each replica whose client hears anything polls over the lab's network, with its own names, policies,
token and filters; a service that is cut off, deaf or filtered is silent for the same reasons as a
real one. Nothing runs until a task becomes open, and each poller stops again after a while, so a
lab in which no sequence runs costs nothing. Events that were open when the lab started have been
offered before and are not taken up again.

Sources: ``distributor/pkg/poller/poller.go @0.16.2``, go-utils
``pkg/sdk/connector/eventsource/http @v0.20.4``.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from keptn_doctor.lab.clients.client import ClientRun, PodRun
from keptn_doctor.lab.clients.log import logrus, std
from keptn_doctor.lab.clients.rules import whole
from keptn_doctor.lab.clients.work import Reply, Task, work
from keptn_doctor.lab.keptn.events import Event, new_id
from keptn_doctor.lab.keptn.messaging import publish
from keptn_doctor.lab.keptn.state import KeptnState
from keptn_doctor.lab.settings import SubscriptionSettings

_ROUNDS = 40
_MOST_ROUNDS = 10_000
_MOST_PAGES = 20
_MOST_TASKS = 256


class Services:
    """All services of one lab; they wake up by themselves. ``close`` must follow."""

    def __init__(self, runs: tuple[ClientRun, ...], keptns: tuple[KeptnState, ...]) -> None:
        self._keptns = keptns
        self._pollers: list[_Replica] = []
        known = {event.id for keptn in keptns for event in keptn.controller.open}
        for run in runs:
            for index, pod in enumerate(run.pods):
                replica = _Replica(pod, keptns, first=index == 0, known=known)
                if replica.polls():
                    self._pollers.append(replica)
                elif replica.listens():
                    keptns[0].listeners.append(replica.hear)
        for keptn in keptns:
            keptn.task_listeners.append(self._wake)

    def _wake(self, event: Event) -> None:
        for poller in self._pollers:
            poller.wake(event)

    async def close(self) -> None:
        """End every poll and every task at once."""
        await asyncio.gather(*(poller.close() for poller in self._pollers))


class _Replica:
    """One pod of a service: its polls, or what NATS brings it, and its answers."""

    def __init__(
        self, pod: PodRun, keptns: tuple[KeptnState, ...], *, first: bool, known: Iterable[str]
    ) -> None:
        self._pod = pod
        self._caller = pod.caller.at_work()
        self._keptns = keptns
        self._first = first
        self._calls = pod.phases[-1].calls
        self._seen: dict[str, set[str]] = {
            _key(s): set(known) for s in self._calls.subscriptions
        }
        self._rounds = 0
        self._polling: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def polls(self) -> bool:
        """Whether the client runs and its polls can succeed at all, as the world is."""
        heard = any(o.ok for outcomes in self._calls.polls.values() for o in outcomes)
        return self._pod.is_alive() and bool(self._caller.endpoint) and heard

    def listens(self) -> bool:
        """Whether the client has no endpoint and is connected to NATS."""
        alone = self._first or not self._caller.env.get("PUBSUB_GROUP")
        in_nats_mode = not self._caller.endpoint and self._calls.nats.ok
        return self._pod.is_alive() and in_nats_mode and alone

    def wake(self, event: Event) -> None:
        """Poll for a while, at least until an event that concerns it may be seen."""
        if all(s.event != event.type for s in self._calls.subscriptions):
            return
        pause = self._pause()
        ahead = (event.time - self._caller.place.clock()).total_seconds()
        rounds = _ROUNDS + math.ceil(max(ahead, 0.0) / pause)
        self._rounds = max(self._rounds, min(rounds, _MOST_ROUNDS))
        if self._polling is None or self._polling.done():
            self._polling = asyncio.get_running_loop().create_task(self._poll_on())

    async def close(self) -> None:
        running = [t for t in (self._polling, *self._tasks) if t is not None and not t.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=1)

    def _pause(self) -> float:
        return max(self._keptns[0].settings.delivery.poll_every_s, 0.01)

    async def _poll_on(self) -> None:
        while self._rounds > 0:
            await asyncio.sleep(self._pause())
            self._rounds -= 1
            wanted = {e.type for keptn in self._keptns for e in keptn.controller.open}
            for subscription in self._calls.subscriptions:
                if subscription.event in wanted:  # any other is answered with an empty list
                    await self._poll(subscription)

    async def _poll(self, subscription: SubscriptionSettings) -> None:
        page, seen = "", self._seen[_key(subscription)]
        for _ in range(_MOST_PAGES):
            outcome = await self._caller.poll(subscription, page=page)
            if not outcome.ok:
                return
            answer = json.loads(outcome.body)
            for event in answer.get("events") or ():
                if str(event.get("id")) not in seen:
                    seen.add(str(event.get("id")))
                    self._take(subscription, event)
            page = str(answer.get("nextPageKey") or "0")
            if page == "0":
                return

    def hear(self, event: Event) -> None:
        """What NATS brings: every event, of which the subscriptions' subjects are taken."""
        for subscription in self._calls.subscriptions:
            if _subject_matches(subscription.event, event.type):
                self._take(subscription, event.shown())

    def _take(self, subscription: SubscriptionSettings, event: dict[str, Any]) -> None:
        if not _matches(subscription, event.get("data") or {}) or len(self._tasks) >= _MOST_TASKS:
            return
        task = asyncio.get_running_loop().create_task(self._deliver(subscription, event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- in the pod

    async def _deliver(self, subscription: SubscriptionSettings, event: dict[str, Any]) -> None:
        """Hand the event to the service, beside a distributor over the pod's loopback."""
        settings, env = self._caller.settings, self._caller.env
        event_id = str(event.get("id"))
        if self._caller.rules.kind == "sdk":
            self._log("info", f"Forwarding matched event update: {event_id}")
        else:
            to = env.get("PUBSUB_RECIPIENT", "http://127.0.0.1")
            port = env.get("PUBSUB_RECIPIENT_PORT", "8080")
            self._log("info", f"Sending CloudEvent with ID {event_id} to {to}")
            if str(settings.service.listens_on) != port:
                self._log(
                    "error",
                    f"Sending CloudEvent with ID {event_id} to {to} failed: "
                    f'Post "{to}:{port}": dial tcp 127.0.0.1:{port}: connect: connection refused',
                )
                self._seen[_key(subscription)].discard(event_id)  # tried again at the next poll
                return
        if settings.service.sends_events:
            await self._work(Task.of(event))

    async def _work(self, task: Task) -> None:
        """Do the task and send each of its answers; without ``.started`` there is no more."""
        service = self._caller.settings.service
        async for reply in work(self._caller, task):
            if reply.kind == "finished":
                await asyncio.sleep(service.takes_s)
            if not await self._send(task, reply):
                return
            if reply.kind == "started" and service.task == "hangs":
                return

    async def _send(self, task: Task, reply: Reply) -> bool:
        body = self._answer(task, reply)
        if not self._caller.endpoint:
            return publish(self._keptns[0], _published(body, self._keptns[0]))
        if self._caller.rules.kind == "distributor":
            return await self._forward(body)
        outcome = await self._caller.post_event(body)
        if not outcome.ok:
            self._log("error", f"Unable to send '.{reply.kind}' event: {outcome.text}")
        return outcome.ok

    async def _forward(self, body: dict[str, Any]) -> bool:
        """Through the distributor's local port, with its own limit and its own log."""
        caller, rules = self._caller, self._caller.rules
        limit = whole(caller.env.get("API_PROXY_MAX_PAYLOAD_BYTES_KB"), default=64) * 1024
        if rules.version >= (0, 17, 0) and len(json.dumps(body)) > limit:
            self._log("error", "Failed to read body from request: http: request body too large")
            return False
        self._log("info", f"Received CloudEvent with ID {body['id']} - Forwarding to Keptn")
        outcome = await caller.post_event(body)
        if not outcome.ok:
            if rules.version < (0, 13, 0) and not outcome.status:
                self._log("error", f"Could not send event to API endpoint: {outcome.text}")
            self._log("error", f"Failed to forward CloudEvent: {outcome.text}")
        return outcome.ok

    def _answer(self, task: Task, reply: Reply) -> dict[str, Any]:
        service = self._caller.settings.service
        data = {**task.scope, **reply.data}
        if reply.kind == "finished":
            data["message"] = str(data.get("message") or "").ljust(service.resource_bytes)
        body: dict[str, Any] = {
            "id": new_id(),
            "type": reply.type or f"sh.keptn.event.{task.name}.{reply.kind}",
            "source": reply.source,
            "specversion": "1.0",
            "contenttype": "application/json",
            "shkeptncontext": task.context,
            "triggeredid": task.id,
            "data": data,
        }
        for name in service.event_fields_missing:
            body.pop(name, None)
            data.pop(name, None)
        return body

    def _log(self, level: str, text: str) -> None:
        now = self._caller.place.clock()
        own = self._caller.rules.kind == "sdk" and not self._caller.settings.product
        self._pod.live.append((now, std(now, text) if own else logrus(now, level, text)))


def _key(subscription: SubscriptionSettings) -> str:
    return subscription.id or subscription.event


def _matches(subscription: SubscriptionSettings, data: dict[str, Any]) -> bool:
    """``EventMatcher``: an empty list matches everything, names are compared as they are."""
    wanted = (
        (subscription.projects, "project"),
        (subscription.stages, "stage"),
        (subscription.services, "service"),
    )
    return all(not names or data.get(key) in names for names, key in wanted)


def _subject_matches(pattern: str, subject: str) -> bool:
    """NATS subjects: ``*`` is one part, ``>`` is the rest."""
    wanted, parts = pattern.split("."), subject.split(".")
    for index, part in enumerate(wanted):
        if part == ">":
            return len(parts) > index
        if index >= len(parts) or part not in ("*", parts[index]):
            return False
    return len(wanted) == len(parts)


def _published(body: dict[str, Any], keptn: KeptnState) -> Event:
    ahead = timedelta(seconds=keptn.settings.delivery.clock_ahead_s)
    return Event(
        id=str(body["id"]),
        type=str(body["type"]),
        source=str(body["source"]),
        time=keptn.controller.clock() + ahead,
        context=str(body["shkeptncontext"]),
        triggered_id=str(body.get("triggeredid") or ""),
        data=body["data"],
    )
