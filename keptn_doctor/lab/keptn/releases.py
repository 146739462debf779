"""Release numbers inside the lab, as tuples that compare.

The lab keeps its own tables of what each Keptn release does, apart from ``keptn_doctor.knowledge``,
so that a mistake there is not repeated here and then confirmed by the tests.
"""

from __future__ import annotations

import re

Release = tuple[int, int, int]

NEWEST: Release = (1, 4, 5)


def release(text: str) -> Release:
    """``"0.13.6-next.1"`` -> ``(0, 13, 6)``; what cannot be read counts as the newest."""
    found = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text.strip())
    if not found:
        return NEWEST
    return int(found[1]), int(found[2]), int(found[3] or 0)
