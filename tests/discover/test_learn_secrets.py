from __future__ import annotations

from keptn_doctor.discover.planes import learn_secrets
from keptn_doctor.probes.environment import Environment, Variable
from keptn_doctor.redact import Redactor

PASSWORD = "north-4711"


def _redactor(**variables: str) -> Redactor:
    redactor = Redactor()
    told = {name: Variable(value=value.encode()) for name, value in variables.items()}
    learn_secrets(redactor, Environment(variables=told))
    return redactor


def test_a_password_inside_an_endpoint_is_hidden_where_the_url_is_cut() -> None:
    redactor = _redactor(KEPTN_API_ENDPOINT=f"http://operator:{PASSWORD}@keptn.example.com/api")
    line = f'host: "operator:{PASSWORD}@keptn.example.com"'
    assert PASSWORD not in redactor.clean(line)
    assert "keptn.example.com" in redactor.clean(line)


def test_the_password_of_an_egress_proxy_is_hidden() -> None:
    assert PASSWORD not in _redactor(HTTPS_PROXY=f"http://u:{PASSWORD}@proxy:3128").clean(PASSWORD)


def test_an_endpoint_without_a_password_stays_readable() -> None:
    redactor = _redactor(KEPTN_API_ENDPOINT="http://keptn.example.com:8080/api")
    assert redactor.clean("http://keptn.example.com:8080/api") == "http://keptn.example.com:8080/api"
