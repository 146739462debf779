"""A round trip that cannot or must not be made is refused beforehand, with reason and way out."""

from __future__ import annotations

import msgspec
import pytest
from trips import JMETER, PLACE, Sent, sent, world

from keptn_doctor.doctor import examine
from keptn_doctor.lab.world import Lab
from keptn_doctor.targets import ApiTarget, Secret

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]

HELM = "exec-a/keptn-exec/helm-service"


async def refused(lab: Lab, level: str, *words: str, **settings: object) -> Sent:
    """Nothing was written, and the note has every word."""
    found = await sent(lab, level, **settings)
    note = found.refusal
    assert all(word in f"{note.reason} {note.unlock}" for word in words), note
    assert lab.writes() == ()
    return found


async def test_places_that_keptn_does_not_have_are_refused() -> None:
    async with world() as lab:
        await refused(lab, "controller", "no project nowhere", **{**PLACE, "project": "nowhere"})
        await refused(lab, "controller", "no stage qa, only dev, prod", **{**PLACE, "stage": "qa"})
        await refused(lab, "controller", "no service x", **{**PLACE, "service": "x"})


async def test_a_shipyard_that_has_the_sequence_after_all_is_left_alone() -> None:
    shipyard = "spec: {stages: [{name: dev, sequences: [{name: keptn-doctor, tasks: []}]}]}"
    project = f"{{name: sockshop, stages: [dev], services: [carts], shipyard: '{shipyard}'}}"
    async with world(f"control-plane: {{projects: [{project}]}}\n") as lab:
        await refused(lab, "controller", "has a sequence keptn-doctor itself", **PLACE)


async def test_services_that_cannot_be_meant_or_must_not_be_are_refused() -> None:
    async with world("control-plane: {automatic-provisioning: true}") as lab:
        name = ("nobody",)
        await refused(lab, "service", "no nobody was found", keptn_services=name)
        found = await refused(
            lab, "service", "deployment", "--allow-deploying", keptn_services=("helm-service",)
        )
        assert found.refusal.subject == HELM


async def test_without_a_git_upstream_it_is_refused_where_one_is_needed() -> None:
    async with world() as lab:
        found = await refused(lab, "service", "Git upstream", "round-trip.upstream")
        assert found.refusal.subject == JMETER


async def test_a_token_that_is_refused_sends_nothing() -> None:
    async with world() as lab:
        api = ApiTarget(endpoint=lab.endpoint, token=Secret("not-the-one-0123456789"))
        targets = msgspec.structs.replace(lab.targets(), api=api, round_trip=True)
        snapshot = await examine(targets)
        assert "the token was refused" in Sent(snapshot=snapshot).refusal.reason
        assert lab.writes() == ()


async def test_several_candidates_are_not_chosen_from() -> None:
    more = "execution-planes: {exec-c: {namespace: load, services: {jmeter-service: {}}}}\n"
    async with world(f"control-plane: {{automatic-provisioning: true}}\n{more}") as lab:
        await refused(
            lab, "service", "none was named",
            f"--keptn-service {JMETER} --keptn-service exec-c/load/jmeter-service",
        )  # fmt: skip
        await refused(lab, "service", "may be any of", keptn_services=("jmeter-service",))
