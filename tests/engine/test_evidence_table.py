"""Evidence in, row and verdict out: the table of the evidence on one Keptn service."""

from __future__ import annotations

import pytest
from worlds import (
    CONTROL_PLANE,
    FORBIDDEN,
    ID,
    OTHER_ID,
    REGISTERED,
    SERVICE,
    health,
    http,
    line,
    listing,
    local,
    log,
    pod,
    probe,
    record,
    trip,
    workload,
)

from keptn_doctor.api import (
    Container,
    ControlPlane,
    ExecutionPlane,
    Failure,
    GatewayLog,
    GatewayService,
    LoadBalancerIngress,
    Pings,
    Pod,
)
from keptn_doctor.judgement.decide import weigh
from keptn_doctor.judgement.evidence_table import TABLE
from keptn_doctor.knowledge.behaviour import client_behaviour
from keptn_doctor.testing import ago, keptn_service, seen, world

BY_NODE = client_behaviour("distributor", "0.13.6", control_plane_version="0.13.6")
OLD = keptn_service(client_version="0.12.7")
ANCIENT = keptn_service(client_version="0.8.7")
SDK = keptn_service("jes", client="sdk", container="jes", client_version="0.3.0")
SHARED = keptn_service(namesakes=("exec-b/keptn-exec/helm-service",))
RUNS = workload(pod())
HALF = Pod(
    namespace="keptn-exec", name="p", phase="Pending",
    containers=(
        Container(name="distributor", state="running"),
        Container(name="helm-service", state="waiting", reason="ImagePullBackOff"),
    ),
)  # fmt: skip
ON_NODE_1 = keptn_service(client_version="0.13.6", node_names=("node-1",), behaviour=BY_NODE)
BY_ADDRESS = keptn_service(endpoint="http://203.0.113.20/api")
ELSEWHERE = seen(
    CONTROL_PLANE,
    GatewayService(namespace="keptn", load_balancer=(LoadBalancerIngress(ip="203.0.113.20"),)),
)
BEATS, BEATS_OF_TWO = (
    seen(
        CONTROL_PLANE,
        GatewayLog(
            window_s=900,
            lines=900,
            pings=(Pings(integration_id=ID, count=count, statuses=(200,)),),
        ),
    )
    for count in (90, 171)
)
MORE = tuple(record(key=f"m{n}", name=f"other-{n}") for n in range(3))
NOT_HERE = seen(
    CONTROL_PLANE, Failure(phase="kube", code="not-found", detail="no Keptn gateway in keptn"),
    probe="gateway-service",
)  # fmt: skip
JES_RUNS = workload(pod(name="jes"), service=SDK)


def decide(service, *looks):
    item = weigh(world(service, *looks))[service.subject]
    return item.row.id, item.ruling


