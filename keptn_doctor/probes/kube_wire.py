"""The wire to one API server: TLS as kubectl does it, proxies, detours, and the read-only guard.

Everything that the Kubernetes client sends goes through the transport made here, websockets
included, so a request that would change the cluster cannot leave by another door.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import ssl
import tempfile
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from keptn_doctor.model.path_facts import DnsAnswer
from keptn_doctor.network_settings import Deadlines, NetworkSettings
from keptn_doctor.probes.failures import fault
from keptn_doctor.probes.kube_access import ClusterAccess, unreadable
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.stopwatch import spending

_REVIEWS = re.compile(r"/apis/authorization\.k8s\.io/v1/selfsubject(access|rules)reviews")
_PODS = re.compile(r"/api/v1/namespaces/[^/]+/pods")
_ONE_POD = re.compile(r"/api/v1/namespaces/[^/]+/pods/[^/]+")
_RUNS_COMMANDS = re.compile(r"/(exec|attach)/?$")


class ReadOnlyViolation(RuntimeError):  # noqa: N818 - it names what happened
    """A bug of ours: a request that would change the cluster, in a run that must not."""


class NamedContext(ssl.SSLContext):
    """Verifies the peer under another name than the one that was dialled (tls-server-name).

    httpcore takes the name from the URL when it tunnels through a proxy and ignores the
    ``sni_hostname`` extension there; a context that knows the name works on every way.
    """

    peer_name = ""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the ssl module's signature
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        name = self.peer_name or server_hostname
        return super().wrap_bio(incoming, outgoing, server_side, name, session)


def tls_context(access: ClusterAccess) -> ssl.SSLContext:
    """The TLS settings of one cluster; raises WorldFault when its certificates cannot be used."""
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.peer_name = access.tls_server_name
    # Python 3.13 refuses authorities without key identifiers by default. Go does not, and
    # clusters have them: the same cluster must not pass or fail by the version of Python.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # Go: any certificate may be an anchor
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif access.ca_pem:
        try:
            context.load_verify_locations(cadata=access.ca_pem)
        except (ssl.SSLError, ValueError) as error:
            raise unreadable(f"the certificate-authority of {access.name} is no PEM") from error
    else:
        context.load_default_certs()
    if access.certificate and access.key:
        _load_client_certificate(context, access)
    return context


def _load_client_certificate(context: ssl.SSLContext, access: ClusterAccess) -> None:
    assert access.key is not None
    pem = f"{access.certificate}\n{access.key.reveal()}\n".encode()

    def no_password() -> str:
        raise unreadable(f"the client key of {access.name} is encrypted")

    try:
        with _readable_once(pem) as path:
            context.load_cert_chain(path, password=no_password)
    except (ssl.SSLError, ValueError) as error:
        raise unreadable(
            f"the client certificate and key of {access.name} do not fit together"
        ) from error


@contextlib.contextmanager
def _readable_once(content: bytes) -> Iterator[str]:
    """A path for a library that reads keys from files only.

    On Linux it is anonymous memory, so not even a killed process leaves a key on the disk.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("keptn-doctor", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:  # mode 0600, gone on leaving
        file.write(content)
        file.flush()
        yield file.name


class SystemNames(Network):
    """Detours as everywhere, but names as kubectl finds them: hosts file, VPN, mDNS.

    Another ``--nameserver`` is for looking at the Keptn endpoint, not for reaching clusters.
    """

    async def look_up(self, host: str, *, deadline_s: float = 5.0) -> DnsAnswer:
        """Addresses in the system's order of families; a socket.gaierror when there are none."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(deadline_s):
            with spending("resolve"):
                found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        by_family: dict[int, list[str]] = {socket.AF_INET: [], socket.AF_INET6: []}
        for family, *_, address in found:
            by_family.setdefault(family, []).append(str(address[0]))
        return DnsAnswer(
            name=host,
            ipv4=tuple(by_family[socket.AF_INET]),
            ipv6=tuple(by_family[socket.AF_INET6]),
            resolver="this machine's",
        )


class GuardedTransport(httpx.AsyncBaseTransport):
    """Lets reading through, and what writes only in an active run, and only probe pods."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, base_path: str, active: bool) -> None:
        self._inner, self._base_path, self._active = inner, base_path, active

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(self._base_path)
        if not allowed(request.method, path, active=self._active):
            raise ReadOnlyViolation(f"refused to send {request.method} {path}")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def allowed(method: str, path: str, *, active: bool) -> bool:
    """Whether a request may be sent at all; exec and attach are GETs that run commands."""
    if method in ("GET", "HEAD"):
        return not _RUNS_COMMANDS.search(path)
    if method == "POST":
        return bool(_REVIEWS.fullmatch(path) or (active and _PODS.fullmatch(path)))
    return bool(method == "DELETE" and active and _ONE_POD.fullmatch(path))


def open_http(
    access: ClusterAccess, *, deadlines: Deadlines, network: NetworkSettings, active: bool
) -> httpx.AsyncClient:
    """An HTTP client for one API server; raises WorldFault when its settings cannot be used."""
    parts = urlsplit(access.server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise unreadable(f"the server of {access.name} is no http or https URL")
    inner = SystemNames(network).transport(tls=tls_context(access), proxy=_proxy(access))
    headers = [("Accept", "application/json"), ("User-Agent", "keptn-doctor")]
    headers += access.impersonate
    if access.authorization:
        headers.append(("Authorization", access.authorization.reveal()))
    return httpx.AsyncClient(
        base_url=access.server,
        headers=headers,
        transport=GuardedTransport(inner, base_path=parts.path.rstrip("/"), active=active),
        timeout=httpx.Timeout(deadlines.kube_s, connect=deadlines.connect_s),
        follow_redirects=False,
        trust_env=False,
    )


def _proxy(access: ClusterAccess) -> str:
    if not access.proxy_url:
        return ""
    url = access.proxy_url.reveal()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise fault(
            "connect",
            "proxy-failed",
            f"the proxy-url of {access.name} is of kind {parts.scheme or 'unknown'}; "
            "http and https proxies are supported",
        )
    return url
