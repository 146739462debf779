"""The same rung seen from two places: the operator's machine and inside the execution plane.

Pure. It lays side by side what was seen anyway and says where the two differ; that difference is
the diagnosis of everything that "works here but not there". It decides no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator

from keptn_doctor.judgement.evidence import ServiceEvidence, local_answers
from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import LogMatch, PodProbe
from keptn_doctor.model.path_facts import DnsAnswer, GatewayAnswers, TcpConnection, TlsSession
from keptn_doctor.model.report import Comparison, PathRung
from keptn_doctor.reading.log import ongoing

RUNGS: tuple[PathRung, ...] = ("resolve", "connect", "tls", "http")
_WORKS = "ok"
_REACHED = {"keptn": "Keptn answers", "other": "something else answers", "nobody": "no answer"}
_TOLD_BY_LOG: dict[str, tuple[PathRung, str]] = {
    "dns": ("resolve", "does not resolve"),
    "tcp_refused": ("connect", "connection-refused"),
    "tcp_timeout": ("connect", "connect-timeout"),
    "tcp_reset": ("connect", "connection-reset"),
    "tls_untrusted": ("tls", "certificate-untrusted"),
    "tls_protocol": ("tls", "not-tls"),
}


class View(Record, frozen=True, kw_only=True):
    """One rung from one place: whether it held, in which words, and what can be told apart."""

    held: bool
    words: str
    values: tuple[str, ...] = ()


def compare(e: ServiceEvidence) -> tuple[Comparison, ...]:
    """Every rung that was looked at from either place, low to high."""
    outside = _outside(e)
    inside, vantage = _inside(e)
    return tuple(
        Comparison(
            rung=rung,
            operator=outside[rung].words if rung in outside else "",
            inside=inside[rung].words if rung in inside else "",
            vantage=vantage if rung in inside else "",
            differs=_differ(outside.get(rung), inside.get(rung)),
        )
        for rung in RUNGS
        if rung in outside or rung in inside
    )


def _differ(one: View | None, other: View | None) -> bool:
    if one is None or other is None:
        return False
    if one.held != other.held:
        return True
    both = one.values and other.values
    return bool(both) and not set(one.values) & set(other.values)


# ------------------------------------------------------------------ from the operator's machine


def _outside(e: ServiceEvidence) -> dict[PathRung, View]:
    found: dict[PathRung, View] = {}
    for fact in e.outside:
        match fact:
            case DnsAnswer():
                if not fact.literal:
                    words = ", ".join(fact.addresses)
                    found["resolve"] = View(held=True, words=words, values=fact.addresses)
            case TcpConnection():
                found["connect"] = View(held=True, words=_WORKS)
            case TlsSession():
                found["tls"] = View(held=True, words=fact.problem or _WORKS)
            case GatewayAnswers():
                held = fact.reached != "nobody"
                words = _REACHED[fact.reached]
                found["http"] = View(held=held, words=words, values=(fact.reached,) if held else ())
            case Failure():
                rung = _rung_of(fact)
                if rung is not None:
                    found.setdefault(rung, View(held=False, words=fact.code))
    return found


def _rung_of(failure: Failure) -> PathRung | None:
    return next((rung for rung in RUNGS if rung == failure.phase), None)


# ------------------------------------------------------------------ from inside the plane


def _inside(e: ServiceEvidence) -> tuple[dict[PathRung, View], str]:
    """The rungs and their vantage: a probe pod's own look, then own requests, then the log."""
    place = f"inside:{e.service.plane}/{e.service.namespace}"
    if e.probes and not e.probes[0].proxy:
        return dict(_by_probe(e.probes[0])), f"{place}/{e.probes[0].pod}"
    if e.local and "unreached" not in e.answers:
        return dict(_by_answer(e)), f"{place}/{e.local[0].pod}"
    told = [match for match in ongoing(e.logs) if match.cause in _TOLD_BY_LOG]
    if told and e.logs:
        return dict(_by_log(told[0])), f"{place}/{e.logs[0].pod}"
    return {}, ""


def _by_probe(probe: PodProbe) -> Iterator[tuple[PathRung, View]]:
    if probe.resolve == _WORKS:
        words = ", ".join(probe.addresses)
        yield "resolve", View(held=True, words=words, values=probe.addresses)
    elif probe.resolve:
        yield "resolve", View(held=False, words=probe.resolve)
    if probe.connect:
        yield "connect", View(held=probe.connect == _WORKS, words=probe.connect)
    if probe.tls:
        yield "tls", View(held=probe.tls == _WORKS, words=probe.tls)
    if probe.http_status is not None:
        yield "http", View(held=True, words=f"answers {probe.http_status}")
    elif probe.http:
        yield "http", View(held=False, words=probe.http)


def _by_answer(e: ServiceEvidence) -> Iterator[tuple[PathRung, View]]:
    """An answer proves every rung below it, without telling its values."""
    local = e.local[0]
    secure = e.endpoint is not None and e.endpoint.scheme == "https"
    for rung in RUNGS[: 3 if secure else 2]:
        yield rung, View(held=True, words=_WORKS)
    other = "not-keptn" in local_answers(local)
    reached = "other" if other else "keptn"
    words = f"{_REACHED[reached]} ({local.registration.status})"
    yield "http", View(held=True, words=words, values=(reached,))


def _by_log(match: LogMatch) -> Iterator[tuple[PathRung, View]]:
    rung, words = _TOLD_BY_LOG[match.cause]
    if rung != "resolve" and "dialled" in match.captures:
        dialled = match.captures["dialled"]
        yield "resolve", View(held=True, words=dialled, values=(dialled,))
    if rung == "tls":
        yield "connect", View(held=True, words=_WORKS)
    yield rung, View(held=False, words=words)
