"""Table and findings joined: proof beats circumstance, and nothing is connected by default."""

from __future__ import annotations

import msgspec
import pytest
from worlds import CONTROL_PLANE, SERVICE, http, listing, local, pod, record, workload

from keptn_doctor.api import (
    ControlPlane,
    EnvProblem,
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    Workload,
    failed,
    passed,
    suspected,
)
from keptn_doctor.catalogue import Catalogue
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.judgement.needs import read_needs
from keptn_doctor.model.findings import Check
from keptn_doctor.testing import keptn_service, world

HEALTHY = (workload(pod()), local(), listing(record()))


def make(name, layer, says, *, about=KeptnService, breaks="disconnected", proven_by="behaviour"):
    if about is KeptnService:

        def judge(service: KeptnService) -> Finding:
            return says if service.name == SERVICE.name else passed("Fine.")
    else:

        def judge(control_plane: ControlPlane) -> Finding:
            return says if control_plane else passed("Fine.")

    return Check(
        id=name, title="", doc="", about=about, layer=layer, severity="error", breaks=breaks,
        explained_by=(), since="0.1", proven_by=proven_by, judge=judge, needs=read_needs(judge),
    )  # fmt: skip


BAD = failed("It is wrong.", remedy="Mend it.", command="kubectl mend it")
HIDDEN = EnvProblem(variable="K8S_DEPLOYMENT_NAME", reference="a secret", problem="forbidden")
DOUBT = suspected("It looks wrong from here.", remedy="Look closer.")


def report(snapshot, *checks):
    return assemble(snapshot, Catalogue(checks=checks))


def verdict(snapshot, *checks):
    return report(snapshot, *checks).verdicts[0]


def test_a_proven_service_is_connected_and_has_no_next_step():
    found = verdict(world(SERVICE, *HEALTHY))

    assert (found.connection, found.row, found.next_step) == ("connected", "proven", "")
    assert found.vantage.startswith("inside:exec-a/keptn-exec/")
    assert [rung.state for rung in found.ladder].count("ok") == 10


def test_a_proven_break_of_the_service_itself_beats_the_table():
    found = verdict(world(SERVICE, *HEALTHY), make("bad", Layer.HTTP, BAD))

    assert (found.connection, found.because) == ("disconnected", "It is wrong.")
    assert found.causes == (f"bad@{SERVICE.subject}",)
    assert found.next_step == "kubectl mend it"


def test_a_break_proven_from_state_alone_does_not_beat_a_service_that_works():
    result = report(world(SERVICE, *HEALTHY), make("bad", Layer.AUTH, BAD, proven_by="state"))

    assert result.verdicts[0].connection == "connected"
    assert result.causes == ()
    assert [w.check for w in result.warnings] == ["bad"]
    assert result.exit_code == 0


def test_a_wider_break_does_not_hold_for_a_service_that_works():
    check = make("bad", Layer.CONNECT, BAD, about=ControlPlane)

    assert verdict(world(SERVICE, *HEALTHY), check).connection == "connected"
    assert verdict(world(SERVICE), check).connection == "disconnected"


def test_a_wider_degradation_holds_for_a_service_that_works():
    check = make("bad", Layer.DELIVERY, BAD, about=ControlPlane, breaks="degraded")

    assert verdict(world(SERVICE, *HEALTHY), check).connection == "degraded"
    assert verdict(world(SERVICE), check).connection == "unknown"


def test_a_refused_token_rules_out_breaks_below_it():
    below = make("below", Layer.CONNECT, BAD, about=ControlPlane)
    snapshot = world(SERVICE, workload(pod()), local(401))

    found = verdict(snapshot, below, make("token", Layer.AUTH, BAD))

    assert found.causes == (f"token@{SERVICE.subject}",)


def test_a_suspicion_names_the_likely_cause_of_an_unknown_and_decides_nothing():
    result = report(world(SERVICE), make("doubt", Layer.RESOLVE, DOUBT, about=ControlPlane))
    found = result.verdicts[0]

    assert found.connection == "unknown"
    assert "Likely: It looks wrong from here." in found.because
    assert found.causes == (f"doubt@{CONTROL_PLANE}",)
    assert result.causes[0].finding.suspected
    assert result.exit_code == 3


def test_a_suspicion_below_what_was_passed_is_not_named():
    result = report(
        world(SERVICE, workload(pod()), local(401)),
        make("doubt", Layer.RESOLVE, DOUBT, about=ControlPlane),
    )

    assert result.verdicts[0].connection == "disconnected"
    assert result.verdicts[0].causes == ()
    assert [w.check for w in result.warnings] == ["doubt"]


def test_the_active_cause_comes_first_and_the_one_behind_it_is_told_too():
    found = verdict(
        world(SERVICE),
        make("token", Layer.AUTH, BAD, proven_by="state"),
        make("dns", Layer.RESOLVE, BAD),
    )

    assert [cause.partition("@")[0] for cause in found.causes] == ["dns", "token"]
    states = {rung.layer: rung.state for rung in found.ladder}
    assert (states[Layer.RESOLVE], states[Layer.CONNECT]) == ("broken", "blocked")
    assert (states[Layer.AUTH], states[Layer.DELIVERY]) == ("broken", "blocked")


