"""A snapshot survives being written, and a bad file is told as one line."""

from __future__ import annotations

import gzip
import json

import msgspec
import pytest
from worlds import FORBIDDEN, ID, REGISTERED, SERVICE, listing, local, log, pod, record, workload

from keptn_doctor.bundle import BadBundle, load, pack, save, unpack
from keptn_doctor.catalogue import load_checks
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.testing import seen, world

SNAPSHOT = world(
    SERVICE,
    workload(pod()),
    local(integrations=(ID,)),
    listing(record()),
    log(REGISTERED, ids=(ID,)),
    seen(SERVICE, FORBIDDEN, probe="sdk-health"),
    NotAttempted(probe="nodes", subject="exec-a", reason="not asked"),
)


def test_a_snapshot_comes_back_as_it_was():
    assert unpack(pack(SNAPSHOT)) == SNAPSHOT
    assert pack(SNAPSHOT) == pack(SNAPSHOT)


def test_a_replay_gives_the_same_report_byte_for_byte():
    catalogue = load_checks()
    live = msgspec.json.encode(assemble(SNAPSHOT, catalogue))

    assert msgspec.json.encode(assemble(unpack(pack(SNAPSHOT)), catalogue)) == live


def test_a_bundle_is_saved_and_loaded(tmp_path):
    save(SNAPSHOT, tmp_path / "run.bundle")

    assert load(tmp_path / "run.bundle") == SNAPSHOT


def test_plain_json_is_read_too():
    assert unpack(gzip.decompress(pack(SNAPSHOT))) == SNAPSHOT


def test_another_version_is_named():
    document = json.loads(gzip.decompress(pack(SNAPSHOT)))
    document["schema_version"] = 99

    answer = unpack(json.dumps(document).encode(), name="old.bundle")

    assert isinstance(answer, BadBundle)
    assert answer.reason.startswith("old.bundle has format version 99")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"nonsense", b"[1, 2]", b"{}", b"\x1f\x8b", b"\x1f\x8b broken", b"\xff\xfe\x00",
        pack(SNAPSHOT)[:-20], b'{"format": "keptn-doctor-bundle", "schema_version": 1}',
        b'{"format": 3}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_bundle_is_one_line(data):
    answer = unpack(data, name="x.bundle")

    assert isinstance(answer, BadBundle)
    assert answer.reason.startswith("x.bundle")
    assert "\n" not in answer.reason


def test_a_missing_file_is_one_line(tmp_path):
    answer = load(tmp_path / "none")

    assert isinstance(answer, BadBundle)
    assert "cannot be read" in answer.reason
