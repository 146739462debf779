"""Pieces of worlds that the tests of the engine share."""

from __future__ import annotations

from keptn_doctor.api import (
    Container,
    Failure,
    Hop,
    HttpAnswer,
    Integration,
    IntegrationListing,
    LocalApiAnswer,
    LogMatch,
    Pod,
    PodLog,
    PodProbe,
    RoundTrip,
    SdkHealth,
    Subscription,
    Workload,
)
from keptn_doctor.testing import NOW, ago, keptn_service, seen

ID = "ab" * 20
OTHER_ID = "cd" * 20
POD = "helm-service-7d9f-x"
CONTROL_PLANE = "control-plane/keptn"
TOPIC = "sh.keptn.event.deployment.triggered"
SERVICE = keptn_service()
FORBIDDEN = Failure(
    phase="kube", code="forbidden", detail="403", status=403,
    right="create pods/portforward in namespace keptn-exec",
)  # fmt: skip


def http(status, body="json", server="nginx", **fields):
    return HttpAnswer(
        url="http://127.0.0.1:8081/controlPlane/v1/uniform/registration", status=status,
        body=body, server=server, **fields,
    )  # fmt: skip


def local(status=200, body="json", service=SERVICE, poll=None, **fields):
    origin = "distributor" if status == 500 and body == "empty" else "keptn"
    answer = http(status, body, server="" if origin == "distributor" else "nginx")
    fact = LocalApiAnswer(
        pod=POD, port=8081, registration=answer, poll=poll, origin=origin, **fields
    )
    return seen(service, fact, pod=POD)


def record(age=4.0, key=ID, name="helm-service", events=(TOPIC,), **fields):
    return Integration(
        id=key, name=name, namespace="keptn-exec", last_seen=None if age is None else ago(age),
        subscriptions=tuple(Subscription(id=f"s{n}", event=e) for n, e in enumerate(events)),
        **fields,
    )  # fmt: skip


def listing(*records):
    return seen(CONTROL_PLANE, IntegrationListing(integrations=records, server_time=NOW))


def line(event, cause="", *, age=5.0, signature="dist.hb.fail.014", count=3, text=""):
    return LogMatch(
        signature=signature, event=event, cause=cause, strength="decisive",
        text=text or f"{event}: {cause}", count=count, first_at=ago(age + 60), last_at=ago(age),
    )  # fmt: skip


REGISTERED = LogMatch(
    signature="dist.reg.ok", event="ok", strength="supporting", last_at=ago(7000),
    text=f"Registered Keptn Integration with id {ID}",
)  # fmt: skip


def log(*lines, ids=(), service=SERVICE, **fields):
    fact = PodLog(
        pod=POD, container=service.container, lines=100, read_at=NOW, matches=lines,
        registration_ids=ids, **fields,
    )  # fmt: skip
    return seen(service, fact, part="previous" if fact.previous else "")


def pod(state="running", *, name="distributor", reason="", started=7200.0, created=None, **fields):
    client = Container(
        name=name, state=state, reason=reason,
        started_at=ago(started) if state == "running" else None, **fields,
    )  # fmt: skip
    age = created if created is not None else max(started, 7200.0)
    return Pod(
        namespace="keptn-exec", name=POD, phase="Running", created_at=ago(age),
        containers=(client,),
    )  # fmt: skip


def workload(*pods, desired=1, service=SERVICE):
    fact = Workload(
        workload_kind="Deployment", namespace=service.namespace, name=service.name,
        desired=desired, pods=pods,
    )  # fmt: skip
    return seen(service, fact)


def probe(service=SERVICE, **fields):
    """A probe pod's look; every rung holds that is not said to fail."""
    rungs = {"resolve": "ok", "addresses": ("203.0.113.20",), "connect": "ok"}
    fact = PodProbe(pod="keptn-doctor-1", **{**rungs, **fields})
    return seen(service, fact, pod="keptn-doctor-1")


def trip(service=SERVICE, **states):
    """A round trip to a service; every leg holds that is not said to be in another state."""
    legs = ("project-made", "accepted", "stored", "task-sent", "picked-up", "finished",
            "project-removed")  # fmt: skip
    hops = tuple(
        Hop(leg=leg, state=states.get(leg.replace("-", "_"), "ok"), seconds=0.5) for leg in legs
    )
    fact = RoundTrip(
        level="service", hops=hops, context="c", task=TOPIC, answered_by=(service.name,)
    )
    return seen(service, fact)


def health(status, service=SERVICE):
    return seen(service, SdkHealth(pod=POD, port=8080, status=status), pod=POD)
