"""The received parts of cancelled requests, so that a later request continues there."""

from __future__ import annotations

from streamstgs.codec.streaming.http.download import Download


class PartialDownloads:
    """Keeps a few unfinished bodies. Belongs to one thread.

    Whether the file is still the same is checked when a request continues, as between tries. The
    caller checks the whole file.

    Args:
        most_bytes: of all together; the oldest goes first, the newest stays in any case, as it is
            no longer than was allowed when it was asked for.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._parts: dict[object, Download] = {}

    @property
    def size_bytes(self) -> int:
        return sum(len(part.content) for part in self._parts.values())

    def put(self, part: Download) -> None:
        """Keep the received part if a later request can use it."""
        self._parts.pop(part.key, None)
        if not part.is_worth_keeping:
            return
        self._parts[part.key] = part
        while len(self._parts) > 1 and self.size_bytes > self._most_bytes:
            del self._parts[next(iter(self._parts))]

    def resume(self, download: Download) -> None:
        """Let a new request start with the kept part."""
        part = self._parts.pop(download.key, None)
        if part is not None and not download.fresh:
            download.continue_with(part)
