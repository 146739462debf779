"""What a run looks at, and ``resolve``, which finds that out from what the user gave.

The public face of the modules that do it: records, options, resolution.
"""

from __future__ import annotations

from keptn_doctor.network_settings import ConnectTo, Deadlines, NetworkSettings
from keptn_doctor.secret import Secret
from keptn_doctor.targets.options import Options
from keptn_doctor.targets.records import ApiTarget, ClusterTarget, Targets
from keptn_doctor.targets.resolution import resolve
from keptn_doctor.usage import UsageError

__all__ = [
    "ApiTarget",
    "ClusterTarget",
    "ConnectTo",
    "Deadlines",
    "NetworkSettings",
    "Options",
    "Secret",
    "Targets",
    "UsageError",
    "resolve",
]
