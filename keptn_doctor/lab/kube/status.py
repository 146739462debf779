"""Kubernetes' error answers: a ``Status`` body with its HTTP code, raised anywhere in a request.

The wording follows apimachinery's ``api/errors`` and the recorded answers; the details differ on
purpose where the real ones differ (a Forbidden has ``details``, an Unauthorized has none).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keptn_doctor.model.base import Record


class Cause(Record, frozen=True, kw_only=True):
    """One field error of a 422: reason, message without the field, field path."""

    reason: str
    message: str
    field: str


class ApiError(Exception):
    """An answer that is not the wished one; carries the whole Status body."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


class PlainError(Exception):
    """An error answered as text, not as a Status (``404 page not found``)."""

    def __init__(self, code: int, text: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.headers = headers or {}


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(message: str, details: dict[str, Any]) -> ApiError:
    return ApiError(
        403, "Forbidden", message, details=details, headers={"X-Content-Type-Options": "nosniff"}
    )


def _about(resource: str, group: str, name: str) -> dict[str, Any]:
    details = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = resource
    return details


def qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def not_found(resource: str, group: str, name: str) -> ApiError:
    message = f'{qualified(resource, group)} "{name}" not found'
    return ApiError(404, "NotFound", message, details=_about(resource, group, name))


def no_such_resource() -> ApiError:
    message = "the server could not find the requested resource"
    return ApiError(404, "NotFound", message, details={})


def page_not_found() -> PlainError:
    return PlainError(404, "404 page not found\n", headers={"X-Content-Type-Options": "nosniff"})


def method_not_allowed() -> ApiError:
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, details={})


def not_acceptable(available: Sequence[str]) -> ApiError:
    message = "406: Not Acceptable"
    if available:
        message += "\n\nAvailable representations: " + ", ".join(available)
    return ApiError(406, "NotAcceptable", message, details={})


def unsupported_media_type() -> ApiError:
    return ApiError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf",
    )


def already_exists(resource: str, group: str, name: str) -> ApiError:
    message = f'{qualified(resource, group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details=_about(resource, group, name))


def conflict(resource: str, group: str, name: str) -> ApiError:
    message = (
        f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": the object has '
        "been modified; please apply your changes to the latest version and try again"
    )
    return ApiError(409, "Conflict", message, details=_about(resource, group, name))


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """A 422: field errors, joined with brackets as soon as there is more than one."""
    lines = [f"{cause.field}: {cause.message}" for cause in causes]
    text = lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]"
    details: dict[str, Any] = {"name": name} if name else {}
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    details["causes"] = [
        {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
    ]
    message = f'{qualified(kind, group)} "{name}" is invalid: {text}'
    return ApiError(422, "Invalid", message, details=details)


def internal(message: str) -> ApiError:
    details = {"causes": [{"message": message}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", details=details)


def unavailable(message: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", message)
