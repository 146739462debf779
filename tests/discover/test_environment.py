from __future__ import annotations

import base64

import msgspec
import pytest

from keptn_doctor.model.failure import Failure
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.environment import (
    Contents,
    Environment,
    Lookup,
    PodFields,
    Reference,
    config_map_contents,
    effective_environment,
    references,
    secret_contents,
)

POD = PodFields(
    namespace="keptn-exec",
    name="helm-service-1",
    labels={"app.kubernetes.io/name": "helm-service"},
    annotations={"a/b": "c"},
    node_name="node-1",
)
SECRET = Reference(kind="secret", namespace="keptn-exec", name="keptn-api-token")
CONFIG = Reference(kind="configmap", namespace="keptn-exec", name="settings")


def container(**fields: object) -> k8s.Container:
    return msgspec.convert({"name": "distributor", **fields}, k8s.Container)


def environment(lookup: Lookup | None = None, **fields: object) -> Environment:
    return effective_environment(container(**fields), pod=POD, lookup=lookup or {})


def from_secret(name: str, *, optional: bool | None = None) -> dict[str, object]:
    ref = {"name": SECRET.name, "key": "token", "optional": optional}
    return {"name": name, "valueFrom": {"secretKeyRef": ref}}


def test_a_plain_value_and_an_empty_one() -> None:
    env = environment(env=[{"name": "A", "value": "x"}, {"name": "B"}])
    assert env.text("A") == "x"
    assert "B" in env
    assert env.text("B", "unused") == ""
    assert env.text("C", "default") == "default"


def test_a_secret_is_decoded_and_its_place_named() -> None:
    env = environment(
        {SECRET: Contents(data={"token": b"secret-value\n"})}, env=[from_secret("TOKEN")]
    )
    assert env.text("TOKEN") == "secret-value\n"
    assert env.variables["TOKEN"].source == "secret"
    assert env.variables["TOKEN"].reference == "secret keptn-exec/keptn-api-token key token"
    assert "secret-value" not in repr(env)


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (Failure(phase="kube", code="not-found"), "not-found"),
        (Failure(phase="auth", code="forbidden"), "forbidden"),
        (Failure(phase="deadline", code="deadline-exceeded"), "unreadable"),
        (Contents(data={"other": b"x"}), "key-missing"),
    ],
)
def test_a_reference_that_leads_nowhere_is_a_problem_and_not_an_empty_value(
    found: Failure | Contents, problem: str
) -> None:
    env = environment({SECRET: found}, env=[from_secret("TOKEN")])
    assert "TOKEN" not in env
    told = env.problem("TOKEN")
    assert told is not None
    assert told.problem == problem
    assert "keptn-api-token" in told.reference


@pytest.mark.parametrize(
    "found", [Failure(phase="kube", code="not-found"), Contents(data={"other": b"x"})]
)
def test_an_optional_reference_that_leads_nowhere_leaves_the_variable_unset(
    found: Failure | Contents,
) -> None:
    env = environment({SECRET: found}, env=[from_secret("TOKEN", optional=True)])
    assert "TOKEN" not in env
    assert env.problems == ()


def test_an_optional_reference_that_may_not_be_read_is_still_a_problem() -> None:
    forbidden = Failure(phase="auth", code="forbidden")
    env = environment({SECRET: forbidden}, env=[from_secret("TOKEN", optional=True)])
    assert env.problem("TOKEN") is not None


def test_fields_of_the_pod() -> None:
    def field(name: str, path: str) -> dict[str, object]:
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    env = environment(
        env=[
            field("NAME", "metadata.labels['app.kubernetes.io/name']"),
            field("NOTE", "metadata.annotations['a/b']"),
            field("NS", "metadata.namespace"),
            field("NODE", "spec.nodeName"),
            field("ODD", "metadata.labels['missing']"),
        ]
    )
    assert [env.text(n) for n in ("NAME", "NOTE", "NS", "NODE", "ODD")] == [
        "helm-service", "c", "keptn-exec", "node-1", ""
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [("limits.cpu", "1m", "100"), ("limits.cpu", None, "1"), ("limits.memory", "1Mi", "32")],
)
def test_resource_fields_come_in_units_of_their_divisor(
    resource: str, divisor: str | None, value: str
) -> None:
    ref = {"resource": resource, "divisor": divisor}
    env = environment(
        resources={"limits": {"cpu": "100m", "memory": "32Mi"}},
        env=[{"name": "R", "valueFrom": {"resourceFieldRef": ref}}],
    )
    assert env.text("R") == value


def test_expressions_see_what_was_declared_before_them() -> None:
    env = environment(
        {CONFIG: Contents(data={"HOST": b"keptn.example.com"})},
        envFrom=[{"configMapRef": {"name": "settings"}}],
        env=[
            {"name": "URL", "value": "https://$(HOST)/api"},
            {"name": "LATER", "value": "$(AFTER) $$(HOST) $HOST $(HOST"},
            {"name": "AFTER", "value": "x"},
        ],
    )
    assert env.text("URL") == "https://keptn.example.com/api"
    assert env.text("LATER") == "$(AFTER) $(HOST) $HOST $(HOST"


def test_whole_maps_are_overridden_by_single_variables_and_keep_their_prefix() -> None:
    env = environment(
        {
            CONFIG: Contents(data={"A": b"1", "B": b"2", "not a name": b"3"}),
            SECRET: Contents(data={"A": b"secret"}),
        },
        envFrom=[
            {"configMapRef": {"name": "settings"}},
            {"prefix": "X_", "secretRef": {"name": "keptn-api-token"}},
        ],
        env=[{"name": "B", "value": "own"}],
    )
    assert (env.text("A"), env.text("B"), env.text("X_A")) == ("1", "own", "secret")
    assert "not a name" not in env


def test_a_missing_map_is_one_problem_for_all_variables() -> None:
    env = environment(
        {CONFIG: Failure(phase="kube", code="not-found")},
        envFrom=[{"configMapRef": {"name": "settings"}}],
    )
    assert [p.variable for p in env.problems] == ["*"]


def test_references_are_all_that_an_environment_names() -> None:
    found = references(
        container(
            envFrom=[{"configMapRef": {"name": "settings"}}, {"secretRef": {}}],
            env=[from_secret("A"), {"name": "B", "value": "x"}, {"name": "C"}],
        ),
        namespace="keptn-exec",
    )
    assert found == {CONFIG, SECRET}


def test_secret_data_that_is_null_or_no_base64_is_empty() -> None:
    data = {"a": base64.b64encode(b"x").decode(), "b": None, "c": "%%"}
    contents = secret_contents(k8s.Secret(data=data))
    assert contents.data == {"a": b"x", "b": b"", "c": b""}


def test_config_map_data_of_an_odd_type_becomes_text() -> None:
    config = msgspec.convert({"data": {"a": 1, "b": None}}, k8s.ConfigMap)
    assert config_map_contents(config).data == {"a": b"1", "b": b""}


def test_the_newest_field_manager_dates_a_secret() -> None:
    secret = msgspec.convert(
        {
            "metadata": {
                "creationTimestamp": "2022-01-01T00:00:00Z",
                "managedFields": [
                    {"manager": "helm", "time": "2022-01-01T00:00:00Z"},
                    {"manager": "argocd-controller", "time": "2022-03-01T00:00:00Z"},
                ],
            }
        },
        k8s.Secret,
        strict=False,
    )
    contents = secret_contents(secret)
    assert contents.managers == ("helm", "argocd-controller")
    assert contents.changed_at is not None
    assert contents.changed_at.month == 3
