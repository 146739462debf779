"""Discovery and observation of whole worlds: what each way of looking shows, and what it lacks."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
import pytest

from keptn_doctor.discover import discover
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import (
    GatewayLog,
    IntegrationListing,
    KeptnVersion,
    LocalApiAnswer,
    PodLog,
    SdkHealth,
    TokenCheck,
)
from keptn_doctor.model.kube_facts import Components, ExposureRoutes
from keptn_doctor.model.path_facts import GatewayAnswers, HttpAnswer
from keptn_doctor.model.topology import Topology
from keptn_doctor.observe import observe
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.session import Session

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]

HELM = "exec-a/keptn-exec/helm-service"
JMETER = "exec-a/keptn-exec/jmeter-service"
JES = "exec-b/keptn-jes/job-executor-service"


class Seen:
    """What one run of discover and observe left."""

    def __init__(self, lab: Lab, session: Session, topology: Topology) -> None:
        self.lab, self.recorder, self.topology = lab, session.recorder, topology

    def facts(self, kind: type, subject: str = "") -> list:
        return [f for s, f in self.recorder.facts(kind) if subject in ("", s)]

    def failures(self, probe: str, subject: str = "") -> list[Failure]:
        return [
            o.result for o in self.recorder.observations
            if isinstance(o.result, Failure) and o.probe == probe and subject in ("", o.subject)
        ]  # fmt: skip

    def skipped(self, probe: str, subject: str = "") -> list[str]:
        return [
            n.reason for n in self.recorder.not_attempted
            if n.probe == probe and subject in ("", n.subject)
        ]  # fmt: skip

    def matches(self, subject: str) -> set[tuple[str, str]]:
        return {(m.event, m.cause) for log in self.facts(PodLog, subject) for m in log.matches}


@asynccontextmanager
async def seen(scenario: str = "") -> AsyncIterator[Seen]:
    async with start(loads(f"title: a world\n{scenario}")) as lab:
        recorder = Recorder(now=lambda: datetime.now(UTC))
        async with Session(lab.targets(), recorder, salt=b"salt", environ={}) as session:
            topology = await observe(session, await discover(session))
            crashed = [
                o for o in recorder.observations
                if isinstance(o.result, Failure) and o.result.code == "probe-crashed"
            ]  # fmt: skip
            assert crashed == []
            yield Seen(lab, session, topology)


@pytest.mark.parametrize("version", ["0.8.7", "0.9.2", "0.13.6", "0.16.2", "0.19.3", "1.4.5"])
async def test_a_healthy_pair_is_seen_from_all_sides(version: str) -> None:
    async with seen(f"keptn: {version}") as run:
        assert run.topology.control_plane.version == version
        remote = [s for s in run.topology.services if s.belongs_to == "execution-plane"]
        assert {s.subject for s in remote} == {HELM, JMETER, JES}
        (listing,) = run.facts(IntegrationListing)
        known = {i.id for i in listing.integrations}
        for service in remote:
            if service.client == "distributor":
                (answer,) = run.facts(LocalApiAnswer, service.subject)
                assert (answer.registration.status, answer.origin) == (200, "keptn")
                assert isinstance(answer.poll, HttpAnswer)
                assert answer.poll.status == 200
                assert set(answer.integrations) == known
                (log,) = run.facts(PodLog, service.subject)
                assert log.registration_ids[-1] in known
            else:
                assert [h.status for h in run.facts(SdkHealth, service.subject)] == [200]
        (token,) = run.facts(TokenCheck)
        assert token.accepted
        assert run.facts(KeptnVersion)[0].version == version
        assert not {f.name for f in run.facts(Components)[0].found} ^ {
            c.name for c in run.facts(Components)[0].expected
        }


async def test_inside_looks_carry_the_pod_as_their_vantage() -> None:
    async with seen() as run:
        looks = [o for o in run.recorder.observations if o.probe in {"local-api", "sdk-health"}]
        assert looks
        for look in looks:
            assert look.vantage.place == "inside"
            plane, namespace, _ = look.subject.split("/")
            assert look.vantage.pod.startswith(f"{plane}/{namespace}/")


async def test_the_gateway_counts_each_registrations_heartbeats() -> None:
    async with seen() as run:
        (log,) = run.facts(GatewayLog)
        ids = {i for s in (HELM, JMETER) for p in run.facts(PodLog, s) for i in p.registration_ids}
        assert ids <= {p.integration_id for p in log.pings}


async def test_a_rejected_token_is_told_by_the_run_before_the_restart() -> None:
    scenario = "execution-planes: {exec-a: {services: {helm-service: {token: wrong}}}}"
    async with seen(scenario) as run:
        logs = run.facts(PodLog, HELM)
        assert [log.previous for log in logs] == [True]
        assert ("not_registered", "bad_token") in run.matches(HELM)
        assert run.skipped("local-api", HELM)
        assert run.facts(LocalApiAnswer, JMETER)
        (gateway,) = run.facts(GatewayLog)
        assert gateway.rejected > 0


async def test_a_rejected_token_of_an_old_distributor_is_told_by_its_own_proxy() -> None:
    scenario = (
        "keptn: 0.13.6\n"
        "execution-planes: {exec-a: {services: {helm-service: {token: wrong, distributor: 0.9.2}}}}"
    )
    async with seen(scenario) as run:
        (answer,) = run.facts(LocalApiAnswer, HELM)
        assert answer.registration.status == 401


async def test_no_artefact_holds_a_token_in_any_encoding() -> None:
    scenario = (
        "keptn: 0.13.6\n"
        "execution-planes: {exec-a: {services: {helm-service: {token: newline, distributor: 0.9.2},"
        " jmeter-service: {token: wrong}}}, exec-b: {services: {job-executor-service:"
        " {token: base64}}}}"
    )
    async with seen(scenario) as run:
        snapshot = Snapshot(
            taken_at=datetime.now(UTC), doctor_version="0", topology=run.topology,
            observations=tuple(run.recorder.observations),
            not_attempted=tuple(run.recorder.not_attempted),
        )  # fmt: skip
        text = msgspec.json.encode(snapshot).decode()
        for name in ("current", "wrong", "newline"):
            token = run.lab.plan.tokens.named(name).strip()
            forms = (token, base64.b64encode(token.encode()).decode(), quote(token, safe=""))
            assert [form for form in forms if form in text] == []


async def test_every_exposure_promises_the_endpoint_that_services_call() -> None:
    for by in ("load-balancer", "node-port", "ingress", "route", "virtual-service"):
        platform = ", cluster: {platform: openshift}" if by == "route" else ""
        async with seen(f"control-plane: {{exposure: {{by: {by}}}{platform}}}") as run:
            (own,) = [e for e in run.topology.endpoints if e.used_by_operator]
            assert {a.reached for a in run.facts(GatewayAnswers)} == {"keptn"}, by
            if by != "load-balancer":  # whose name is nowhere in the cluster
                assert set(own.services) == {HELM, JMETER, JES}, by
            if by not in {"load-balancer", "node-port"}:
                (routes,) = run.facts(ExposureRoutes)
                assert [r.targets_gateway for r in routes.routes] == [True], by


async def test_two_planes_that_share_a_record_are_namesakes() -> None:
    scenario = "execution-planes: {exec-b: {namespace: keptn-exec, services: {helm-service: {}}}}"
    async with seen(scenario) as run:
        twins = {s.subject: s.namesakes for s in run.topology.services}
        assert twins[HELM] == ("exec-b/keptn-exec/helm-service",)
        printed = [
            log.registration_ids[-1]
            for path in (HELM, "exec-b/keptn-exec/helm-service")
            for log in run.facts(PodLog, path)
        ]
        assert len(set(printed)) == 1


# ------------------------------------------------------------------ what is missing


def without(context: str, *rights: str) -> str:
    return f"operator: {{contexts: {{{context}: {{cannot: [{', '.join(rights)}]}}}}}}"


async def test_a_refused_log_is_a_failure_that_names_the_right() -> None:
    async with seen(without("exec-a", "pods/log")) as run:
        assert {f.right for f in run.failures("pod-log", HELM)} == {
            "get pods/log in namespace keptn-exec"
        }
        assert run.facts(LocalApiAnswer, HELM)


async def test_a_refused_port_forward_is_a_failure_that_names_the_right() -> None:
    async with seen(without("exec-a", "pods/portforward")) as run:
        assert run.facts(LocalApiAnswer, HELM) == []
        assert {f.right for f in run.failures("local-api", HELM)} == {
            "create pods/portforward in namespace keptn-exec"
        }
        assert run.facts(PodLog, HELM)


async def test_without_the_secret_and_without_a_token_keptns_api_is_not_asked() -> None:
    async with seen(without("keptn-cp", "secrets")) as run:
        assert run.facts(IntegrationListing) == []
        assert run.skipped("integrations")
        assert run.failures("reference-token")
        assert run.facts(LocalApiAnswer, HELM)


async def test_the_token_that_was_given_is_enough() -> None:
    scenario = (
        "operator: {token: current, endpoint: 'http://keptn.example.com/api',"
        " contexts: {keptn-cp: {given: false}}}"
    )
    async with seen(scenario) as run:
        assert run.topology.control_plane.version == "0.19.3"
        assert run.facts(IntegrationListing)
        behaviours = {s.behaviour.registration_identity for s in run.topology.services}
        assert behaviours == {"name"}
        assert run.skipped("gateway-service")


async def test_without_any_control_plane_its_version_is_that_of_the_only_endpoint() -> None:
    async with seen("operator: {contexts: {keptn-cp: {given: false}}}") as run:
        assert run.topology.control_plane.version == "0.19.3"
        assert run.facts(IntegrationListing) == []
        assert run.facts(LocalApiAnswer, HELM)


async def test_no_right_at_all_in_one_plane_costs_that_plane_alone() -> None:
    async with seen(without("exec-b", '"*"')) as run:
        assert {s.plane for s in run.topology.services if s.belongs_to == "execution-plane"} == {
            "exec-a"
        }
        assert run.failures("namespace", "exec-b")
        assert run.facts(LocalApiAnswer, HELM)


@pytest.mark.parametrize("credentials", ["expired", "revoked"])
async def test_credentials_that_are_refused_are_a_failure_of_that_cluster(
    credentials: str,
) -> None:
    scenario = f"operator: {{contexts: {{exec-a: {{credentials: {credentials}}}}}}}"
    async with seen(scenario) as run:
        assert run.failures("cluster", "exec-a")
        assert run.facts(SdkHealth, JES)
