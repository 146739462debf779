"""The closed vocabulary of what can go wrong while looking."""

from __future__ import annotations

from typing import Literal

from keptn_doctor.model.base import Record

Phase = Literal["resolve", "connect", "tls", "http", "auth", "kube", "parse", "deadline"]

Code = Literal[
    # resolve
    "name-unknown",  # NXDOMAIN
    "no-address",  # the name exists without A or AAAA
    "server-failure",  # SERVFAIL
    "query-refused",  # REFUSED
    "resolver-timeout",  # no answer from any name server
    "cname-loop",
    "resolver-missing",  # no name server is configured
    "name-invalid",
    # connect
    "connection-refused",
    "connect-timeout",
    "host-unreachable",
    "network-unreachable",
    "connection-reset",
    "connection-closed",
    "proxy-failed",
    # tls
    "not-tls",  # the peer speaks plain text
    "protocol-version",
    "handshake-failed",
    "client-certificate-required",
    "certificate-expired",
    "certificate-not-yet-valid",
    "certificate-name-mismatch",
    "certificate-self-signed",
    "certificate-untrusted",
    "certificate-incomplete-chain",
    "certificate-invalid",
    # http
    "read-timeout",
    "truncated",
    "too-many-redirects",
    "too-large",
    "protocol-error",
    "unexpected-status",
    "rate-limited",
    # auth
    "unauthorized",
    "forbidden",
    "credentials-expired",
    "credential-plugin-failed",
    "credential-plugin-missing",
    "credential-plugin-timeout",
    "credentials-unreadable",
    # kube
    "not-found",
    "gone",
    "conflict",
    "resource-not-served",
    "pod-not-running",
    "port-forward-failed",
    "server-error",
    # parse
    "not-json",
    "unexpected-shape",
    # deadline
    "deadline-exceeded",
    "interrupted",
    # a bug in a probe, stopped at its border
    "probe-crashed",
]


class Failure(Record, frozen=True, kw_only=True, tag_field="kind", tag="Failure"):
    """A look that came back without what was looked for: where it stopped and how.

    ``detail`` is one redacted line for people; judging goes by ``phase`` and ``code`` alone.
    ``right`` names the Kubernetes rule that would have allowed it, when that is what was missing.
    """

    phase: Phase
    code: Code
    detail: str = ""
    right: str = ""  # "list secrets in namespace keptn-exec"
    status: int = 0  # HTTP status, when there was an answer
