"""Whether rendering keeps up: which qualities are too much, and which extra frames are worth it."""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.app.player.status import PlaybackFrame, PlaybackState, PlaybackStatus

SLOWEST = 0.01  # of the speeds at which a frame is due at all


@dataclass(frozen=True)
class DroppedFrameSettings:
    """When rendering counts as too slow.

    Args:
        window_s: Frames are counted over windows of this length.
        late_share: The best quality is given up when a larger share of a window's frames is late.
        fine_share: A window with no larger share of late frames counts as fine.
        recover_s: A better quality is tried again after so many seconds of fine windows; doubles
            after each trial that failed.
        longest_recover_s: `recover_s` never grows beyond this.
    """

    window_s: float = 2.0
    late_share: float = 0.25
    fine_share: float = 0.05
    recover_s: float = 10.0
    longest_recover_s: float = 160.0


class DroppedFrameMonitor:
    """Counts shown and late frames, and excludes qualities that are rendered too late.

    A lower quality leaves the machine more time, because its feature video decodes faster.
    Belongs to the thread that owns the playback.

    Attributes:
        excluded_qualities: How many of the best qualities are rendered too late.
    """

    def __init__(self, settings: DroppedFrameSettings = DroppedFrameSettings()) -> None:
        self._settings = settings
        self.excluded_qualities = 0
        self._began_s: float | None = None  # of the window that is being counted
        self._frames = self._late = 0  # in that window
        self._fine_since_s: float | None = None
        self._recover_s = settings.recover_s
        self._trying = False  # a better quality is being tried again

    def count(self, now_s: float, shown: int, late: int, most_excluded: int) -> int:
        """Count frames; returns how many of the best qualities are excluded from now on.

        Args:
            now_s: Seconds that only grow.
            shown: Frames that were shown.
            late: Frames that were due and not shown.
            most_excluded: How many qualities may be excluded: all but one.
        """
        if self._began_s is None:
            self._began_s = now_s
        self._frames += shown + late
        self._late += late
        if now_s - self._began_s >= self._settings.window_s:
            self._judge(now_s, most_excluded)
            self._began_s, self._frames, self._late = now_s, 0, 0
        return self.excluded_qualities

    def forget(self) -> None:
        """Discard the counts of this window, because playback stood still."""
        self._began_s, self._frames, self._late, self._fine_since_s = None, 0, 0, None

    def _judge(self, now_s: float, most_excluded: int) -> None:
        share = self._late / max(self._frames, 1)
        if share > self._settings.late_share:
            if self.excluded_qualities < most_excluded:
                self.excluded_qualities += 1
            if self._trying:
                doubled = 2.0 * self._recover_s
                self._recover_s = min(doubled, self._settings.longest_recover_s)
            self._fine_since_s, self._trying = None, False
        elif share > self._settings.fine_share:
            self._fine_since_s = None
        elif self._fine_since_s is None:
            self._fine_since_s = now_s
        elif self.excluded_qualities and now_s - self._fine_since_s >= self._recover_s:
            self.excluded_qualities -= 1
            self._trying = True
            self._fine_since_s = now_s


def leaves_time(status: PlaybackStatus, shown: PlaybackFrame, raster_ms: float) -> bool:
    """Whether a frame in which only the camera moved is finished before the next content frame.

    Where rendering takes a good part of a frame's time, extra frames would make the content late
    and move the camera in uneven steps; the camera then moves with the content frames.

    Args:
        status: Status of the playback now.
        shown: The content frame that was rendered last.
        raster_ms: How long rendering takes.
    """
    stands = status.state is not PlaybackState.PLAYING or status.scrubbing
    if stands or status.fps <= 0.0:
        return True
    if status.backwards:
        left_s = status.position_s - shown.index / status.fps
    else:
        left_s = (shown.index + 1) / status.fps - status.position_s
    due_s = left_s / max(abs(status.speed), SLOWEST)
    return raster_ms <= 1000.0 * due_s
