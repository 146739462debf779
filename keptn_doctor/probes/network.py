"""This machine's way into the network: whom to ask for names, where TCP really goes, whom to trust.

Everything that opens a socket goes through here, so that a detour (``connect_to``) or another name
server holds for a TCP probe, a TLS handshake and an HTTP request alike. A detour changes the socket
and nothing else: the Host header, SNI and the verified name stay those of the original.

**Policy of verification**, the same on every Python: what Go's ``crypto/tls`` does, for it is Go
clients whose success is to be foretold. Names come from the SAN extension only, an intermediate
in the trust store is an anchor (X509_V_FLAG_PARTIAL_CHAIN), and RFC 5280's formal demands are not
enforced (X509_V_FLAG_X509_STRICT off, though Python 3.13 turns it on by default).
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import certifi
import httpcore
import httpx

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.path_facts import DnsAnswer
from keptn_doctor.network_settings import ConnectTo, NetworkSettings, literal_address
from keptn_doctor.probes.failures import WorldFault, connect_failure, fault
from keptn_doctor.probes.stopwatch import spending

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Line = httpcore.AsyncNetworkStream

_LOOK_UP_S = 5.0
_LAST_PORT = 65535
_MOST_LINES = 40  # who asks sets the limits; an open port-forward has a line of its own
_IDLE_S = 30.0  # longer than a slow cluster keeps the others waiting; servers allow a minute
_NO_PINS: Mapping[str, str] = {}


class Network:
    """The operator's network as the settings make it.

    It holds no connection but ``line``, which is one to ``address`` for the next request.
    """

    def __init__(
        self,
        settings: NetworkSettings | None = None,
        *,
        pins: Mapping[str, str] = _NO_PINS,
        line: Line | None = None,
    ) -> None:
        self.settings = settings or NetworkSettings()
        self._pins = dict(pins)
        self._line = line

    def at(self, host: str, address: str, line: Line | None = None) -> Network:
        """The same network, in which ``host`` is known to be at ``address``.

        A walk along the path uses it so that every rung looks at the same machine. The first
        connection that a request needs is ``line``, where one is open already.
        """
        return Network(self.settings, pins={**self._pins, host.lower(): address}, line=line)

    def take_line(self) -> Line | None:
        """The open line, once; whoever takes it closes it."""
        line, self._line = self._line, None
        return line

    def detoured(self, host: str, port: int) -> bool:
        """Whether a rule for this very name makes resolving it pointless.

        A rule for any host is about connections, not names: the name is still looked up.
        """
        rule = self._rule_for(host, port)
        return rule is not None and rule.to_host not in ("", host)

    def _rule_for(self, name: str, port: int) -> ConnectTo | None:
        if literal_address(name):
            return None
        rules = self.settings.connect_to
        return next((rule for rule in rules if rule.host and rule.matches(name, port)), None)

    async def look_up(self, host: str, *, deadline_s: float = _LOOK_UP_S) -> DnsAnswer:
        """See ``probes.dns.look_up``."""
        from keptn_doctor.probes.dns import look_up  # noqa: PLC0415 - dnspython, see doctor.py

        with spending("resolve"):
            return await look_up(host, self.settings, deadline_s=deadline_s)

    async def destinations(self, host: str, port: int) -> tuple[tuple[str, int], ...]:
        """Where TCP for ``host:port`` is really opened, in the order in which to try.

        A rule for the name comes first and saves the look-up; else rules for each address apply.
        Raises WorldFault when the name has to be looked up and is not found.
        """
        if not 0 < port <= _LAST_PORT:
            raise fault("connect", "host-unreachable", f"there is no port {port}")
        rule = self._rule_for(host, port)
        if rule:
            to_port = rule.to_port or port
            return tuple((a, to_port) for a in await self._addresses(rule.to_host or host))
        addresses = await self._addresses(host)
        return tuple(self.settings.destination(address, port) for address in addresses)

    async def _addresses(self, host: str) -> tuple[str, ...]:
        pin = self._pins.get(host.lower()) or literal_address(host)
        return (pin,) if pin else (await self.look_up(host)).addresses

    async def open(self, host: str, port: int, *, deadline_s: float) -> Stream:
        """A TCP connection to the first destination that accepts.

        Raises WorldFault of phase "resolve" or "connect"; the caller closes the writer.
        """
        failure = Failure(phase="resolve", code="no-address", detail=f"{host} has no address")
        for address, real_port in await self.destinations(host, port):
            try:
                return await open_tcp(address, real_port, deadline_s=deadline_s)
            except WorldFault as refusal:
                failure = refusal.failure
        raise WorldFault(failure)

    def transport(
        self, *, tls: ssl.SSLContext | None = None, verify: bool = True, proxy: str = ""
    ) -> httpx.AsyncBaseTransport:
        """For ``httpx.AsyncClient(transport=…, trust_env=False)``.

        Without ``tls`` it is ``context(verify=verify)``, made when something is asked over https
        first: it costs 20 ms. ``proxy`` is an http:// or https:// URL, with user and password if it
        wants them; the environment's proxies are never used unasked.
        """
        given = (lambda: tls) if tls else functools.partial(self.context, verify=verify)
        return _Transport(self, tls=given, proxy=proxy)

    def context(self, *, verify: bool) -> ssl.SSLContext:
        """A shared context: the system's authorities and the user's own, or no verification.

        The first verifying one takes 20 ms, most of which another thread can use.
        """
        return _verifying(self.settings.trust_ca_file) if verify else _unverifying()


@functools.cache
def _verifying(ca_file: str) -> ssl.SSLContext:
    context = new_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.hostname_checks_common_name = False
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile=certifi.where())
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            detail = f"cannot read authorities from {ca_file}: {type(error).__name__}"
            raise fault("tls", "certificate-invalid", detail) from None
    return context


@functools.cache
def _unverifying() -> ssl.SSLContext:
    return new_context()


def new_context() -> ssl.SSLContext:
    """A client context that verifies nothing and speaks TLS 1.2 and later, as today's clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def open_tcp(address: str, port: int, *, deadline_s: float) -> Stream:
    """TCP to an address (detours already applied); raises WorldFault of phase "connect"."""
    try:
        async with asyncio.timeout(deadline_s):
            with spending("connect"):
                return await asyncio.open_connection(address, port)
    except TimeoutError as error:
        if error.errno is None:
            detail = f"no answer in {deadline_s:g} s"
            raise fault("connect", "connect-timeout", detail) from None
        raise WorldFault(_unreachable(error)) from None
    except OSError as error:
        raise WorldFault(_unreachable(error)) from None


