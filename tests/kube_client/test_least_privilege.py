"""A user who has what ``keptn-doctor rbac`` prints, and no more, sees all there is to see."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import yaml

from keptn_doctor.discover import discover
from keptn_doctor.lab import scenario as scenarios
from keptn_doctor.lab.kube import User
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.model.failure import Failure
from keptn_doctor.needed_rights import Role
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.rbac import Subject, manifests
from keptn_doctor.session import Session
from keptn_doctor.targets import Targets

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]

TOKEN = "least-privilege-lab-token"
PARTS: dict[str, tuple[Role, tuple[str, ...]]] = {
    "keptn-cp": ("control-plane", ("keptn",)),
    "exec-a": ("execution-plane", ("keptn-exec",)),
    "exec-b": ("execution-plane", ("keptn-jes",)),
}


def admit(lab: Lab, folder: Path, *, cluster_wide: bool = True) -> Targets:
    """Grant what rbac prints, and point the targets at a kubeconfig of that user."""
    for context, (role, namespaces) in PARTS.items():
        cluster = lab.clusters[context]
        cluster.users[TOKEN] = User(name="doctor")
        subject = Subject(kind="User", name="doctor")
        text = manifests(role, namespaces=namespaces, cluster_wide=cluster_wide, subject=subject)
        for document in yaml.safe_load_all(text):
            cluster.add(document)
    config = yaml.safe_load(lab.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": TOKEN}
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    found = lab.targets()
    assert found.control_plane is not None
    replace = msgspec.structs.replace
    return replace(
        found,
        control_plane=replace(found.control_plane, kubeconfig=str(path), namespaces=("keptn",)),
        execution_planes=tuple(
            replace(plane, kubeconfig=str(path), namespaces=PARTS[plane.context][1])
            for plane in found.execution_planes
        ),
    )


async def look(targets: Targets) -> Recorder:
    recorder = Recorder(now=lambda: datetime.now(UTC))
    async with Session(targets, recorder, salt=b"salt", environ={}) as session:
        await discover(session)
    return recorder


async def test_discovery_meets_no_refusal(tmp_path: Path) -> None:
    async with start(scenarios.loads("title: all is well")) as lab:
        recorder = await look(admit(lab, tmp_path))
        refused = {
            (context, s.verb, s.path)
            for context, server in lab.servers.items()
            for s in server.served
            if s.status == 403
        }
    assert refused == set()
    assert not [o for o in recorder.observations if isinstance(o.result, Failure)]
    assert not [n for n in recorder.not_attempted if n.kind == "right"]


async def test_rights_in_the_namespaces_alone_still_find_every_service(tmp_path: Path) -> None:
    async with start(scenarios.loads("title: all is well")) as lab:
        everything = await look(lab.targets())
        narrow = await look(admit(lab, tmp_path, cluster_wide=False))
    workloads = {o.subject for o in everything.observations if o.probe == "workload"}
    found = {o.subject for o in narrow.observations if o.probe == "workload"}
    assert found
    assert found == workloads
