"""The rules of proof for one service, numbered as in the reference of Keptn's clients.

Where the engine says more than the reference asked for, a decision record tells why: a registered
but deaf service (6) and a service without its record (9) are disconnected, see decision 0004.
"""

from __future__ import annotations

import pytest
from worlds import (
    FORBIDDEN,
    ID,
    REGISTERED,
    SERVICE,
    health,
    http,
    line,
    listing,
    local,
    log,
    pod,
    record,
    workload,
)

from keptn_doctor.api import ControlPlane, ExecutionPlane, KeptnService
from keptn_doctor.judgement.decide import weigh
from keptn_doctor.testing import ago, keptn_service, seen, world

V = {
    "0.8.7": keptn_service(client_version="0.8.7"),
    "0.12.7": keptn_service(client_version="0.12.7"),
    "0.13.6": keptn_service(client_version="0.13.6"),
    "0.19.3": keptn_service(client_version="0.19.3"),
}
SDK = keptn_service("jes", client="sdk", container="jes", client_version="0.3.0")
SHARED = keptn_service(namesakes=("exec-b/keptn-exec/helm-service",))
RUNS = workload(pod())
SDK_RUNS = workload(pod(name="jes"), service=SDK)
FRESH, STALE = listing(record(4)), listing(record(900))
SDK_FRESH, SDK_STALE = (listing(record(age, name="jes")) for age in (3, 900))
OK = local(integrations=(ID,))
MINE = log(REGISTERED, ids=(ID,))
NO_PORT_FORWARD = seen(SERVICE, FORBIDDEN, probe="local-api")
NO_LOG = seen(SERVICE, FORBIDDEN, probe="pod-log")

RULES = [
    ("1 no pod", SERVICE, [workload()], "disconnected"),
    ("1 the client does not run", SERVICE, [workload(pod("waiting", reason="ImagePullBackOff"))],
     "disconnected"),
    ("2 crash loop with a fatal endpoint", SERVICE,
     [workload(pod("waiting", reason="CrashLoopBackOff")),
      log(line("bad_endpoint", "bad_endpoint"), previous=True)], "disconnected"),
    ("4 refused", SERVICE, [RUNS, local(401), FRESH], "disconnected"),
    ("4 refused by its log", SERVICE,
     [RUNS, NO_PORT_FORWARD, STALE, log(line("heartbeat", "bad_token"), ids=(ID,))],
     "disconnected"),
    ("5 path, page", SERVICE, [RUNS, local(404, "html")], "disconnected"),
    ("5 path, JSON", SERVICE, [RUNS, local(404, "json")], "disconnected"),
    ("6 nobody reached", SERVICE, [RUNS, local(500, "empty"), STALE], "disconnected"),
    ("6 registered but deaf", V["0.12.7"], [RUNS, local(500, "empty"), FRESH], "disconnected"),
    ("7 always 502", SERVICE, [RUNS, local(502, "html"), STALE], "disconnected"),
    ("7 now and then 429", SERVICE, [RUNS, local(429), local(), FRESH], "degraded"),
    ("8 registration off", keptn_service(registration_disabled=True), [RUNS, OK, listing()],
     "disconnected"),
    ("9 record gone, heartbeats 404", V["0.13.6"],
     [RUNS, local(), listing(), log(REGISTERED, line("registration_gone"), ids=(ID,))],
     "disconnected"),
    ("10 starting", SERVICE, [workload(pod(started=20, created=25)), local(), listing()],
     "unknown"),
    ("11 identity shared, no id in a log", SHARED, [RUNS, OK, FRESH], "degraded"),
    ("12 no subscription", SERVICE, [RUNS, OK, listing(record(events=()))], "degraded"),
    ("12 none that can be polled", SERVICE, [RUNS, OK, listing(record(events=("sh.keptn.>",)))],
     "degraded"),
    ("14 results cannot be sent", SERVICE, [RUNS, OK, FRESH, log(line("send"), ids=(ID,))],
     "degraded"),
    ("15 proven", SERVICE, [RUNS, OK, FRESH, MINE], "connected"),
    ("16 0.8 polls by its environment", V["0.8.7"], [RUNS, OK, listing(record(4, events=()))],
     "connected"),
    ("16 0.8 with registration disabled",
     keptn_service(client_version="0.8.7", registration_disabled=True), [RUNS, OK, listing()],
     "connected"),
    ("17 no port-forward, heartbeat by id", SERVICE, [RUNS, NO_PORT_FORWARD, FRESH, MINE],
     "connected"),
    ("17 no port-forward, the only candidate", SERVICE, [RUNS, NO_PORT_FORWARD, FRESH],
     "connected"),
    ("18 no port-forward, stale", SERVICE, [RUNS, NO_PORT_FORWARD, STALE], "disconnected"),
    ("19 neither port-forward nor log, shared", SHARED,
     [RUNS, NO_PORT_FORWARD, NO_LOG, FRESH], "unknown"),
    ("20 SDK not registered", SDK, [SDK_RUNS, health(412, SDK)], "disconnected"),
    ("21 SDK registered and alive", SDK, [SDK_RUNS, health(200, SDK), SDK_FRESH], "connected"),
    ("21 SDK alive, restarted within the hour", SDK,
     [workload(pod(name="jes", started=900, restarts=2, last_finished_at=ago(900)), service=SDK),
      health(200, SDK), SDK_FRESH], "degraded"),
    ("22 SDK registered, heartbeat gone", SDK, [SDK_RUNS, health(200, SDK), SDK_STALE],
     "disconnected"),
]  # fmt: skip


def connection(service: KeptnService, looks: list) -> str:
    return weigh(world(service, *looks))[service.subject].ruling.connection


@pytest.mark.parametrize(
    ("service", "looks", "wanted"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES]
)
def test_the_rule_gives_its_verdict(service: KeptnService, looks: list, wanted: str) -> None:
    assert connection(service, looks) == wanted


def test_rule_3_nats_mode_away_from_the_control_plane_is_disconnected() -> None:
    service = keptn_service(mode="nats", endpoint="")
    planes = ExecutionPlane(name="exec-a", cluster_uid="1"), ControlPlane(cluster_uid="2")

    assert connection(service, [*planes, RUNS, FRESH]) == "disconnected"


@pytest.mark.parametrize("rule", RULES, ids=[rule[0] for rule in RULES])
def test_less_evidence_never_turns_unknown_into_connected(rule: tuple) -> None:
    _, service, looks, wanted = rule
    if wanted != "unknown":
        return
    for gone in looks:
        assert connection(service, [o for o in looks if o is not gone]) != "connected"


def test_nothing_but_own_evidence_ever_says_connected() -> None:
    """Objects, the operator's view and a probe pod are not the service's own connection."""
    for name, service, looks, wanted in RULES:
        if wanted == "connected":
            blind = [o for o in looks if o.probe not in ("local-api", "integrations", "sdk-health")]
            assert connection(service, blind) in ("unknown", "disconnected"), name


def test_answers_of_another_port_prove_nothing() -> None:
    page = local(poll=http(200, "html"))
    assert connection(SERVICE, [RUNS, page, STALE]) != "connected"
