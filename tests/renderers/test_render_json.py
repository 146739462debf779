"""The JSON report holds to its published schema as an independent reader reads it."""

from __future__ import annotations

import json as stdlib_json

import jsonschema
import msgspec
import pytest
import report_samples as samples

from keptn_doctor.model.report import REPORT_SCHEMA_VERSION, Report
from keptn_doctor.renderers import json
from keptn_doctor.renderers.json import RunFailure

every_sample = pytest.mark.parametrize("name", samples.ALL)
FAILURE = RunFailure(doctor_version="0.1.0", exit_code=2, error="keptn-doctor: no such context: x")


@every_sample
def test_a_report_is_valid_under_the_schema(name: str) -> None:
    document = stdlib_json.loads(json.render(samples.ALL[name]()))
    jsonschema.Draft202012Validator(json.schema()).validate(document)


def test_a_run_failure_is_valid_under_the_schema() -> None:
    document = stdlib_json.loads(json.render(FAILURE))
    jsonschema.Draft202012Validator(json.schema()).validate(document)
    assert document["exit_code"] == 2


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.schema())


@pytest.mark.parametrize("key", ["verdicts", "headline", "exit_code"])
def test_the_schema_refuses_a_damaged_report(key: str) -> None:
    document = stdlib_json.loads(json.render(samples.one_broken()))
    document[key] = {"not": "this"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json.schema()).validate(document)


@every_sample
def test_a_report_reads_back_equal(name: str) -> None:
    report = samples.ALL[name]()
    assert msgspec.json.decode(json.render(report), type=Report) == report


@every_sample
def test_the_same_report_gives_the_same_bytes_in_the_order_of_the_records(name: str) -> None:
    first, second = json.render(samples.ALL[name]()), json.render(samples.ALL[name]())
    assert first == second
    assert list(stdlib_json.loads(first)) == [
        field.name for field in msgspec.structs.fields(Report)
    ]


def test_the_document_carries_version_ids_times_and_evidence() -> None:
    document = stdlib_json.loads(json.render(samples.one_broken()))
    assert document["schema_version"] == REPORT_SCHEMA_VERSION
    assert document["taken_at"] == "2026-03-01T03:02:11Z"
    looks = {look["id"]: look for look in document["evidence"]}
    cited = document["causes"][0]["finding"]["evidence"][0]
    assert looks[cited]["result"] == {
        "kind": "Failure",
        "phase": "resolve",
        "code": "name-unknown",
        "detail": "NXDOMAIN",
        "right": "",
        "status": 0,
    }
    assert document["timings"][0] == {"stage": "discover", "duration_ms": 412.0}
