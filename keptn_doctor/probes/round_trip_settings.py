"""What a user may choose of round trips."""

from __future__ import annotations

from typing import Final, Literal

from keptn_doctor.model.base import Record
from keptn_doctor.secret import Secret

Level = Literal["datastore", "controller", "service"]

USUAL_LIMITS_S: Final[dict[Level, float]] = {
    "datastore": 15.0,
    "controller": 60.0,
    # two dispatchers and the polling, each every 10 s, and the work itself
    "service": 60.0,
}
AT_ONCE: Final = 3  # round trips through Keptn services
MAKING_S: Final = 30.0  # of a project, and of a service in it
REMOVING_S: Final = 30.0  # of the project, with a look whether late answers made it anew


class Upstream(Record, frozen=True, kw_only=True):
    """A Git repository for the doctor's own projects, where Keptn wants one."""

    url: str
    user: str = ""
    token: Secret | None = None


class TripSettings(Record, frozen=True, kw_only=True):
    """How far the events of a run go, and where."""

    level: Level = "datastore"
    project: str = ""  # level controller
    stage: str = ""
    service: str = ""  # the application's name in Keptn
    keptn_services: tuple[str, ...] = ()  # level service: "[PLANE/][NAMESPACE/]NAME"
    allow_deploying: bool = False
    timeout_s: float = 0.0  # of one round trip; 0 = the usual one of the level
    upstream: Upstream | None = None

    @property
    def limit_s(self) -> float:
        """How long to wait for what comes of an event, once it was accepted."""
        return self.timeout_s or USUAL_LIMITS_S[self.level]

    @property
    def whole_s(self) -> float:
        """How long all round trips of a run may take, as far as it can be told beforehand."""
        if self.level != "service":
            return self.limit_s
        rounds = -(-max(len(self.keptn_services), 1) // (1 if self.upstream else AT_ONCE))
        return rounds * (MAKING_S + self.limit_s + REMOVING_S)
