"""The log of a client's container, line by line as its version writes it.

Texts: ``distributor/`` of each tag and go-utils ``pkg/sdk/connector``. Lines are made for a window
of time when somebody reads the log; a quiet client has few, one of 0.8 has thousands.
"""

from __future__ import annotations

import functools
import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from keptn_doctor.lab.clients.calls import Calls, Outcome
from keptn_doctor.lab.clients.history import Process, Span
from keptn_doctor.lab.clients.rules import Rules
from keptn_doctor.lab.settings import ClientSettings, PodSettings

_MOST_LINES = 20_000
_BANNER_WIDTH = 40
Timed = tuple[datetime, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What the lines of one client depend on."""

    settings: ClientSettings
    pod: PodSettings
    rules: Rules
    env: dict[str, str]

    @property
    def endpoint(self) -> str:
        return self.env.get("KEPTN_API_ENDPOINT", "")

    @property
    def polling_url(self) -> str:
        """``HTTPPollingEndpoint`` of the distributor's configuration."""
        if not self.endpoint:
            return "http://shipyard-controller:8080/v1/event/triggered"
        return self.endpoint.rstrip("/") + "/controlPlane/v1/event/triggered"

    def lines(self, process: Process, since: datetime, until: datetime) -> list[Timed]:
        """The lines of one process in a window, in order; the newest when there are too many."""
        streams: list[Iterator[Timed]] = [iter(self._start(process)), iter(self._end(process))]
        streams += [self._span(process, span, since, until) for span in process.spans]
        found = [
            line
            for line in heapq.merge(*streams, key=lambda timed: timed[0])
            if since <= line[0] <= until
        ]
        return found[-_MOST_LINES:]

    # --- start and end

    def _start(self, process: Process) -> list[Timed]:
        calls = process.phase.calls if process.phase is not None else Calls()
        at = process.begin
        if self.rules.kind == "sdk":
            return self._sdk_start(process, calls)
        found: list[Timed] = []
        if calls.fatal.startswith("Failed to process env var"):
            return [(at, logrus(at, "error", calls.fatal))]
        if self.rules.banner:
            found += [(at, line) for line in self._banner(at)]
        if calls.fatal:
            return [*found, (at, logrus_fatal(at, calls.fatal))]
        if self.rules.oauth:
            found.append(
                (
                    at,
                    logrus(
                        at,
                        "info",
                        "Using Oauth to connect to Keptn wth client ID "
                        f"{self.env.get('OAUTH_CLIENT_ID')} and scopes "
                        f"[{self.env.get('OAUTH_SCOPES', '').replace(',', ' ')}]",
                    ),
                )
            )
        found.append((at, logrus(at, "info", "Starting Event Forwarder")))
        if calls.skipped:
            level = (
                "warning"
                if calls.skipped.startswith("Skipping Registration because not")
                else "info"
            )
            found.append((at, logrus(at, level, calls.skipped)))
        elif self.rules.heartbeat != "none":
            typo = "Intgration" if self.rules.version < (0, 9, 0) else "Integration"
            found.append((at, logrus(at, "info", f"Registering Keptn {typo}")))
            if not self.env.get("K8S_NODE_NAME") and self.rules.version >= (0, 9, 0):
                text = "K8S_NODE_NAME is not set. Using default value: 'keptn-node'"
                found.append((at, logrus(at, "warning", text)))
        return found + self._ready(process, calls)

    def _ready(self, process: Process, calls: Calls) -> list[Timed]:
        """The lines after registration."""
        found: list[Timed] = []
        at = process.registered_at
        if at is not None:
            text = f"Registered Keptn Integration with id {process.integration_id}"
            found.append((at, logrus(at, "info", text)))
        ready = at or self._after_registration(process)
        if ready is None:
            return found
        later = ready + timedelta(milliseconds=10)
        if self.rules.version >= (0, 8, 7):
            mode = "http" if self.endpoint else "nats"
            found.append((later, logrus(later, "info", f"Connection type: {mode}")))
        if not self.endpoint:
            return found + self._nats(later, calls)
        if not self.rules.talks and not calls.fatal_later:
            text = f"Polling events from: {self.polling_url}"
            found.append((later, logrus(later, "info", text)))
        return found

    def _after_registration(self, process: Process) -> datetime | None:
        """When a process without a registration goes on."""
        calls = process.phase.calls if process.phase is not None else Calls()
        if calls.skipped or self.rules.polls_environment:
            return process.begin
        tried = [span for span in process.spans if span.kind == "register"]
        if self.rules.when_refused == "empty-id" and tried and tried[0].end is not None:
            return tried[0].end + timedelta(seconds=self.rules.pause_s)
        return None

    def _nats(self, at: datetime, calls: Calls) -> list[Timed]:
        """NATS mode: silence when NATS answers."""
        if calls.nats.ok:
            return []
        text = (
            f"Could not start NATS event receiver: could not subscribe to events: {calls.nats.text}"
        )
        return [(at, logrus(at, "error", text))]

    def _banner(self, at: datetime) -> list[str]:
        def row(name: str, value: str) -> str:
            return name.ljust(_BANNER_WIDTH, ".") + (value or "unknown")

        return [
            row("Start time", at.strftime("%Y-%m-%dT%H:%M:%SZ")),
            row("Remote execution plane", "true" if self.endpoint else "false"),
            row("Oauth enabled", "true" if self.rules.oauth else "false"),
            row("Keptn API endpoint", self.endpoint),
            row("API Proxy path", self.env.get("API_PROXY_PATH", "/")),
            row("API Proxy port", self.env.get("API_PROXY_PORT", "8081")),
            row("PubSub URL", self.env.get("PUBSUB_URL", "nats://keptn-nats")),
            row("PubSub group", self.env.get("PUBSUB_GROUP", "")),
            row("K8s namespace", self.env.get("K8S_NAMESPACE", "")),
            row("K8s deployment name", self.env.get("K8S_DEPLOYMENT_NAME", "")),
            row("K8s pod name", self.env.get("K8S_POD_NAME", "")),
            row("K8s node name", self.env.get("K8S_NODE_NAME", "")),
        ]

    def _sdk_start(self, process: Process, calls: Calls) -> list[Timed]:
        at = process.begin
        found: list[Timed] = []
        if self.settings.product:
            found.append((at, logrus(at, "info", f"Starting {self.settings.product}")))
        if calls.fatal:
            return [*found, (at, std(at, f"failed to initialize keptn sdk: {calls.fatal}"))]
        if process.registered_at is not None and not self.settings.product:
            when = process.registered_at
            found.append(
                (when, std(when, f"Registered with integration ID {process.integration_id}"))
            )
        return found

    def _end(self, process: Process) -> list[Timed]:
        at = process.end
        if at is None:
            return []
        calls = process.phase.calls if process.phase is not None else Calls()
        if self.rules.kind == "sdk":
            return [(at, line) for line in self._sdk_end(process, at, calls)]
        match process.gave_up:
            case "registration":
                text = (
                    "Could not register Uniform"
                    if self.rules.texts == "0.12"
                    else "could not start uniform watch"
                )
                return [(at, logrus(at, "fatal", text))]
            case "heartbeat":
                return [
                    (
                        at,
                        logrus(
                            at,
                            "error",
                            "Stop trying to send heart beat to control plane and exiting...",
                        ),
                    )
                ]
            case "fatal" if calls.fatal_later and calls.panics:
                return [(at, line) for line in calls.fatal_later.splitlines()]
            case "fatal" if calls.fatal_later:
                return [(at, logrus(at, "fatal", calls.fatal_later))]
        return []

    def _sdk_end(self, process: Process, at: datetime, calls: Calls) -> list[str]:
        reasons = {
            "heartbeat": (
                "Reached max number of attempts to ping control plane",
                "maximum retries for pinging control plane exceeded",
            ),
            "poll": (
                "Reached max number of attempts to poll for new events",
                "maximum retries for polling event api exceeded",
            ),
        }
        if process.gave_up == "registration":
            text = f"could not register integration: {calls.register.text}"
            return [std(at, text)]
        if process.gave_up not in reasons:
            return []
        reached, reason = reasons[process.gave_up]
        return [
            self._line(at, "error", reached),
            self._line(at, "error", f"Stopping control plane due to error: {reason}"),
            std(at, "<nil>"),
        ]

    # --- what repeats

    def _span(
        self, process: Process, span: Span, since: datetime, until: datetime
    ) -> Iterator[Timed]:
        if self._is_silent(process, span):
            return
        for number, at, outcome in span.ticks(since, until):
            match span.kind:
                case "register" if not outcome.ok:
                    if self.rules.kind == "distributor":
                        yield at, self._not_registered(number + 1, at, outcome)
                case "ping" if not outcome.ok:
                    yield at, self._no_heartbeat(number + 1, at, outcome)
                case "poll":
                    for line in self._polled(process, span, number, at, outcome):
                        yield at, line

    def _is_silent(self, process: Process, span: Span) -> bool:
        """Whether no call of a span leaves a line; weeks of them are then not gone through."""
        if span.kind != "poll":
            return all(outcome.ok for outcome in span.outcomes)
        calls = process.phase.calls if process.phase is not None else Calls()
        handled = span.subscription is not None and calls.handled.get(
            span.subscription.id or span.subscription.event
        )
        quiet = not self.rules.talks and not handled
        return quiet and all(o.ok and not _offered(o) for o in span.outcomes)

    def _not_registered(self, number: int, at: datetime, outcome: Outcome) -> str:
        cause = outcome.cause(number)
        match self.rules.texts:
            case "0.8.4":
                text = f"Unable to register to Keptn's control plane: {cause}"
            case "0.11":
                text = f"Could notregister to Keptn's control plane: {cause}"
            case "0.12":
                text = f"Could not register to Keptn's control plane: {cause}"
            case _:
                text = (
                    f"Could not register to Keptn's control plane (retry count: "
                    f"{number}/{self.rules.tries}), {cause}"
                )
        return logrus(at, "warning", text)

    def _no_heartbeat(self, number: int, at: datetime, outcome: Outcome) -> str:
        cause = outcome.cause(number)
        if self.rules.kind == "sdk":
            return self._line(at, "error", f"Unable to ping control plane: {cause}")
        if self.rules.heartbeat == "reregister":
            text = f"Unable to (re)register to Keptn's control plane: {cause}"
            return logrus(at, "warning", text)
        match self.rules.texts:
            case "0.8.4":
                text = f"Unable to send heart beat to Keptn's control plane: {cause}"
            case "0.11" | "0.12":
                text = f"Could not send heart beat to Keptn's control plane: {cause}"
            case _:
                most = self.rules.most_heartbeats
                count = (number - 1) % most + 1 if most else 1
                text = (
                    f"Could not send heart beat to control plane (retry count: "
                    f"{count}/{most}): {cause}"
                )
                return logrus(at, "warning", text)
        return logrus(at, "error", text)

    def _polled(
        self, process: Process, span: Span, number: int, at: datetime, outcome: Outcome
    ) -> Iterator[str]:
        event = span.subscription.event if span.subscription is not None else ""
        if self.rules.talks:
            yield logrus(at, "info", f"Polling events from: {self.polling_url}")
            yield logrus(at, "info", f"Retrieving events of type {event}")
        if not outcome.ok:
            yield self._poll_failed(event, at, outcome.cause(number + 1))
            if not self.rules.talks or self.rules.version >= (0, 10, 0):
                return
        offered = _offered(outcome)
        if self.rules.talks:
            yield logrus(at, "info", f"Received {len(offered)} new .triggered events")
        calls = process.phase.calls if process.phase is not None else Calls()
        handled = _just_handled(calls, span, at)
        if self.rules.kind == "distributor":
            yield from self._events(calls, span, number, at, (*offered, *handled))
            return
        for event_id, time in (*offered, *handled):
            if at - timedelta(seconds=span.period_s) < time <= at:
                yield from self._sdk_event(at, event_id, calls)

    def _poll_failed(self, event: str, at: datetime, cause: str) -> str:
        match self.rules.poll_text:
            case "endpoint":
                text = (
                    f"Could not retrieve events of type {event} from endpoint "
                    f"{self.polling_url}: {cause}"
                )
            case "bare":
                text = f"Could not retrieve events of type {event}"
            case _:
                text = f"Could not retrieve events of type {event}: {cause}"
        return self._line(at, self.rules.poll_level, text)

    def _events(
        self,
        calls: Calls,
        span: Span,
        number: int,
        at: datetime,
        offered: tuple[tuple[str, datetime], ...],
    ) -> Iterator[str]:
        """What the distributor says of the events in an answer."""
        to = self.env.get("PUBSUB_RECIPIENT", "http://127.0.0.1")
        port = self.env.get("PUBSUB_RECIPIENT_PORT", "8080")
        heard = self.settings.service.listens_on and str(self.settings.service.listens_on) == port
        subscription = span.subscription.id if span.subscription is not None else ""
        for event_id, time in offered:
            if time > at:
                continue
            known = time + timedelta(seconds=span.period_s) < at and number > 0
            if known and heard:
                yield logrus(
                    at,
                    "info",
                    f"CloudEvent with ID {event_id} has already been sent "
                    f"for subscription {subscription}",
                )
                continue
            yield logrus(at, "info", f"Sending CloudEvent with ID {event_id} to {to}")
            if not heard:
                yield logrus(
                    at,
                    "error",
                    f"Sending CloudEvent with ID {event_id} to {to} failed: "
                    f'Post "{to}:{port}": dial tcp 127.0.0.1:{port}: connect: connection refused',
                )
                continue
            yield from self._answers(at, event_id, calls)

    def _sdk_event(self, at: datetime, event_id: str, calls: Calls) -> Iterator[str]:
        """What the SDK says of a new event (``pkg/sdk/keptn.go`` of go-utils)."""
        yield self._line(at, "info", f"Forwarding matched event update: {event_id}")
        if self.settings.service.sends_events and not calls.send.ok:
            yield self._line(at, "error", f"Unable to send '.started' event: {calls.send.text}")

    def _answers(self, at: datetime, event_id: str, calls: Calls) -> Iterator[str]:
        """The service's own .started and .finished on their way back."""
        if not self.settings.service.sends_events:
            return
        yield logrus(at, "info", f"Received CloudEvent with ID {event_id} - Forwarding to Keptn")
        if calls.send.ok:
            return
        if self.rules.version < (0, 13, 0) and not calls.send.status:
            yield logrus(at, "error", f"Could not send event to API endpoint: {calls.send.text}")
        yield logrus(at, "error", f"Failed to forward CloudEvent: {calls.send.text}")

    def _line(self, at: datetime, level: str, text: str) -> str:
        """In the service's own logger: logrus for the known products and all distributors."""
        if self.rules.kind == "sdk" and not self.settings.product:
            return std(at, text)
        return logrus(at, level, text)


def _offered(outcome: Outcome) -> tuple[tuple[str, datetime], ...]:
    """Ids and times of the events in a poll's answer."""
    return _events_in(outcome.body) if outcome.ok and outcome.body else ()


@functools.lru_cache(maxsize=256)
def _events_in(body: bytes) -> tuple[tuple[str, datetime], ...]:
    events = json.loads(body).get("events") or ()
    return tuple((str(e.get("id")), _time(str(e.get("time")))) for e in events)


def _just_handled(calls: Calls, span: Span, at: datetime) -> tuple[tuple[str, datetime], ...]:
    """Events that are closed by now and that this very poll had brought."""
    if span.subscription is None:
        return ()
    key = span.subscription.id or span.subscription.event
    since = at - timedelta(seconds=span.period_s)
    return tuple(e for e in calls.handled.get(key, ()) if since < e[1] <= at)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def logrus(at: datetime, level: str, message: str) -> str:
    """The text formatter of logrus, without a terminal."""
    return f'time="{at.strftime("%Y-%m-%dT%H:%M:%SZ")}" level={level} msg={_quoted(message)}'


def logrus_fatal(at: datetime, message: str) -> str:
    """A fatal line; what follows a tab is logrus's ``error`` field."""
    text, _, error = message.partition("\t")
    return logrus(at, "fatal", text) + (f" error={_quoted(error)}" if error else "")


def std(at: datetime, message: str) -> str:
    """Go's ``log`` package."""
    return f"{at.strftime('%Y/%m/%d %H:%M:%S')} {message}"


def _quoted(text: str) -> str:
    """``strconv.Quote``."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for raw, shown in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        escaped = escaped.replace(raw, shown)
    return f'"{escaped}"'
