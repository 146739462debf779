"""keptn-doctor.yaml: what it says is done, and what is wrong in it is named with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from keptn_doctor.targets import Targets, UsageError

Write = Callable[..., Path]
Resolve = Callable[..., Targets]

FULL = """\
version: 1
control-plane:
  name: keptn
  context: cp
  kubeconfig: kubeconfig
  namespaces: [keptn]
  endpoint: https://keptn.example.com/api
  token-file: token
execution-planes:
- name: eu
  context: exec-eu
  kubeconfig: kubeconfig
  namespaces: [keptn-exec, more]
- context: exec-us
  kubeconfig: kubeconfig
network:
  nameservers: ["192.0.2.53"]
  search: [example.com]
  ndots: 2
  connect-to: ["a:80:b:8080"]
timeouts: {connect: 1, run: 60}
log-window: 5m
"""


@pytest.fixture
def config(tmp_path: Path, kubeconfig: Write) -> Callable[[str], Path]:
    kubeconfig("cp", "exec-eu", "exec-us")
    (tmp_path / "token").write_text("of-config\n")

    def write(text: str) -> Path:
        path = tmp_path / "keptn-doctor.yaml"
        path.write_text(text)
        return path

    return write


def refusal(resolved: Resolve, *args: object, **options: object) -> str:
    with pytest.raises(UsageError) as caught:
        resolved(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_everything_in_the_file_comes_through(
    resolved: Resolve, config: Callable[[str], Path], tmp_path: Path
) -> None:
    config(FULL)
    targets = resolved()
    kubeconfig = str(tmp_path / "kubeconfig")
    assert [(t.name, t.context, t.namespaces) for t in targets.clusters()] == [
        ("keptn", "cp", ("keptn",)),
        ("eu", "exec-eu", ("keptn-exec", "more")),
        ("exec-us", "exec-us", ()),
    ]
    assert {t.kubeconfig for t in targets.clusters()} == {kubeconfig}
    assert targets.api is not None
    assert targets.api.endpoint == "https://keptn.example.com/api"
    assert targets.api.token is not None
    assert targets.api.token.reveal() == "of-config"
    assert targets.network.nameservers == ("192.0.2.53",)
    assert (targets.network.search, targets.network.ndots) == (("example.com",), 2)
    assert targets.network.connect_to[0].to_port == 8080
    assert (targets.deadlines.connect_s, targets.deadlines.run_s) == (1, 60)
    assert targets.log_window_s == 300
    assert not targets.guessed


def test_options_and_variables_win_over_the_file(
    resolved: Resolve, config: Callable[[str], Path]
) -> None:
    config(FULL)
    targets = resolved(
        {"KEPTN_API_TOKEN": "of-variable", "KEPTN_ENDPOINT": "http://variable/api"},
        execution_planes=("eu",),
        namespaces=("other",),
        timeout=30.0,
        nameservers=("192.0.2.1",),
    )
    assert [(p.name, p.namespaces) for p in targets.execution_planes] == [("eu", ("other",))]
    assert targets.control_plane is not None
    assert targets.control_plane.name == "keptn"
    assert targets.api is not None
    assert targets.api.endpoint == "http://variable/api"
    assert targets.api.token is not None
    assert targets.api.token.reveal() == "of-variable"
    assert (targets.deadlines.connect_s, targets.deadlines.run_s) == (1, 30)
    assert targets.network.nameservers == ("192.0.2.1",)


def test_a_named_file_is_read_and_must_be_there(
    resolved: Resolve, config: Callable[[str], Path], tmp_path: Path
) -> None:
    config(FULL).rename(tmp_path / "other.yaml")
    assert len(resolved(config="other.yaml").execution_planes) == 2
    assert len(resolved({"KEPTN_DOCTOR_CONFIG": "other.yaml"}).execution_planes) == 2
    assert "gone.yaml: cannot be read" in refusal(resolved, config="gone.yaml")


def test_a_token_may_come_from_a_variable_of_any_name(
    resolved: Resolve, config: Callable[[str], Path]
) -> None:
    config("control-plane: {endpoint: 'http://k/api', token-env: MY_TOKEN}\n")
    targets = resolved({"MY_TOKEN": "mine"})
    assert targets.api is not None
    assert targets.api.token is not None
    assert targets.api.token.reveal() == "mine"
    assert "names MY_TOKEN, which is not set" in refusal(resolved)


def test_a_plane_may_be_the_pods_own_cluster(
    resolved: Resolve, config: Callable[[str], Path]
) -> None:
    config("execution-planes: [{in-cluster: true, name: here}]\n")
    assert [(p.name, p.in_cluster) for p in resolved().execution_planes] == [("here", True)]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version: 2\n", 1, "version must be 1"),
        ("\ncontrol_plane: {}\n", 2, "control_plane is no field: did you mean control-plane?"),
        ("colour: red\n", 1, "colour is no field: allowed are control-plane, execution-planes"),
        (
            "execution-planes:\n- context: exec-eu\n  namespace: x\n",
            3,
            "execution-planes[0].namespace is no field: did you mean namespaces?",
        ),
        (
            "control-plane:\n  context: cp\n  token: abc\n",
            3,
            "control-plane.token a secret has no place in this file",
        ),
        (
            "execution-planes:\n- context: exec-eu\n- context: [a]\n",
            3,
            "execution-planes[1].context must be text, not a list",
        ),
        ("execution-planes: exec-eu\n", 1, "execution-planes must be a list, not text"),
        ("timeouts:\n  run: soon\n", 2, "timeouts.run must be a number or nothing, not text"),
        ("network:\n  ndots: many\n", 2, "network.ndots must be a whole number or nothing"),
        ("execution-planes:\n- name: eu\n", 2, "execution-planes[0] needs either a context"),
        (
            "execution-planes:\n- {context: exec-eu, in-cluster: true}\n",
            2,
            "execution-planes[0] needs either a context or in-cluster",
        ),
        (
            "execution-planes:\n- context: exec-eu\n  kubeconfig: kubeconfig\n  name: a/b\n",
            4,
            "'a/b' cannot be a name",
        ),
        (
            "execution-planes:\n- context: exec-ue\n  kubeconfig: kubeconfig\n",
            2,
            "did you mean exec-",
        ),
        ("version: 1\nversion: 1\n", 2, "version is given twice"),
        ("execution-planes:\n- {context: a, context: b}\n", 2, "context is given twice"),
        ("a: [\n", 2, "is not valid YAML"),
        ("a: !!python/object:os.system x\n", 1, "is not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    resolved: Resolve, config: Callable[[str], Path], text: str, line: int, words: str
) -> None:
    path = config(text)
    said = refusal(resolved)
    assert said.startswith(f"{path}:{line}:")
    assert words in said


def test_a_bomb_of_aliases_is_refused_at_once(
    resolved: Resolve, config: Callable[[str], Path]
) -> None:
    levels = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    config(f"a0: &a0 [x]\n{levels}")
    assert "a0 is no field" in refusal(resolved)
    config("network: &n {search: *n}\n")
    assert "network" in refusal(resolved)


@pytest.mark.parametrize("text", ["", "- a\n", "text\n", "null\n"])
def test_a_file_that_is_no_configuration_is_refused(
    resolved: Resolve, config: Callable[[str], Path], text: str
) -> None:
    path = config(text)
    assert refusal(resolved).startswith(f"{path}: is no configuration")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("control-plane: {endpoint: nonsense}\n", "control-plane.endpoint"),
        ("network: {nameservers: [nonsense]}\n", "network.nameservers"),
        ("network: {connect-to: [nonsense]}\n", "network.connect-to"),
        ("network: {ca-file: nowhere.pem}\n", "network.ca-file"),
        ("log-window: nonsense\n", "log-window"),
        ("control-plane: {token-file: nowhere}\n", "control-plane.token-file"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_file_and_field(
    resolved: Resolve, config: Callable[[str], Path], tmp_path: Path, text: str, place: str
) -> None:
    path = config(text)
    said = refusal(resolved, kubeconfig=str(tmp_path / "kubeconfig"))
    assert said.startswith(f"{path}")
    assert place in said
