"""All clients of a world: their calls in the order in which they would have happened.

Who registers first decides whose subscriptions a shared record has, so registrations are made one
after the other, oldest process first; the other calls do not disturb each other and run together.
Afterwards the derived heartbeats are put into the uniform, the derived requests into the gateways'
logs and rate limiters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatch

from keptn_doctor.lab.clients.calls import OK, Caller, Calls, Outcome, environment, payload, topics
from keptn_doctor.lab.clients.client import ClientRun, PodRun, traffic_spans
from keptn_doctor.lab.clients.defects import endpoint_defect, registration_skipped
from keptn_doctor.lab.clients.go_http import Pod
from keptn_doctor.lab.clients.go_resolver import Asked, Resolved, Resolver
from keptn_doctor.lab.clients.history import Phase
from keptn_doctor.lab.clients.log import Writer
from keptn_doctor.lab.clients.rules import malformed_variable, rules_of
from keptn_doctor.lab.keptn.gateway import Gateway
from keptn_doctor.lab.keptn.limiter import Load
from keptn_doctor.lab.keptn.registrations import (
    NEVER,
    IncompleteIdentityError,
    Pulse,
    Registration,
    with_ids,
)
from keptn_doctor.lab.keptn.shipyard import registration_of
from keptn_doctor.lab.keptn.state import MONGODB_CREDENTIALS
from keptn_doctor.lab.keptn.traffic import heard_by, limited, traffic_of
from keptn_doctor.lab.network.certificates import trusted_pem
from keptn_doctor.lab.network.dns import NameServer
from keptn_doctor.lab.network.routes import policies
from keptn_doctor.lab.network.wire import Wire
from keptn_doctor.lab.settings import (
    ClientSettings,
    PodSettings,
    SimulationSettings,
    SubscriptionSettings,
)

_WINDOW = timedelta(minutes=20)
_MOST_SAMPLES = 12
_TOGETHER = 8
_MOST_SUBSCRIPTIONS = 64


class Rehearsal:
    """The clients of one world, from their settings to their runs."""

    def __init__(
        self,
        settings: SimulationSettings,
        *,
        wire: Wire,
        gateways: Mapping[str, Gateway],
        name_servers: Mapping[str, NameServer],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._wire = wire
        self._gateways = gateways
        self._name_servers = name_servers
        self._clock = clock
        self._now = clock()
        self._samples = _samples(settings)
        self._names: dict[str, dict[Asked, Resolved]] = {}

    async def run(self) -> tuple[ClientRun, ...]:
        """Everything: rehearse, derive, leave the traces."""
        runs = tuple(
            ClientRun(settings=c, pods=tuple(self._pod(c, pod) for pod in c.pods))
            for c in self._settings.clients
        )
        pods = sorted((p for r in runs for p in r.pods), key=self._begin)
        for pod in pods:
            self._remember(pod)
        for pod in pods:
            await self._register(pod)
        self._edit()
        await self._together(pods, self._rest)
        await self._delete(pods)
        self._derive(pods)
        self._contend(pods)
        self._leave_traces(pods)
        for pod in pods:
            pod.open_ports()
        return runs

    # --- one client

    def _pod(self, settings: ClientSettings, pod: PodSettings) -> PodRun:
        rules = rules_of(settings)
        service = f"{settings.namespace}/{settings.name}"
        env = environment(settings, pod)
        blocked = [
            p.dns for p in policies(self._settings, settings.plane, service) if p.dns != "allow"
        ]
        resolver = Resolver(
            server=self._name_servers[settings.plane],
            namespace=settings.namespace,
            pod_ip=pod.ip,
            kind=settings.resolver,
            reachable=blocked[0] if blocked else "allow",
            remembered=self._remembered(settings.plane),
        )
        place = Pod(
            wire=self._wire,
            resolver=resolver,
            vantage=settings.plane,
            service=service,
            subject=f"{settings.plane}/{service}/{pod.name}",
            environment=env,
            trusted_pem=trusted_pem(corporate=settings.trusts_corporate_ca),
            clock=self._clock,
        )
        caller = Caller(settings, pod, rules, place)
        writer = Writer(settings=settings, pod=pod, rules=rules, env=env)
        return PodRun(pod=pod, caller=caller, writer=writer, clock=self._clock)

    def _remembered(self, plane: str) -> dict[Asked, Resolved] | None:
        """What the pods of a plane have looked up already, unless some queries go astray."""
        if any(rule.every > 1 for rule in self._name_servers[plane].view.rules):
            return None
        return self._names.setdefault(plane, {})

    def _begin(self, pod: PodRun) -> datetime:
        """When the present pods were started; a rollout replaces them."""
        settings = pod.caller.settings
        ago = settings.running_for_s
        until = self._until_ago(settings)
        if until is not None and settings.changed_by == "rollout":
            ago = min(ago, until)
        return self._now - timedelta(seconds=ago)

    def _until_ago(self, settings: ClientSettings) -> float | None:
        """How long ago the client stopped being connected; a broken MongoDB counts for all."""
        if settings.connected_until_ago_s is not None:
            return settings.connected_until_ago_s
        store = self._settings.control_planes[0].store
        broken = store.mongodb != "up" and store.mongodb_ago_s < settings.running_for_s
        return store.mongodb_ago_s if broken else None

    def _end(self, pod: PodRun) -> datetime:
        stopped = pod.caller.settings.stopped_ago_s
        return self._now if stopped is None else self._now - timedelta(seconds=stopped)

    # --- before the present

    def _remember(self, pod: PodRun) -> None:
        """Registrations of the time when the client still was connected, and of earlier runs."""
        settings = pod.caller.settings
        until = self._until_ago(settings)
        if until is None and not settings.registered_before:
            return
        at = self._now - timedelta(seconds=settings.running_for_s)
        record = self._made_earlier(pod, at)
        if record is None or until is None:
            return
        record.pulses.extend(self._earlier_beats(pod, at, until))
        calls = Calls(
            integration_id=record.id,
            subscriptions=self._followed(pod, record),
            register=OK,
            pings=(OK,),
        )
        if settings.changed_by == "world":
            end = self._now - timedelta(seconds=until)
            pod.phases = (Phase(begin=at, end=end, calls=calls),)

    def _made_earlier(self, pod: PodRun, at: datetime) -> Registration | None:
        uniform = self._gateways[self._settings.control_planes[0].name].state.uniform
        caller = pod.caller
        wanted = registration_of(payload(caller.pod, caller.rules, caller.env), at=at)
        try:
            record, _ = uniform.register(wanted, at, rehearsal=True)
        except IncompleteIdentityError:
            return None
        record.touched = max(record.touched, at)
        return record

    def _earlier_beats(self, pod: PodRun, begin: datetime, until_ago: float) -> Iterator[Pulse]:
        yield Pulse(
            begin=begin,
            period_s=pod.rules.heartbeat_s,
            end=self._now - timedelta(seconds=until_ago),
        )

    def _followed(self, pod: PodRun, record: Registration) -> tuple[SubscriptionSettings, ...]:
        if pod.rules.polls_environment:
            return topics(pod.caller.env)
        return record.subscriptions[:_MOST_SUBSCRIPTIONS]

    # --- the present

    async def _register(self, pod: PodRun) -> None:
        caller, rules = pod.caller, pod.rules
        begin = pod.phases[-1].end if pod.phases else self._begin(pod)
        calls = Calls()
        pod.phases = (*pod.phases, Phase(begin=begin or self._now, end=None, calls=calls))
        calls.fatal = malformed_variable(rules, caller.env)
        defect = endpoint_defect(rules, caller.endpoint)
        calls.fatal = calls.fatal or defect.at_once
        calls.fatal_later, calls.panics = defect.later, defect.panics
        calls.skipped = registration_skipped(rules, caller.env)
        if calls.fatal or caller.settings.stopped_ago_s is not None:
            return await self._stopped(pod, calls)
        problem = await caller.discover()
        if problem:
            calls.fatal = f"Could not initialize http client.\t{problem}"
            return None
        if rules.heartbeat != "none" and not calls.skipped:
            await self._try_to_register(caller, calls)
        return None

    async def _try_to_register(self, caller: Caller, calls: Calls) -> None:
        """Once; where only every n-th call fails, until it works: a restart would do the same.

        Who could not register at its start tries again or ends, and it all comes right, but for the
        versions that go on without an id.
        """
        if caller.settings.started_without_keptn and caller.rules.when_refused == "empty-id":
            calls.register = Outcome(ok=False, status=500, text=MONGODB_CREDENTIALS)
            return
        for _ in range(self._samples):
            calls.register, calls.integration_id = await caller.register()
            if calls.register.ok:
                return

    async def _stopped(self, pod: PodRun, calls: Calls) -> None:
        """A workload that is gone had been fine until then: its record is all that stays."""
        if calls.fatal or pod.rules.version < (0, 9, 0):  # 0.8 unregisters on shutdown
            return
        record = self._made_earlier(pod, self._begin(pod))
        if record is not None:
            calls.integration_id = record.id
            calls.subscriptions = self._followed(pod, record)

    async def _rest(self, pod: PodRun) -> None:
        """Heartbeat, polls and an event, with what registration gave."""
        calls, caller = pod.phases[-1].calls, pod.caller
        if calls.fatal or caller.settings.stopped_ago_s is not None:
            return
        known = calls.integration_id or self._earlier_id(pod)
        if not caller.endpoint:
            calls.nats = await caller.nats()
        if calls.skipped or pod.rules.heartbeat == "none":
            calls.subscriptions = topics(caller.env) if pod.rules.polls_environment else ()
        elif pod.rules.heartbeat == "ping":
            await self._ping(pod, calls, known)
        else:
            calls.subscriptions = topics(caller.env)
        if caller.endpoint:
            await self._poll(pod, calls)

    def _earlier_id(self, pod: PodRun) -> str:
        """The id that the process still holds from before the change."""
        return pod.phases[0].calls.integration_id if len(pod.phases) > 1 else ""

    async def _ping(self, pod: PodRun, calls: Calls, integration_id: str) -> None:
        outcomes = []
        for _ in range(self._samples):
            outcome, record = await pod.caller.ping(integration_id)
            outcomes.append(outcome)
            if outcome.ok:
                calls.subscriptions = _subscriptions(record)
        calls.pings = tuple(outcomes)
        if not calls.subscriptions and len(pod.phases) > 1:
            calls.subscriptions = pod.phases[0].calls.subscriptions  # last known ones

    async def _poll(self, pod: PodRun, calls: Calls) -> None:
        for subscription in calls.subscriptions:
            outcomes = [await pod.caller.poll(subscription) for _ in range(self._samples)]
            key = subscription.id or subscription.event
            calls.polls[key] = tuple(outcomes)
            calls.handled[key] = self._handled(subscription)
        offered = any(b'"id"' in o.body for outcomes in calls.polls.values() for o in outcomes)
        service = pod.caller.settings.service
        if (offered or any(calls.handled.values())) and service.sends_events:
            task = calls.subscriptions[0].event.removesuffix(".triggered")
            calls.send = await pod.caller.send_event(
                f"{task}.finished",
                missing=service.event_fields_missing,
                size=service.resource_bytes,
            )

    def _handled(self, subscription: SubscriptionSettings) -> tuple[tuple[str, datetime], ...]:
        """Events of the past that a subscription matched and that are not open any more."""
        state = self._gateways[self._settings.control_planes[0].name].state
        still = {event.id for event in state.controller.open}
        wanted = {
            "project": subscription.projects,
            "stage": subscription.stages,
            "service": subscription.services,
        }
        return tuple(
            (event.id, event.time)
            for event in state.events
            if event.type == subscription.event
            and event.id not in still
            and all(not v or event.data.get(k) in v for k, v in wanted.items())
        )

    async def _together(
        self, pods: list[PodRun], work: Callable[[PodRun], Awaitable[None]]
    ) -> None:
        gate = asyncio.Semaphore(1 if self._samples > 1 else _TOGETHER)

        async def one(pod: PodRun) -> None:
            async with gate:
                await work(pod)

        await asyncio.gather(*(one(pod) for pod in pods))

    # --- changes made in Bridge, by hand, or by a wiped database

    def _edit(self) -> None:
        for gateway in self._gateways.values():
            for edit in gateway.state.settings.edited:
                for record in gateway.state.uniform.matching(edit.name, edit.namespace, self._now):
                    record.subscriptions = with_ids(edit.subscriptions)

    async def _delete(self, pods: list[PodRun]) -> None:
        """Take records away under their clients, and let those meet the consequences."""
        hit: dict[int, datetime] = {}
        for gateway in self._gateways.values():
            uniform = gateway.state.uniform
            for gone in gateway.state.settings.deleted:
                at = self._now - timedelta(seconds=gone.ago_s)
                for index, pod in enumerate(pods):
                    caller = pod.caller
                    same = (
                        fnmatch(caller.settings.name, gone.name)
                        and fnmatch(caller.settings.namespace, gone.namespace)
                        and fnmatch(caller.settings.plane, gone.plane)
                    )
                    if same and uniform.delete(pod.phases[-1].calls.integration_id):
                        hit[index] = at
                for record in uniform.matching(gone.name, gone.namespace, self._now):
                    if gone.plane == "*":
                        uniform.delete(record.id)
        for index, at in hit.items():
            await self._bereaved(pods[index], at)

    async def _bereaved(self, pod: PodRun, at: datetime) -> None:
        before = pod.phases[-1]
        calls = replace(before.calls, polls={})
        pod.phases = (
            *pod.phases[:-1],
            replace(before, end=at),
            Phase(begin=at, end=None, calls=calls),
        )
        if pod.rules.heartbeat == "ping":
            outcome, _ = await pod.caller.ping(before.calls.integration_id)
            calls.pings = (outcome,)
        if (
            pod.rules.kind == "sdk"
            or pod.rules.most_heartbeats
            or pod.rules.heartbeat == "reregister"
        ):
            calls.register, calls.integration_id = await pod.caller.register()
            await self._return(pod, calls, at)
        else:
            await self._poll(pod, calls)

    async def _return(self, pod: PodRun, calls: Calls, at: datetime) -> None:
        """Until the process has given up heartbeats fail; after its restart all is new."""
        if pod.rules.heartbeat == "reregister":
            await self._poll(pod, calls)
            return
        meanwhile = replace(calls)
        await self._ping(pod, calls, calls.integration_id)
        await self._poll(pod, calls)
        meanwhile.polls, meanwhile.subscriptions = calls.polls, calls.subscriptions
        earlier = pod.phases[:-1]
        pod.phases = (*earlier, Phase(begin=at, end=None, calls=meanwhile))
        pod.derive(self._begin(pod), self._end(pod))
        back = next(
            (p.end for p in pod.history.processes if p.end is not None and p.end > at), None
        )
        if back is not None:
            pod.phases = (
                *earlier,
                Phase(begin=at, end=back, calls=meanwhile),
                Phase(begin=back, end=None, calls=calls),
            )

    # --- what follows

    def _derive(self, pods: list[PodRun]) -> None:
        for pod in pods:
            pod.derive(self._begin(pod), self._end(pod))

    def _contend(self, pods: list[PodRun]) -> None:
        """Let the clients' authentication requests meet in the rate limiters."""
        for gateway in self._gateways.values():
            limiter = gateway.state.limiter
            limiter.loads.extend(self._loads(gateway, pods))
            if all(load.valid for load in limiter.loads):
                continue
            refused = limiter.refused(self._now - _WINDOW, self._now)
            for pod in pods:
                mine = [x for x in limiter.loads if x.of == pod.caller.place.subject]
                sent = sum(1 for x in mine for _ in x.between(self._now - _WINDOW, self._now))
                share = len(refused.get(pod.caller.place.subject, ())) / sent if sent else 0.0
                if share:
                    limited(pod, share, gateway)
                    pod.derive(self._begin(pod), self._end(pod))

    def _loads(self, gateway: Gateway, pods: list[PodRun]) -> Iterator[Load]:
        for other in gateway.state.settings.auth_load:
            by_client = gateway.state.limiter.keyed_by_client()
            yield Load(
                key=other.source if by_client else "gateway",
                valid=other.valid,
                of="others",
                begin=self._now - _WINDOW,
                period_s=1 / max(other.per_second, 0.01),
            )
        for pod in pods:
            known = gateway.state.auth_keys.get(pod.caller.place.subject)
            if known is None or pod.stopped:
                continue
            key, valid = known
            for span in traffic_spans(pod, self._now - _WINDOW):
                if span.end is None:
                    yield Load(
                        key=key,
                        begin=span.begin,
                        period_s=span.period_s,
                        valid=valid,
                        of=pod.caller.place.subject,
                    )

    def _leave_traces(self, pods: list[PodRun]) -> None:
        beats: dict[str, list[Pulse]] = {}
        for pod in pods:
            for record_id, pulse in pod.pulses():
                beats.setdefault(record_id, []).append(pulse)
        for gateway in self._gateways.values():
            for record_id, pulses in beats.items():
                # all at once: with its first beat alone a record of 0.8.7 would be too old to keep
                record = gateway.state.uniform.get(record_id, self._now)
                if record is not None:
                    record.pulses.extend(pulses)
            gateway.state.uniform.settle()
            heard = heard_by(gateway)
            for pod in pods:
                gateway.traffic.extend(traffic_of(heard, pod, since=self._now - _WINDOW))


def _samples(settings: SimulationSettings) -> int:
    """How often each call is made: once, unless a lever hits only every n-th."""
    periods = [b.every for cp in settings.control_planes for b in cp.backends]
    periods += [hop.every for listener in settings.listeners for hop in listener.hops]
    periods += [rule.every for view in settings.dns.views for rule in view.rules]
    return min(max(periods, default=1), _MOST_SAMPLES)


def _subscriptions(record: Mapping[str, object]) -> tuple[SubscriptionSettings, ...]:
    return registration_of(dict(record), at=NEVER).subscriptions[:_MOST_SUBSCRIPTIONS]
