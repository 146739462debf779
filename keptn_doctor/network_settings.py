"""How this run reaches the network: name servers, detours, trust, time limits.

These are the user's choices for their own machine's view (a tunnel, another resolver, a private
CA). They say nothing about how a pod reaches the network.
"""

from __future__ import annotations

import ipaddress

from keptn_doctor.model.base import Record


class ConnectTo(Record, frozen=True, kw_only=True):
    """When about to open TCP to ``host:port``, open ``to_host:to_port`` instead.

    Like curl's ``--connect-to``: the host may be a name or an address, "" and 0 match anything;
    an empty ``to_host`` or a ``to_port`` of 0 leave that half as it was. Names, certificates and
    the Host header stay those of the original. A rule for a name spares looking it up; a rule for
    any host does not.
    """

    host: str = ""
    port: int = 0
    to_host: str = ""
    to_port: int = 0

    def matches(self, host: str, port: int) -> bool:
        wanted = self.host.strip("[]").lower()
        return wanted in ("", host.strip("[]").lower()) and self.port in (0, port)


class NetworkSettings(Record, frozen=True, kw_only=True):
    """Settings of the operator's own network path; every default means "as this machine does"."""

    nameservers: tuple[str, ...] = ()  # "192.0.2.53" or "192.0.2.53:5353"; empty = the system's
    search: tuple[str, ...] = ()
    ndots: int | None = None
    connect_to: tuple[ConnectTo, ...] = ()
    trust_ca_file: str = ""  # PEM, trusted for the Keptn endpoint beside the system's authorities
    proxy: str = ""  # http:// or https:// URL, for the Keptn endpoint; the environment's is ignored

    def destination(self, host: str, port: int) -> tuple[str, int]:
        """Where to really open TCP for ``host:port``; the first matching rule wins."""
        for rule in self.connect_to:
            if rule.matches(host, port):
                return rule.to_host or host, rule.to_port or port
        return host, port


def literal_address(host: str) -> str:
    """The address that a host is written as ("[::1]" gives "::1"); "" when it is a name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return ""


class Deadlines(Record, frozen=True, kw_only=True):
    """Time limits in seconds; each covers the whole of its step, not one read of it."""

    connect_s: float = 5.0  # one TCP connection or TLS handshake
    request_s: float = 10.0  # one HTTP exchange with the Keptn endpoint
    kube_s: float = 15.0  # one call of a Kubernetes API, a credential plugin included
    run_s: float = 120.0  # the whole run: a hard stop
    budget_s: float = 0.0  # for the looking, what decides verdicts first; 0 = all the time it takes
