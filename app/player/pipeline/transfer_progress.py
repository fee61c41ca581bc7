"""Watching what is on its way: when to look at it again, and how much came of it."""

from __future__ import annotations

from collections.abc import Callable

from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe


class TransferProgress:
    """One transfer, from now on. Lives in the source thread.

    Args:
        every_s: it is looked at no more often.
    """

    def __init__(
        self, traffic: ThroughputProbe, monotonic: Callable[[], float], every_s: float
    ) -> None:
        self._traffic = traffic
        self._monotonic = monotonic
        self._every_s = every_s
        self._began_s = self._looked_s = monotonic()
        self._bytes_before = traffic.total_bytes

    def is_due(self) -> bool:
        """Whether to look now; the next look is due after a while again."""
        now_s = self._monotonic()
        if now_s - self._looked_s < self._every_s:
            return False
        self._looked_s = now_s
        return True

    @property
    def elapsed_s(self) -> float:
        """From the beginning to the last look."""
        return self._looked_s - self._began_s

    @property
    def received_bytes(self) -> int:
        return self._traffic.total_bytes - self._bytes_before

    def forget_received(self) -> None:
        """What came so far was in vain."""
        self._bytes_before = self._traffic.total_bytes

    def count_at_least(self, size_bytes: int) -> None:
        """So much is there, wherever it came from."""
        self._bytes_before = min(self._bytes_before, self._traffic.total_bytes - size_bytes)
