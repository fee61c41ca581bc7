"""Whether drawing keeps up, and which rungs are therefore too much for this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DroppedFrameSettings:
    """When drawing counts as too slow.

    Args:
        window_s: time over which frames are counted.
        late_share: with more of them late, the best rung is given up.
        fine_share: with no more of them late for `recover_s`, it is tried again.
        recover_s: doubles each time that trying again did not go well ...
        longest_recover_s: ... up to this.
    """

    window_s: float = 2.0
    late_share: float = 0.25
    fine_share: float = 0.05
    recover_s: float = 10.0
    longest_recover_s: float = 160.0


class DroppedFrameMonitor:
    """Counts frames and says which rung is the best that may be fetched. Belongs to one thread.

    A lower rung leaves the machine more time, as its feature video is decoded faster.
    """

    def __init__(self, settings: DroppedFrameSettings = DroppedFrameSettings()) -> None:
        self._settings = settings
        self.best_rung = 0
        self._began_s: float | None = None
        self._frames = self._late = 0
        self._fine_since_s: float | None = None
        self._recover_s = settings.recover_s
        self._trying = False  # a better rung again, after drawing was late

    def count(self, now_s: float, shown: int, late: int, lowest: int) -> int:
        """Frames that were shown, and those that came too late; the best rung from now on."""
        if self._began_s is None:
            self._began_s = now_s
        self._frames += shown + late
        self._late += late
        if now_s - self._began_s >= self._settings.window_s:
            self._judge(now_s, lowest)
            self._began_s, self._frames, self._late = now_s, 0, 0
        return self.best_rung

    def forget(self) -> None:
        """Playback stood still: what was counted says nothing."""
        self._began_s, self._frames, self._late, self._fine_since_s = None, 0, 0, None

    def _judge(self, now_s: float, lowest: int) -> None:
        share = self._late / max(self._frames, 1)
        if share > self._settings.late_share:
            if self.best_rung < lowest:
                self.best_rung += 1
            if self._trying:
                doubled = 2.0 * self._recover_s
                self._recover_s = min(doubled, self._settings.longest_recover_s)
            self._fine_since_s, self._trying = None, False
        elif share > self._settings.fine_share:
            self._fine_since_s = None
        elif self._fine_since_s is None:
            self._fine_since_s = now_s
        elif self.best_rung and now_s - self._fine_since_s >= self._recover_s:
            self.best_rung -= 1
            self._trying = True
            self._fine_since_s = now_s