async def open_line(address: str, port: int, *, deadline_s: float) -> Line:
    """As ``open_tcp``, a connection on which a request can be sent."""
    try:
        with spending("connect"):
            return await httpcore.AnyIOBackend().connect_tcp(address, port, timeout=deadline_s)
    except httpcore.ConnectTimeout:
        raise fault("connect", "connect-timeout", f"no answer in {deadline_s:g} s") from None
    except httpcore.ConnectError as error:
        raise WorldFault(_unreachable(error)) from None


def _unreachable(error: BaseException) -> Failure:
    known = connect_failure(error)
    return known or Failure(phase="connect", code="host-unreachable", detail=type(error).__name__)


class _Backend(httpcore.AsyncNetworkBackend):
    """Opens httpcore's connections where the settings say.

    httpcore documents network backends for this purpose: everything above the socket, TLS and
    proxies included, still goes by the original host.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if line := self._network.take_line():
            return _Stream(line)
        last: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address, real_port in await self._network.destinations(host, port):
            try:
                with spending("connect"):
                    stream = await self._plain.connect_tcp(
                        address,
                        real_port,
                        timeout=timeout,
                        local_address=local_address,
                        socket_options=socket_options,
                    )
                return _Stream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last or httpcore.ConnectError("no address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """A stream that closes when a deadline cuts its TLS handshake short; httpcore's own leaks."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            with spending("tls"):
                tls = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._stream.aclose()
            raise
        return _Stream(tls)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except _HTTPCORE_ERRORS as error:
            raise _as_httpx(error) from error

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close:
            await close()


class _Transport(httpx.AsyncBaseTransport):
    """httpx on httpcore with a network backend, which httpx's own transport cannot be given.

    The lines over TLS are a pool of their own, opened with the first of them.
    """

    def __init__(
        self, network: Network, *, tls: Callable[[], ssl.SSLContext], proxy: str
    ) -> None:
        self._network, self._tls = network, tls
        self._proxy = _proxy(proxy, network) if proxy else None
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}

    def _pool(self, scheme: str) -> httpcore.AsyncConnectionPool:
        if scheme not in self._pools:
            self._pools[scheme] = httpcore.AsyncConnectionPool(
                ssl_context=self._tls() if scheme == "https" else None,
                proxy=self._proxy,
                max_connections=_MOST_LINES,
                max_keepalive_connections=10,
                keepalive_expiry=_IDLE_S,
                network_backend=_Backend(self._network),
            )
        return self._pools[scheme]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        stream = request.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("an asynchronous transport needs an asynchronous request body")
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        core = httpcore.Request(
            method=request.method,
            url=url,
            headers=request.headers.raw,
            content=stream,
            extensions=request.extensions,
        )
        try:
            answer = await self._pool(request.url.scheme).handle_async_request(core)
        except _HTTPCORE_ERRORS as error:
            raise _as_httpx(error) from error
        if not isinstance(answer.stream, AsyncIterable):
            raise TypeError("httpcore answered with a synchronous stream")
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=dict(answer.extensions),
        )

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


def _proxy(text: str, network: Network) -> httpcore.Proxy:
    url = httpx.URL(text)
    return httpcore.Proxy(
        f"{url.scheme}://{url.netloc.decode()}",  # netloc is without user and password
        auth=(url.username, url.password) if url.username else None,
        ssl_context=network.context(verify=True) if url.scheme == "https" else None,
    )


_HTTPCORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    httpcore.ProtocolError,
)


def _as_httpx(error: Exception) -> httpx.TransportError:
    """The namesake: httpx names its exceptions after httpcore's."""
    kind = getattr(httpx, type(error).__name__, httpx.TransportError)
    made: httpx.TransportError = kind(str(error))
    return made
