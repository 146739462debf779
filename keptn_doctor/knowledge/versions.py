"""Versions of Keptn and of its images, comparable; a tag that is no version is None, never zero."""

from __future__ import annotations

import re

from keptn_doctor.model.base import Record

_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)(?:[-+.](.+))?$")


class Version(Record, frozen=True, kw_only=True, order=True):
    """A release such as 0.13.6; what follows the third number (a pre-release) does not order."""

    major: int
    minor: int
    patch: int

    @staticmethod
    def parse(text: str) -> Version | None:
        """Read ``0.13.6``, ``v0.13.6``, ``0.13.6-next.0``; None for "latest", "N/A", "develop"."""
        found = _VERSION.match(text.strip())
        if found is None:
            return None
        major, minor, patch = (int(found[i]) for i in (1, 2, 3))
        return Version(major=major, minor=minor, patch=patch)

    def within(self, first: str, last: str) -> bool:
        """Whether it lies in an inclusive range; an empty end is open."""
        low, high = Version.parse(first), Version.parse(last)
        return (low is None or low <= self) and (high is None or self <= high)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class VersionRange(Record, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """An inclusive range of releases as the data files write it: ``{from: 0.8.3, to: 0.9.0}``."""

    first: str
    last: str

    def holds(self, version: Version) -> bool:
        return version.within(self.first, self.last)


def image_tag(image: str) -> str:
    """The tag of an image reference, "" without one (``localhost:5000/keptn/api@sha256:…``).

    Source of the grammar: the distribution project's reference grammar (a colon before the last
    slash is a registry's port).
    """
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def image_name(image: str) -> str:
    """The last path part of an image reference, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
