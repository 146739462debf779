"""keptn-doctor: is each execution-plane service connected to the Keptn control plane?"""

from __future__ import annotations

__version__ = "0.1.0"
