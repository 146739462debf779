"""One simulated Keptn as its settings have it, put together before any client has called."""

from __future__ import annotations

import hashlib
import secrets
import string
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from keptn_doctor.lab.keptn.datastore import Documents
from keptn_doctor.lab.keptn.events import Event
from keptn_doctor.lab.keptn.limiter import AuthLimiter
from keptn_doctor.lab.keptn.messaging import publish
from keptn_doctor.lab.keptn.own_tasks import OwnTasks
from keptn_doctor.lab.keptn.projects import shipyard_of
from keptn_doctor.lab.keptn.registrations import (
    IncompleteIdentityError,
    Uniform,
    of_earlier_days,
    own_services,
)
from keptn_doctor.lab.keptn.releases import Release, release
from keptn_doctor.lab.keptn.sequence_states import SequenceStates
from keptn_doctor.lab.keptn.sequences import SequenceController
from keptn_doctor.lab.keptn.state import KeptnState
from keptn_doctor.lab.settings import ControlPlaneSettings, EventSettings, StoreSettings


def new_token() -> str:
    """45 random alphanumerics, as the chart makes them."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(45))


def build(settings: ControlPlaneSettings, *, clock: Callable[[], datetime]) -> KeptnState:
    """The state as the scenario has it, before any client has called."""
    now = clock()
    version = release(settings.version)
    uniform = Uniform(version, ttl_s=settings.registration_ttl_s)
    limiter = AuthLimiter(
        version=version,
        rate_per_s=settings.auth_rate_per_s,
        burst=settings.auth_burst,
        enabled=settings.auth_limit_enabled,
    )
    state = KeptnState(
        settings=settings,
        version=version,
        token=settings.token or new_token(),
        uniform=uniform,
        limiter=limiter,
        started=now,
        documents=Documents(_past_event(event, now) for event in settings.events),
        controller=_controller(settings, version, clock, lambda: state),
        projects={p.name: p for p in settings.projects},
        secrets=["keptn-api-token"],
        git_credentials={p.name for p in settings.projects if p.upstream != "none"},
    )
    state.controller.open.extend(_past_event(e, now) for e in settings.events if e.open)
    if settings.own_services:
        state.listeners.append(OwnTasks(state).hear)
    _remember(state, now)
    freeze(state, settings.store, now)
    return state


def _controller(
    settings: ControlPlaneSettings,
    version: Release,
    clock: Callable[[], datetime],
    state: Callable[[], KeptnState],
) -> SequenceController:
    def busy(project: str, stage: str, service: str) -> bool:
        """A sequence of earlier days that the scenario says has started and not ended."""
        return any(
            (s.project, s.stage, s.service, s.state) == (project, stage, service, "started")
            for s in settings.sequences
        )

    def slow(project: str) -> bool:
        known = state().projects.get(project)
        return known is not None and known.upstream == "slow"

    def opened(event: Event) -> None:
        for wake in state().task_listeners:
            wake(event)

    return SequenceController(
        version=version,
        settings=settings.delivery,
        clock=clock,
        publish=lambda event: publish(state(), event),
        shipyard_of=lambda project: shipyard_of(state(), project),
        slow_upstream=slow,
        opened=opened,
        busy=busy,
        states=SequenceStates(version),
    )


def _remember(state: KeptnState, now: datetime) -> None:
    """Registrations of Keptn's own services and of earlier days."""
    settings, version, uniform = state.settings, state.version, state.uniform
    own = tuple(
        msgspec.structs.replace(record, namespace=settings.namespace)
        for record in (own_services(version) if settings.own_services else ())
    )
    for record in (*own, *settings.registrations):
        kept = of_earlier_days(record, now=now)
        try:
            registered, new = uniform.register(kept, kept.touched)
        except IncompleteIdentityError:
            continue
        if not new:  # the scenario wants two records; an id of its own keeps them apart
            twin = replace(
                kept,
                id=hashlib.sha1(
                    f"{registered.id}{kept.node}{kept.pod}".encode(), usedforsecurity=False
                ).hexdigest(),
            )
            uniform.keep(twin)


def freeze(state: KeptnState, store: StoreSettings, now: datetime) -> None:
    """With a MongoDB that takes no writes, every lastseen stands still at the same time."""
    if store.mongodb != "up":
        state.uniform.frozen_at = now - timedelta(seconds=store.mongodb_ago_s)


def _past_event(settings: EventSettings, now: datetime) -> Event:
    time = now - timedelta(seconds=settings.ago_s)
    seed = f"{settings.type}|{settings.project}|{settings.stage}|{settings.ago_s}"
    return Event(
        id=settings.id or str(uuid.uuid5(uuid.NAMESPACE_OID, seed)),
        type=settings.type,
        source=settings.source,
        time=time,
        context=settings.context or str(uuid.uuid5(uuid.NAMESPACE_URL, seed)),
        triggered_id=settings.triggered_id,
        data={"project": settings.project, "stage": settings.stage, "service": settings.service}
        if settings.project
        else {},
    )
