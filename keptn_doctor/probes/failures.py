"""The only place that maps exceptions of libraries to the closed vocabulary of failures."""

from __future__ import annotations

from keptn_doctor.model.failure import Failure


class WorldFault(Exception):  # noqa: N818 - it is not an error of ours
    """Carries a Failure up through a probe's own call stack to its border."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.phase}: {failure.code}")
        self.failure = failure


def classify(error: BaseException) -> Failure | None:
    """The failure that an exception stands for; None when it is a bug of ours."""
    return getattr(error, "failure", None)
