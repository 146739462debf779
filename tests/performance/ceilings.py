"""What a run may cost, in counts that are the same on every machine.

They are what the doctor needs today. Lower one when it needs less; raise one only with a reason in
the commit. The world is that of ``performance_runs.SMALL``: 3 Keptn services in 2 planes.
"""

from __future__ import annotations

STEPS = 19  # round trips waited for one after the other
CONTROL_PLANE_REQUESTS = 46  # of its API server
PLANE_REQUESTS = 24  # of a plane with 2 services, without port-forwards
PLANE_TUNNELS = 2  # one for each of them
KEPTN_REQUESTS = 32
AT_ONCE = 5  # requests in flight at one API server
GROWTH = 1.3  # times as much as linear growth
HELP_MODULES = 140  # all that Python has loaded when --help is printed