CASES = {
    # the workload
    "scaled to zero": (SERVICE, [workload(desired=0)], "client-not-running", "disconnected"),
    "scaled to zero a minute ago": (
        SERVICE, [workload(desired=0), listing(record(60))], "client-not-running", "disconnected",
    ),
    "waiting for its first start, under a name that was alive a minute ago": (
        SERVICE, [workload(pod("waiting", reason="ContainerCreating")), listing(record(60))],
        "client-not-running", "disconnected",
    ),
    "backing off, and its last run never got through": (
        SERVICE, [workload(pod("waiting", reason="CrashLoopBackOff", restarts=3,
                               last_started_at=ago(40), last_finished_at=ago(20))),
                  listing(record(60))], "client-not-running", "disconnected",
    ),
    "backing off, and its last run got through": (
        SERVICE, [workload(pod("waiting", reason="CrashLoopBackOff", restarts=3,
                               last_started_at=ago(90), last_finished_at=ago(20))),
                  listing(record(60))], "client-not-running", "degraded",
    ),
    "backing off, and its last run got through just before a listing that was read later": (
        SERVICE, [workload(pod("waiting", reason="CrashLoopBackOff", restarts=3,
                               last_started_at=ago(60), last_finished_at=ago(20))),
                  listing(record(64))], "client-not-running", "degraded",
    ),
    "image not pulled": (
        SERVICE, [workload(pod("waiting", reason="ImagePullBackOff")), listing(record(9000))],
        "client-not-running", "disconnected",
    ),
    "only the sidecar was ever started": (
        SERVICE, [workload(HALF), local(), listing(record())], "never-started", "disconnected",
    ),
    "the control plane that was named is not there": (
        SERVICE, [RUNS, local(integrations=(ID,)), log(REGISTERED, ids=(ID,)), NOT_HERE],
        "control-plane-not-found", "unknown",
    ),
    "between two out-of-memory kills": (
        SERVICE, [workload(pod("waiting", reason="CrashLoopBackOff")), listing(record(30))],
        "client-not-running", "degraded",
    ),
    "backing off after a registration some minutes ago": (
        SERVICE, [workload(pod("waiting", reason="CrashLoopBackOff")), listing(record(400))],
        "client-not-running", "degraded",
    ),
    "backing off, last registered an hour ago": (
        SERVICE, [workload(pod("waiting", reason="CrashLoopBackOff")), listing(record(3600))],
        "client-not-running", "disconnected",
    ),
    "just started": (
        SERVICE, [workload(pod(started=20, created=25)), local(), listing()], "starting", "unknown",
    ),
    "just started with a refused token": (
        SERVICE, [workload(pod(started=20, created=25)), local(401)], "token-refused",
        "disconnected",
    ),
    # its own requests
    "token refused, though the record is young": (
        SERVICE, [RUNS, local(401), listing(record(30))], "token-refused", "disconnected",
    ),
    "no such path": (SERVICE, [RUNS, local(404, "html")], "path-wrong", "disconnected"),
    "a login page": (SERVICE, [RUNS, local(200, "html")], "not-keptn", "disconnected"),
    "nobody reached": (SERVICE, [RUNS, local(500, "empty")], "never-arrived", "disconnected"),
    "registered but deaf": (
        OLD, [RUNS, local(500, "empty"), listing(record())], "never-arrived", "disconnected",
    ),
    "gateway errors only": (
        SERVICE, [RUNS, local(502, "html"), listing(record(900))], "gateway-errors", "disconnected",
    ),
    "gateway errors between heartbeats": (
        SERVICE, [RUNS, local(429), listing(record(40))], "gateway-errors", "degraded",
    ),
    "some requests work": (
        SERVICE, [RUNS, local(poll=http(429)), listing(record())], "mixed-answers", "degraded",
    ),
    "no request works": (
        SERVICE, [RUNS, local(502, "html", poll=http(429))], "gateway-errors", "disconnected",
    ),
    "control plane without registrations, old client": (
        ANCIENT, [RUNS, local(404, "text", poll=http(200))], "no-uniform", "connected",
    ),
    "control plane without registrations, newer client": (
        SERVICE, [RUNS, local(404, "text", poll=http(200))], "no-uniform", "disconnected",
    ),
    "another control plane": (
        SERVICE, [RUNS, local(integrations=(OTHER_ID,)), listing(record(9000))],
        "other-control-plane", "disconnected",
    ),
    "another control plane, with one id in common": (
        SERVICE, [RUNS, local(integrations=(ID, OTHER_ID, "x")), listing(record(), MORE[0])],
        "other-control-plane", "disconnected",
    ),
    "an empty list, from whoever it may be": (
        SERVICE, [RUNS, local(listed=0), listing(record())], "other-control-plane", "disconnected",
    ),
    "the same list, but for what came and went in between": (
        SERVICE, [RUNS, local(integrations=(ID, "m0", "m1", "new")), listing(record(), *MORE)],
        "proven", "connected",
    ),
    "polls turned away, registrations shown": (
        SERVICE, [RUNS, local(poll=http(403, "html")), listing(record())], "deaf", "disconnected",
    ),
    "polls answered, registrations unknown to a control plane that keeps them": (
        ANCIENT, [RUNS, local(404, "text", poll=http(200)), listing()], "no-uniform", "degraded",
    ),
    # its registration
    "registration switched off": (
        keptn_service(registration_disabled=True), [RUNS, local(), listing()],
        "registration-off", "disconnected",
    ),
    "registered name not readable": (
        keptn_service(
            integration_name="",
            env_problems=(
                {"variable": "K8S_DEPLOYMENT_NAME", "reference": "r", "problem": "forbidden"},
            ),
        ),
        [RUNS, local(), listing(record())], "no-proof", "unknown",
    ),
    "registration switched off, client that polls anyway": (
        keptn_service(registration_disabled=True, client_version="0.8.7"),
        [RUNS, local(), listing()], "record-absent", "connected",
    ),
    "record gone": (
        OLD, [RUNS, local(), log(REGISTERED, ids=(ID,)), listing()], "record-absent",
        "disconnected",
    ),
    "own record gone, a double of the name stays": (
        OLD, [RUNS, local(), log(REGISTERED, ids=(ID,)), listing(record(key=OTHER_ID))],
        "record-absent", "disconnected",
    ),
    "heartbeat stale while reads work": (
        SERVICE, [RUNS, local(), listing(record(900))], "heartbeat-stale", "disconnected",
    ),
    "record shared": (
        SHARED, [RUNS, local(), listing(record())], "identity-shared", "degraded",
    ),
    "no subscription": (
        SERVICE, [RUNS, local(), listing(record(events=()))], "hears-nothing", "degraded",
    ),
    "only wildcards": (
        SERVICE, [RUNS, local(), listing(record(events=("sh.keptn.>",)))], "hears-nothing",
        "degraded",
    ),
    "old client needs no subscriptions": (
        ANCIENT, [RUNS, local(), listing(record(events=()))], "proven", "connected",
    ),
    "results cannot be sent": (
        SERVICE, [RUNS, local(), listing(record()), log(line("send"), ids=(ID,))], "troubled",
        "degraded",
    ),
    "what failed an hour ago is over": (
        SERVICE, [RUNS, local(), listing(record()), log(line("send", age=3600), ids=(ID,))],
        "proven", "connected",
    ),
    "proven": (
        SERVICE, [RUNS, local(), listing(record()), log(REGISTERED, ids=(ID,))], "proven",
        "connected",
    ),
    "proven, control plane without times": (
        ANCIENT, [RUNS, local(), listing(record(None))], "proven", "connected",
    ),
    "no token for the operator, but the service lists itself": (
        SERVICE, [RUNS, local(integrations=(ID,)), log(REGISTERED, ids=(ID,))],
        "proven-by-itself", "connected",
    ),
    "no token for the operator, and its log complains": (
        SERVICE,
        [RUNS, local(integrations=(ID,)), log(REGISTERED, line("send"), ids=(ID,))],
        "proven-by-itself", "degraded",
    ),
    "an old client polls while its registering fails": (
        ANCIENT, [RUNS, local(), log(line("heartbeat", "tcp_timeout"))], "proven-by-itself",
        "degraded",
    ),
    "own request works and nothing more is known": (
        SERVICE, [RUNS, local()], "no-proof", "unknown",
    ),
    "restarted again and again": (
        SERVICE, [workload(pod(started=60, restarts=4, last_finished_at=ago(60))),
                  local(), listing(record())], "flapping", "degraded",
    ),
    "restarts of weeks ago": (
        SERVICE, [workload(pod(restarts=4, last_finished_at=ago(2_600_000))), local(),
                  listing(record())], "proven", "connected",
    ),
    # without a look through its own path
    "heartbeats stopped a minute ago": (
        SERVICE, [RUNS, listing(record(60)), log(REGISTERED, ids=(ID,))], "beats-missing",
        "unknown",
    ),
    "a heartbeat from before it was restarted, and its log complains": (
        SERVICE, [workload(pod(started=15, restarts=2, last_finished_at=ago(16))),
                  listing(record(28)), log(line("not_registered", "bad_token"))],
        "log-says-failing", "disconnected",
    ),
    "a heartbeat under its name, and nothing of itself": (
        OLD, [RUNS, listing(record())], "no-proof", "unknown",
    ),
    "a heartbeat under its name, and twice as many as one service sends": (
        SERVICE, [RUNS, listing(record()), BEATS_OF_TWO], "no-proof", "unknown",
    ),
    "a heartbeat under its name, as many as one service sends": (
        SERVICE, [RUNS, listing(record()), BEATS], "indirect", "connected",
    ),
    "a heartbeat under its name, and its log at peace": (
        OLD, [RUNS, listing(record()), log()], "indirect", "connected",
    ),
    "a record of another node, where the node tells records apart": (
        ON_NODE_1, [RUNS, listing(record(hostname="node-2"))], "record-absent", "disconnected",
    ),
    "a record of its node, where the node tells records apart": (
        ON_NODE_1, [RUNS, local(), listing(record(hostname="node-1"))], "proven", "connected",
    ),
    "it lists itself, at an address that is none of the gateway's": (
        SERVICE, [RUNS, local(integrations=(ID,)), log(REGISTERED, ids=(ID,)), ELSEWHERE],
        "control-plane-not-told", "unknown",
    ),
    "it lists itself, at the gateway's own address": (
        BY_ADDRESS, [RUNS, local(integrations=(ID,)), log(REGISTERED, ids=(ID,)), ELSEWHERE],
        "proven-by-itself", "connected",
    ),
    "it lists itself, and the gateway's log shows its heartbeats": (
        SERVICE, [RUNS, local(integrations=(ID,)), log(REGISTERED, ids=(ID,)), ELSEWHERE, BEATS],
        "proven-by-itself", "connected",
    ),
    "heartbeat alive, only candidate": (
        SERVICE, [RUNS, listing(record())], "indirect", "connected",
    ),
    "heartbeat alive, id in the log": (
        SHARED, [RUNS, listing(record()), log(REGISTERED, ids=(ID,))], "indirect", "connected",
    ),
    "a shared heartbeat, while its own log complains": (
        SHARED, [RUNS, listing(record()),
                 log(REGISTERED, line("heartbeat", "tcp_timeout"), ids=(ID,))],
        "log-says-failing", "disconnected",
    ),
    "a shared heartbeat and a client that started just now": (
        SHARED, [workload(pod(started=30, restarts=9, last_finished_at=ago(60))),
                 listing(record()), log(REGISTERED, ids=(ID,))], "shared-unseen", "unknown",
    ),
    "heartbeat alive, shared, no log": (
        SHARED, [RUNS, listing(record())], "shared-unseen", "unknown",
    ),
    "heartbeat stale, no log": (
        SERVICE, [RUNS, listing(record(900))], "heartbeat-stale", "disconnected",
    ),
    "the log says why": (
        SERVICE, [RUNS, listing(record(900)), log(line("heartbeat", "dns"), ids=(ID,))],
        "log-says-failing", "disconnected",
    ),
    "deaf by its log": (
        OLD, [RUNS, listing(record()), log(line("poll", "tls_untrusted"), ids=(ID,))], "troubled",
        "disconnected",
    ),
    "no registration at all": (
        SERVICE, [RUNS, listing()], "record-absent", "disconnected",
    ),
    "the heartbeat advanced between two reads": (
        SERVICE, [RUNS, listing(record(3, last_seen_again=ago(2)))], "indirect",
        "connected",
    ),
    "nothing readable": (SERVICE, [], "no-proof", "unknown"),
    # SDK services
    "SDK not registered": (
        SDK, [health(412, SDK), listing()], "unregistered-health", "disconnected",
    ),
    "SDK healthy with a heartbeat": (
        SDK, [health(200, SDK), listing(record(2, name="jes"))], "indirect", "connected",
    ),
    "SDK healthy without a heartbeat": (
        SDK, [health(200, SDK), listing(record(900, name="jes"))], "heartbeat-stale",
        "disconnected",
    ),
    "SDK healthy and silent for two hours": (
        SDK, [health(200, SDK), JES_RUNS, log(service=SDK)], "health-and-silence", "connected",
    ),
    "SDK healthy, and its log complains": (
        SDK, [health(200, SDK), JES_RUNS, log(line("heartbeat", "dns"), service=SDK)],
        "log-says-failing", "disconnected",
    ),
    "SDK healthy, but its log could not be read": (
        SDK, [health(200, SDK), JES_RUNS], "no-proof", "unknown",
    ),
    "SDK healthy, nothing more known": (SDK, [health(200, SDK)], "no-proof", "unknown"),
    # probe pods
    "a probe pod stops where the service would": (
        SDK, [JES_RUNS, probe(SDK, connect="connect-timeout")], "probe-stopped", "disconnected",
    ),
    "a probe pod stops, and the heartbeat is long gone": (
        SDK, [JES_RUNS, probe(SDK, resolve="name-unknown", connect=""),
              listing(record(900, name="jes"))], "probe-stopped", "disconnected",
    ),
    "a probe pod stops while heartbeats arrive": (
        SDK, [JES_RUNS, probe(SDK, connect="connect-timeout"), listing(record(3, name="jes"))],
        "indirect", "connected",
    ),
    "a probe pod stops while the SDK says that it is registered": (
        SDK, [JES_RUNS, health(200, SDK), probe(SDK, connect="connect-timeout")], "no-proof",
        "unknown",
    ),
    "a probe pod that gets through proves nothing of the service": (
        SDK, [JES_RUNS, probe(SDK, http_status=200)], "no-proof", "unknown",
    ),
    "the services own answer outweighs a probe pod": (
        SERVICE, [RUNS, local(), listing(record()), probe(connect="connect-timeout")], "proven",
        "connected",
    ),
    # a task that this run sent
    "nothing but a task that came back": (
        SDK, [JES_RUNS, trip(SDK)], "round-trip", "connected",
    ),
    "a task that came back, and its project could not be removed": (
        SDK, [JES_RUNS, trip(SDK, project_removed="failed")], "round-trip", "connected",
    ),
    "a task that was started and not finished": (
        SDK, [JES_RUNS, trip(SDK, finished="failed", project_removed="ok")], "no-proof", "unknown",
    ),
    "a task of which nobody can say who answered it": (
        SDK, [JES_RUNS, trip(SDK, picked_up="unknown", finished="unknown")], "no-proof", "unknown",
    ),
    "a task that came back under a name that two have": (
        SHARED, [RUNS, trip(SHARED), listing(record())], "shared-unseen", "unknown",
    ),
    "a task that came back while its own requests are refused": (
        SERVICE, [RUNS, local(401), trip()], "token-refused", "disconnected",
    ),
    "a task that came back while its polls fail now and then": (
        SERVICE, [RUNS, local(), listing(record()), log(line("poll", "tcp_timeout")), trip()],
        "troubled", "degraded",
    ),
    # NATS mode
    "NATS mode, and a task came back": (
        keptn_service(mode="nats", endpoint=""), [RUNS, trip()], "round-trip", "connected",
    ),
    "NATS mode, and the log says that it fails": (
        keptn_service(mode="nats", endpoint=""),
        [RUNS, log(line("nats_mode", "dns"))], "nats-failing", "disconnected",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_picture_has_its_row_and_verdict(case):
    service, looks, row, connection = CASES[case]

    found, ruling = decide(service, *looks)

    assert (found, ruling.connection) == (row, connection)
    assert ruling.because.endswith(".")
    assert connection == "unknown" or ruling.proof


def test_every_row_of_the_table_is_decided_by_a_picture():
    shown = {row for _service, _looks, row, _connection in CASES.values()}

    assert {row.id for row in TABLE} - shown == {"nats-elsewhere"}  # see below


def test_connected_needs_a_look_a_heartbeat_or_an_answer_in_every_case():
    for service, looks, _row, connection in CASES.values():
        if connection == "connected":
            proofs = ("local-api", "integrations", "sdk-health", "round-trip")
            blind = [o for o in looks if o.probe not in proofs]
            assert decide(service, *blind)[1].connection != "connected"


def test_nats_mode_on_a_cluster_of_its_own_is_disconnected():
    service = keptn_service(mode="nats", endpoint="")
    plane = ExecutionPlane(name="exec-a", cluster_uid="1")

    row, ruling = decide(service, plane, ControlPlane(namespace="keptn", cluster_uid="2"), RUNS)

    assert (row, ruling.connection) == ("nats-elsewhere", "disconnected")
    beside = decide(service, plane, ControlPlane(namespace="keptn", cluster_uid="1"), RUNS)
    assert beside[1].connection == "unknown"


def test_an_unknown_says_which_right_would_settle_it():
    refused = seen(SERVICE, FORBIDDEN, probe="local-api")

    _row, ruling = decide(SERVICE, RUNS, refused)

    assert "create pods/portforward in namespace keptn-exec" in ruling.next_step


def test_a_list_that_could_not_be_read_is_not_an_empty_list():
    down = seen(
        CONTROL_PLANE, Failure(phase="http", code="unexpected-status"), probe="integrations"
    )

    assert decide(SERVICE, RUNS, down)[1].connection == "unknown"


def test_an_old_run_is_no_longer_a_fault_once_the_pod_registered_again():
    old = log(line("crash_exit", age=400), previous=True)
    fresh = REGISTERED.__class__(
        signature="dist.reg.ok", event="ok", last_at=line("x", age=300).last_at
    )

    row, ruling = decide(SERVICE, RUNS, local(), listing(record()), old, log(fresh, ids=(ID,)))

    assert (row, ruling.connection) == ("proven", "connected")
