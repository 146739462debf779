"""The detection matrix: every scenario is run in the lab and the report held against what it is.

``python benchmarks/accuracy.py`` prints the totals, writes docs/accuracy.md and fails when a
figure falls below the committed one (``--accept`` commits to lower figures). Nothing is patched:
each scenario is a whole run of the doctor against a lab of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import functools
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from keptn_doctor.catalogue import Catalogue, load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab.levers import Expectation
from keptn_doctor.lab.scenario import Scenario, load
from keptn_doctor.lab.start import start
from keptn_doctor.model.report import Report

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "tests" / "scenarios"
PAGE = ROOT / "docs" / "accuracy.md"
GOALS = {"cause": 0.95, "verdict": 0.98}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one scenario was diagnosed."""

    name: str
    area: str
    difficulty: int
    verdicts_right: bool
    causes_right: bool
    blamed: tuple[str, ...]  # root causes that are none
    falsely_connected: tuple[str, ...]  # services called connected that are not
    notes: tuple[str, ...]


def scenario_files() -> tuple[Path, ...]:
    """Every scenario with expectations: listed faults, healthy setups, faults nobody listed."""
    folders = ("*.yaml", "healthy/*.yaml", "unseen/*.yaml")
    return tuple(file for folder in folders for file in sorted(SCENARIOS.glob(folder)))


def run(file: Path) -> Outcome:
    """Build the scenario's world, diagnose it, compare."""
    scenario = load(file)
    if scenario.expect is None:
        raise SystemExit(f"{file}: a scenario here needs an 'expect' block")
    return compare(file, scenario, asyncio.run(_diagnose(scenario)))


async def _diagnose(scenario: Scenario) -> Report:
    async with start(scenario) as lab:
        return report_on(await examine(lab.targets()), _catalogue())


@functools.cache
def _catalogue() -> Catalogue:
    return load_checks()


def compare(file: Path, scenario: Scenario, report: Report) -> Outcome:
    """The report against the scenario's ``expect`` block."""
    expect = scenario.expect or Expectation()
    notes: list[str] = []
    falsely: list[str] = []
    unmatched = dict.fromkeys(expect.verdicts)
    for verdict in report.verdicts:
        wanted = "connected"
        for glob, connection in expect.verdicts.items():
            if _matches(glob, verdict.service):
                wanted = connection
                unmatched.pop(glob, None)
        if verdict.connection != wanted:
            notes.append(f"{verdict.service}: {verdict.connection}, is {wanted}")
            if verdict.connection == "connected":
                falsely.append(verdict.service)
    # A plane that cannot be looked into shows no services; saying nothing of them is "unknown".
    missed = [glob for glob in unmatched if expect.verdicts[glob] != "unknown"]
    notes += [f"no verdict for {glob}" for glob in missed]
    if unmatched and not missed and report.exit_code == 0:
        notes.append("exit code 0 although something could not be seen")
        missed = list(unmatched)
    healthy = not expect.verdicts and not expect.causes
    if healthy and report.exit_code:
        notes.append(f"exit code {report.exit_code} although all is well")
        missed.append("*")
    named = [cause.finding.check for cause in report.causes]
    advice = [finding.check for finding in report.warnings]
    broken = any(c in ("disconnected", "degraded") for c in expect.verdicts.values())
    available = named if broken else named + advice
    absent = [check for check in expect.causes if check not in available]
    notes += [f"did not name {check}" for check in absent]
    wanted, told = Counter(expect.causes), Counter(named)
    miscounted = [check for check in wanted if 0 < told[check] != wanted[check]]
    notes += [f"named {check} {told[check]} times, is {wanted[check]}" for check in miscounted]
    active_first = not (broken and expect.causes and named) or named[0] == expect.causes[0]
    if not active_first:
        notes.append(f"named {named[0]} first")
    blamed = tuple(
        dict.fromkeys(
            [check for check in named if check not in expect.causes]
            + [check for check in named + advice if check in expect.must_not_blame]
            + [w.check for w in report.warnings if healthy and w.severity != "info"]
        )
    )
    return Outcome(
        name=file.stem,
        area=expect.area or "healthy",
        difficulty=expect.difficulty,
        verdicts_right=not missed and not any(", is " in note for note in notes),
        causes_right=not absent and not miscounted and active_first,
        blamed=blamed,
        falsely_connected=tuple(falsely),
        notes=tuple(notes),
    )


def _matches(glob: str, subject: str) -> bool:
    """``exec-a/helm-service`` leaves the namespace out of ``exec-a/keptn-exec/helm-service``."""
    plane, _, rest = subject.partition("/")
    return fnmatch.fnmatchcase(f"{plane}/{rest.partition('/')[2]}", glob)


