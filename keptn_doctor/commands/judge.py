"""``judge``: the report on a bundle, without looking at anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keptn_doctor import bundle
from keptn_doctor.commands.catalogue import chosen_checks
from keptn_doctor.commands.reports import deliver, delivery_from, judged
from keptn_doctor.usage import UsageError


def run(options: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """Judge what was seen then with the checks of today; raises UsageError."""
    delivery = delivery_from(options)
    catalogue = chosen_checks(options)
    snapshot = bundle.load(Path(options["bundle"]))
    if isinstance(snapshot, bundle.BadBundle):
        raise UsageError(f"{snapshot.reason}; give a file that check --bundle has written")
    return deliver(judged(snapshot, catalogue, delivery), delivery, environ)
