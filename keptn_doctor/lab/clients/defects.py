"""What is wrong with a client's settings before it makes a call, and what it says of it.

Sources: ``distributor/cmd/main.go`` @0.8.7, @0.13.6, ``pkg/api/initializer.go`` @0.16.2,
``pkg/config/envconfig.go`` @0.16.2, go-utils ``pkg/sdk/keptn.go`` @v0.20.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from keptn_doctor.lab.clients.rules import Rules, boolean

_PANIC = (
    "panic: runtime error: invalid memory address or nil pointer dereference\n"
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x38 pc=0x8d9f2c]\n\n"
    "goroutine 1 [running]:"
)
_NEVER_REGISTERED = frozenset(
    {
        "statistics-service",
        "api-service",
        "mongodb-datastore",
        "configuration-service",
        "secret-service",
        "shipyard-controller",
        "resource-service",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """How an endpoint ends the process; empty when it does not."""

    at_once: str = ""
    later: str = ""  # after registration
    panics: bool = False


def endpoint_defect(rules: Rules, endpoint: str) -> Defect:
    """What the client makes of KEPTN_API_ENDPOINT."""
    if not endpoint or re.match(r"https?://", endpoint):
        return Defect()
    invalid = f"invalid scheme for keptn endpoint, {endpoint} is not http or https"
    if rules.kind == "sdk":
        return Defect(at_once=f"could not initialize control plane client api: {invalid}")
    if rules.version >= (0, 15, 0):
        return Defect(at_once=f"Could not initialize API set.\t{invalid}")
    text = _parse_error(endpoint)
    if not text:
        return Defect()
    fatal = f"No valid URL configured for keptn api endpoint: {text}"
    if rules.version < (0, 9, 0):
        return Defect(at_once=fatal)
    if "colon" in text:
        return Defect(later=_PANIC, panics=True)
    return Defect(later=fatal)


def _parse_error(endpoint: str) -> str:
    """``url.ParseRequestURI``'s error; "" when it is content."""
    first = endpoint.partition("/")[0]
    if ":" not in first:
        return f'parse "{endpoint}": invalid URI for request'
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", endpoint):
        return ""  # what stands before the colon is taken for a scheme
    return f'parse "{endpoint}": first path segment in URL cannot contain colon'


def registration_skipped(rules: Rules, env: Mapping[str, str]) -> str:
    """Why a distributor does not try to register; "" when it does."""
    if rules.kind == "sdk" or rules.version < (0, 8, 4):
        return ""
    if boolean(env.get("DISABLE_REGISTRATION"), default=False):
        return "Registration to Keptn's control plane disabled"
    names = ("K8S_NAMESPACE", "K8S_DEPLOYMENT_NAME")
    if any(not env.get(name) for name in names):
        return (
            "Skipping Registration because not all mandatory environment variables are set: "
            + ", ".join(names)
        )
    name = env["K8S_DEPLOYMENT_NAME"]
    if name in _NEVER_REGISTERED and rules.version >= (0, 9, 0):
        return f"Skipping Registration because service name {name} is actively filtered"
    return ""
