"""An OAuth 2 identity provider: discovery document and client-credentials tokens (RFC 6749).

For clients in OAuth mode only. The tokens open nothing: Keptn itself has no OAuth verifier, that is
the business of a proxy in front, which the lab does not play.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import parse_qs

from keptn_doctor.lab.network.exchange import Answer, Call, as_json
from keptn_doctor.lab.settings import IdentityProviderSettings

DISCOVERY = "/.well-known/openid-configuration"
TOKEN = "/oauth2/token"  # noqa: S105 - a path


class IdentityProvider:
    """One provider; ``answer`` is its handler."""

    def __init__(self, settings: IdentityProviderSettings) -> None:
        self._settings = settings

    async def answer(self, call: Call) -> Answer:
        if self._settings.state == "error":
            return as_json(500, {"error": "server_error"})
        if call.path == DISCOVERY:
            return self._discovery()
        if call.path == TOKEN and call.method == "POST":
            return self._token(call)
        return Answer(status=404)

    def _discovery(self) -> Answer:
        if self._settings.state == "no-discovery":
            return Answer(status=404)
        issuer = self._settings.issuer.rstrip("/")
        return as_json(
            200,
            {
                "issuer": issuer,
                "token_endpoint": issuer + TOKEN,
                "authorization_endpoint": f"{issuer}/oauth2/auth",
                "jwks_uri": f"{issuer}/jwks",
            },
        )

    def _token(self, call: Call) -> Answer:
        form = {key: values[0] for key, values in parse_qs(call.body.decode()).items()}
        settings = self._settings
        client, secret = _basic(call) or (form.get("client_id", ""), form.get("client_secret", ""))
        known = (client, secret) == (settings.client_id, settings.client_secret)
        if settings.state == "invalid-client" or not known:
            return as_json(401, {"error": "invalid_client"})
        wanted = set(form.get("scope", "").split())
        if settings.state == "invalid-scope" or not wanted <= set(settings.scopes):
            return as_json(400, {"error": "invalid_scope"})
        return as_json(
            200,
            {
                "access_token": secrets.token_urlsafe(24),
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": " ".join(sorted(wanted)),
            },
        )


def _basic(call: Call) -> tuple[str, str] | None:
    kind, _, encoded = call.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password
