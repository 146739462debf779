"""Hand-made reports, each the kind of night that a renderer has to survive."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from keptn_doctor.model.evidence import NotAttempted, Observation, Timing
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.findings import Finding, Layer, Status
from keptn_doctor.model.keptn_facts import Hop, RoundTrip
from keptn_doctor.model.path_facts import DnsAnswer
from keptn_doctor.model.report import Report, RootCause, Rung, Verdict
from keptn_doctor.model.topology import ControlPlane, ExecutionPlane, Vantage

AT = datetime(2026, 3, 1, 3, 2, 11, tzinfo=UTC)
PATH = tuple(Layer)[1:]
HELM = "exec-a/keptn-exec/helm-service"
JMETER = "exec-a/keptn-exec/jmeter-service"
JOBS = "exec-b/keptn-jes/job-executor-service"
ENDPOINT = "endpoint:http://keptn.example.com/api"


def ladder(
    passed: int, *, then: str = "", note: str = "", rest: str = "blocked"
) -> tuple[Rung, ...]:
    """``passed`` rungs ok, the next one ``then``, the others ``rest``."""
    states = ["ok"] * passed + ([then] if then else [])
    states += [rest] * (len(PATH) - len(states))
    return tuple(
        Rung(layer=layer, state=state, note=note if state == then else "")  # type: ignore[arg-type]
        for layer, state in zip(PATH, states, strict=True)
    )


def connected(service: str) -> Verdict:
    return Verdict(
        service=service,
        connection="connected",
        because="The local API proxy was answered 200 and the heartbeat is 4 s old.",
        proof="local API proxy answered 200, heartbeat 4 s old",
        vantage=f"inside:{service}-7d9f",
        row="15",
        ladder=ladder(10),
    )


def name_unknown() -> Finding:
    return Finding(
        check="endpoint-unresolvable",
        subject=ENDPOINT,
        layer=Layer.RESOLVE,
        status="fail",
        summary="The name keptn.example.com does not exist in the DNS of exec-a (NXDOMAIN from "
        "10.96.0.10), so no Keptn service there can find the control plane.",
        remedy="Create the DNS record of keptn.example.com, or set KEPTN_API_ENDPOINT to a name "
        "that resolves inside exec-a.",
        command="kubectl --context exec-a -n keptn-exec set env deployment/helm-service "
        "-c distributor KEPTN_API_ENDPOINT=http://keptn.example.org/api",
        breaks="disconnected",
        evidence=("dns/endpoint:http://keptn.example.com/api@inside:exec-a/keptn-exec/helm",),
    )


def consequence(check: str, subject: str, layer: Layer) -> Finding:
    return Finding(
        check=check, subject=subject, layer=layer, status="fail", breaks="disconnected",
        summary=f"{subject} fails {check}.", evidence=(f"uniform/{subject}@operator",),
    )  # fmt: skip


def unknown(check: str, subject: str, *missing: str) -> Finding:
    return Finding(
        check=check, subject=subject, status="unknown", missing=missing,
        summary=f"{check} could not be decided.",
    )  # fmt: skip


def judged(check: str, status: Status) -> Finding:
    return Finding(check=check, subject=JOBS, status=status, summary=f"{check} gave {status}.")


def broken_verdict(service: str) -> Verdict:
    return Verdict(
        service=service,
        connection="disconnected",
        because="Its own requests never reach the control plane: the name keptn.example.com does "
        "not exist, seen from inside the pod.",
        proof="local API proxy answered 500, empty, without a Server header",
        vantage=f"inside:{service}-7d9f",
        row="6",
        causes=(f"endpoint-unresolvable@{ENDPOINT}",),
        ladder=ladder(2, then="broken", note="NXDOMAIN"),
    )


def report(**changes: object) -> Report:
    values: dict[str, object] = {
        "doctor_version": "0.1.0",
        "taken_at": AT,
        "exit_code": 0,
        "headline": "All 3 Keptn services are connected",
        "control_plane": ControlPlane(
            name="keptn-cp",
            context="keptn-cp",
            namespace="keptn",
            version="0.19.3",
            api_url="http://keptn.example.com/api",
        ),
        "execution_planes": (
            ExecutionPlane(name="exec-a", context="exec-a", namespaces=("keptn-exec",)),
            ExecutionPlane(name="exec-b", context="exec-b", namespaces=("keptn-jes",)),
        ),
        "verdicts": (connected(HELM), connected(JMETER), connected(JOBS)),
        "timings": (
            Timing(stage="discover", duration_ms=412.0),
            Timing(stage="observe", duration_ms=2210.4),
        ),
    }
    return Report(**{**values, **changes})  # type: ignore[arg-type]


def trip(level: str, broken: str = "", **fields: object) -> RoundTrip:
    """A round trip of half a second a leg; behind the broken leg nothing was reached."""
    legs = {
        "datastore": ("accepted", "stored"),
        "service": (
            "project-made", "accepted", "stored", "task-sent", "picked-up", "finished",
            "project-removed",
        ),
    }[level]  # fmt: skip
    hops, state = [], "ok"
    for leg in legs:
        now = "failed" if leg == broken else "ok" if leg == "project-removed" else state
        detail = "nobody started on it" if now == "failed" else ""
        seconds = {"failed": 15.0, "ok": 0.5}.get(now, 0.0)
        hops.append(Hop(leg=leg, state=now, seconds=seconds, detail=detail))  # type: ignore[arg-type]
        state = "not-reached" if now == "failed" else state
    project = "keptn-doctor-7f3a" if level == "service" else ""
    return RoundTrip(level=level, hops=tuple(hops), project=project, **fields)  # type: ignore[arg-type]


def travelled() -> Report:
    """A task came back from one service, was lost at another, and an event went to the store."""
    there = msgspec.structs.replace(connected(HELM), round_trip=trip("service"))
    lost = Verdict(
        service=JMETER, connection="degraded", because="Nobody picked up a task.",
        round_trip=trip(
            "service", "picked-up", left_behind=("a shipyard in the Git repository x",)
        ),
    )  # fmt: skip
    return report(
        exit_code=1, headline="Of 2 Keptn services, 1 degraded", verdicts=(there, lost),
        round_trip=trip("datastore", left_behind=("one event without a project",)),
    )  # fmt: skip


def healthy() -> Report:
    return report()


def one_broken() -> Report:
    """One endpoint unresolvable for two services, one of three fine, a warning and two gaps."""
    cause = RootCause(
        finding=name_unknown(),
        services=(HELM, JMETER),
        consequences=tuple(
            consequence(check, service, layer)
            for check, layer in (
                ("not-registered", Layer.REGISTRATION),
                ("pod-crash-looping", Layer.WORKLOAD),
            )
            for service in (HELM, JMETER)
        ),
        blocked=(unknown("api-token-rejected", HELM, "HttpAnswer"),),
    )
    warning = Finding(
        check="certificate-expires-soon", subject=ENDPOINT, status="fail", severity="warning",
        breaks="nothing", layer=Layer.TLS,
        summary="The certificate of keptn.example.com expires in 9 days, on 2026-03-10.",
    )  # fmt: skip
    return report(
        exit_code=1,
        headline="2 of 3 Keptn services are disconnected",
        verdicts=(broken_verdict(HELM), broken_verdict(JMETER), connected(JOBS)),
        causes=(cause,),
        warnings=(warning,),
        findings=(
            cause.finding, *cause.consequences, *cause.blocked, warning,
            judged("image-not-pulled", "pass"),
            judged("oauth-half-configured", "skip"),
            unknown("token-differs", HELM, "the token of the control plane's Secret"),
        ),
        coverage=(
            NotAttempted(
                probe="reference-token", subject="control-plane/keptn-cp", kind="right",
                reason="get secrets in namespace keptn is forbidden",
                unlock="grant get on secret keptn/keptn-api-token",
            ),
            NotAttempted(
                probe="probe-pod", subject="exec-a", reason="--probe-pod was not given",
                unlock="run again with --probe-pod",
            ),
        ),
        evidence=(
            Observation(
                id="dns/endpoint:http://keptn.example.com/api@inside:exec-a/keptn-exec/helm",
                probe="dns", subject=ENDPOINT, started_at=AT, duration_ms=31.2,
                vantage=Vantage(place="inside", pod="exec-a/keptn-exec/helm"),
                result=Failure(phase="resolve", code="name-unknown", detail="NXDOMAIN"),
            ),
            Observation(
                id=f"dns/{ENDPOINT}@operator", probe="dns", subject=ENDPOINT, started_at=AT,
                duration_ms=4.0, result=DnsAnswer(name="keptn.example.com", ipv4=("192.0.2.10",)),
            ),
        ),
    )  # fmt: skip


def forty_services() -> Report:
    """One cause, forty Keptn services, one plane."""
    services = tuple(f"exec-a/keptn-exec/integration-{n:02d}" for n in range(1, 41))
    cause = RootCause(
        finding=name_unknown(),
        services=services,
        consequences=tuple(consequence("not-registered", s, Layer.REGISTRATION) for s in services),
    )
    return report(
        exit_code=1,
        headline="40 of 40 Keptn services are disconnected",
        verdicts=tuple(broken_verdict(service) for service in services),
        causes=(cause,),
        findings=(cause.finding, *cause.consequences),
    )


def all_unknown() -> Report:
    verdict = Verdict(
        service=HELM,
        connection="unknown",
        because="The heartbeat is fresh, but two planes have a helm-service in keptn-exec and "
        "nothing tells whose heartbeat it is.",
        next_step="grant create on pods/portforward in exec-a/keptn-exec",
        row="19",
        ladder=ladder(2, then="unknown", rest="unknown"),
    )
    return report(
        exit_code=3,
        headline="1 of 1 Keptn service is unknown",
        verdicts=(verdict,),
        findings=(
            unknown("not-registered", HELM, "the list of integrations"),
            unknown("heartbeat-stale", HELM, "the list of integrations"),
            unknown("dns", HELM),
        ),
        coverage=tuple(
            NotAttempted(
                probe=probe, subject=HELM, kind="right", reason=f"{verb} is forbidden",
                unlock=f"grant {verb} in exec-a/keptn-exec",
            )
            for probe, verb in (("pod-log", "get pods/log"), ("local-api", "create portforward"))
        ),
    )  # fmt: skip


def failed_look(probe: str, subject: str, failure: Failure) -> Observation:
    return Observation(
        id=f"{probe}/{subject}#{failure.right}@operator",
        probe=probe,
        subject=subject,
        started_at=AT,
        result=failure,
    )


def denied(right: str) -> Failure:
    return Failure(phase="auth", code="forbidden", detail="User bob cannot", right=right)


def forbidden() -> Report:
    """Rights missing in one plane, another plane out of reach, and a failed look at the path."""
    everywhere = "in all namespaces"
    silent = Failure(phase="deadline", code="deadline-exceeded", detail="no answer in 15 s")
    refused = Failure(phase="connect", code="connection-refused", detail="connection refused")
    return report(
        exit_code=3,
        evidence=(
            failed_look("workload", "exec-a", denied(f"list deployments.apps {everywhere}")),
            failed_look("workload", "exec-a", denied(f"list daemonsets.apps {everywhere}")),
            failed_look("nodes", "exec-a", denied("list nodes")),
            failed_look("pod-log", HELM, denied("get pods/log in namespace keptn-exec")),
            failed_look("cluster", "exec-b", silent),
            failed_look("tcp", ENDPOINT, refused),
        ),
    )


def long_names() -> Report:
    plane = "arn:aws:eks:eu-central-1:123456789012:cluster/production-execution-plane-with-a-name"
    service = f"{plane}/keptn-execution-plane-of-the-payment-department/job-executor-service-canary"
    verdict = Verdict(
        service=service,
        connection="degraded",
        because="Polls are answered 200, but posting events is answered 413 by an ingress.",
        vantage="operator",
        causes=("body-too-large@" + service,),
        ladder=ladder(9, then="degraded", note="413"),
    )
    finding = Finding(
        check="body-too-large", subject=service, layer=Layer.DELIVERY, status="fail",
        breaks="degraded",
        summary="https://keptn.production.eu-central-1.payment.example.com:8443/prefix/api"
        " answers 413 to bodies over 64 KB.",
        remedy="Raise nginx.ingress.kubernetes.io/proxy-body-size to 1m on the Ingress.",
    )  # fmt: skip
    return report(
        exit_code=1,
        headline="1 of 1 Keptn service is degraded",
        verdicts=(verdict,),
        causes=(RootCause(finding=finding, services=(service,)),),
        findings=(finding,),
    )


def hostile() -> Report:
    """Text that the world controls: escape sequences, markup, XML, bidirectional marks."""
    evil = "\x1b[2J\x1b]0;owned\x07 <b>&]]> [red]bold[/red] \u202eevil\x00 :smile:"
    finding = Finding(check="odd-page", subject=HELM, status="fail", breaks="disconnected",
                      summary=f"Titled {evil}.", remedy=evil, command=evil)  # fmt: skip
    verdict = Verdict(service=HELM, connection="disconnected", because=evil,
                      causes=(f"odd-page@{HELM}",), ladder=ladder(5, then="broken"))  # fmt: skip
    return report(
        exit_code=1, headline="1 of 1 Keptn service is disconnected", verdicts=(verdict,),
        causes=(RootCause(finding=finding, services=(HELM,)),), findings=(finding,),
        coverage=(NotAttempted(probe="pod-log", subject=HELM, reason=evil, unlock=evil),),
        plugin_errors=(evil,),
    )  # fmt: skip


def interrupted() -> Report:
    return report(
        exit_code=130, headline="Interrupted: 1 of 1 Keptn service is unknown", interrupted=True,
        verdicts=(Verdict(service=HELM, connection="unknown", because="The run was stopped."),),
        created=2, remaining=1,
    )  # fmt: skip


def nothing_found() -> Report:
    return report(
        exit_code=3, headline="No Keptn service was found", verdicts=(), execution_planes=(),
        control_plane=ControlPlane(),
        coverage=(NotAttempted(probe="discover", subject="exec-a", kind="right",
                               reason="list deployments is forbidden", unlock="grant it"),),
    )  # fmt: skip


def suspected() -> Report:
    finding = Finding(
        check="egress-blocked",
        subject="exec-a",
        layer=Layer.CONNECT,
        status="fail",
        severity="warning",
        breaks="nothing",
        suspected=True,
        summary="A NetworkPolicy allows egress to port 443 only, and the endpoint is on port 80.",
        remedy="Allow egress to port 80.",
    )
    verdict = Verdict(
        service=HELM, connection="unknown", because="Nothing shows its own path.",
        causes=("egress-blocked@exec-a",),
    )  # fmt: skip
    return report(
        exit_code=3, headline="1 of 1 Keptn service is unknown", verdicts=(verdict,),
        causes=(RootCause(finding=finding, services=(HELM,)),), findings=(finding,),
    )  # fmt: skip


def shut_out() -> Report:
    finding = Finding(
        check="context-elsewhere", subject="control-plane/keptn", layer=Layer.ACCESS,
        status="fail", severity="warning", breaks="nothing",
        summary="Context cp leads to a cluster without Keptn.",
        remedy="Name the right context.", command="kubectl config get-contexts",
    )  # fmt: skip
    verdict = Verdict(service=HELM, connection="unknown", because="Nobody could be asked.")
    return report(
        exit_code=3, headline="1 of 1 Keptn service is unknown", verdicts=(verdict,),
        warnings=(finding,), findings=(finding,),
    )  # fmt: skip


def crashed() -> Report:
    finding = Finding(
        check="odd-check", subject=HELM, status="crash", summary="KeyError: 'x'", detail="line 7"
    )
    return report(findings=(finding,), plugin_errors=("acme_checks: No module named 'acme'",))


ALL = {
    "healthy": healthy,
    "travelled": travelled,
    "one_broken": one_broken,
    "forty_services": forty_services,
    "all_unknown": all_unknown,
    "long_names": long_names,
    "forbidden": forbidden,
    "hostile": hostile,
    "interrupted": interrupted,
    "nothing_found": nothing_found,
    "suspected": suspected,
    "shut_out": shut_out,
    "crashed": crashed,
}
