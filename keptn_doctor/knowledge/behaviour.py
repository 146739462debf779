"""How each release of the distributor and of the SDK acts, as named behaviours.

Checks judge behaviours, never version numbers: this is the one place where numbers become words.
Everything here was read in keptn/keptn ``distributor/`` and keptn/go-utils at every release tag
from 0.8.3 to 1.4.5; between 0.19.3 and 1.4.5 the distributor did not change its conduct.
"""

from __future__ import annotations

from typing import Literal

from keptn_doctor.knowledge.versions import Version
from keptn_doctor.model.topology import ClientBehaviour

NEWEST = "1.4.5"

Identity = Literal["filters", "node", "name"]


def client_behaviour(
    client: Literal["distributor", "sdk"],
    version: str,
    *,
    oauth: bool = False,
    control_plane_version: str = "",
) -> ClientBehaviour:
    """Behaviour of one client release; an unreadable version gives the newest, marked not known.

    ``oauth`` is whether OAuth is in effect: it exists from 0.13.0 and swaps the HTTP client for one
    that verifies certificates and ignores proxies (``distributor/pkg/clientget/client.go@0.16.2``).
    ``control_plane_version`` decides by which fields the control plane tells registrations apart.
    """
    read = Version.parse(version)
    release = read or Version.parse(NEWEST)
    assert release is not None
    if client == "sdk":  # its version is the service's own and tells nothing of Keptn
        identity = registration_identity(control_plane_version)
        return _sdk(known=read is not None, oauth=oauth, identity=identity)
    identity = registration_identity(control_plane_version or version)
    return _distributor(release, known=read is not None, oauth=oauth, identity=identity)


def registration_identity(control_plane_version: str) -> Identity:
    """Which fields make a registration's id on this control plane.

    Up to 0.8.7 name, namespace and filters; up to 0.15.1 name, namespace and node; from 0.16.0 a
    record of the same name and namespace is reused whatever its node.
    Source: ``shipyard-controller/handler/uniformintegrationhandler.go@0.8.7, @0.15.1, @0.16.0``.
    """
    release = Version.parse(control_plane_version)
    if release is None or release >= _at("0.16.0"):
        return "name"
    return "node" if release >= _at("0.9.0") else "filters"


def _distributor(
    release: Version, *, known: bool, oauth: bool, identity: Identity
) -> ClientBehaviour:
    uniform_api, pings = _at("0.8.4"), _at("0.9.0")
    one_client = release >= _at("0.13.0")  # polls and registration share one HTTP client
    oauth = oauth and one_client
    old = release < pings
    heartbeat: Literal["none", "reregister", "ping"] = "ping"
    if old:
        heartbeat = "reregister" if release >= uniform_api else "none"
    return ClientBehaviour(
        known=known,
        verifies_tls_on_poll=oauth or not one_client,
        verifies_tls_on_registration=oauth,
        proxy_on_poll=one_client and not oauth,
        proxy_on_registration=release >= _at("0.10.0") and not oauth,
        registers=release >= uniform_api,
        registers_over_http=uniform_api <= release < pings,
        heartbeat=heartbeat,
        heartbeat_interval_s=10,
        exits_when_registration_fails=release >= _at("0.12.0"),
        exits_when_heartbeat_fails=release >= _at("0.14.0"),
        reregisters=heartbeat == "reregister",
        polls_without_registration=old,
        filters_from_environment=old,
        registration_identity=identity,
        resource_path="/resource-service" if release >= _at("0.18.0") else "/configuration-service",
        prints_banner=release >= _at("0.14.0"),
        quiet_when_healthy=release >= _at("0.11.0"),
    )


def _sdk(*, known: bool, oauth: bool, identity: Identity) -> ClientBehaviour:
    """A go-sdk service: one HTTP client, a ping every 5 s, no local API proxy, no filters.

    Source: ``go-utils pkg/sdk/connector/{controlplane,subscriptionsource}@v0.20.4``; releases
    differ only in whether lost pings end the process (all but v0.17.0).
    """
    return ClientBehaviour(
        known=known,
        verifies_tls_on_poll=oauth,
        verifies_tls_on_registration=oauth,
        proxy_on_poll=not oauth,
        proxy_on_registration=not oauth,
        heartbeat="ping",
        heartbeat_interval_s=5,
        exits_when_registration_fails=True,
        exits_when_heartbeat_fails=True,
        reregisters=False,
        polls_without_registration=False,
        filters_from_environment=False,
        registration_identity=identity,
        resource_path="/resource-service",
        prints_banner=False,
        quiet_when_healthy=True,
    )


def _at(text: str) -> Version:
    version = Version.parse(text)
    assert version is not None
    return version
