"""``init`` writes a file that ``check`` can read, and says what it could not find out."""

from __future__ import annotations

from pathlib import Path

from running import assert_one_clear_line, keptn_doctor

from keptn_doctor.commands.init import Found, configuration
from keptn_doctor.targets.config_file import parse_config

CONTROL = Found(context="cp", cluster="uid-1", control_planes=("keptn",))
PLANE = Found(
    context="arn:aws:eks:eu-central-1:123:cluster/exec-a",
    cluster="uid-2",
    keptn_services={"keptn-exec": ("helm-service", "jmeter-service"), "other": ("x",)},
)


def test_what_was_found_is_a_valid_configuration() -> None:
    text, summary = configuration((CONTROL, PLANE), kubeconfig="")
    content = parse_config(Path("keptn-doctor.yaml"), text).content
    assert content.control_plane is not None
    assert content.control_plane.context == "cp"
    assert content.control_plane.namespaces == ("keptn",)
    (plane,) = content.execution_planes
    assert (plane.name, plane.context) == ("exec-a", PLANE.context)
    assert plane.namespaces == ("keptn-exec", "other")
    assert summary[0] == "Control plane in cp, namespace keptn."
    assert "helm-service, jmeter-service in keptn-exec; x in other" in summary[1]


def test_one_cluster_may_play_both_parts() -> None:
    both = Found(
        context="one", cluster="u", control_planes=("keptn",), keptn_services={"exec": ("x",)}
    )
    content = parse_config(Path("f"), configuration((both,), kubeconfig="")[0]).content
    assert content.control_plane is not None
    assert [plane.context for plane in content.execution_planes] == ["one"]


def test_a_second_context_of_one_cluster_is_left_out_with_a_note() -> None:
    twin = Found(context="twin", cluster="uid-2", keptn_services=PLANE.keptn_services)
    text, summary = configuration((CONTROL, PLANE, twin), kubeconfig="")
    assert len(parse_config(Path("f"), text).content.execution_planes) == 1
    assert f"twin is the same cluster as {PLANE.context}." in summary
    assert "# twin is the same cluster as" in text


def test_without_a_control_plane_the_file_says_what_to_fill_in() -> None:
    text, summary = configuration((PLANE,), kubeconfig="")
    assert parse_config(Path("f"), text).content.control_plane is None
    assert "#   endpoint: https://keptn.example.com/api" in text
    assert any("No control plane was found" in line for line in summary)


def test_a_context_that_could_not_be_looked_at_is_named_on_one_line() -> None:
    dead = Found(context="dead", problem="no route\nto host")
    text, summary = configuration((CONTROL, dead), kubeconfig="")
    assert "dead could not be looked at: no route to host" in summary
    assert "\n# dead could not be looked at: no route to host\n" in text


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "keptn-doctor.yaml"
    file.write_text("mine")
    assert_one_clear_line(keptn_doctor("init", cwd=tmp_path), "--force")
    assert file.read_text() == "mine"


def test_without_a_kubeconfig_init_says_how_to_name_one(tmp_path: Path) -> None:
    assert_one_clear_line(keptn_doctor("init", cwd=tmp_path), "--kubeconfig")
