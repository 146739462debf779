"""Takes a KEPTN_API_ENDPOINT apart once, as Go's net/url would, and says what is wrong with it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from keptn_doctor.model.topology import Endpoint

_USERINFO = re.compile(r"(?<=://)[^/@?#]*@")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def without_userinfo(url: str) -> str:
    """The URL without a user name and password, which never become evidence."""
    return _USERINFO.sub("", url)


def parse_endpoint(
    url: str, *, services: tuple[str, ...] = (), used_by_operator: bool = False
) -> Endpoint:
    """An Endpoint with its parts; what cannot be used has ``defect`` set and parts left empty."""
    scheme, host, port, path, defect = _parts(url)
    return Endpoint(
        url=url,
        scheme=scheme,
        host=host,
        port=port,
        path=path,
        services=services,
        used_by_operator=used_by_operator,
        defect=defect,
    )


def _parts(url: str) -> tuple[str, str, int, str, str]:
    defect = _surface_defect(url)
    if defect:
        return "", "", 0, "", defect
    try:
        split = urlsplit(url)
        host, port = split.hostname or "", split.port
    except ValueError:
        return "", "", 0, "", "has a host or port that cannot be read"
    scheme = split.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        return scheme, host, port or 0, split.path, f"has the scheme {scheme}, not http or https"
    if not host:
        return scheme, "", port or 0, split.path, "has no host"
    if port == 0:
        return scheme, host, 0, split.path, "has port 0"
    return scheme, host, port or _DEFAULT_PORTS[scheme], split.path, ""


def _surface_defect(url: str) -> str:
    if url != url.strip():
        return "has whitespace around it"
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        return "has whitespace or a control character in it"
    if "://" not in url:
        return "has no scheme"
    return ""
