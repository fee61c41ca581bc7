"""Keeps the playhead within what a live scene has: not before its start, near its edge."""

from __future__ import annotations

from streamstgs.app.player.live.follower import LiveFollower, LiveStatus
from streamstgs.app.player.position.playhead import Playhead
from streamstgs.app.player.position.seek_queue import SeekKind
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.timeline import Timeline


class LiveWindow:
    """Moves the playhead of a live scene. Belongs to the thread that calls `Playback`.

    Attributes:
        following: Whether playback stays near the edge.
    """

    def __init__(self, playhead: Playhead, follower: LiveFollower) -> None:
        self._playhead, self._follower = playhead, follower
        self._own_rate: float | None = None  # the speed that brings the position nearer

    @property
    def following(self) -> bool:
        return self._follower.following

    @following.setter
    def following(self, on: bool) -> None:
        self._follower.following = on

    def goal_s(self) -> float:
        """The content time to be at now."""
        return self._follower.goal_s()

    def status(self) -> LiveStatus:
        """Where the position is in the scene."""
        return self._follower.status(self._playhead.position_s())

    def enter(self, opened: OpenedScene) -> None:
        """Begin near the live edge, unless a person asked for another time."""
        self._playhead.clock.set_loop(False)
        self._note_edge(opened.timeline)
        if self.following:
            self._playhead.seek(self.goal_s(), SeekKind.JUMP, opened.timeline)

    def grow(self, opened: OpenedScene) -> None:
        """Follow a scene that has more GOPs, or has ended."""
        self._note_edge(opened.timeline)
        self._playhead.clock.duration_s = opened.timeline.duration_s
        if opened.live is None:
            self._play_normally()  # there is nothing to keep a distance to

    def leave(self) -> None:
        """Forget a scene that another one replaced."""
        self._follower.forget()
        self._play_normally()

    def wait_at_edge(self, timeline: Timeline) -> bool:
        """Leave content that is gone; returns whether the edge is reached."""
        clock, first_s = self._playhead.clock, timeline.first_frame / timeline.fps
        if clock.position_s() < first_s:
            clock.move(first_s)
        return clock.ended()

    def keep_distance(self, timeline: Timeline) -> None:
        """Jump if the edge is far off, else play a little faster or slower."""
        clock = self._playhead.clock
        position_s = clock.position_s()
        jump_s = self._follower.jump_from(position_s)
        if jump_s is not None:
            self._playhead.seek(jump_s, SeekKind.JUMP, timeline)
        rate = self._follower.rate_at(position_s, clock.rate)
        if self.following and rate != clock.rate:
            clock.set_rate(rate)
            self._own_rate = rate
        elif not self.following:
            self._play_normally()

    def _play_normally(self) -> None:
        """Take back the speed that kept the distance, unless a person chose another one."""
        if self._own_rate is not None and self._playhead.clock.rate == self._own_rate:
            self._playhead.clock.set_rate(1.0)
        self._own_rate = None

    def _note_edge(self, timeline: Timeline) -> None:
        newest_s = timeline.duration_s - timeline.start_s(timeline.gop_count - 1)
        self._follower.note_edge(timeline.duration_s, newest_s)
