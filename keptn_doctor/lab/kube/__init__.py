"""The lab's Kubernetes API: an in-process server that answers as real ones were recorded to do.

::

    cluster = Cluster(
        "1.24",                      # any minor from 1.14 to 1.36
        objects=[{"apiVersion": "v1", "kind": "Pod", "metadata": {...}, ...}],
        users={"token": User(name="reader", rules=(Rule(resources=("pods",), verbs=("list",)),))},
        now=lambda: moment,          # the cluster's clock
        name="exec-1",               # seeds the uids: two clusters need two names
    )
    async with KubeApiServer(cluster, pods, server_context(cert, key)) as server:
        server.url                   # https://127.0.0.1:PORT

**Cluster** is the state. Objects are plain dicts with apiVersion and kind; identity, namespaces
and the API server's defaults are filled in. ``add``, ``get``, ``objects``, ``patch`` and
``remove`` are for the lab (``add(obj, raw=True)`` keeps odd objects as they are); ``listen``
reports every change; ``compact`` makes old continue tokens and watches expire. A
CustomResourceDefinition among the objects, or a ``Resource`` in ``extra_resources``, adds a kind.
``on_pod_created(cluster, pod)`` is called when a pod is created through the API: there is no
kubelet, the hook "runs" it by writing its status. A deleted object goes at once, with what it owns.

**User** and **Rule** give rights directly; Role, ClusterRole and binding objects in the cluster
count as well, for a user, a group or a ``service_account(namespace, name)``. Members of
``system:masters`` may do anything. A client certificate is a user by its CN and groups by its O.

**PodBackend** is what lies behind the pods: ``logs``, ``open_port`` (the pod's loopback, for
port-forward), ``open_pod_ip`` (the pod's address, for the proxies). ``NoPods`` refuses everything.

**Misbehaviour** is a fault of the server itself (hang, slow, drip, reset, html, flood,
redirect-loop, too-many-requests, unavailable, truncate), given to the server at the start or later
with ``misbehave``.

**KubeApiServer** serves it: get, list, watch, create, update, patch, delete, scale, Tables,
discovery, reviews, service account tokens, pods/log, pods/portforward, pods/proxy, services/proxy.
``served`` records what was asked of it. The real kubectl can get, describe, logs, port-forward,
auth can-i, apply, label, wait, scale, delete and create token. What it cannot: exec and attach,
top, explain, ``logs -f`` (it ends with what there is), and those ``create`` commands that post
protobuf. There are no controllers beyond garbage collection and no kubelet.
"""

from __future__ import annotations

from keptn_doctor.lab.kube.cluster import Change, Cluster
from keptn_doctor.lab.kube.misbehaviour import Misbehaviour
from keptn_doctor.lab.kube.pods import LogOptions, NoPods, PodBackend, cut_log
from keptn_doctor.lab.kube.resources import Resource, Subresource
from keptn_doctor.lab.kube.server import KubeApiServer, Served
from keptn_doctor.lab.kube.tls import server_context
from keptn_doctor.lab.kube.users import Rule, User, service_account

__all__ = [
    "Change",
    "Cluster",
    "KubeApiServer",
    "LogOptions",
    "Misbehaviour",
    "NoPods",
    "PodBackend",
    "Resource",
    "Rule",
    "Served",
    "Subresource",
    "User",
    "cut_log",
    "server_context",
    "service_account",
]
