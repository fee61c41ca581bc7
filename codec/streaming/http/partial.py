"""What came of cancelled requests, so that asking again continues where they ended."""

from __future__ import annotations

from streamstgs.codec.streaming.http.download import Download


class PartialDownloads:
    """A few unfinished bodies. Belongs to one thread.

    Whether the file is still the same is judged as within a request, when it is continued; the
    whole is checked by whoever asked for it.

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
        """Keep what came, if that is of use."""
        self._parts.pop(part.key, None)
        if not part.is_worth_keeping:
            return
        self._parts[part.key] = part
        while len(self._parts) > 1 and self.size_bytes > self._most_bytes:
            del self._parts[next(iter(self._parts))]

    def resume(self, download: Download) -> None:
        """Let a new request begin with what there is of it."""
        part = self._parts.pop(download.key, None)
        if part is not None and not download.fresh:
            download.continue_with(part)
