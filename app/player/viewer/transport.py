"""The transport of a viewer: play, pause and seek for all scenes that share a clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.arguments import finite, whole
from streamstgs.app.player.position.time_mapping import WHOLE_SCENE, SceneTimeMapping
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.app.player.viewer.open_scene import OpenScene

if TYPE_CHECKING:
    from streamstgs.app.player.playback import Playback

STATUS_S = 0.03  # statuses are published no more often than this while the state stays
SHUTTLE_MAX = 8.0
LONG_WAIT_S = 0.25  # shorter waits show no sign of waiting


class Transport:
    """Commands of the transport bar. Owner: the thread of the viewer model.

    Commands go to every shown scene; `status` is of the first one. Without a scene they do nothing.
    Commands that take a number raise `ArgumentError` for one that is not finite.

    Args:
        scenes: Gives the shown scenes.
    """

    status_changed = Signal(PlaybackStatus)
    sought = Signal()  # a command went to a content time
    time_mapping_changed = Signal()  # the repeated part, or whether content turns back at its ends

    def __init__(self, scenes: Callable[[], Sequence[OpenScene]]) -> None:
        self._scenes = scenes
        self.status: PlaybackStatus | None = None  # written by `update`
        self.part_s: tuple[float, float] | None = None  # written by `set_part`
        self.bounces = False  # written by `set_bounces`
        self._published_s = -STATUS_S
        self._waiting_since_s: float | None = None

    # --- commands ---------------------------------------------------------------------------------

    def play(self) -> None:
        """Play from here; from the start if the end was reached."""
        self._each(lambda playback: playback.play())

    def pause(self) -> None:
        """Hold the frame that is shown."""
        self._stay_paused()
        self._each(lambda playback: playback.pause())

    def toggle(self) -> None:
        """Pause if it plays or would once it can, else play."""
        wants_play = self.status is not None and self.status.wants_play
        if self._stay_paused() or wants_play:
            self.pause()
        else:
            self.play()

    def step(self, frames: int) -> None:
        """Pause and go on by content frames (negative: back)."""
        count = whole("The number of frames", frames)
        self._stay_paused()
        self.sought.emit()
        self._each(lambda playback: playback.step(count))

    def seek(self, position_s: float, scrubbing: bool = False) -> None:
        """Go to a content time in seconds, limited to the scene.

        Args:
            scrubbing: Whether another seek follows soon, as while the timeline is dragged.
        """
        goal_s = finite("The time to go to", position_s)
        self.sought.emit()
        self._each(lambda playback: playback.seek(goal_s, scrubbing))

    def seek_frame(self, frame: int) -> None:
        """Go to a content frame, limited to the scene."""
        goal = whole("The frame to go to", frame)
        self.sought.emit()
        self._each(lambda playback: playback.seek_frame(goal))

    def go_live(self) -> None:
        """Go to the edge of a live scene and stay near it; other scenes have no edge."""
        self.sought.emit()
        self._each(lambda playback: playback.go_live())

    def set_speed(self, speed: float) -> None:
        """Set the content seconds per second, 0.1 .. 8; negative plays backwards."""
        chosen = finite("The speed", speed)
        self._each(lambda playback: playback.set_speed(chosen))

    def set_smooth(self, smooth: bool) -> None:
        """Set whether slow motion shows moments between two frames."""
        self._each(lambda playback: playback.set_smooth(smooth))

    def set_loop(self, loop: bool) -> None:
        """Set whether the scene starts again at its end."""
        self._each(lambda playback: playback.set_loop(loop))

    def shuttle(self, direction: int) -> None:
        """Play forwards (1) or backwards (-1); twice as fast each time that it runs that way.

        This is what J and L do in film editors; the keys stop at 8 times the normal speed.
        """
        status = self.status
        if status is None:
            return
        runs = status.wants_play and status.speed * direction > 0.0
        speed = abs(status.speed) * 2.0 if runs else 1.0
        self.set_speed(direction * min(speed, SHUTTLE_MAX))
        if not status.wants_play:
            self.play()

    def set_part(self, part_s: tuple[float, float] | None) -> None:
        """Repeat a part of the scene (A-B loop), from a content time to another one; None ends it.

        Raises:
            ValueError: The end is not after the start.
        """
        if part_s is not None and not 0.0 <= part_s[0] < part_s[1]:
            raise ValueError(f"The part {part_s[0]:g} .. {part_s[1]:g} s does not end later.")
        self.part_s = part_s
        self.apply_time_mapping()

    def set_bounces(self, bounces: bool) -> None:
        """Set whether content turns back at the ends of the scene or part (ping-pong)."""
        self.bounces = bounces
        self.apply_time_mapping()

    def apply_time_mapping(self) -> None:
        """Play the scene, or the repeated part of it, from the present position on."""
        mapping = SceneTimeMapping(self.part_s, self.bounces)
        plain = self.part_s is None and not self.bounces
        self._each(lambda playback: playback.set_time_mapping(WHOLE_SCENE if plain else mapping))
        self.time_mapping_changed.emit()

    def forget_time_mapping(self) -> None:
        """Repeat no part, as another scene is shown from now on."""
        self.part_s, self.bounces = None, False
        self.time_mapping_changed.emit()

    # --- status -----------------------------------------------------------------------------------

    @property
    def waited_long(self) -> bool:
        """Whether playback has been buffering for long enough to say so."""
        since = self._waiting_since_s
        return since is not None and time.monotonic() - since > LONG_WAIT_S

    def update(self, now_s: float, at_once: bool = False) -> None:
        """Read the status of the first scene and publish it.

        While the state stays, publishing is limited to one per `STATUS_S`: controls cost time.

        Args:
            at_once: Whether to publish regardless of the limit.
        """
        scenes, before = self._scenes(), self.status
        if not scenes or scenes[0].playback is None:
            return
        self.status = status = scenes[0].playback.status()
        if scenes[0].held:
            return  # paused by the program, not by a person
        waiting = status.state is PlaybackState.BUFFERING
        self._waiting_since_s = None if not waiting else self._waiting_since_s or now_s
        same = before is not None and before.state is status.state
        if at_once or not same or now_s - self._published_s >= STATUS_S:
            self._published_s = now_s
            self.status_changed.emit(status)

    def refresh(self) -> None:
        """Publish the status at once, so that controls answer a command without delay."""
        self.update(time.monotonic(), at_once=True)

    def _stay_paused(self) -> bool:
        held = [scene.stay_paused() for scene in self._scenes()]
        return any(held)

    def _each(self, command: Callable[[Playback], None]) -> None:
        for scene in self._scenes():
            if scene.playback is not None:
                command(scene.playback)
        self.refresh()
