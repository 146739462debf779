import pytest
from check_under_test import judge_one

from keptn_doctor.api import Project, ProjectListing, ProjectStage, Subscription
from keptn_doctor.testing import integration, keptn_service, seen, uniform, world

SERVICE = keptn_service()
PROJECTS = seen(
    "control-plane/keptn",
    ProjectListing(
        projects=(
            Project(
                name="sockshop",
                stages=(
                    ProjectStage(name="dev", services=("carts",)),
                    ProjectStage(name="production", services=("carts",)),
                ),
            ),
        )
    ),
)


def _filtered(service=SERVICE, event="sh.keptn.event.deployment.triggered", **lists):
    record = integration(subscriptions=(Subscription(event=event, **lists),))
    return world(service, uniform(record), PROJECTS)


FAILS = [
    _filtered(stages=("staging",)),
    _filtered(projects=("sockshopp",)),
    _filtered(event="sh.keptn.>"),
    _filtered(stages=("dev", "canary")),
    _filtered(keptn_service(client_version="0.8.7", stage_filter=("nowhere",))),
]
PASSES = [
    _filtered(),
    _filtered(projects=("sockshop",), stages=("dev",), services=("carts",)),
    _filtered(keptn_service(client_version="0.8.7", stage_filter=("production",))),
]


@pytest.mark.parametrize(("number", "breaks"), [(0, "degraded"), (2, "degraded"), (3, "nothing")])
def test_only_what_loses_events_breaks_something(number, breaks):
    assert judge_one(__file__, FAILS[number]).breaks == breaks


def test_a_blank_beside_what_matches_is_left_to_its_own_check():
    assert judge_one(__file__, _filtered(stages=("dev", " production"))).status == "pass"


def test_the_variables_of_a_newer_client_are_not_its_filters():
    changed = keptn_service(stage_filter=("nowhere",))

    assert judge_one(__file__, _filtered(changed, stages=("dev",))).status == "pass"


def test_without_projects_no_filter_is_wrong():
    record = integration(subscriptions=(Subscription(event="e", stages=("dev",)),))
    empty = world(SERVICE, uniform(record), seen("control-plane/keptn", ProjectListing()))

    assert judge_one(__file__, empty).status == "unknown"
