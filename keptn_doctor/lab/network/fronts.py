"""What stands in front of a gateway: ingress controllers, routers, load balancers, SSO, firewalls.

A front is a handler around another handler. Its own answers are those of the product it plays, so
that whoever asks can tell from the page, the Server header and the status who spoke.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatch

from keptn_doctor.lab.keptn import nginx
from keptn_doctor.lab.network.exchange import Answer, Call, Handler, as_text
from keptn_doctor.lab.settings import FrontProduct, FrontSettings

_TIMEOUT_SCALE = 100  # a second of the world is 10 ms in the lab
_OPENSHIFT_PAGE = (
    "<html><head><title>Application is not available</title></head><body>"
    "<h1>Application is not available</h1><p>The application is currently not serving requests "
    "at this endpoint. It may not have been started or is still starting.</p></body></html>"
)
_ENVOY_REFUSED = (
    "upstream connect error or disconnect/reset before headers. reset reason: connection failure, "
    "transport failure reason: delayed connect error: 111"
)
_LOGIN = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method='post'>"
    "<input name='user'><input name='password' type='password'></form></body></html>"
)
_WAF_PAGE = (
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. "
    "Please consult with your administrator. Your support ID is: 1234567890</body></html>"
)
_SERVERS: dict[FrontProduct, str] = {
    "ingress-nginx": "nginx",
    "envoy": "istio-envoy",
    "load-balancer": "awselb/2.0",
    "web-server": "Apache/2.4.57 (Debian)",
    "oauth2-proxy": "",
    "traefik": "",
    "openshift-router": "",
    "waf": "",
}


class Front:
    """One front; ``behind`` finds the next handler, None when it is down."""

    def __init__(self, settings: FrontSettings, behind: Callable[[], Handler | None]) -> None:
        self.settings = settings
        self._behind = behind

    async def answer(self, call: Call) -> Answer:
        answer = await self._answer(call)
        server = _SERVERS[self.settings.product]
        own = {"Server": server} if server else {}
        if self.settings.product == "envoy":
            own["x-envoy-upstream-service-time"] = "3"
        if not server:
            return answer
        return answer.adding(own)

    async def _answer(self, call: Call) -> Answer:
        settings = self.settings
        refused = self._refused(call)
        if refused is not None:
            return refused
        if settings.answer_status:
            return as_text(
                settings.answer_status, settings.answer_body, content_type=settings.answer_type
            )
        if settings.sso:
            return self._login(call)
        if settings.body_limit and len(call.body) > settings.body_limit:
            return self._page(413)
        behind = self._behind()
        if settings.no_backend or behind is None:
            return self._unavailable()
        try:
            async with asyncio.timeout(settings.timeout_s / _TIMEOUT_SCALE):
                return await behind(self._forwarded(call))
        except TimeoutError:
            return self._page(504)

    def _refused(self, call: Call) -> Answer | None:
        """What never gets past this front."""
        settings = self.settings
        if settings.needs_client_certificate:
            return as_text(
                400,
                "<html>\r\n<head><title>400 No required SSL certificate was sent</title>"
                "</head>\r\n</html>\r\n",
                content_type="text/html",
            )
        if settings.source_ranges and not self._in_ranges(call.origin.address):
            return self._page(403)
        host = call.host.rpartition(":")[0] if ":" in call.host else call.host
        host = host.lower()  # names of hosts know no case: RFC 9110, section 4.2.3
        if settings.hosts and not any(fnmatch(host, pattern) for pattern in settings.hosts):
            return self._default_backend()
        redirected = self._redirect(call, host)
        if redirected is not None:
            return redirected
        if call.method in settings.blocked_methods:
            return self._blocked(settings.blocked_status)
        if any(fnmatch(call.path, pattern) for pattern in settings.blocked_paths):
            return self._blocked(403)
        if settings.path_prefix and not call.path.startswith(settings.path_prefix):
            return self._default_backend()
        return None

    def _in_ranges(self, address: str) -> bool:
        return any(
            ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)
            for cidr in self.settings.source_ranges
        )

    def _redirect(self, call: Call, host: str) -> Answer | None:
        settings = self.settings
        if not settings.redirect_status:
            return None
        if call.scheme == "https" and not settings.redirect_loop and not settings.redirect_to:
            return None
        target = settings.redirect_to or f"https://{host}"
        if settings.product == "ingress-nginx":
            return nginx.moved(settings.redirect_status, target + call.target)
        return as_text(settings.redirect_status, "").adding({"Location": target + call.target})

    def _login(self, call: Call) -> Answer:
        if self.settings.sso == "page":
            return as_text(200, _LOGIN, content_type="text/html; charset=utf-8")
        location = f"{self.settings.sso_url}?rd={call.scheme}://{call.host}{call.path}"
        return as_text(302, "").adding({"Location": location})

    def _default_backend(self) -> Answer:
        """The answer for hosts and paths that no rule knows."""
        match self.settings.product:
            case "ingress-nginx":
                return as_text(404, "default backend - 404", content_type="text/html")
            case "traefik":
                return as_text(404, "404 page not found\n").adding(
                    {"X-Content-Type-Options": "nosniff"}
                )
            case "openshift-router":
                return as_text(503, _OPENSHIFT_PAGE, content_type="text/html")
            case "envoy":
                return Answer(status=404)
            case _:
                return self._page(404)

    def _unavailable(self) -> Answer:
        """The answer when the rule exists and nobody is behind it."""
        match self.settings.product:
            case "openshift-router":
                return as_text(503, _OPENSHIFT_PAGE, content_type="text/html")
            case "envoy":
                return as_text(503, _ENVOY_REFUSED)
            case "traefik":
                return as_text(502, "Bad Gateway")
            case _:
                return self._page(503)

    def _blocked(self, status: int) -> Answer:
        if self.settings.product == "waf":
            return as_text(status, _WAF_PAGE, content_type="text/html; charset=utf-8")
        return self._page(status)

    def _page(self, status: int) -> Answer:
        match self.settings.product:
            case "ingress-nginx":
                return nginx.page(status)
            case "waf":
                return as_text(status, _WAF_PAGE, content_type="text/html; charset=utf-8")
            case "envoy":
                return as_text(status, "upstream request timeout" if status == 504 else "")
            case _:
                text = f"<html><head><title>{status}</title></head><body>{status}</body></html>"
                return as_text(status, text, content_type="text/html")

    def _forwarded(self, call: Call) -> Call:
        settings = self.settings
        headers = call.headers.copy()
        for name in settings.strips_headers:
            headers.popall(name, None)
        match settings.forwarded_for:
            case "append":
                earlier = headers.get("X-Forwarded-For", "")
                headers["X-Forwarded-For"] = (
                    f"{earlier}, {call.origin.address}" if earlier else call.origin.address
                )
            case "replace":
                headers["X-Forwarded-For"] = call.origin.address
            case "drop":
                headers.popall("X-Forwarded-For", None)
        headers["X-Forwarded-Proto"] = call.scheme
        target = call.target
        if settings.merge_slashes:
            target = _merged(target)
        if settings.rewrite_from and target.startswith(settings.rewrite_from):
            target = settings.rewrite_to + target.removeprefix(settings.rewrite_from)
        keeps_source = settings.product == "load-balancer"
        address = call.origin.address if keeps_source else "10.42.0.8"
        return replace(
            call,
            headers=headers,
            target=target,
            origin=replace(call.origin, address=address),
        )


def _merged(target: str) -> str:
    path, mark, query = target.partition("?")
    while "//" in path:
        path = path.replace("//", "/")
    return path + mark + query


async def black_hole_cluster(_call: Call) -> Answer:
    """A mesh sidecar's answer for hosts outside its registry: Istio's BlackHoleCluster."""
    return Answer(status=502, headers={"server": "envoy"})
