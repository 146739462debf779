"""A configuration file by which the doctor of another process looks at a lab as ``--lab`` does.

Names and addresses of a lab are virtual, so the file says where they really lead: the operator's
name server and the detours, in the words of ``keptn-doctor.yaml``. It holds no token.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from keptn_doctor.network_settings import ConnectTo
from keptn_doctor.targets import ClusterTarget, Targets


def configuration(targets: Targets, kubeconfig: Path) -> str:
    """The text of the file; ``kubeconfig`` is where the lab's contexts are."""
    made: dict[str, Any] = {"version": 1}
    endpoint = targets.api.endpoint if targets.api else ""
    plane = _cluster(targets.control_plane, kubeconfig) if targets.control_plane else {}
    plane |= {"endpoint": endpoint} if endpoint else {}
    if plane:
        made["control-plane"] = plane
    made["execution-planes"] = [_cluster(p, kubeconfig) for p in targets.execution_planes]
    network = targets.network
    made["network"] = {
        "nameservers": list(network.nameservers),
        "search": list(network.search),
        "ndots": network.ndots,
        "connect-to": [_detour(rule) for rule in network.connect_to],
        "ca-file": network.trust_ca_file,
    }
    return yaml.safe_dump(made, sort_keys=False)


def _cluster(target: ClusterTarget, kubeconfig: Path) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": target.name, "context": target.context, "kubeconfig": str(kubeconfig.absolute()),
    }  # fmt: skip
    return made | ({"namespaces": list(target.namespaces)} if target.namespaces else {})


def _detour(rule: ConnectTo) -> str:
    """As curl writes it: HOST:PORT:TO-HOST:TO-PORT, empty for any."""
    parts = (_host(rule.host), rule.port or "", _host(rule.to_host), rule.to_port or "")
    return ":".join(str(part) for part in parts)


def _host(text: str) -> str:
    return f"[{text}]" if ":" in text else text
