"""The ``kubernetes`` package's kubeconfig loader, with the steps replaced that hide or leak.

Imported by ``kube_credentials`` only, and only for the ways of authentication that ``kube_context``
leaves out: the package takes 0.2 to 0.7 s, and nothing can be asked of a cluster meanwhile.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from datetime import datetime

from kubernetes.config import ConfigException
from kubernetes.config.kube_config import ConfigNode, KubeConfigLoader

from keptn_doctor.probes.kube_access import FoundContext, expired, jwt_expiry, unreadable
from keptn_doctor.probes.kube_config import Entry
from keptn_doctor.probes.kube_context import adopt_token, read_cluster, read_plugin, read_token
from keptn_doctor.secret import Secret

_LEGACY = {
    "gcp": "install gke-gcloud-auth-plugin and run gcloud container clusters get-credentials",
    "azure": "run kubelogin convert-kubeconfig",
}


class ContextLoader(KubeConfigLoader):
    """Reads one context into memory; the order of methods is the package's own."""

    def __init__(self, context: Entry, found: FoundContext, *, now: datetime) -> None:
        self._now, self._found = now, found
        cluster, user = found.cluster, found.user
        self._user_body = user.body if user else {}
        document = {
            "current-context": context.name,
            "contexts": [_node("context", context)],
            "clusters": [_node("cluster", cluster)],
            "users": [_node("user", user)] if user else [],
        }
        super().__init__(ConfigNode("kubeconfig", document), config_base_path=None)

    def fill(self) -> None:
        """Move everything into what was found; raises WorldFault."""
        try:
            read_cluster(self._found)
            self._load_authentication()
        except (ConfigException, TypeError, AttributeError) as error:
            raise unreadable(f"{self._found.whose}: {error}") from error

    def _load_auth_provider_token(self) -> str | None:
        provider = self._user_body.get("auth-provider")
        if not provider:
            return None
        name = str(provider.get("name") or "")
        if name != "oidc":
            advice = _LEGACY.get(name, "use a credential plugin (exec) or a token")
            raise unreadable(
                f'{self._found.whose} uses the auth-provider "{name}", which Kubernetes removed '
                f"in 1.26: {advice}"
            )
        token = str((provider.get("config") or {}).get("id-token") or "").strip()
        if not token:
            raise unreadable(f"{self._found.whose}: its auth-provider oidc holds no id-token")
        expires_at = jwt_expiry(token)
        if expires_at is not None and expires_at <= self._now:
            raise expired(
                f"{self._found.whose}: the id-token expired at {expires_at:%Y-%m-%d %H:%M} UTC; "
                "any kubectl command refreshes it"
            )
        adopt_token(self._found, token)
        return token

    def _load_user_token(self) -> bool:
        return read_token(self._found)

    def _load_from_exec_plugin(self) -> bool:
        return read_plugin(self._found)

    def _load_user_pass_token(self) -> None:
        super()._load_user_pass_token()
        if "token" in self.__dict__:
            self._found.authorization = Secret(self.token)


def _node(kind: str, entry: Entry) -> ConfigNode:
    return ConfigNode(entry.name, {"name": entry.name, kind: entry.body}, entry.path)
