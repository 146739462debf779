"""Go's HTTP client, as far as Keptn's clients use it, over the lab's wire.

Real DNS packets, TCP connections, TLS handshakes and requests; a failure becomes the text that Go
would return. Waiting is shortened: a client that would wait 30 s waits a fraction of a second, and
the time it would have taken is part of the result.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import SplitResult, urljoin, urlsplit

from cryptography import x509

from keptn_doctor.lab.clients import go_errors
from keptn_doctor.lab.clients.go_errors import FOREVER, Go, GoError, wrapped
from keptn_doctor.lab.clients.go_resolver import Resolver
from keptn_doctor.lab.clients.patience import patiently
from keptn_doctor.lab.network.wire import NoRouteToHostError, Wire

_SCALE = 100  # a second of the world is 10 ms
_LEAST_WAIT_S = 0.3
_LONGEST_WAIT_S = 1.3  # for clients without any time limit
_MAX_REDIRECTS = 10
_MAX_HEAD = 65_536
_BY_TIMEOUT = " (Client.Timeout exceeded while awaiting headers)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How one of a client's HTTP clients is set up."""

    verify: bool = False
    proxies: bool = True  # HTTP_PROXY, HTTPS_PROXY, NO_PROXY are honoured
    timeout_s: float | None = 30.0  # of the whole call; None = none at all
    go: Go = (1, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """Where a client runs: what it can reach and resolve, and its clock."""

    wire: Wire
    resolver: Resolver
    vantage: str
    service: str  # namespace/name, for egress policies
    subject: str  # plane/namespace/name
    environment: Mapping[str, str]
    trusted_pem: str
    clock: Callable[[], datetime]
    sender: str = ""  # the subject once more, when a simulated client is at work by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A response after redirects; ``took_s`` in the world's seconds."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str
    method: str
    took_s: float = 0.05

    def header(self, name: str) -> str:
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An open connection and how its far end is written: ``203.0.113.20:443``."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request before any redirect."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


async def send(pod: Pod, transport: Transport, request: Request, *, rehearsing: bool) -> Reply:
    """Send a request and follow redirects as Go does.

    Args:
        pod: the place it is sent from.
        transport: TLS verification, proxies, time limit.
        request: what to send.
        rehearsing: a client's rehearsal (see ``client.py``), not live traffic.

    Raises:
        GoError: with the whole text, as ``url.Error`` prints it.
    """
    current = request
    for _ in range(_MAX_REDIRECTS):
        try:
            call = _exchange(pod, transport, current, rehearsing=rehearsing)
            reply = await patiently(call, _real_limit(transport))
        except TimeoutError:
            raise _timed_out(transport, request.method, current.url) from None
        except GoError as error:
            raise _ended(error, transport, request.method, current.url) from None
        following = _redirected(current, reply)
        if following is None:
            return reply
        current = following
    raise GoError(wrapped(request.method, current.url, "stopped after 10 redirects"), 0.5)


async def send_once(pod: Pod, transport: Transport, request: Request) -> Reply:
    """One exchange, redirects not followed, by a live process.

    Raises:
        GoError: as ``send`` does.
    """
    try:
        call = _exchange(pod, transport, request, rehearsing=False)
        return await patiently(call, _real_limit(transport))
    except TimeoutError:
        raise _timed_out(transport, request.method, request.url) from None


def _real_limit(transport: Transport) -> float:
    if transport.timeout_s is None:
        return _LONGEST_WAIT_S
    return max(transport.timeout_s / _SCALE, _LEAST_WAIT_S)


def _timed_out(transport: Transport, method: str, url: str) -> GoError:
    """The peer accepted and then said nothing."""
    if transport.timeout_s is None:
        return GoError("", FOREVER)
    return GoError(
        wrapped(method, url, "context deadline exceeded" + _BY_TIMEOUT), transport.timeout_s
    )


def _ended(error: GoError, transport: Transport, method: str, url: str) -> GoError:
    """``url.Error`` around a failure, cut short by the client's own limit when that comes first.

    While dialling, the dialer and the request's context race to report the limit.
    """
    limit = transport.timeout_s
    if limit is None or error.took_s < limit:
        return GoError(wrapped(method, url, error.text), error.took_s)
    if "connection timed out" not in error.text and "i/o timeout" not in error.text:
        return GoError(wrapped(method, url, error.text), limit)
    dialer = error.text.replace("connect: connection timed out", "i/o timeout") + _BY_TIMEOUT
    return GoError(
        wrapped(method, url, dialer),
        limit,
        wrapped(method, url, "context deadline exceeded" + _BY_TIMEOUT),
    )


def _redirected(request: Request, reply: Reply) -> Request | None:
    """The request after a redirect (``net/http`` redirectBehavior); None when there is none."""
    location = reply.header("Location")
    if reply.status not in (301, 302, 303, 307, 308) or not location:
        return None
    url = urljoin(request.url, location)
    if reply.status in (307, 308) or request.method in ("GET", "HEAD"):
        return replace(request, url=url)
    return replace(request, url=url, method="GET", body=b"")


async def _exchange(pod: Pod, transport: Transport, request: Request, *, rehearsing: bool) -> Reply:
    parts = urlsplit(request.url)
    if parts.scheme not in ("http", "https"):
        raise GoError(f'unsupported protocol scheme "{parts.scheme}"')
    if not parts.hostname:
        raise GoError("http: no Host in request URL")
    proxy = proxy_for(pod.environment, parts) if transport.proxies else ""
    connection, target = await _connected(pod, transport, parts, proxy, rehearsing=rehearsing)
    writer = connection.writer
    try:
        writer.write(_head(request, parts, target) + request.body)
        await writer.drain()
        return await _response(connection.reader, request)
    except (ssl.SSLError, ConnectionError, EOFError) as error:
        raise _broken(error, pod, connection) from None
    finally:
        writer.close()


def _broken(error: BaseException, pod: Pod, connection: Connection) -> GoError:
    """A connection that failed after it was open."""
    cause = connection.reader.exception() or error
    if isinstance(cause, ssl.SSLError):
        return GoError(go_errors.tls_text(cause))
    if isinstance(cause, ConnectionResetError) and cause.errno is not None:
        return GoError(
            f"read tcp {pod.resolver.pod_ip}:51012->{connection.peer}: "
            "read: connection reset by peer"
        )
    return GoError("EOF")  # asyncio raises resets without an errno for connections that just ended


def _default_port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def proxy_for(env: Mapping[str, str], parts: SplitResult) -> str:
    """``http.ProxyFromEnvironment``; "" for a direct connection."""
    name = f"{parts.scheme}_proxy"
    proxy = env.get(name.upper()) or env.get(name) or ""
    host = parts.hostname or ""
    if not proxy or host in ("localhost", "127.0.0.1", "::1"):
        return ""
    excluded = (env.get("NO_PROXY") or env.get("no_proxy") or "").split(",")
    for entry in filter(None, (e.strip().lower() for e in excluded)):
        domain = entry.lstrip("*").lstrip(".")
        if entry == "*" or host == domain or host.endswith("." + domain):
            return ""
    return proxy if "://" in proxy else f"http://{proxy}"


async def _connected(
    pod: Pod, transport: Transport, parts: SplitResult, proxy: str, *, rehearsing: bool
) -> tuple[Connection, str]:
    """A connection that speaks to the host, and the form of target to use on it."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host, port = parts.hostname or "", parts.port or _default_port(parts)
    if not proxy:
        connection = await _dial(pod, host, port, rehearsing=rehearsing)
        if parts.scheme == "https":
            await _start_tls(pod, transport, connection, (host, port), rehearsing=rehearsing)
        return connection, path
    via = urlsplit(proxy)
    try:
        connection = await _dial(pod, via.hostname or "", via.port or 80, rehearsing=rehearsing)
    except GoError as error:
        raise GoError(f"proxyconnect tcp: {error.text}", error.took_s) from None
    if parts.scheme == "http":
        return connection, f"http://{parts.netloc}{path}"
    await _tunnel(pod, connection, f"{host}:{port}")
    await _start_tls(pod, transport, connection, (host, port), rehearsing=rehearsing)
    return connection, path


async def _tunnel(pod: Pod, connection: Connection, target: str) -> None:
    connection.writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    try:
        status, reason, _ = await _status_and_headers(connection.reader)
    except (ConnectionError, EOFError) as error:
        raise _broken(error, pod, connection) from None
    if status != 200:
        connection.writer.close()
        raise GoError(reason)


async def _dial(pod: Pod, host: str, port: int, *, rehearsing: bool) -> Connection:
    try:
        addresses = await pod.resolver.addresses(host)
    except GoError as error:
        raise GoError(f"dial tcp: {error.text}", error.took_s) from None
    problem: GoError | None = None
    for address in addresses:
        shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        try:
            reader, writer = await pod.wire.open(
                pod.vantage,
                address,
                port,
                service=pod.service,
                rehearsing=pod.subject if rehearsing else "",
                sender=pod.sender,
            )
        except TimeoutError:
            failed = GoError(
                f"dial tcp {shown}: connect: connection timed out", go_errors.SYN_RETRIES_S
            )
        except NoRouteToHostError:
            failed = GoError(f"dial tcp {shown}: connect: no route to host", go_errors.NO_ROUTE_S)
        except ConnectionRefusedError:
            failed = GoError(f"dial tcp {shown}: connect: connection refused")
        else:
            return Connection(reader=reader, writer=writer, peer=shown)
        problem = problem or failed  # Go reports the first
    raise problem or GoError(f"dial tcp: lookup {host}: no such host")


async def _start_tls(
    pod: Pod,
    transport: Transport,
    connection: Connection,
    peer: tuple[str, int],
    *,
    rehearsing: bool,
) -> None:
    writer = connection.writer
    try:
        await writer.start_tls(_client_context(), server_hostname=peer[0])
    except (ssl.SSLError, ConnectionError, EOFError) as error:
        writer.close()
        raise _broken(error, pod, connection) from None
    if not transport.verify:
        return
    try:
        leaf = _leaf(writer)
    except ValueError:  # TLS 1.3: the peer's alert came after our side of the handshake
        writer.close()
        raise _broken(connection.reader.exception() or EOFError(), pod, connection) from None
    chain_ok = await _chain_ok(pod, peer, rehearsing=rehearsing)
    text = go_errors.certificate_text(
        leaf, peer[0], chain_ok=chain_ok, now=pod.clock(), go=transport.go
    )
    if text:
        writer.close()
        raise GoError(text)


def _client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _leaf(writer: asyncio.StreamWriter) -> x509.Certificate:
    secure: ssl.SSLObject = writer.get_extra_info("ssl_object")
    return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")


async def _chain_ok(pod: Pod, peer: tuple[str, int], *, rehearsing: bool) -> bool:
    """Whether the chain ends in a trusted authority; dates and names are judged apart.

    A second handshake, because OpenSSL mixes all reasons into one verdict and Go has its own order.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=pod.trusted_pem)
    writer = (await _dial(pod, *peer, rehearsing=rehearsing)).writer
    try:
        await writer.start_tls(context, server_hostname=peer[0])
    except ssl.SSLCertVerificationError as error:
        return error.verify_code in (9, 10)  # dates only: X509_V_ERR_CERT_NOT_YET_VALID, _EXPIRED
    except ssl.SSLError:
        return True
    finally:
        writer.close()
    return True


