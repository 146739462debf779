"""The base of every record: frozen, keyword-only, refusing unknown fields when read."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that never changes once made; subclasses repeat ``frozen=True, kw_only=True``."""
