"""The gateway's log as the control plane's witness: who pinged, and with what luck.

``api-gateway-nginx`` writes nginx's combined format to stdout in every version.
Source: ``…/templates/api-gateway-nginx.yaml@0.8.7, @1.4.5``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from keptn_doctor.model.keptn_facts import GatewayLog, Pings
from keptn_doctor.probes.pod_logs import Line

_ACCESS = re.compile(
    r"^(?P<source>\S+) \S+ \S+ \[[^\]]*\] "
    r'"(?P<method>[A-Z]+) (?P<path>\S+)[^"]*" (?P<status>\d{3}) '
)
_PING = re.compile(r"/controlPlane/v1/uniform/registration/(?P<id>[0-9a-f]{40})/ping$")
_UPSTREAM = re.compile(
    r"\[(?:error|emerg|crit)\].*?(?P<what>connect\(\) failed|upstream timed out|host not found in "
    r"upstream|no live upstreams|upstream prematurely closed|auth request unexpected status: \d+)"
)
_TARGET = re.compile(r'(?:upstream: "(?P<url>\w+://[^"/]+)|in upstream "(?P<name>[^"]+)")')
_MOST_ERRORS = 20


def read_gateway_log(lines: Iterable[Line], *, window_s: float) -> GatewayLog:
    """Heartbeats per registration id, refusals, and backends that could not be reached."""
    statuses: dict[str, list[int]] = defaultdict(list)
    sources: dict[str, set[str]] = defaultdict(set)
    errors: Counter[str] = Counter()
    answered: Counter[int] = Counter()
    refused: dict[int, Counter[str]] = {401: Counter(), 429: Counter()}
    count = 0
    for line in lines:
        count += 1
        access = _ACCESS.match(line.text)
        if access is None:
            if problem := _UPSTREAM.search(line.text):
                errors[_problem(problem["what"], line.text)] += 1
            continue
        status = int(access["status"])
        answered[status] += 1
        if status in refused:
            refused[status][access["source"]] += 1
        ping = _PING.search(access["path"].partition("?")[0])
        if ping and access["method"] == "PUT":
            statuses[ping["id"]].append(status)
            sources[ping["id"]].add(access["source"])
    return GatewayLog(
        window_s=window_s,
        lines=count,
        pings=tuple(
            Pings(
                integration_id=key,
                count=len(seen),
                statuses=tuple(sorted(set(seen))),
                sources=tuple(sorted(sources[key])),
            )
            for key, seen in sorted(statuses.items())
        ),
        rejected=answered[401],
        limited=answered[429],
        rejected_sources=tuple(source for source, _ in refused[401].most_common()),
        limited_sources=tuple(source for source, _ in refused[429].most_common()),
        upstream_errors=tuple(
            f"{text} ({times} times)" if times > 1 else text
            for text, times in errors.most_common(_MOST_ERRORS)
        ),
    )


def _problem(what: str, text: str) -> str:
    target = _TARGET.search(text)
    if target is None:
        return what
    return f"{what}: {target['url'] or target['name']}"
