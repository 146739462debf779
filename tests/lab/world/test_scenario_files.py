"""A scenario file is read with care: what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from keptn_doctor.lab.scenario import ScenarioError, load, loads, packaged, planes_of


def complaint(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        loads(text, source="file.yaml")
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "title: t\ncontrol-plane:\n  gatway: {}\n",
            "file.yaml:3: unknown lever 'gatway' under 'control-plane'; did you mean 'gateway'?",
        ),
        (
            ("title: t\nexecution-planes:\n  exec-a:\n    services:\n      helm-service:\n"
            "        tokn: wrong\n"),
            ("file.yaml:6: unknown lever 'tokn' under "
            "'execution-planes.exec-a.services.helm-service'; did you mean 'token'?"),
        ),
        (
            "title: t\ncontrol-plane:\n  exposure:\n    by: ingres\n",
            ("file.yaml:4: 'control-plane.exposure.by' cannot be 'ingres'; "
            "did you mean 'ingress'?"),
        ),
        (
            "title: t\nrunning-for: soon\n",
            "file.yaml:2: 'running-for' must be a duration such as 90s, 5m, 2h or 3d, not soon",
        ),
        ("title: t\ntitle: u\n", "file.yaml:2: 'title' is given twice under the scenario"),
        ("keptn: 1.4.5\n", "file.yaml:1: the scenario needs 'title'"),
        ("title: t\nkeptn: 0.7.3\n", "file.yaml:2: no Keptn 0.7.3: the lab knows 0.8.3 to 1.4.5"),
        (
            "title: t\nexecution-planes:\n  exec-a:\n    hops: refuse\n",
            "file.yaml:4: 'execution-planes.exec-a.hops' must be a list, not 'refuse'",
        ),
        (
            "title: t\nexecution-planes:\n  exec-a:\n    cluster: {kubernetes: 1.99}\n",
            "file.yaml:4: Kubernetes 1.99 is outside 1.14 to 1.36",
        ),
        (
            "title: t\nexecution-planes:\n  exec-a:\n    same-cluster-as: exec-z\n",
            "file.yaml:4: 'exec-z' is no plane; it can be control-plane, exec-b",
        ),
        (
            ("title: t\nexecution-planes:\n  exec-a:\n    same-cluster-as: control-plane\n"
            "    cluster: {platform: k3s}\n"),
            "file.yaml:5: the cluster of 'exec-a' is that of 'control-plane': say it there",
        ),
        (
            "title: t\noperator:\n  contexts:\n    prod: {}\n",
            "file.yaml:4: no cluster has the context 'prod'; there are exec-a, exec-b, keptn-cp",
        ),
        (
            ("title: t\ncontrol-plane:\n  cluster:\n    objects:\n      - remove: Pod a/b\n"
            "      - {patch: Pod a/b, remove: Pod a/b}\n"),
            "file.yaml:6: a change has exactly one of 'patch', 'remove' and 'add'",
        ),
        ("title: [\n", "file.yaml:2: did not find expected node content"),
        ("", "file.yaml: the file is empty; it needs at least a title"),
    ],
)
def test_a_bad_file_gives_one_line_that_names_the_place(text: str, expected: str) -> None:
    assert complaint(text) == expected


def test_a_version_keeps_its_last_zero() -> None:
    scenario = loads("title: t\ncontrol-plane: {cluster: {kubernetes: 1.30}}\n")
    assert scenario.control_plane.cluster.kubernetes == "1.30"


def test_durations_are_written_with_their_unit() -> None:
    assert loads("title: t\nrunning-for: 3d").running_for_s == 3 * 86_400
    assert loads("title: t\nrunning-for: 90").running_for_s == 90


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        load(tmp_path / "nowhere.yaml")


def test_a_file_that_is_no_text_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "binary.yaml"
    file.write_bytes(b"title: \xff\xfe")
    with pytest.raises(ScenarioError, match="is not UTF-8 text"):
        load(file)


def test_planes_and_services_are_merged_over_the_default_topology() -> None:
    planes = planes_of(
        loads(
            """
            title: t
            execution-planes:
              exec-a:
                services:
                  helm-service: {token: wrong}
                  jmeter-service: null
                  own-service: {}
              exec-b: null
              exec-c: {services: {helm-service: {}}}
            """
        )
    )
    assert {name: list(plane.services) for name, plane in planes.items()} == {
        "exec-a": ["helm-service", "own-service"],
        "exec-c": ["helm-service"],
    }
    helm = planes["exec-a"].services["helm-service"]
    assert helm is not None
    assert helm.token == "wrong"
    assert planes["exec-a"].namespace == "keptn-exec"


def test_what_all_services_are_told_yields_to_what_one_is_told() -> None:
    planes = planes_of(
        loads(
            """
            title: t
            execution-planes:
              exec-a:
                all-services: {token: old, env: {A: "1"}}
                services:
                  jmeter-service: {token: base64, env: {B: "2"}}
            """
        )
    )
    services = planes["exec-a"].services
    assert {n: s.token for n, s in services.items() if s} == {
        "helm-service": "old",
        "jmeter-service": "base64",
    }
    jmeter = services["jmeter-service"]
    assert jmeter is not None
    assert jmeter.env == {"A": "1", "B": "2"}


@pytest.mark.parametrize("name", ["healthy", "demo", "round-trip"])
def test_packaged_scenarios_can_be_read(name: str) -> None:
    assert packaged(name).title
