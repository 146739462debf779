"""Who plays which part: named, configured or guessed, and one clear line when that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from keptn_doctor.targets import Targets, UsageError
from keptn_doctor.targets.cluster_choice import plane_name

Write = Callable[..., Path]
Resolve = Callable[..., Targets]


def refusal(resolved: Resolve, *args: object, **options: object) -> str:
    with pytest.raises(UsageError) as caught:
        resolved(*args, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_without_options_the_current_context_plays_both_parts(
    resolved: Resolve, kubeconfig: Write
) -> None:
    path = kubeconfig("here", "there")
    targets = resolved({"KUBECONFIG": str(path)})
    assert targets.guessed
    assert targets.control_plane is not None
    assert targets.control_plane.context == "here"
    assert [p.context for p in targets.execution_planes] == ["here"]
    assert targets.cluster("here") == targets.control_plane


def test_without_a_kubeconfig_one_line_says_what_to_do(resolved: Resolve) -> None:
    text = refusal(resolved)
    assert "--kubeconfig" in text
    assert "--lab" in text


def test_the_usual_kubeconfig_is_found_in_the_home(
    resolved: Resolve, kubeconfig: Write, tmp_path: Path
) -> None:
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    kubeconfig("here").rename(tmp_path / "home" / ".kube" / "config")
    targets = resolved()
    assert targets.control_plane is not None
    assert targets.control_plane.context == "here"


def test_named_contexts_play_the_parts_they_were_named_for(
    resolved: Resolve, kubeconfig: Write
) -> None:
    path = kubeconfig("cp", "eu", "us")
    targets = resolved(kubeconfig=str(path), control_plane="cp", execution_planes=("eu", "west=us"))
    assert not targets.guessed
    assert [(t.name, t.context) for t in targets.clusters()] == [
        ("cp", "cp"),
        ("eu", "eu"),
        ("west", "us"),
    ]
    assert {t.kubeconfig for t in targets.clusters()} == {str(path)}


def test_execution_planes_alone_leave_the_control_plane_absent(
    resolved: Resolve, kubeconfig: Write
) -> None:
    targets = resolved(kubeconfig=str(kubeconfig("cp", "eu")), execution_planes=("eu",))
    assert targets.control_plane is None
    assert not targets.guessed


def test_a_control_plane_alone_is_searched_for_services_too(
    resolved: Resolve, kubeconfig: Write
) -> None:
    targets = resolved(kubeconfig=str(kubeconfig("cp", "eu")), control_plane="cp")
    assert [p.context for p in targets.execution_planes] == ["cp"]
    assert targets.guessed


def test_variables_stand_in_for_options_and_options_win(
    resolved: Resolve, kubeconfig: Write
) -> None:
    path = kubeconfig("cp", "eu", "us")
    environ = {
        "KEPTN_DOCTOR_KUBECONFIG": str(path),
        "KEPTN_DOCTOR_CONTROL_PLANE": "cp",
        "KEPTN_DOCTOR_EXECUTION_PLANES": "eu, us",
        "KEPTN_DOCTOR_NAMESPACES": "a,us/b",
    }
    targets = resolved(environ)
    assert [p.context for p in targets.execution_planes] == ["eu", "us"]
    assert [p.namespaces for p in targets.execution_planes] == [("a",), ("a", "b")]
    assert [p.context for p in resolved(environ, execution_planes=("us",)).execution_planes] == [
        "us"
    ]


def test_a_mistyped_context_is_answered_with_near_names(
    resolved: Resolve, kubeconfig: Write
) -> None:
    path = kubeconfig("prod-east", "prod-west", "lab")
    text = refusal(resolved, kubeconfig=str(path), execution_planes=("prod-est",))
    assert str(path) in text
    offered = text.partition("did you mean ")[2]
    assert set(offered.strip("?").split(" or ")) == {"prod-east", "prod-west"}


def test_a_context_unlike_any_is_answered_with_all(resolved: Resolve, kubeconfig: Write) -> None:
    text = refusal(resolved, kubeconfig=str(kubeconfig("a-1", "b-2")), execution_planes=("zzz",))
    assert "it has a-1, b-2" in text


def test_no_current_context_says_which_contexts_there_are(
    resolved: Resolve, kubeconfig: Write
) -> None:
    path = kubeconfig("eu", "us", current="")
    text = refusal(resolved, kubeconfig=str(path))
    assert "no current-context" in text
    assert "eu, us" in text


def test_namespaces_go_to_their_planes(resolved: Resolve, kubeconfig: Write) -> None:
    targets = resolved(
        kubeconfig=str(kubeconfig("cp", "eu", "us")),
        control_plane="cp",
        control_plane_namespace="keptn",
        execution_planes=("eu", "us"),
        namespaces=("eu/exec", "shared"),
    )
    assert targets.control_plane is not None
    assert targets.control_plane.namespaces == ("keptn",)
    assert [p.namespaces for p in targets.execution_planes] == [("exec", "shared"), ("shared",)]


def test_a_namespace_of_an_unknown_plane_is_refused(resolved: Resolve, kubeconfig: Write) -> None:
    text = refusal(
        resolved,
        kubeconfig=str(kubeconfig("eu")),
        execution_planes=("eu",),
        namespaces=("us/exec",),
    )
    assert "no plane 'us' (there is eu)" in text


def test_two_planes_of_one_name_are_refused(resolved: Resolve, kubeconfig: Write) -> None:
    path = str(kubeconfig("eu", "us"))
    text = refusal(resolved, kubeconfig=path, execution_planes=("eu", "eu=us"))
    assert "two execution planes are called 'eu'" in text
    text = refusal(resolved, kubeconfig=path, control_plane="eu", execution_planes=("eu=us",))
    assert "both called 'eu'" in text


def test_one_cluster_may_play_both_parts(resolved: Resolve, kubeconfig: Write) -> None:
    path = str(kubeconfig("one"))
    targets = resolved(kubeconfig=path, control_plane="one", execution_planes=("one",))
    assert len(targets.clusters()) == 2
    assert not targets.guessed


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("kind-keptn", "kind-keptn"),
        ("arn:aws:eks:eu-west-1:123456789012:cluster/prod", "prod"),
        ("default/api-example-com:6443/admin", "default-api-example-com:6443-admin"),
        ("control-plane", "control-plane-cluster"),
        ("admin@cluster.local", "admin@cluster.local"),
        ("///", "cluster"),
    ],
)
def test_a_name_made_of_a_context_has_no_slash(context: str, name: str) -> None:
    assert plane_name(context) == name


def test_a_name_that_would_break_a_report_is_refused(resolved: Resolve, kubeconfig: Write) -> None:
    path = str(kubeconfig("eu"))
    for name in ("a/b", "control-plane", "", "-x"):
        assert "cannot be a name" in refusal(
            resolved, kubeconfig=path, execution_planes=(f"{name}=eu",)
        )


def test_a_context_with_an_equals_sign_is_a_context(resolved: Resolve, kubeconfig: Write) -> None:
    targets = resolved(kubeconfig=str(kubeconfig("a=b", "b")), execution_planes=("a=b",))
    assert [p.context for p in targets.execution_planes] == ["a=b"]


# --- inside a cluster, and the API alone ----------------------------------------------------


def test_in_a_pod_without_kubeconfig_its_own_cluster_is_taken(resolved: Resolve) -> None:
    targets = resolved({"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert targets.guessed
    assert targets.control_plane is not None
    assert targets.control_plane.in_cluster


def test_in_cluster_stands_for_the_part_that_is_left(resolved: Resolve, kubeconfig: Write) -> None:
    path = str(kubeconfig("cp", "eu"))
    beside_control = resolved(kubeconfig=path, in_cluster=True, control_plane="cp")
    assert [p.in_cluster for p in beside_control.execution_planes] == [True]
    beside_planes = resolved(kubeconfig=path, in_cluster=True, execution_planes=("eu",))
    assert beside_planes.control_plane is not None
    assert beside_planes.control_plane.in_cluster
    text = refusal(
        resolved, kubeconfig=path, in_cluster=True, control_plane="cp", execution_planes=("eu",)
    )
    assert "--in-cluster" in text


def test_an_endpoint_alone_needs_no_cluster(resolved: Resolve) -> None:
    targets = resolved(endpoint="http://keptn.example.com/api/")
    assert targets.api is not None
    assert targets.api.endpoint == "http://keptn.example.com/api"
    assert targets.clusters() == ()


# --- kubeconfig files -----------------------------------------------------------------------


def test_a_named_kubeconfig_that_is_missing_is_said(resolved: Resolve, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    assert refusal(resolved, kubeconfig=gone) == f"--kubeconfig: there is no file {gone}"
    assert refusal(resolved, {"KUBECONFIG": gone}) == f"KUBECONFIG: there is no file {gone}"


def test_several_files_are_merged_and_the_first_wins(resolved: Resolve, kubeconfig: Write) -> None:
    first, second = kubeconfig("eu", file="one"), kubeconfig("us", file="two")
    joined = f"{first}:{second}:/nowhere/at/all"
    targets = resolved({"KUBECONFIG": joined})
    assert targets.control_plane is not None
    assert targets.control_plane.context == "eu"
    assert resolved({"KUBECONFIG": joined}, execution_planes=("us",)).execution_planes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"contexts: [", ":1:"),
        (b"a: b: c", "is not valid YAML"),
        (b"just text", "is plain text, not a kubeconfig"),
        (b"- a\n", "is a list, not a kubeconfig"),
        (b"\xff\xfe\x00", "is not a text file"),
        (b"contexts: nonsense", "contexts must be a list, not plain text"),
        (b"contexts:\n- context: {}", "contexts[0] has no name"),
        (b"contexts:\n- name: a\n  context: text", 'context "a" must be a mapping'),
        (b"current-context: [a]", "current-context must be a name, not a list"),
        (b"a: 2020-99-99", "is not a kubeconfig"),
    ],
)
def test_a_malformed_kubeconfig_is_one_line_with_its_path(
    resolved: Resolve, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(content)
    text = refusal(resolved, kubeconfig=str(path))
    assert text.startswith(str(path))
    assert words in text


def test_a_folder_is_no_kubeconfig(resolved: Resolve, tmp_path: Path) -> None:
    assert "cannot be read" in refusal(resolved, kubeconfig=str(tmp_path))


def test_a_kubeconfig_with_nulls_where_lists_belong_is_read(
    resolved: Resolve, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("contexts: null\nclusters:\nusers: []\ncurrent-context: ''\n")
    assert "no current-context" in refusal(resolved, kubeconfig=str(path))
