"""A snapshot as a file and back: what was seen, to be judged elsewhere or again.

A bundle is gzipped JSON with a versioned head. It holds no more than the snapshot, which the
probes keep free of secrets; nothing is redacted here. The same snapshot gives the same bytes.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import msgspec

from keptn_doctor.model.base import Record
from keptn_doctor.model.evidence import SCHEMA_VERSION, Snapshot

FORMAT = "keptn-doctor-bundle"
MAX_BYTES = 512 * 1024 * 1024  # unpacked; a snapshot of ten thousand services is below a tenth


class BadBundle(Record, frozen=True, kw_only=True):
    """Why a file is no bundle that can be read: one line, to be shown as a usage error."""

    reason: str


class _Head(msgspec.Struct):
    format: str = ""
    schema_version: int = 0


class _Bundle(Record, frozen=True, kw_only=True):
    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    snapshot: Snapshot


def pack(snapshot: Snapshot) -> bytes:
    """The bytes of a bundle."""
    text = msgspec.json.encode(_Bundle(snapshot=snapshot))
    return gzip.compress(msgspec.json.format(text, indent=1), mtime=0)


def unpack(data: bytes, *, name: str = "the bundle") -> Snapshot | BadBundle:
    """The snapshot in some bytes, packed or plain JSON; ``name`` is how to call them in words."""
    try:
        text = _inflate(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        return BadBundle(reason=f"{name} is damaged: {error}")
    if text is None:
        return BadBundle(reason=f"{name} unpacks to more than {MAX_BYTES} bytes")
    try:
        head = msgspec.json.decode(text, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return BadBundle(reason=f"{name} is not a bundle of keptn-doctor")
    if head.format != FORMAT:
        return BadBundle(reason=f"{name} is not a bundle of keptn-doctor")
    if head.schema_version != SCHEMA_VERSION:
        return BadBundle(
            reason=f"{name} has format version {head.schema_version}; this keptn-doctor reads "
            f"version {SCHEMA_VERSION}"
        )
    try:
        return msgspec.json.decode(text, type=_Bundle).snapshot
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return BadBundle(reason=f"{name} is damaged: {error}")


def save(snapshot: Snapshot, path: Path) -> None:
    """Write a bundle; raises OSError when the file cannot be written."""
    path.write_bytes(pack(snapshot))


def load(path: Path) -> Snapshot | BadBundle:
    """Read a bundle from a file."""
    try:
        with path.open("rb") as file:  # never all of it: it may be a device
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return BadBundle(reason=f"{path} cannot be read: {error.strerror or error}")
    if len(data) > MAX_BYTES:
        return BadBundle(reason=f"{path} holds more than {MAX_BYTES} bytes")
    return unpack(data, name=str(path))


def _inflate(data: bytes) -> bytes | None:
    """The unpacked bytes, None when there are more than a bundle can have."""
    decompressor = zlib.decompressobj(wbits=31)
    text = decompressor.decompress(data, MAX_BYTES)
    if decompressor.unconsumed_tail:
        return None
    if not decompressor.eof:
        raise EOFError("it ends too early")
    return text
