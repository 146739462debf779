from __future__ import annotations

import pytest

from keptn_doctor.knowledge.versions import Version, image_name, image_tag


@pytest.mark.parametrize("text", ["0.13.6", "v0.13.6", " 0.13.6 ", "0.13.6-next.0", "0.13.6+k1"])
def test_releases_are_read(text: str) -> None:
    assert str(Version.parse(text)) == "0.13.6"


@pytest.mark.parametrize("text", ["", "latest", "N/A", "develop", "0.13", "master.20210101"])
def test_what_is_no_release_is_none_and_not_zero(text: str) -> None:
    assert Version.parse(text) is None


def test_numbers_compare_as_numbers() -> None:
    old, new = Version.parse("0.9.2"), Version.parse("0.10.0")
    assert old is not None
    assert new is not None
    assert old < new
    assert new.within("0.9.0", "0.10.0")
    assert new.within("0.9.0", "")
    assert not old.within("0.10.0", "")


@pytest.mark.parametrize(
    ("image", "name", "tag"),
    [
        ("docker.io/keptn/distributor:0.13.6", "distributor", "0.13.6"),
        ("localhost:5000/keptn/distributor", "distributor", ""),
        ("localhost:5000/keptn/distributor:0.8.7@sha256:0f", "distributor", "0.8.7"),
        ("distributor", "distributor", ""),
        ("", "", ""),
    ],
)
def test_image_references(image: str, name: str, tag: str) -> None:
    assert (image_name(image), image_tag(image)) == (name, tag)
