"""The same rung from two places side by side, and witnesses who disagree."""

from __future__ import annotations

import pytest
from worlds import (
    ID,
    REGISTERED,
    SERVICE,
    health,
    line,
    listing,
    local,
    log,
    pod,
    probe,
    record,
    workload,
)

from keptn_doctor.api import (
    DnsAnswer,
    Endpoint,
    Failure,
    GatewayAnswers,
    KeptnService,
    TcpConnection,
    TlsSession,
)
from keptn_doctor.judgement.decide import decide
from keptn_doctor.model.report import Comparison, Verdict
from keptn_doctor.renderers.views import in_words
from keptn_doctor.testing import keptn_service, seen, world

ENDPOINT = Endpoint(
    url="https://keptn.example.com/api", scheme="https", host="keptn.example.com", port=443,
    path="/api", services=(SERVICE.subject,),
)  # fmt: skip
DNS = seen(ENDPOINT, DnsAnswer(name="keptn.example.com", ipv4=("203.0.113.20",)))
TCP = seen(ENDPOINT, TcpConnection(host="keptn.example.com", port=443, address="203.0.113.20"))
TLS = seen(ENDPOINT, TlsSession(host="keptn.example.com"))
KEPTN = seen(ENDPOINT, GatewayAnswers(reached="keptn"))
HERE = (DNS, TCP, TLS, KEPTN)
RUNS = workload(pod())


def verdict(*looks: object, service: KeptnService = SERVICE) -> Verdict:
    (found,) = decide(world(service, ENDPOINT, *looks), (), ())
    return found


def rung(found: Verdict, name: str) -> Comparison:
    return next(c for c in found.compared if c.rung == name)


# ------------------------------------------------------------------ comparison


def test_another_answer_of_the_name_server_is_a_difference_in_words() -> None:
    found = verdict(RUNS, *HERE, probe(resolve="name-unknown", addresses=(), connect=""))
    compared = rung(found, "resolve")
    assert compared.differs
    assert in_words(compared) == "resolve: operator 203.0.113.20, inside exec-a name-unknown"
    assert compared.vantage == "inside:exec-a/keptn-exec/keptn-doctor-1"
    assert not rung(found, "connect").differs  # not looked at from inside


def test_other_addresses_differ_and_a_common_one_does_not() -> None:
    elsewhere = verdict(*HERE, probe(addresses=("10.0.0.7",)))
    assert rung(elsewhere, "resolve").differs
    some = verdict(*HERE, probe(addresses=("10.0.0.7", "203.0.113.20")))
    assert not rung(some, "resolve").differs


def test_a_way_that_is_open_here_and_shut_there_differs_where_it_is_shut() -> None:
    found = verdict(*HERE, probe(connect="connect-timeout"))
    assert [c.rung for c in found.compared if c.differs] == ["connect"]
    assert in_words(rung(found, "connect")) == (
        "connect: operator ok, inside exec-a connect-timeout"
    )


def test_a_way_that_is_shut_here_and_open_there_differs_as_well() -> None:
    refused = seen(ENDPOINT, Failure(phase="connect", code="connect-timeout"), probe="tcp")
    found = verdict(RUNS, DNS, refused, local(integrations=(ID,)))
    assert rung(found, "connect").differs
    assert not rung(found, "resolve").differs


def test_an_answer_to_the_service_itself_proves_every_rung_below() -> None:
    found = verdict(RUNS, *HERE, local(integrations=(ID,)))
    assert [(c.rung, c.inside) for c in found.compared] == [
        ("resolve", "ok"), ("connect", "ok"), ("tls", "ok"), ("http", "Keptn answers (200)"),
    ]  # fmt: skip
    assert not any(c.differs for c in found.compared)


def test_a_refused_token_is_no_difference_of_the_way() -> None:
    assert not any(c.differs for c in verdict(RUNS, *HERE, local(401)).compared)


def test_something_else_that_answers_inside_is_a_difference() -> None:
    found = verdict(RUNS, *HERE, local(200, "html"))
    assert rung(found, "http").differs
    assert "something else answers" in rung(found, "http").inside


def test_the_log_tells_the_rung_when_nothing_better_does() -> None:
    found = verdict(RUNS, *HERE, log(line("heartbeat", "tcp_refused")))
    assert rung(found, "connect").inside == "connection-refused"
    assert rung(found, "connect").differs


def test_a_log_of_an_hour_ago_is_not_compared() -> None:
    found = verdict(RUNS, *HERE, log(line("heartbeat", "tcp_refused", age=3600)))
    assert all(c.inside == "" for c in found.compared)


def test_the_way_through_a_proxy_is_not_compared_with_the_direct_one() -> None:
    found = verdict(RUNS, *HERE, probe(addresses=("10.20.0.8",), proxy="10.20.0.8:3128"))
    assert not any(c.differs for c in found.compared)


def test_without_any_look_there_is_nothing_to_compare() -> None:
    assert verdict().compared == ()


# ------------------------------------------------------------------ witnesses


def test_each_witness_says_its_own() -> None:
    found = verdict(RUNS, local(integrations=(ID,)), listing(record(4)), log(REGISTERED, ids=(ID,)))
    assert [(w.who, w.says) for w in found.witnesses] == [
        ("own request", "works"), ("control plane", "works"), ("log", "nothing"),
    ]  # fmt: skip
    assert found.disagreement == ""


OLD = keptn_service(client_version="0.12.7")
SHARED = keptn_service(namesakes=("exec-b/keptn-exec/helm-service",))
GONE = log(REGISTERED, ids=(ID,))


@pytest.mark.parametrize(
    ("service", "looks", "words"),
    [
        (OLD, [local(500, "empty"), listing(record(4))], "for its polls only"),
        (SERVICE, [local(500, "empty"), listing(record(4))], "it broke just now"),
        (SHARED, [local(401), listing(record(4))], "those of exec-b/keptn-exec/helm-service"),
        (SERVICE, [local(), listing(record(900))], "no heartbeat arrives"),
        (SERVICE, [local(), listing()], "it has not registered"),
        (SERVICE, [local(), listing(), GONE], "is gone"),
        (SERVICE, [local(), listing(record(4)), log(line("send"), ids=(ID,))], "another call"),
        (SERVICE, [health(200), listing(record(900))], "of the start of the process"),
        (SERVICE, [probe(connect="connect-timeout"), listing(record(4))], "cut just now"),
        (SERVICE, [probe(http_status=200), local(401)], "not at the network"),
    ],
)
def test_a_disagreement_says_who_stands_against_whom_and_what_follows(
    service: KeptnService, looks: list, words: str
) -> None:
    assert words in verdict(RUNS, *looks, service=service).disagreement


@pytest.mark.parametrize(
    "looks",
    [
        [],
        [local(401), listing(record(900))],
        [local(500, "empty"), log(line("poll", "dns"))],
        [listing(record(900)), log(line("heartbeat", "tcp_timeout"), ids=(ID,))],
        [health(412), listing()],
    ],
)
def test_witnesses_who_agree_need_no_sentence(looks: list) -> None:
    assert verdict(RUNS, *looks).disagreement == ""
