"""The ConfigMap ``api-nginx-config``: the gateway's routes as each version's chart writes them.

Only what a reader can learn something from: the locations, the prefix, the body limit. The lab's
gateway does not parse it; both are made from the same settings.
Source: ``…/templates/api-gateway-nginx.yaml @0.8.7, @0.13.6, @0.18.0, @1.4.5``.
"""

from __future__ import annotations

_BACKENDS = (
    ("controlPlane", "shipyard-controller"),
    ("mongodb-datastore", "mongodb-datastore"),
    ("secrets", "secret-service"),
    ("statistics", "statistics-service"),
)


def upstreams(version: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """Path under ``/api`` and the Service behind it; nginx resolves each name at start."""
    found = list(_BACKENDS)
    if version < (0, 19, 0):
        found.append(("configuration-service", "configuration-service"))
    if version >= (0, 18, 0):
        found.append(("resource-service", "resource-service"))
    return tuple(found)


def nginx_config(version: tuple[int, ...], prefix: str) -> dict[str, str]:
    """The two files of the ConfigMap."""
    lines = [
        f"location {prefix}/api {{",
        "  proxy_pass http://api-service:8080/;",
        "}",
        f"location {prefix}/api/v1/auth {{",
        "  proxy_method POST;",
        "  proxy_pass http://api-service:8080/v1/auth;",
        "}",
    ]
    for path, service in upstreams(version):
        lines += [
            f"location {prefix}/api/{path}/ {{",
            f"  auth_request {prefix}/api/v1/auth;",
            f"  proxy_pass http://{service}:8080/;",
            "}",
        ]
    lines += [f"location {prefix}/bridge {{", "  proxy_pass http://bridge:8080;", "}"]
    lines += ["location /nginx-health {", "  access_log off;", "  return 200 'OK';", "}"]
    http = ["listen 8080;"]
    if version >= (0, 11, 0):
        http.append("server_tokens off;")
    if version >= (0, 16, 0):
        http.append("client_max_body_size 5m;")
    return {
        "nginx.conf": "\n".join(http) + "\n",
        "keptn-endpoints.conf": "\n".join(lines) + "\n",
    }
