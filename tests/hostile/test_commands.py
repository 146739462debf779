"""Commands to paste: names from a hostile world stay names in the shell."""

from __future__ import annotations

import shlex

import pytest

from keptn_doctor.model.topology import ExecutionPlane, KeptnService
from keptn_doctor.reading.remedies import kubectl, set_variable

EVIL = ("$(reboot)", "a; reboot", "`reboot`", "a'b", 'a"b', "a|b", "~", "a\nb", "*", "<here>")


def service() -> KeptnService:
    return KeptnService(plane="a", namespace="n", name="helm-service", container="distributor")


@pytest.mark.parametrize("name", EVIL)
def test_a_context_and_a_namespace_are_one_word_each(name: str) -> None:
    command = kubectl(ExecutionPlane(name="a", context=name), "get pods", namespace=name)
    assert shlex.split(command) == ["kubectl", "--context", name, "-n", name, "get", "pods"]
    assert "$(" not in command.replace("'$(reboot)'", "")


@pytest.mark.parametrize("value", EVIL)
def test_a_value_is_one_word(value: str) -> None:
    words = shlex.split(set_variable(None, service(), f"KEPTN_API_ENDPOINT=http://x/{value}"))
    assert words[-1] == f"KEPTN_API_ENDPOINT=http://x/{value}"


def test_a_substitution_that_is_meant_is_left_to_the_shell() -> None:
    wanted = 'KEPTN_API_TOKEN="$(kubectl get secret x | base64 -d)"'
    assert set_variable(None, service(), wanted).endswith(f" {wanted}")


def test_a_variable_is_taken_away_with_a_dash() -> None:
    assert set_variable(None, service(), "PROXY-").endswith(" -c distributor PROXY-")
