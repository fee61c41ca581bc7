"""Measurements of the last two minutes, for plots."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from streamstgs.app.player.status import PlaybackStatus

LENGTH_S = 120.0
PERIOD_S = 0.25  # between two samples
PAUSE_S = 1.0  # a longer time between two images is a pause, not a slow image


@dataclass(frozen=True)
class Sample:
    """One moment. None where nothing was measured.

    Args:
        time_s: When, in seconds that only grow.
        frame_ms: (median, 95th percentile, slowest) time between two images since the last sample.
        bitrate_bps: Of the quality on the screen.
        throughput_bps: Of the network.
        ahead_s: Content seconds that are loaded ahead.
        quality: Index of the quality on the screen, 0 is the worst.
        reason: Why the last segment was fetched.
    """

    time_s: float
    frame_ms: tuple[float, float, float] | None = None
    bitrate_bps: float | None = None
    throughput_bps: float | None = None
    ahead_s: float | None = None
    quality: int | None = None
    reason: str = ""


class StatisticsHistory:
    """Collects samples. Owner: the thread of the viewer model."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=round(LENGTH_S / PERIOD_S))
        self._frame_ms: list[float] = []  # since the last sample
        self._painted_s: float | None = None

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples, the oldest first."""
        return tuple(self._samples)

    def image_painted(self, now_s: float) -> None:
        """Record that an image reached the screen."""
        if self._painted_s is not None and now_s - self._painted_s < PAUSE_S:
            self._frame_ms.append(1000.0 * (now_s - self._painted_s))
        self._painted_s = now_s

    def take(self, status: PlaybackStatus | None, now_s: float) -> None:
        """Add a sample, unless the last one is younger than `PERIOD_S`."""
        if self._samples and now_s - self._samples[-1].time_s < PERIOD_S:
            return
        frame_ms, self._frame_ms = self._frame_ms, []
        times = None
        if frame_ms:
            times = (percentile(frame_ms, 0.5), percentile(frame_ms, 0.95), max(frame_ms))
        if status is None:
            self._samples.append(Sample(now_s, times))
            return
        quality = status.quality
        self._samples.append(
            Sample(
                now_s,
                times,
                status.bitrate_bps or None,
                status.throughput_bps or None,
                status.ahead_s,
                quality.index if quality is not None else None,
                status.fetch_reason,
            )
        )


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    place = -(-len(ordered) * share // 1)  # rounded up
    return ordered[min(max(int(place) - 1, 0), len(ordered) - 1)]
