"""The proxy that the environment names for a server, by the rules that kubectl follows.

httpx reads the same variables but not address ranges in NO_PROXY, and it would read them at a
moment of its own.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def environment_proxy(server: str, environ: Mapping[str, str]) -> str:
    """The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for a server, "" for none.

    As Go does (``golang.org/x/net/http/httpproxy``): loopback is never proxied, and NO_PROXY may
    hold address ranges.
    """
    parts = urlsplit(server)
    host = parts.hostname or ""
    variable = "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY"
    proxy = environ.get(variable) or environ.get(variable.lower()) or ""
    rules = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(",")
    if not proxy or _never_proxied(host) or any(_excludes(r.strip(), host) for r in rules):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _never_proxied(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


def _excludes(rule: str, host: str) -> bool:
    """One entry of NO_PROXY: ``*``, an address or range, or a domain with its subdomains."""
    if rule == "*":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(rule, strict=False)
    domain = rule.partition(":")[0].lstrip(".").lower()
    same = host.lower() == domain and not rule.startswith(".")
    return bool(domain) and (same or host.lower().endswith(f".{domain}"))