def _head(request: Request, parts: SplitResult, target: str) -> bytes:
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    names = {name.lower() for name, _ in request.headers}
    if "user-agent" not in names:
        lines.append("User-Agent: Go-http-client/1.1")
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body or request.method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(request.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _status_and_headers(
    reader: asyncio.StreamReader,
) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *rest = raw[:_MAX_HEAD].decode("latin-1").rstrip("\r\n").split("\r\n")
    version, _, remainder = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise GoError(
            "net/http: HTTP/1.x transport connection broken: malformed HTTP response "
            f'"{first[:40]}"'
        )
    code, _, reason = remainder.partition(" ")
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in rest]
    return int(code), reason, tuple((h[0], h[1]) for h in headers if len(h) == 2)


async def _response(reader: asyncio.StreamReader, request: Request) -> Reply:
    try:
        status, reason, headers = await _status_and_headers(reader)
    except asyncio.IncompleteReadError as error:
        raise GoError("unexpected EOF" if error.partial else "EOF") from None
    lowered = {name.lower(): value for name, value in headers}
    try:
        if "chunked" in lowered.get("transfer-encoding", ""):
            body = await _chunks(reader)
        elif request.method == "HEAD" or status in (204, 304):
            body = b""
        elif "content-length" in lowered:
            body = await reader.readexactly(int(lowered["content-length"]))
        else:
            body = await reader.read(_MAX_HEAD * 16)
    except asyncio.IncompleteReadError:
        raise GoError("unexpected EOF") from None
    return Reply(
        status=status,
        reason=reason,
        headers=headers,
        body=body,
        url=request.url,
        method=request.method,
    )


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        data = await reader.readexactly(size + 2)
        if size == 0:
            return b"".join(parts)
        parts.append(data[:-2])