def figures(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """The totals that may not fall (``…_right``, ``runs``) or rise (the others)."""
    everything = list(outcomes)
    return {
        "runs": len(everything),
        "verdicts_right": sum(o.verdicts_right for o in everything),
        "causes_right": sum(o.causes_right for o in everything),
        "falsely_blamed": sum(bool(o.blamed) for o in everything),
        "healthy_alarmed": sum(
            not (o.verdicts_right and not o.blamed) for o in everything if o.difficulty == 0
        ),
        "falsely_connected": sum(bool(o.falsely_connected) for o in everything),
    }


def page(outcomes: Sequence[Outcome]) -> str:
    """docs/accuracy.md; the totals stand in it as data, too, to be held against later runs."""
    totals = figures(outcomes)
    lines = [
        "# Detection matrix",
        "",
        (
            "Written by `make accuracy`: each row is one run of the doctor against a lab built "
            "from `tests/scenarios/`. Not edited by hand."
        ),
        "",
        f"<!-- figures: {json.dumps(totals)} -->",
        "",
        (
            f"Verdict right in {_share(totals, 'verdicts_right')} (goal {GOALS['verdict']:.0%}), "
            f"root cause right in {_share(totals, 'causes_right')} (goal {GOALS['cause']:.0%}), "
            f"something blamed that is no cause in {totals['falsely_blamed']}, healthy setups "
            f"alarmed {totals['healthy_alarmed']}, scenarios in which a service was called "
            f"connected that is not {totals['falsely_connected']}."
        ),
        "",
    ]
    lines += _table("by area", outcomes, lambda o: o.area)
    lines += _table("by difficulty", outcomes, lambda o: str(o.difficulty or "healthy"))
    lines += ["## Every scenario", "", "| scenario | verdict | cause | blamed | remarks |",
              "|---|---|---|---|---|"]  # fmt: skip
    lines += [
        f"| {o.name} | {_mark(right=o.verdicts_right)} | {_mark(right=o.causes_right)} | "
        f"{', '.join(o.blamed) or '-'} | {'; '.join(o.notes) or '-'} |"
        for o in sorted(outcomes, key=lambda o: (o.area, o.name))
    ]
    return "\n".join(lines) + "\n"


def _table(
    title: str, outcomes: Sequence[Outcome], key: Callable[[Outcome], str]
) -> list[str]:
    lines = [f"## Totals {title}", "", "| | runs | verdict right | cause right | falsely blamed |",
             "|---|---|---|---|---|"]  # fmt: skip
    for group in sorted({key(o) for o in outcomes}):
        part = figures(o for o in outcomes if key(o) == group)
        lines.append(
            f"| {group} | {part['runs']} | {part['verdicts_right']} | {part['causes_right']} | "
            f"{part['falsely_blamed']} |"
        )
    return [*lines, ""]


def _share(totals: dict[str, int], name: str) -> str:
    return f"{totals[name]} of {totals['runs']} ({totals[name] / max(totals['runs'], 1):.0%})"


def _mark(*, right: bool) -> str:
    return "right" if right else "**wrong**"


def committed() -> dict[str, int]:
    """The figures of the committed page; none when there is no page yet."""
    if not PAGE.exists():
        return {}
    found = re.search(r"<!-- figures: (\{.*?\}) -->", PAGE.read_text(encoding="utf-8"))
    return json.loads(found.group(1)) if found else {}


def worse(now: dict[str, int], before: dict[str, int]) -> list[str]:
    """Every figure that fell (or rose, where it should not)."""
    rising = {"falsely_blamed", "healthy_alarmed", "falsely_connected"}
    return [
        f"{name}: {now[name]}, was {old}"
        for name, old in before.items()
        if (now[name] > old if name in rising else now[name] < old)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patterns", nargs="*", help="only scenarios whose name matches")
    parser.add_argument("--check", action="store_true", help="do not write the page")
    parser.add_argument("--accept", action="store_true", help="write it even when it is worse")
    parser.add_argument("--json", action="store_true", help="print every outcome as a JSON line")
    options = parser.parse_args()
    files = [
        file for file in scenario_files()
        if not options.patterns or any(fnmatch.fnmatch(file.stem, p) for p in options.patterns)
    ]  # fmt: skip
    # A world waits for its sockets more than it computes.
    with ProcessPoolExecutor(max_workers=3 * (os.cpu_count() or 1)) as pool:
        outcomes = list(pool.map(run, files))
    for outcome in outcomes:
        if options.json:
            print(json.dumps(asdict(outcome)))
        elif outcome.notes or outcome.blamed:
            blamed = f"  blamed: {', '.join(outcome.blamed)}" if outcome.blamed else ""
            print(f"{outcome.name}: {'; '.join(outcome.notes)}{blamed}")
    totals = figures(outcomes)
    print(json.dumps(totals))
    if options.patterns:
        return 0
    fallen = worse(totals, committed())
    if fallen:
        print("worse than the committed page: " + "; ".join(fallen), file=sys.stderr)
    if not options.check and (options.accept or not fallen):
        PAGE.write_text(page(outcomes), encoding="utf-8")
    return 1 if fallen and not options.accept else 0


if __name__ == "__main__":
    raise SystemExit(main())
