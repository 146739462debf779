"""Turns one kubeconfig context, or the pod's service account, into a ``ClusterAccess``.

Plain contexts are read by ``kube_context``; for the others this module imports ``kubernetes``,
late, since the import takes longer than a first look. What its loader does badly is replaced: a
failing credential plugin is an error and not anonymous access, tokens lose surrounding blanks, keys
stay in memory instead of in temporary files, legacy auth providers are named instead of refreshed
behind the user's back, and impersonation is honoured instead of ignored.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from keptn_doctor.probes.environment_proxy import environment_proxy
from keptn_doctor.probes.kube_access import (
    ClusterAccess,
    FoundContext,
    expired,
    jwt_expiry,
    read_text,
    unreadable,
)
from keptn_doctor.probes.kube_config import Entry, Kubeconfig, read_kubeconfig
from keptn_doctor.probes.kube_context import is_plain, read_context
from keptn_doctor.probes.kube_plugin import run_plugin
from keptn_doctor.probes.kube_shapes import Cluster, Context, User, check_shape
from keptn_doctor.secret import Secret
from keptn_doctor.targets.records import ClusterTarget
from keptn_doctor.usage import UsageError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


async def load_access(
    target: ClusterTarget,
    *,
    environ: Mapping[str, str],
    deadline_s: float,
    now: datetime | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> ClusterAccess:
    """Credentials for one target; runs its credential plugin if it has one.

    Raises:
        WorldFault: phase auth, with what is wrong and where.
    """
    moment = now or datetime.now(UTC)
    if target.in_cluster:
        return await asyncio.to_thread(_in_cluster, target, environ, service_account)
    try:
        config = await asyncio.to_thread(read_kubeconfig, target.kubeconfig, environ)
        context = config.context(target.context or config.current_context) if config else None
    except UsageError as error:
        raise unreadable(str(error)) from error
    if config is None or context is None:
        raise unreadable("there is no kubeconfig")
    found = await asyncio.to_thread(_load, config, context, moment)
    if found.plugin is not None:
        spec = await asyncio.to_thread(found.cluster_info)
        credential = await run_plugin(
            found.plugin, cluster=spec, environ=environ, deadline_s=deadline_s, now=moment
        )
        found.adopt(credential)
    await asyncio.to_thread(_refuse_dead_certificate, found, moment)
    return found.access(target.name, proxy=environment_proxy(found.server, environ))


def _load(config: Kubeconfig, context: Entry, now: datetime) -> FoundContext:
    """Walk one context; blocking."""
    check_shape(context, Context)
    cluster_name, user_name = context.body.get("cluster"), context.body.get("user")
    cluster = config.clusters.get(str(cluster_name))
    if cluster is None:
        raise unreadable(
            f'context "{context.name}" in {context.path} names the cluster "{cluster_name or ""}", '
            "which is not there"
        )
    user = config.users.get(str(user_name)) if user_name else None
    if user_name and user is None:
        raise unreadable(
            f'context "{context.name}" in {context.path} names the user "{user_name}", '
            "which is not there"
        )
    check_shape(cluster, Cluster)
    if user:
        check_shape(user, User)
    found = FoundContext(cluster, user, str(context.body.get("namespace") or "default"))
    if is_plain(user):
        read_context(found)
        return found
    from keptn_doctor.probes.kube_loader import ContextLoader  # noqa: PLC0415 - 0.2 s or more

    ContextLoader(context, found, now=now).fill()
    return found


def _refuse_dead_certificate(found: FoundContext, now: datetime) -> None:
    """A client certificate out of date would only show as a puzzling handshake or 401."""
    if not found.certificate:
        return
    from cryptography import x509  # noqa: PLC0415 - 79 ms, needed with certificates only

    try:
        certificate = x509.load_pem_x509_certificate(found.certificate.encode())
    except ValueError as error:
        raise unreadable(f"client certificate of {found.whose} is no certificate") from error
    if certificate.not_valid_after_utc <= now:
        raise expired(
            f"the client certificate of {found.whose} expired at "
            f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        )
    if certificate.not_valid_before_utc > now:
        raise unreadable(
            f"the client certificate of {found.whose} is not valid before "
            f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: look at this machine's clock"
        )


def _in_cluster(target: ClusterTarget, environ: Mapping[str, str], folder: Path) -> ClusterAccess:
    from kubernetes.config import ConfigException  # noqa: PLC0415 - 0.7 s, 48 MiB
    from kubernetes.config.incluster_config import InClusterConfigLoader  # noqa: PLC0415

    class Holder:
        """Takes the place of a client Configuration."""

        host = ""
        ssl_ca_cert = ""

        def __init__(self) -> None:
            self.api_key: dict[str, str] = {}

    holder = Holder()
    try:
        InClusterConfigLoader(
            token_filename=str(folder / "token"),
            cert_filename=str(folder / "ca.crt"),
            try_refresh_token=False,
            environ=environ,
        ).load_and_set(holder)
    except (ConfigException, OSError) as error:
        raise unreadable(f"no usable service account in this pod: {error}") from error
    token = holder.api_key["BearerToken"].partition(" ")[2].strip()
    namespace = folder / "namespace"
    home = read_text(namespace, "service account").strip() if namespace.exists() else ""
    return ClusterAccess(
        name=target.name,
        server=holder.host,
        ca_pem=read_text(Path(holder.ssl_ca_cert), "service account"),
        authorization=Secret(f"Bearer {token}"),
        namespace=home or "default",
        user="the pod's service account",
        expires_at=jwt_expiry(token),
    )
