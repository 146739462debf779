"""The hop ladder of a Keptn service in one short cell and in words.

Ten signs under each other show forty Keptn services breaking at the same rung; the words beside
them say which rung it is, because nobody counts signs at night.
"""

from __future__ import annotations

from itertools import groupby

from keptn_doctor.model.findings import Layer
from keptn_doctor.model.report import Rung, Verdict
from keptn_doctor.renderers.page import unbroken
from keptn_doctor.renderers.symbols import Symbols, printable

PATH = tuple(layer for layer in Layer if layer is not Layer.ACCESS)

_STATE_WORDS = {
    "ok": "passed",
    "broken": "broken",
    "degraded": "degraded",
    "unknown": "unknown",
    "blocked": "not reached",
    "not-applicable": "does not apply",
}


def layer_name(layer: Layer) -> str:
    return layer.name.lower()


def state_sign(state: str, symbols: Symbols) -> str:
    """The sign of a rung's state."""
    return str(getattr(symbols, state.replace("-", "_")))


def rungs(verdict: Verdict) -> tuple[Rung, ...]:
    """One rung per layer of the path, low to high; a layer nobody spoke of is unknown."""
    known = {rung.layer: rung for rung in verdict.ladder}
    return tuple(known.get(layer, Rung(layer=layer, state="unknown")) for layer in PATH)


def words(verdict: Verdict, symbols: Symbols, *, notes: bool) -> tuple[str, ...]:
    """Neighbouring rungs of one state as one phrase: ``✓ workload, configuration``.

    What was not reached at the end goes without saying. ``notes`` adds what is known of a broken
    or degraded rung, for Keptn services whose cause is not told elsewhere.
    """
    runs = [
        (state, tuple(run))
        for state, run in groupby(rungs(verdict), key=lambda rung: rung.state)
        if state != "not-applicable"
    ]
    if len(runs) > 1 and runs[-1][0] == "blocked":
        runs.pop()
    return tuple(_phrase(state, run, symbols, notes=notes) for state, run in runs)


def _phrase(state: str, run: tuple[Rung, ...], symbols: Symbols, *, notes: bool) -> str:
    names = [layer_name(rung.layer) for rung in run]
    span = ", ".join(names) if len(names) < 3 else f"{names[0]} through {names[-1]}"
    if state == "ok":
        return unbroken(f"{state_sign(state, symbols)} {span}")
    told = notes and state in ("broken", "degraded")
    known = dict.fromkeys(printable(r.note).removesuffix(".") for r in run if r.note and told)
    phrase = unbroken(f"{state_sign(state, symbols)} {span} {_STATE_WORDS[state]}")
    return phrase + (f" ({'; '.join(known)})" if known else "")


def legend(verdicts: tuple[Verdict, ...], symbols: Symbols) -> str:
    """What the signs of these ladders mean, in the order of the path; "" when all passed."""
    used = {rung.state for verdict in verdicts for rung in rungs(verdict)}
    if used <= {"ok", "not-applicable"}:
        return ""
    signs = "  ".join(
        unbroken(f"{state_sign(state, symbols)} {word}")
        for state, word in _STATE_WORDS.items()
        if state in used
    )
    return f"{', '.join(layer_name(layer) for layer in PATH)}   {signs}"
