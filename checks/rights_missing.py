"""Rights that the doctor needs in an execution plane's cluster are missing.

Meaning       What may not be read cannot be judged: verdicts of this plane are unknown or weaker
              than they could be. Nothing is said of the Keptn services themselves.
Decided by    The API server's own review of the user's rights.
What to do    Grant the rules that are named; keptn-doctor rbac prints them as manifests.
False alarms  Rights without which only something advisory stays open are not told of.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    Layer,
    RightsReview,
    check,
    denied,
    failed,
    in_words,
    kubectl,
    passed,
)


@check(about=ExecutionPlane, layer=Layer.ACCESS, severity="warning", proven_by="state", since="0.1")
def judge(plane: ExecutionPlane, *, reviews: tuple[RightsReview, ...]) -> Finding:
    """The needed rules that are not granted, each in full."""
    user = next((review.user for review in reviews if review.user), "this user")
    rules = denied(reviews)
    if not rules:
        return passed(f"{user} has every right that is needed in {plane.name}.")
    first = rules[0]
    kind = "role" if first.namespace else "clusterrole"
    return failed(
        f"{user} may not read all that is needed in {plane.name}: {in_words(rules)}.",
        remedy="Have these rights granted; keptn-doctor rbac prints them as manifests.",
        command=kubectl(
            plane,
            f"create {kind} keptn-doctor --verb={first.verb} --resource={first.resource}",
            namespace=first.namespace,
        ),
    )
