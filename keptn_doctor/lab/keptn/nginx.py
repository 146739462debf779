"""What nginx says of its own accord, as a gateway or as an ingress: error pages, log lines."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from keptn_doctor.lab.network.exchange import Answer, Call

_TITLES = {
    401: "401 Authorization Required",
    405: "405 Not Allowed",
    500: "500 Internal Server Error",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


def page(status: int, *, server: str = "nginx") -> Answer:
    """One of nginx's built-in pages; ``server`` is the Server header."""
    title = _TITLES.get(status) or f"{status} {HTTPStatus(status).phrase}"
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>{server}</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return Answer(
        status=status, body=body.encode(), content_type="text/html", headers={"Server": server}
    )


def moved(status: int, location: str, *, server: str = "nginx") -> Answer:
    """A redirect with nginx's page."""
    return page(status, server=server).adding({"Location": location})


def access_line(call: Call, answer: Answer, *, at: datetime | None = None) -> str:
    """One line of the combined format; the only one that Keptn's gateway writes."""
    return format_access(
        address=call.origin.address,
        at=at or call.at,
        request=f"{call.method} {call.target}",
        status=answer.status,
        size=len(answer.body),
        agent=call.headers.get("User-Agent", "-"),
        referer=call.headers.get("Referer", "-"),
    )


def format_access(
    *,
    address: str,
    at: datetime,
    request: str,
    status: int,
    size: int,
    agent: str,
    referer: str = "-",
) -> str:
    """``request`` is method and target."""
    when = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{address} - - [{when}] "{request} HTTP/1.1" {status} {size} "{referer}" "{agent}"'


def error_line(call: Call, text: str, *, upstream: str = "") -> str:
    """One line of the error log."""
    when = call.at.strftime("%Y/%m/%d %H:%M:%S")
    behind = f', upstream: "{upstream}"' if upstream else ""
    return (
        f"{when} [error] 7#7: *1 {text}, client: {call.origin.address}, server: _, "
        f'request: "{call.method} {call.target} HTTP/1.1"{behind}, host: "{call.host}"'
    )
