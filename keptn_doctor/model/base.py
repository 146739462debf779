"""The base of every record: frozen, keyword-only, refusing unknown fields when read.

The garbage collector leaves records alone: what never changes is never part of a cycle, and walking
a large snapshot again and again was an eighth of judging it.
"""

from __future__ import annotations

import msgspec


class Record(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False
):
    """A value that never changes once made; subclasses repeat ``frozen=True, kw_only=True``."""
