from __future__ import annotations

import pytest

from keptn_doctor.knowledge.signatures import (
    Cause,
    Signature,
    cause_of,
    causes,
    fault_classes,
    read_line,
    signatures,
)


@pytest.mark.parametrize("signature", signatures(), ids=lambda s: s.id)
def test_every_signature_matches_its_own_example(signature: Signature) -> None:
    meaning = read_line(
        signature.example,
        component="" if signature.component == "any" else signature.component,
        version=signature.since if signature.versions_of != "go-utils" else "",
    )
    assert meaning is not None
    assert (meaning.signature, meaning.event) == (signature.id, signature.fault_class)


@pytest.mark.parametrize("cause", causes(), ids=lambda c: c.id)
def test_every_cause_is_the_first_to_match_its_own_example(cause: Cause) -> None:
    assert cause_of(cause.example) == cause.fault_class


def test_only_declared_fault_classes_are_used() -> None:
    used = {s.fault_class for s in signatures()} | {c.fault_class for c in causes()}
    assert used <= set(fault_classes())


def test_ids_are_unique() -> None:
    ids = [s.id for s in signatures()] + [c.id for c in causes()]
    assert len(ids) == len(set(ids))


def test_an_unknown_version_suppresses_no_match() -> None:
    line = 'level=warning msg="Could not register to Keptn\'s control plane: status code 401"'
    for version in ("", "latest", "0.13.6", "1.4.5"):
        meaning = read_line(line, component="distributor", version=version)
        assert meaning is not None
        assert (meaning.event, meaning.cause) == ("not_registered", "bad_token")


def test_a_refused_local_delivery_is_not_a_network_fault_of_the_control_plane() -> None:
    line = (
        'level=error msg="Sending CloudEvent with ID 1 to 127.0.0.1 failed: '
        'dial tcp 127.0.0.1:8080: connect: connection refused"'
    )
    meaning = read_line(line, component="distributor")
    assert meaning is not None
    assert (meaning.event, meaning.cause) == ("local_delivery", "")


def test_sdk_services_share_the_poll_line_of_the_distributor() -> None:
    line = (
        'level=warning msg="Could not retrieve events of type sh.keptn.event.test.triggered: EOF"'
    )
    meaning = read_line(line, component="sdk")
    assert meaning is not None
    assert meaning.event == "poll"


def test_a_signature_of_another_component_is_not_read_into_a_log() -> None:
    assert read_line("Connection type: http", component="api-service") is None


def test_an_ordinary_line_means_nothing() -> None:
    assert read_line('level=info msg="all is well"', component="distributor") is None
