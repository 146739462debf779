"""A token as it may be shown: fingerprints and its shape. The token itself ends here."""

from __future__ import annotations

import base64
import binascii

import msgspec

from keptn_doctor.model.topology import TokenState
from keptn_doctor.probes.environment import Environment
from keptn_doctor.secret import fingerprint

VARIABLE = "KEPTN_API_TOKEN"
_SHORTEST_DECODED = 8


def token_state(environment: Environment, *, salt: bytes, variable: str = VARIABLE) -> TokenState:
    """What a container's environment says of its token, without the token."""
    problem = environment.problem(variable) or (
        environment.problem("*") if variable not in environment else None
    )
    if problem is not None:
        lost = problem.problem in {"not-found", "key-missing"}
        return TokenState(source="missing" if lost else "unreadable", reference=problem.reference)
    found = environment.variables.get(variable)
    if found is None:
        return TokenState(source="none", empty=True)
    source = found.source if found.source in {"secret", "configmap"} else "value"
    return msgspec.structs.replace(
        shape(found.value, salt=salt),
        source=source,
        reference=found.reference,
        changed_at=found.changed_at,
    )


def shape(token: bytes, *, salt: bytes) -> TokenState:
    """Fingerprints and shape of one token.

    Go's net/http refuses a header value with control characters other than tabs, and sends one with
    blanks around it without them (golang.org/x/net/http/httpguts, ``ValidHeaderFieldValue``).
    """
    stripped = token.strip()
    return TokenState(
        source="value",
        fingerprint=fingerprint(token, salt),
        stripped_fingerprint=fingerprint(stripped, salt),
        decoded_fingerprint=fingerprint(decoded(stripped), salt),
        empty=not token,
        surrounding_whitespace=token != token.strip(b" \t"),
        control_characters=any((byte < 0x20 and byte != 0x09) or byte == 0x7F for byte in token),
    )


def decoded(token: bytes) -> bytes:
    """The base64 decoding of a token when that is printable text, else b""."""
    try:
        plain = base64.b64decode(token, validate=True).strip()
    except (binascii.Error, ValueError):
        return b""
    if len(plain) < _SHORTEST_DECODED or not all(0x20 < byte < 0x7F for byte in plain):
        return b""
    return plain
