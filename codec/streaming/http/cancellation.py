"""Cancels requests without losing connections that are being made."""

from __future__ import annotations

import asyncio
from typing import Any

# Events of httpcore, as its trace extension names them, without their first part.
BEGINNINGS = {"connect_tcp.started", "start_tls.started"}
ENDS = {"connect_tcp.failed", "start_tls.failed", "send_request_headers.started"}


class RequestCancellation:
    """Cancels the task of one request, but not while it makes a connection.

    A task that is cancelled between opening its socket and sending its headers loses the socket:
    anyio and httpcore leave it open, in no pool or in one that does not use it again. Cancelling
    then waits for that moment, for as long as connecting may take. Belongs to the thread of the
    transport.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._is_connecting = False
        self._is_wanted = False

    def begin(self) -> None:
        """Remember the current task; raises CancelledError if it was cancelled before."""
        self._task = asyncio.current_task()
        if self._is_wanted:
            raise asyncio.CancelledError

    def cancel(self) -> None:
        """Cancel the task, at once or when the connection is made."""
        self._is_wanted = True
        if self._task is not None and not self._is_connecting:
            self._task.cancel()

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """Hear of the steps of a connection: the `trace` extension of a request."""
        step = event.partition(".")[2]
        if step in BEGINNINGS:
            self._is_connecting = True
        elif step in ENDS and self._is_connecting:
            self._is_connecting = False
            if self._is_wanted and self._task is not None:
                self._task.cancel()
