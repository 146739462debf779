"""Asks a made-up Keptn site, and reads what a survey of its routes came to."""

from __future__ import annotations

import pytest

from keptn_doctor.model.path_facts import GatewayAnswers, HttpAnswer
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.retry import RetryPolicy
from keptn_doctor.secret import Secret

from .conftest import Serve
from .keptn_site import TOKEN, Keptn

QUICK = RetryPolicy(attempts=2, base_s=0.001)

REGISTRATION = "/controlPlane/v1/uniform/registration"


async def api_of(
    serve: Serve,
    site: Keptn,
    *,
    token: str | None = TOKEN,
    path: str = "/api",
    active: bool = False,
) -> KeptnApi:
    return KeptnApi(
        Network(),
        f"http://127.0.0.1:{await serve(site)}{path}",
        token=Secret(token) if token else None,
        salt=b"salt",
        deadlines=Deadlines(request_s=2),
        patience=QUICK,
        active=active,
    )


def status(answers: GatewayAnswers, route: str, *, with_token: bool | None = None) -> int:
    found = answers.answer(route, with_token=with_token)
    assert isinstance(found, HttpAnswer), found
    return found.status


async def code(asking: object) -> tuple[str, str]:
    with pytest.raises(WorldFault) as caught:
        await asking  # type: ignore[misc]
    return caught.value.failure.phase, caught.value.failure.code
