"""Pods of other software, as many as a scenario asks for: what a real cluster is mostly full of.

They are of the size that real pods have (about 5 KB as JSON), have nothing to do with Keptn and are
always well. They reserve nothing, so that they crowd nobody out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from keptn_doctor.lab import objects
from keptn_doctor.lab.objects import Object

HOME = "shop"
_TO_A_DEPLOYMENT = 10


def filler_objects(count: int, born: datetime) -> Iterator[Object]:
    """A namespace with Deployments that make ``count`` pods between them; nothing for 0."""
    if count < 1:
        return
    yield objects.namespace(HOME, born=born)
    for number, first in enumerate(range(0, count, _TO_A_DEPLOYMENT)):
        name = f"shop-part-{number}"
        selector = {"app.kubernetes.io/name": name}
        yield objects.deployment(
            name, HOME, selector=selector, labels={**selector, "app.kubernetes.io/part-of": "shop"},
            pod_spec=_pod_spec(name), born=born, replicas=min(_TO_A_DEPLOYMENT, count - first),
            pod_annotations={
                "prometheus.io/scrape": "true", "checksum/config": objects.generated(name, 64),
            },
        )  # fmt: skip


def _pod_spec(name: str) -> Object:
    probe = {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10}
    mounts = [
        {"name": volume, "mountPath": f"/etc/{volume}", "readOnly": True}
        for volume in ("config", "certificates")
    ]
    main: Object = {
        "name": "main",
        "image": f"registry.example.com/shop/{name}:2.14.1",
        "env": [objects.env(f"SHOP_SETTING_{n}", objects.generated(f"{n}", 40)) for n in range(16)]
        + [objects.env_from_field("POD_NAME", "metadata.name")],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "livenessProbe": probe, "readinessProbe": probe, "volumeMounts": mounts,
    }  # fmt: skip
    proxy: Object = {
        "name": "metrics", "image": "registry.example.com/metrics/exporter:1.9.0",
        "args": [f"--{n}={objects.generated(n, 24)}" for n in ("source", "target", "labels")],
        "ports": [{"name": "metrics", "containerPort": 9113, "protocol": "TCP"}],
    }  # fmt: skip
    return {
        "containers": [main, proxy],
        "volumes": [
            {"name": "config", "emptyDir": {"sizeLimit": "10Mi"}},
            {"name": "certificates", "emptyDir": {"medium": "Memory"}},
        ],
        "terminationGracePeriodSeconds": 30,
    }
