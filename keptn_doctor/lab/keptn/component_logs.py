"""What Keptn's own components write to their logs about the trouble they see.

Derived when somebody reads them: from the gateway's access log (who was turned away, which events
were refused) and from the state of MongoDB and NATS. A component without trouble is quiet.
Sources: ``api/middleware/tokenauth.go @0.8.7, @1.4.5``, ``api/handlers/eventvalidation.go @1.4.5``,
``shipyard-controller/db/mongodb.go @0.16.2``, go-utils ``pkg/sdk/connector/nats/nats.go @v0.20.4``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from keptn_doctor.lab.clients.log import logrus
from keptn_doctor.lab.keptn.state import MONGODB_CREDENTIALS, MONGODB_DOWN, MONGODB_FULL
from keptn_doctor.lab.objects.published import KEPTN
from keptn_doctor.lab.pods_backend import Line, Reading
from keptn_doctor.lab.simulation import Simulation

_WINDOW = timedelta(minutes=20)  # how far back lines that repeat are made
_PERIOD = timedelta(seconds=10)
_MOST = 2_000
_ACCESS = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d{3}) ')
_DISK = (
    '{{"t":{{"$date":"{0}"}},"s":"E","c":"STORAGE","ctx":"WTJourn","msg":"WiredTiger error",'
    '"attr":{{"error":28,"message":"No space left on device"}}}}'
)
_SCRAM = (
    '{{"t":{{"$date":"{0}"}},"s":"I","c":"ACCESS","ctx":"conn12","msg":"Authentication failed",'
    '"attr":{{"mechanism":"SCRAM-SHA-256","error":"AuthenticationFailed"}}}}'
)

_Lines = Callable[[Simulation, datetime, datetime], Iterator[Line]]


def component_log(name: str, simulation: Simulation, now: Callable[[], datetime]) -> Reading | None:
    """How the log of a component's main container reads; None for one that stays quiet."""
    lines = _COMPONENTS.get(name)
    if lines is None:
        return None

    def read(*, since: datetime | None = None) -> tuple[Line, ...]:
        moment = now()
        begin = max(since or moment - _WINDOW, moment - _WINDOW)
        found = sorted(lines(simulation, begin, moment), key=lambda line: line[0])
        return tuple(found[-_MOST:])

    return read


def _answers(simulation: Simulation, since: datetime) -> Iterator[tuple[datetime, str, str, int]]:
    """Requests that the gateway refused: time, method, path, status."""
    for at, text in simulation.gateways[KEPTN].log_since(since, least_status=400):
        found = _ACCESS.search(text)
        if found is not None:
            yield at, found["method"], found["path"], int(found["status"])


def _api_service(simulation: Simulation, since: datetime, _: datetime) -> Iterator[Line]:
    state = simulation.keptn
    token = _rejected_token(simulation)
    for at, method, path, status in _answers(simulation, since):
        if status == 401 and state.version >= (1, 0, 0):
            yield at, logrus(at, "error", "Access attempt with incorrect API token")
        elif status == 401 and token:
            text = f"Access attempt with incorrect api key auth: {token}"
            yield at, logrus(at, "error", text)
        elif status == 500 and method == "POST" and path.endswith("/v1/event"):
            yield at, logrus(at, "error", f"could not connect to NATS to publish event: {_NO_NATS}")
    for at, problem in state.refusals:
        if at >= since:
            yield at, logrus(at, "error", f"Received invalid Keptn event: {problem}")


def _rejected_token(simulation: Simulation) -> str:
    """The first token of a client that is not the right one; up to 0.19.3 it is logged in clear."""
    right = simulation.keptn.token
    tokens = (c.env.get("KEPTN_API_TOKEN", "") for c in simulation.settings.clients)
    return next((t for t in tokens if t and t.strip() != right), "")


_NO_NATS = "nats: no servers available for connection"


def _shipyard(simulation: Simulation, since: datetime, until: datetime) -> Iterator[Line]:
    yield from _database_trouble(simulation, since, until)
    state = simulation.keptn
    yield from (
        (at, logrus(at, level, text))
        for at, level, text in state.controller.log
        if since <= at <= until
    )
    if not state.nats_up() and state.version >= (0, 14, 0):
        for at in _ticks(since, until):
            yield at, logrus(at, "error", f"could not connect to NATS: {_NO_NATS}")


def _datastore(simulation: Simulation, since: datetime, until: datetime) -> Iterator[Line]:
    yield from _database_trouble(simulation, since, until)
    state = simulation.keptn
    if not state.nats_up() and state.version >= (0, 16, 0):
        for at in _ticks(since, until):
            yield at, logrus(at, "error", "Disconnected from NATS due to an error: EOF")


def _database_trouble(
    simulation: Simulation, since: datetime, until: datetime
) -> Iterator[Line]:
    state = simulation.keptn
    host = "mongodb" if state.version < (0, 11, 0) else "keptn-mongo"
    text = {
        "down": MONGODB_DOWN.replace("{host}", host),
        "wrong-credentials": MONGODB_CREDENTIALS,
        "disk-full": MONGODB_FULL,
    }.get(state.settings.store.mongodb)
    if text:
        for at in _ticks(since, until):
            yield at, logrus(at, "error", text)


def _nats(simulation: Simulation, since: datetime, until: datetime) -> Iterator[Line]:
    """JetStream, from 0.14 on, has a store that can be full."""
    state = simulation.keptn
    if state.settings.store.nats == "full" and state.version >= (0, 14, 0):
        for at in _ticks(since, until):
            stamp = at.strftime("%Y/%m/%d %H:%M:%S.%f")
            yield at, f"[1] {stamp} [WRN] JetStream resource limits exceeded for server"


def _mongo(simulation: Simulation, since: datetime, until: datetime) -> Iterator[Line]:
    text = {"disk-full": _DISK, "wrong-credentials": _SCRAM}.get(
        simulation.keptn.settings.store.mongodb
    )
    if text:
        for at in _ticks(since, until):
            yield at, text.format(at.isoformat(timespec="milliseconds"))


def _ticks(since: datetime, until: datetime) -> Iterator[datetime]:
    count = int((until - since) / _PERIOD)
    return (until - _PERIOD * n for n in range(count, -1, -1))


_COMPONENTS: dict[str, _Lines] = {
    "api-service": _api_service,
    "shipyard-controller": _shipyard,
    "mongodb-datastore": _datastore,
    "keptn-mongo": _mongo,
    "mongodb": _mongo,
    "keptn-nats": _nats,
}
