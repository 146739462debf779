"""Rows of the evidence table on what the service's own requests come to: the strongest evidence.

The same process, endpoint, token, TLS settings and proxy as its polls, asked for the list of
registrations through its own API proxy.
"""

from __future__ import annotations

from keptn_doctor.judgement.attribution import (
    is_same_list,
    known_integrations,
    shown_integrations,
    spoken_age,
)
from keptn_doctor.judgement.evidence import ServiceEvidence, local_answers
from keptn_doctor.judgement.evidence_table_words import Ruling, only, own_request, settled
from keptn_doctor.model.path_facts import HttpAnswer


def token_refused(e: ServiceEvidence) -> Ruling | None:
    if only(e, "refused"):
        return own_request(e, "disconnected", "The control plane refuses its token (401).")
    return None


def path_wrong(e: ServiceEvidence) -> Ruling | None:
    if not only(e, "path"):
        return None
    status = e.local[0].registration.status
    return own_request(
        e, "disconnected", f"Its requests reach a server that knows no such path ({status})."
    )


def not_keptn(e: ServiceEvidence) -> Ruling | None:
    if not only(e, "not-keptn", "other"):
        return None
    status = e.local[0].registration.status
    return own_request(
        e, "disconnected", f"Something that is not Keptn answers its requests ({status})."
    )


def never_arrived(e: ServiceEvidence) -> Ruling | None:
    if not only(e, "unreached"):
        return None
    if e.fresh.state == "fresh" and e.record.strength != "shared":
        because = (
            "It is registered but deaf: heartbeats arrive, yet its polls do not reach the "
            "control plane."
        )
    else:
        because = "Its requests do not reach the control plane."
    return own_request(e, "disconnected", because)


def gateway_errors(e: ServiceEvidence) -> Ruling | None:
    if not only(e, "gateway-error"):
        return None
    status = e.local[0].registration.status
    if e.fresh.state == "fresh" and e.record.strength != "shared":
        return own_request(
            e, "degraded",
            f"Its requests are answered with {status} now, though a heartbeat came through "
            f"{spoken_age(e.fresh.age_s)} ago.",
        )  # fmt: skip
    return own_request(
        e, "disconnected", f"The gateway is reached but answers every request with {status}."
    )


def deaf(e: ServiceEvidence) -> Ruling | None:
    """It may list registrations, and none of its polls is let through: no passing trouble."""
    looks = [(local, local_answers(local)) for local in e.local]
    turned_away = ("refused", "path", "not-keptn", "other")
    if not looks or any(a[0] != "ok" or a[-1] not in turned_away for _, a in looks):
        return None
    poll = looks[0][0].poll
    told = f" ({poll.status})" if isinstance(poll, HttpAnswer) else ""
    return own_request(
        e, "disconnected", f"It is registered but deaf: its polls are turned away{told}."
    )


def mixed_answers(e: ServiceEvidence) -> Ruling | None:
    if len(e.answers) < 2:
        return None
    if "ok" in e.answers:
        bad = ", ".join(kind for kind in e.answers if kind != "ok")
        return own_request(e, "degraded", f"Some of its requests work and some do not ({bad}).")
    return own_request(e, "disconnected", f"None of its requests works ({', '.join(e.answers)}).")


def no_uniform(e: ServiceEvidence) -> Ruling | None:
    if not only(e, "no-uniform"):
        return None
    if e.service.behaviour.polls_without_registration and e.listing is not None:
        return own_request(e, "degraded", "Its polls are answered, its registrations are not.")
    if e.service.behaviour.polls_without_registration:
        return own_request(
            e, "connected", "Its polls are answered; this control plane keeps no registrations."
        )
    return own_request(
        e, "disconnected",
        "The control plane has no registration API, without which this client polls nothing.",
    )  # fmt: skip


def other_control_plane(e: ServiceEvidence) -> Ruling | None:
    if not only(e, "ok") or e.listing is None:
        return None
    listing = e.listing
    looks = [(shown_integrations(local), known_integrations(local, listing)) for local in e.local]
    pairs = [(shown, known) for shown, known in looks if shown is not None]
    if not listing.integrations or not pairs:
        return None
    if any(is_same_list(shown, known) for shown, known in pairs):
        return None
    if not any(shown for shown, _ in pairs) and not settled(e):
        return None
    shown, known = pairs[0]
    name = f" named {e.local[0].only_name}" if e.local[0].only_name else ""
    return own_request(
        e, "disconnected",
        f"It talks to another control plane: of the {len(known)} integrations{name} that this one "
        f"knows, it is shown {len(shown & known) or 'none'}.",
    )  # fmt: skip


def probe_stops(e: ServiceEvidence) -> Ruling | None:
    """A pod with its names, policies and proxy does not get there; nothing says that it does."""
    stop = next((probe.stopped_at for probe in e.probes if probe.stopped_at), "")
    registered = any(health.status == 200 for health in e.health)
    if not stop or e.local or registered or e.alive:
        return None
    return Ruling(
        connection="disconnected",
        because=f"A probe pod beside it does not reach the control plane ({stop}).",
        proof="a probe pod's look, rung by rung",
        vantage=f"inside:{e.service.plane}/{e.service.namespace}/{e.probes[0].pod}",
    )
