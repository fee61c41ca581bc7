"""The position in the content: a clock, and the seek that waits to move it."""

from __future__ import annotations

import math

from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.position.seek_queue import SeekKind, SeekQueue
from streamstgs.app.player.position.time_mapping import WHOLE_SCENE
from streamstgs.app.player.timeline import Timeline

SPEED_LIMITS = (0.1, 8.0)  # content seconds per second


class Playhead:
    """Where playback is, or will be once the waiting seek is executed.

    Seeks are executed by `advance`, so of several requests between two calls only the newest one
    is. Belongs to the thread that calls `Playback`.
    """

    def __init__(self, clock: PlaybackClock) -> None:
        self.clock = clock
        self._seeks = SeekQueue()

    @property
    def serial(self) -> int:
        """Number of the newest seek."""
        return self._seeks.serial

    @property
    def dragging(self) -> bool:
        """Whether the timeline is being dragged."""
        return self._seeks.dragging

    @property
    def is_backwards(self) -> bool:
        """Whether content runs backwards at this moment."""
        return self.clock.content_rate < 0.0

    @property
    def content_speed(self) -> float:
        """Content seconds per second, above 0 also backwards and where content stands still."""
        return max(abs(self.clock.content_rate), SPEED_LIMITS[0])

    def seek(self, position_s: float, kind: SeekKind, timeline: Timeline | None) -> None:
        """Request a content time; to the frame and clamped to the scene if that is open.

        Args:
            timeline: Of the open scene, None before.
        """
        if timeline is not None:
            position_s = timeline.frame_at(position_s) / timeline.fps
        self._seeks.request(position_s, kind)

    def seek_frame(self, frame: int, kind: SeekKind, timeline: Timeline) -> None:
        """Request a content frame, clamped to the scene."""
        frame = min(max(frame, 0), timeline.frames - 1)
        self._seeks.request(frame / timeline.fps, kind)

    def stay(self) -> None:
        """Seek to the present position, in a scene that replaced the one that was open."""
        if self._seeks.waiting is None:
            self._seeks.request(self.clock.position_s(), SeekKind.JUMP)

    def rewind(self, timeline: Timeline | None) -> None:
        """Seek to where playing begins: the start of the scene, or backwards its end."""
        self.clock.rewind()
        start_s = self.clock.position_s() if timeline is not None else 0.0
        self.seek(start_s, SeekKind.JUMP, timeline)

    def end_steps(self) -> None:
        """Make the next frame step a seek of its own."""
        self._seeks.end_steps()

    def advance(self, timeline: Timeline) -> None:
        """Execute the waiting seek, and let the clock know that a frame is due."""
        waiting = self._seeks.take()
        if waiting is not None:
            self.clock.duration_s = timeline.duration_s
            self.clock.move(timeline.frame_at(waiting.position_s) / timeline.fps)
        self.clock.look(1.0 / timeline.fps)

    def position_s(self) -> float:
        """Content time, with the waiting seek executed; not clamped before the scene is open."""
        waiting = self._seeks.waiting
        return self.clock.position_s() if waiting is None else max(waiting.position_s, 0.0)

    def frame(self, timeline: Timeline) -> int:
        """The content frame at the position."""
        return timeline.frame_at(self.position_s())

    def gop(self, timeline: Timeline) -> int:
        """The GOP at the position."""
        return timeline.locate(self.frame(timeline))[0]

    def is_at_end(self, timeline: Timeline) -> bool:
        """Whether the frame is shown that nothing follows."""
        if self.clock.time_mapping is not WHOLE_SCENE or self.clock.loop:
            return False
        return self.frame(timeline) == (0 if self.clock.rate < 0.0 else timeline.frames - 1)


def limited_speed(speed: float) -> float:
    """A speed within the limits, 0.1 .. 8 in both directions."""
    return math.copysign(min(max(abs(speed), SPEED_LIMITS[0]), SPEED_LIMITS[1]), speed)