def test_a_break_without_a_known_cause_shows_the_rung_and_a_next_step():
    found = verdict(world(SERVICE, workload(pod()), local(401)))

    states = {rung.layer: rung.state for rung in found.ladder}
    assert (states[Layer.AUTH], states[Layer.REGISTRATION]) == ("broken", "blocked")
    assert states[Layer.HTTP] == "ok"
    assert found.next_step.startswith("kubectl -n keptn-exec logs deployment/helm-service")


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        (HEALTHY, 0),
        ((workload(pod()), local(401)), 1),
        ((), 3),
    ],
)
def test_the_exit_code_follows_the_verdicts(looks, expected):
    assert report(world(SERVICE, *looks)).exit_code == expected


def test_without_any_service_nothing_is_called_fine():
    result = report(world())

    assert result.exit_code == 3
    assert result.headline.startswith("No Keptn service")


def test_the_headline_is_the_verdict_and_then_the_main_cause():
    other = keptn_service("unseen", integration_name="", env_problems=(HIDDEN,))
    result = report(world(SERVICE, other, *HEALTHY), make("bad", Layer.HTTP, BAD))

    assert result.headline == (
        "Of 2 Keptn services, 1 disconnected and 1 could not be judged. Main cause: It is wrong."
    )
    assert report(world(SERVICE, *HEALTHY)).headline == "The one Keptn service is connected."


@pytest.mark.parametrize(
    ("unseen", "named"),
    [
        (1, "execution plane exec-1"),
        (2, "execution planes exec-1 and exec-2"),
        (100, "execution planes exec-1, exec-2, exec-3 and 97 more"),
    ],
)
def test_the_headline_is_first_the_verdict_and_of_many_unseen_planes_a_few_and_their_number(
    unseen, named
):
    seen_plane = ExecutionPlane(name=SERVICE.plane, namespaces=(SERVICE.namespace,))
    dark = tuple(ExecutionPlane(name=f"exec-{n}") for n in range(1, unseen + 1))
    snapshot = world(SERVICE, *HEALTHY)
    topology = msgspec.structs.replace(snapshot.topology, execution_planes=(seen_plane, *dark))

    result = report(msgspec.structs.replace(snapshot, topology=topology))

    assert result.exit_code == 3
    assert result.headline == (
        f"The one Keptn service that could be seen is connected. Nothing of {named} could be seen."
    )


SHUT = failed("The context leads elsewhere.", remedy="Name another.", severity="warning")


@pytest.mark.parametrize(("proven_by", "told"), [("behaviour", True), ("state", False)])
def test_an_unknown_is_told_with_what_was_in_the_way_but_not_with_a_mere_missing_right(
    proven_by, told
):
    check = make(
        "elsewhere", Layer.ACCESS, SHUT, about=ControlPlane, breaks="nothing", proven_by=proven_by
    )
    headline = report(world(SERVICE), check).headline

    assert headline.startswith("Of 1 Keptn service, 1 could not be judged.")
    assert headline.endswith("Reason: The context leads elsewhere.") is told


def test_what_was_in_the_way_does_not_matter_where_everything_is_proven():
    check = make("elsewhere", Layer.ACCESS, SHUT, about=ControlPlane, breaks="nothing")

    assert report(world(SERVICE, *HEALTHY), check).headline == (
        "The one Keptn service is connected."
    )


def test_a_crashed_check_is_a_warning_and_changes_no_verdict():
    def boom(service: KeptnService, work: Workload, uniform: IntegrationListing) -> Finding:
        raise KeyError(service.name, work.name, len(uniform.integrations))

    check = Check(
        id="boom", title="", doc="", about=KeptnService, layer=Layer.HTTP, severity="error",
        breaks="disconnected", explained_by=(), since="0.1", judge=boom, needs=read_needs(boom),
    )  # fmt: skip

    result = report(world(SERVICE, *HEALTHY), check)

    assert [w.status for w in result.warnings] == ["crash"]
    assert result.exit_code == 0


def test_what_gets_through_now_and_then_is_degraded_whatever_broke_in_between():
    flaky = (workload(pod()), local(poll=http(429)), listing(record()))

    found = verdict(world(SERVICE, *flaky), make("bad", Layer.CONNECT, BAD))

    assert (found.connection, found.causes) == ("degraded", (f"bad@{SERVICE.subject}",))


def test_a_cause_shared_by_a_plane_is_told_in_each_services_own_words():
    def judge(service: KeptnService) -> Finding:
        return failed(f"{service.name} cannot resolve it.", remedy=f"Mend {service.name}.")

    check = Check(
        id="dns", title="", doc="", about=KeptnService, layer=Layer.RESOLVE, severity="error",
        breaks="disconnected", explained_by=(), since="0.1", judge=judge, needs=read_needs(judge),
    )  # fmt: skip
    names = ("a", "b")
    result = report(world(*(keptn_service(name, integration_name=name) for name in names)), check)

    assert len(result.causes) == 1
    assert {v.causes for v in result.verdicts} == {("dns@exec-a/keptn-exec/a",)}
    assert [v.because for v in result.verdicts] == ["a cannot resolve it.", "b cannot resolve it."]
    assert [v.next_step for v in result.verdicts] == ["Mend a.", "Mend b."]
