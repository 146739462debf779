"""Which breaks are one cause: those on one and the same broken thing.

A tag that no registry has breaks every Keptn service that names it, and is mended once. Checks say
which thing of the world is broken (``Finding.at_fault``); breaks that have one in common belong
together, whatever check found them and however they are worded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keptn_doctor.model.findings import Finding

Thing = tuple[str, ...]


def by_broken_thing(
    findings: Iterable[Finding], things: Callable[[Finding], tuple[Thing, ...]]
) -> tuple[tuple[Finding, ...], ...]:
    """The findings in groups, in their order; ``things`` names at least one for each of them.

    Two that share none belong together all the same when a third one shares something with both.
    """
    leads_to: dict[Thing, Thing] = {}
    named = [(finding, things(finding)) for finding in findings]
    for _, own in named:
        first = _representative(own[0], leads_to)
        for thing in own[1:]:
            leads_to[_representative(thing, leads_to)] = first
    groups: dict[Thing, list[Finding]] = {}
    for finding, own in named:
        groups.setdefault(_representative(own[0], leads_to), []).append(finding)
    return tuple(tuple(group) for group in groups.values())


def _representative(thing: Thing, leads_to: dict[Thing, Thing]) -> Thing:
    """The thing that stands for all that were seen to be one with this one."""
    while (next_one := leads_to.setdefault(thing, thing)) != thing:
        leads_to[thing] = leads_to[next_one]  # so that long chains are walked once
        thing = next_one
    return thing
