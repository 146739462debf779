"""Which Kubernetes minor version the lab's API server behaves like.

Two generations were recorded from real servers (1.20.2 and 1.36); a minor between them takes the
behaviour of the release that introduced the change where that is known, else of the nearer
recording. What a version changed beyond one place is named here; what concerns one table of columns
or resources stands there.
"""

from __future__ import annotations

from keptn_doctor.model.base import Record

OLDEST, NEWEST = 14, 36
_NEARER_TO_NEW = 28


class Generation(Record, frozen=True, kw_only=True):
    """A Kubernetes minor version, 1.14 to 1.36, and what it does differently."""

    minor: int

    @classmethod
    def parse(cls, text: str) -> Generation:
        """Read ``1.20`` or ``1.20.2`` or ``v1.20``; raises ValueError for anything else."""
        parts = text.removeprefix("v").split(".")
        if len(parts) < 2 or parts[0] != "1" or not parts[1].isdigit():
            raise ValueError(f"not a Kubernetes version: {text!r} (expected for example 1.24)")
        minor = int(parts[1])
        if not OLDEST <= minor <= NEWEST:
            raise ValueError(f"Kubernetes {text} is outside 1.{OLDEST} to 1.{NEWEST}")
        return cls(minor=minor)

    @property
    def text(self) -> str:
        return f"1.{self.minor}"

    @property
    def is_new(self) -> bool:
        """Nearer to the recorded 1.36 than to 1.20: for changes whose release is not known."""
        return self.minor >= _NEARER_TO_NEW

    @property
    def restarts_say_when(self) -> bool:
        """The pod table says ``7 (110m ago)`` instead of the number 7."""
        return self.minor >= 22

    @property
    def namespaces_carry_their_name(self) -> bool:
        """The label ``kubernetes.io/metadata.name`` is set on every namespace."""
        return self.minor >= 21

    @property
    def services_have_ip_families(self) -> bool:
        return self.minor >= 21

    @property
    def services_have_traffic_policy(self) -> bool:
        return self.minor >= 22

    @property
    def pods_have_generation(self) -> bool:
        return self.minor >= 34

    @property
    def drops_null_creation_time(self) -> bool:
        """``creationTimestamp: null`` is no longer written into objects that were never stored."""
        return self.minor >= 34

    @property
    def has_singular_names(self) -> bool:
        return self.minor >= 27

    @property
    def aggregated_discovery(self) -> tuple[str, ...]:
        """Versions of ``apidiscovery.k8s.io`` offered, best first."""
        if self.minor >= 30:
            return ("v2", "v2beta1") if self.minor <= 34 else ("v2",)
        return ("v2beta1",) if self.minor >= 27 else ()

    @property
    def knows_send_initial_events(self) -> bool:
        return self.minor >= 27

    @property
    def streams_lists(self) -> bool:
        """WatchList is on by default (it was off again in 1.33)."""
        return self.minor == 32 or self.minor >= 34

    @property
    def tunnels_spdy(self) -> bool:
        """Port-forward as SPDY/3.1 inside a websocket (PortForwardWebsockets)."""
        return self.minor >= 31

    @property
    def upgrade_needs_create(self) -> bool:
        """A websocket GET on a pod subresource also needs the verb create."""
        return self.minor >= 35

    @property
    def warns_about_endpoints(self) -> bool:
        return self.minor >= 33
