"""One request on its way through the server, after it was read, identified and allowed."""

from __future__ import annotations

from aiohttp import web

from keptn_doctor.lab.kube.cluster import Cluster
from keptn_doctor.lab.kube.paths import Target
from keptn_doctor.lab.kube.pods import PodBackend
from keptn_doctor.lab.kube.resources import Resource
from keptn_doctor.lab.kube.status import ApiError, bad_request, not_found
from keptn_doctor.lab.kube.users import User
from keptn_doctor.model.base import Record


class Call(Record, frozen=True, kw_only=True):
    """Everything a handler needs; ``resource`` is what ``target`` names in the catalogue."""

    cluster: Cluster
    pods: PodBackend
    request: web.BaseRequest
    user: User
    target: Target
    resource: Resource
    verb: str

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; of a repeated one the first counts, as in Go."""
        found: dict[str, str] = {}
        for key, value in self.request.query.items():
            found.setdefault(key, value)
        return found

    @property
    def accept(self) -> str:
        return self.request.headers.get("Accept", "")

    @property
    def namespace(self) -> str:
        return self.target.namespace if self.resource.namespaced else ""

    @property
    def warnings(self) -> dict[str, str]:
        warning = self.resource.warning
        return {"Warning": f'299 - "{warning}"'} if warning else {}

    def missing(self) -> ApiError:
        return not_found(self.resource.name, self.resource.group, self.target.name)


def integer(text: str, *, unsigned: bool = False) -> int:
    """Parse a number of the query as Go does, with Go's complaint as a 400."""
    digits = text if unsigned else text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        function = "ParseUint" if unsigned else "ParseInt"
        raise bad_request(f'strconv.{function}: parsing "{text}": invalid syntax')
    return int(text)
