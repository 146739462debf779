"""Connections to one endpoint that are used again, by one request at a time.

A handshake costs two or three round trips and an answer one, so whoever reads much keeps its lines.
Who looks at the way itself takes a new line for each request: a load balancer with one dead backend
shows on the third connection, not on the first. Nothing is retried here.
"""

from __future__ import annotations

import httpx


class Lines:
    """Idle clients, each with at most one connection to a server; close them at the end."""

    def __init__(self) -> None:
        self._idle: list[httpx.AsyncClient] = []
        self._closed = False

    def take(self) -> httpx.AsyncClient | None:
        """The line that was used last, None when all are busy: the caller opens another."""
        return self._idle.pop() if self._idle else None

    async def give_back(self, client: httpx.AsyncClient) -> None:
        """Keep a line whose answer was read to its end."""
        if self._closed:
            await client.aclose()
        else:
            self._idle.append(client)

    async def aclose(self) -> None:
        """Hang up; what is given back later is closed at once."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()
