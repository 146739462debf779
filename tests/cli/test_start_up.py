"""What a run imports before it sends its first byte: counts, never times."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import python

_KUBECONFIG = """\
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: a, user: %s}]
"""
_AT_FIRST_CONNECT = """\
import sys
from keptn_doctor.cli import main
def hook(event, arguments):
    if event == "socket.connect" and not seen:
        seen.append(event)
        print("kubernetes" in sys.modules)
seen = []
sys.addaudithook(hook)
main(["check", "--kubeconfig", sys.argv[1], "-q", "-o", "json=" + sys.argv[1] + ".json"])
"""


def test_looking_does_not_wait_for_what_judges_and_prints() -> None:
    late = (
        "kubernetes", "aiohttp", "cryptography", "keptn_doctor_checks", "keptn_doctor.observe",
        "keptn_doctor.judgement", "keptn_doctor.renderers.text",
    )  # fmt: skip
    program = (
        "import sys, keptn_doctor.commands.check, keptn_doctor.doctor\n"
        f"print([name for name in {late!r} if name in sys.modules])"
    )
    assert python(program).stdout == "[]\n"


@pytest.mark.parametrize(
    ("user", "packaged"),
    [("{token: t}", "False"), ("{username: u, password: p}", "True")],
)
def test_the_kubernetes_package_is_imported_for_no_plain_context(
    user: str, packaged: str, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(_KUBECONFIG % user)
    run = python(_AT_FIRST_CONNECT, str(kubeconfig), code=3)
    assert run.stdout.splitlines()[0] == packaged
