"""What must hold of every verdict, whatever of the evidence is there: no lie, no false alarm.

A *truth* is drawn first: which client, what is wrong, since when. All looks follow from it as they
would in a cluster, and any of them may be missing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from keptn_doctor.api import (
    ControlPlane,
    Failure,
    HttpAnswer,
    Integration,
    KeptnService,
    LogMatch,
    SdkHealth,
    Subscription,
)
from keptn_doctor.catalogue import load_checks
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.knowledge.behaviour import client_behaviour
from keptn_doctor.model.evidence import Observation, Snapshot
from keptn_doctor.model.report import Verdict
from keptn_doctor.testing import (
    POD,
    REGISTRATION_ID,
    ago,
    container,
    keptn_service,
    line,
    own_request,
    pod_log,
    pod_of,
    registered_line,
    seen,
    uniform,
    workload_of,
    world,
)

CATALOGUE = load_checks()
KEPTN = ControlPlane(context="keptn-cp", namespace="keptn")
CONTROL_PLANES = {"0.8.7": "0.8.7", "0.9.2": "0.9.2", "0.12.7": "0.12.7", "0.13.6": "0.15.1"}
CLIENTS = ("0.8.7", "0.9.2", "0.12.7", "0.13.6", "0.16.2", "0.18.0", "sdk")
TOPIC = "sh.keptn.event.deployment.triggered"
OTHERS = tuple(f"{n}" * 40 for n in range(4))  # ids of the control plane's own services
ELSEWHERE = tuple(f"{n}" * 40 for n in range(5, 9))
GAVE_UP_S = 120.0  # a client that ends itself has done so by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """How it really is with one Keptn service."""

    client: str
    wrong: str  # "" = all is well
    since: float
    namesake_elsewhere: bool  # in a cluster that nobody inspects, and alive
    looks: frozenset[str]

    @property
    def service(self) -> KeptnService:
        control_plane = CONTROL_PLANES.get(self.client, "0.19.3")
        sdk = self.client == "sdk"
        version = "0.3.0" if sdk else self.client
        return keptn_service(
            "jes" if sdk else "helm-service",
            client="sdk" if sdk else "distributor",
            container="jes" if sdk else "distributor",
            client_version=version,
            node_names=("node-1",),
            behaviour=client_behaviour(
                "sdk" if sdk else "distributor", version, control_plane_version=control_plane
            ),
        )

    @property
    def ended(self) -> bool:
        """The process gave up, and waits to be started again."""
        fails = self.wrong in ("refused", "unreachable", "page")
        ends = self.service.behaviour.exits_when_heartbeat_fails
        return fails and ends and self.since > GAVE_UP_S

    @property
    def runs(self) -> bool:
        return self.wrong != "scaled" and not self.ended


ANY_TRUTH = st.builds(
    Truth,
    client=st.sampled_from(CLIENTS),
    wrong=st.sampled_from(("", "refused", "unreachable", "page", "elsewhere", "deleted", "scaled")),
    since=st.sampled_from((45.0, 100.0, 400.0, 7000.0)),
    namesake_elsewhere=st.booleans(),
    looks=st.frozensets(st.sampled_from(("workload", "local", "health", "log", "listing"))),
)


def _possible(truth: Truth) -> bool:
    """A namesake that uses the very record makes it anew when it was deleted.

    For two minutes after a cut it can stand in for a client that has not given up yet, and for
    ever for one that is content with another control plane; heartbeats in the gateway's log and
    the addresses that are called tell, which are none of the looks here.
    """
    young = truth.since <= GAVE_UP_S
    hidden = truth.wrong in ("deleted", "elsewhere") or (truth.wrong != "" and young)
    return not (_shared(truth) and hidden)


def looks_of(truth: Truth) -> list[Observation]:
    makers = {
        "workload": _workload, "local": _local, "health": _health, "log": _log, "listing": _listing,
    }  # fmt: skip
    found = [makers[name](truth) for name in sorted(truth.looks)]
    return [look for look in found if look is not None]


def _workload(truth: Truth) -> Observation:
    service = truth.service
    if truth.wrong == "scaled":
        return msgspec.structs.replace(
            workload_of(service),
            result=msgspec.structs.replace(workload_of(service).result, desired=0, pods=()),
        )
    if truth.ended:
        client = container(
            service.container, "waiting", reason="CrashLoopBackOff", restarts=8,
            last_started_at=ago(min(100, truth.since - 60)), last_finished_at=ago(30),
            last_exit_code=1,
        )  # fmt: skip
    else:
        client = container(service.container)
    return workload_of(service, pod_of(service, client))


def _local(truth: Truth) -> Observation | None:
    service = truth.service
    if service.client == "sdk" or not truth.runs:
        return None
    if truth.wrong == "refused":
        return own_request(service, 401)
    if truth.wrong == "unreachable":
        return own_request(service, 500, body="empty")
    if truth.wrong == "page":
        return own_request(service, 200, body="html")
    own = () if truth.wrong == "deleted" else (REGISTRATION_ID,)
    others = ELSEWHERE if truth.wrong == "elsewhere" else OTHERS
    return own_request(service, 200, poll=200, listed=(*own, *others))


def _health(truth: Truth) -> Observation | None:
    service = truth.service
    if service.client != "sdk" or not truth.runs:
        return None
    return seen(service, SdkHealth(pod=POD, port=8080, status=200), pod=POD)


def _log(truth: Truth) -> Observation | None:
    service = truth.service
    if truth.wrong == "scaled":
        return None
    lines: list[LogMatch] = [registered_line()]
    cause = {"refused": "bad_token", "unreachable": "tcp_timeout", "page": "html_answer"}
    if truth.wrong in cause:
        event = "not_registered" if truth.ended else "heartbeat"
        lines += [line(event, cause[truth.wrong]), line("poll", cause[truth.wrong])]
    if truth.wrong == "deleted":
        lines.append(line("registration_gone", "registration_gone"))
    return pod_log(service, *lines, ids=(REGISTRATION_ID,))


def _shared(truth: Truth) -> bool:
    """The namesake uses the very record: where the node is no part of the id."""
    identity = truth.service.behaviour.registration_identity
    return truth.namesake_elsewhere and identity == "name"


def _listing(truth: Truth) -> Observation:
    service = truth.service
    name = service.integration_name
    alive = truth.wrong == "" or _shared(truth)
    age = 4.0 if alive else truth.since
    records = [Integration(id=key, name=f"own-{key[:1]}", namespace="keptn", last_seen=ago(3))
               for key in OTHERS]  # fmt: skip
    own = Integration(
        id=REGISTRATION_ID, name=name, namespace="keptn-exec", hostname="node-1",
        last_seen=ago(age), subscriptions=(Subscription(id="1", event=TOPIC),),
    )  # fmt: skip
    if truth.wrong != "deleted":
        records.append(own)
    if truth.namesake_elsewhere and not _shared(truth):
        records.append(msgspec.structs.replace(own, id="ee" * 20, hostname="far", last_seen=ago(2)))
    return uniform(*records)


TRUTHS = ANY_TRUTH.filter(_possible)


def verdict(snapshot: Snapshot) -> Verdict:
    return assemble(snapshot, CATALOGUE).verdicts[0]


@settings(max_examples=150, deadline=None)
@given(TRUTHS.filter(lambda truth: truth.wrong != ""))
def test_no_part_of_the_truth_makes_a_service_connected_that_is_not(truth):
    found = verdict(world(KEPTN, truth.service, *looks_of(truth)))

    assert found.connection != "connected", found


@settings(max_examples=150, deadline=None)
@given(TRUTHS)
def test_no_part_of_the_truth_makes_a_working_service_look_broken(truth):
    well = Truth(
        client=truth.client, wrong="", since=truth.since, looks=truth.looks,
        namesake_elsewhere=truth.namesake_elsewhere,
    )  # fmt: skip
    report = assemble(world(well.service, *looks_of(well)), CATALOGUE)

    assert report.verdicts[0].connection in ("connected", "unknown"), report.verdicts[0]
    assert report.causes == ()


@settings(max_examples=60, deadline=None)
@given(TRUTHS, st.integers(0, 2**32))
def test_the_order_of_the_looks_does_not_matter(truth, seed):
    snapshot = world(truth.service, *looks_of(truth))
    mixed = list(snapshot.observations)
    random.Random(seed).shuffle(mixed)

    again = assemble(msgspec.structs.replace(snapshot, observations=tuple(mixed)), CATALOGUE)

    first = assemble(snapshot, CATALOGUE)
    assert (again.verdicts, again.causes) == (first.verdicts, first.causes)


FAILURES = st.lists(
    st.sampled_from(
        [
            ("local-api", Failure(phase="kube", code="port-forward-failed")),
            ("sdk-health", Failure(phase="connect", code="connection-refused")),
            ("integrations", Failure(phase="auth", code="unauthorized", status=401)),
            ("pod-log", Failure(phase="kube", code="forbidden", status=403)),
            ("workload", Failure(phase="deadline", code="deadline-exceeded")),
            ("dns", Failure(phase="resolve", code="name-unknown")),
            ("tcp", Failure(phase="connect", code="connect-timeout")),
        ]
    ),
    max_size=4,
    unique_by=lambda failed: failed[0],
)


@settings(max_examples=100, deadline=None)
@given(TRUTHS, FAILURES)
def test_failed_looks_never_make_a_service_connected(truth, failures):
    service = truth.service
    looks = looks_of(truth)
    failed = [
        seen("control-plane/keptn" if name == "integrations" else service, failure, probe=name)
        for name, failure in failures
    ]
    before = verdict(world(service, *looks)).connection
    after = verdict(world(service, *looks, *failed)).connection

    assert before == "connected" or after != "connected"


@settings(max_examples=60, deadline=None)
@given(TRUTHS, TRUTHS)
def test_the_verdict_of_a_service_does_not_depend_on_another_plane(truth, other):
    service = truth.service
    stranger = msgspec.structs.replace(
        other.service, plane="far", name="other", integration_name="other", namespace="away",
        integration_namespace="away", endpoint="https://other.example.com/api",
    )  # fmt: skip
    rest = Truth(
        client=other.client, wrong=other.wrong, since=other.since, namesake_elsewhere=False,
        looks=other.looks - {"listing"},
    )  # fmt: skip
    theirs = [
        msgspec.structs.replace(
            look, subject=stranger.subject, id=look.id.replace(rest.service.subject, "far/away/o")
        )
        for look in looks_of(rest)
    ]
    alone = assemble(world(service, *looks_of(truth)), CATALOGUE)
    together = assemble(world(service, stranger, *looks_of(truth), *theirs), CATALOGUE)

    mine = next(v for v in together.verdicts if v.service == service.subject)
    assert (mine.connection, mine.row) == (alone.verdicts[0].connection, alone.verdicts[0].row)


def test_the_truths_can_be_told_when_all_is_seen():
    """The drawing is no empty exercise: with every look, each truth gets its right verdict."""
    everything = frozenset({"workload", "local", "health", "log", "listing"})
    for client in CLIENTS:
        well = Truth(client=client, wrong="", since=400, namesake_elsewhere=False, looks=everything)
        assert verdict(world(well.service, *looks_of(well))).connection == "connected", client
        for wrong in ("refused", "unreachable", "page", "scaled"):
            truth = Truth(
                client=client, wrong=wrong, since=400, namesake_elsewhere=False, looks=everything
            )
            found = verdict(world(truth.service, *looks_of(truth)))
            assert found.connection == "disconnected", (client, wrong, found)


def test_http_answers_of_the_pieces_are_what_probes_record():
    local = own_request(keptn_service(), 200, listed=OTHERS).result
    assert isinstance(local.registration, HttpAnswer)
