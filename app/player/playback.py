"""Playback of a scene: what the transport bar controls and the viewport asks for pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.clock import PlaybackClock
from streamstgs.app.player.pipeline.pipeline import Pipeline, PipelineSettings
from streamstgs.app.player.pipeline.shared_state import PlayTarget
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.rendering.frame_pacing import DroppedFrameMonitor, DroppedFrameSettings
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.status import (
    PlaybackError,
    PlaybackFrame,
    PlaybackState,
    PlaybackStatus,
)
from streamstgs.codec.scene import OpenSettings, Scene, open_scene
from streamstgs.codec.source import SceneMeta

SPEED_LIMITS = (0.1, 8.0)


@dataclass(frozen=True)
class PlaybackSettings:
    """How a scene is played.

    Args:
        autoplay: start playing once the scene is open.
        loop: go on at the start when the end is reached.
        rung: QP of the feature video, None to choose automatically.
        speed: 0.1 .. 8.
        resume_s: seconds of playing that must be there before playback (re)starts.
        late_s: longer gaps between two ticks are not made up for.
        pipeline: bounds of source and decoder.
        deadlines: when drawing counts as too slow.
        opening: patience with servers, what is kept of their scenes.
    """

    autoplay: bool = True
    loop: bool = True
    rung: int | None = None
    speed: float = 1.0
    resume_s: float = 0.5
    late_s: float = 0.2
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    deadlines: DroppedFrameSettings = field(default_factory=DroppedFrameSettings)
    opening: OpenSettings = field(default_factory=OpenSettings)


class Playback:
    """Plays one scene. All methods belong to one thread (the GUI's) and none but `settle` and
    `close` ever waits: fetching and decoding happen in threads of their own (`Pipeline`).

    Call `tick` on each display refresh; it returns what to show. Opening starts at once.

    Args:
        location: path of a .stgs file or a directory, or an URL.
        device: where decoded planes shall be: that of the backend.
        monotonic: seconds that only grow.
        opener: opens the location; raises CodecError or OSError. Runs in the source thread. None
            for `open_scene`, given up when the playback is closed meanwhile.
        traffic: what the transport tells; a scene of an `opener` has to be given it as well.
    """

    def __init__(
        self,
        location: str,
        settings: PlaybackSettings = PlaybackSettings(),
        device: torch.device | str = "cpu",
        monotonic: Callable[[], float] = time.monotonic,
        opener: Callable[[str], Scene] | None = None,
        traffic: ThroughputProbe | None = None,
    ) -> None:
        self.location = str(location)
        self._settings = settings
        self._clock = PlaybackClock(monotonic, settings.late_s, loop=settings.loop)
        self._clock.set_rate(_limited_speed(settings.speed))
        self._rung = settings.rung
        self._wants_play = settings.autoplay
        self._buffering = True
        self._ended = False
        self._scrubbing = self._stepping = False
        self._late_frames = self._skipped_frames = 0
        self._deadlines = DroppedFrameMonitor(settings.deadlines)
        self._monotonic = monotonic
        self._shown: PlaybackFrame | None = None
        self._begun: OpenedScene | None = None
        self._opening_position_s: float | None = 0.0  # to go to once the duration is known
        metering = settings.pipeline.fetching.metering
        traffic = traffic or ThroughputProbe(metering, also=settings.opening.listener)
        opening = replace(settings.opening, listener=traffic)
        self._worker = Pipeline(
            lambda closed: (
                opener(self.location) if opener else open_scene(self.location, opening, closed)
            ),
            self.location,
            settings.pipeline,
            device,
            monotonic,
            settings.rung,
            traffic,
        )
        self._worker.start()

    # --- what is open ----------------------------------------------------------------------------

    @property
    def opened(self) -> OpenedScene | None:
        """Title, timeline and ladder of the scene; None until it is open."""
        return self._worker.opened

    @property
    def meta(self) -> SceneMeta | None:
        """What the scene says of itself; None until it is open."""
        return self._worker.opened.meta if self._worker.opened else None

    # --- transport -------------------------------------------------------------------------------

    def play(self) -> None:
        """Play from here; from the start when the end was reached."""
        if self._ended or self._at_last_frame():
            self.seek(0.0)
        self._wants_play, self._stepping = True, False

    def pause(self) -> None:
        """Hold the picture; a buffering scene stays paused once it is there."""
        self._wants_play = False
        self._clock.pause()

    def toggle(self) -> None:
        """Play or pause, whichever it does not do now."""
        if self._wants_play:
            self.pause()
        else:
            self.play()

    def step(self, frames: int) -> None:
        """Pause and go `frames` content frames on (negative: back); wraps only when looping.

        Steps that follow each other are one seek, as the moves of a drag: a key that is held
        steps faster than pictures are drawn.
        """
        stepping = self._stepping and not self._wants_play
        self.pause()
        if self.opened:
            goal = self._frame_now() + frames
            goal = goal % self.opened.timeline.frames if self._clock.loop else goal
            self._go_to(goal, self._clock.move if stepping else self._clock.seek)
            self._stepping = True

    def seek(self, position_s: float, scrubbing: bool = False) -> None:
        """Go to a content time; clamped to the scene. Before the scene is open it is remembered.

        Args:
            scrubbing: another seek follows soon, as while the timeline is dragged; until then
                time stands, only small pictures of the place are fetched, and where there is none
                yet the nearest one that is there is shown. One drag is one seek (one serial).
        """
        if self.opened and self._opening_position_s is None:
            self.seek_frame(self.opened.timeline.frame_at(position_s), scrubbing)
        else:
            self._clock.serial += 1
            self._opening_position_s = position_s

    def seek_frame(self, frame: int, scrubbing: bool = False) -> None:
        """Go to a content frame, clamped to the scene; does nothing before the scene is open."""
        # Were each move another seek, a picture that is slow to draw would never be shown.
        go = self._clock.move if scrubbing and self._scrubbing else self._clock.seek
        self._go_to(frame, go)
        self._scrubbing = scrubbing

    def _go_to(self, frame: int, go: Callable[[float], None]) -> None:
        self._scrubbing = self._stepping = False
        if self.opened:
            timeline = self.opened.timeline
            self._opening_position_s = None
            self._ended = False
            self._clock.duration_s = timeline.duration_s
            go(min(max(frame, 0), timeline.frames - 1) / timeline.fps)

    def set_speed(self, speed: float) -> None:
        """Content seconds per second, limited to 0.1 .. 8."""
        self._clock.set_rate(_limited_speed(speed))

    def set_loop(self, loop: bool) -> None:
        """Whether to go on at the start when the end is reached."""
        self._clock.set_loop(loop)

    def set_rung(self, qp: int | None) -> None:
        """Choose the quality by its QP, None for automatic.

        While playing it applies from the next GOP on. While paused the shown GOP is decoded
        again and replaced; until then the old one stays.

        Raises:
            ValueError: the open scene has no such rung.
        """
        if qp is not None and self.opened and qp not in self.opened.rungs:
            raise ValueError(f"The scene has no quality of QP {qp}, only {self.opened.rungs}")
        self._rung = qp

    # --- pictures and state ----------------------------------------------------------------------

    def tick(self) -> PlaybackFrame | None:
        """The frame to show now; never waits.

        The same object is returned while nothing changes. None means that there is nothing (new)
        to show: the scene is not open yet, or the target of a seek is still being decoded - keep
        the old picture then, but no frame of an older serial is ever returned. While the timeline
        is dragged it may be the nearest frame that is there, and says so by its index.
        """
        if self.opened is None or self._worker.failed:
            return self._current_frame()
        self._begin()
        self._clock.look(1.0 / self.opened.timeline.fps)
        if self._clock.ended():
            self._end()
        index, cached = self._decoded_here()
        self._settle_state(cached)
        if cached is None and self._scrubbing:
            index, cached = self._worker.nearest(index)
        return self._show(cached, index) if cached else self._current_frame()

    def status(self) -> PlaybackStatus:
        """A snapshot for transport bar and statistics."""
        opened, stats = self.opened, self._worker.stats()
        timeline = opened.timeline if opened else None
        rung = self._shown.rung if self._shown else self._rung  # after a seek still the old one's
        rate = opened.bytes_per_frame.get(rung, 0.0) if opened and rung is not None else 0.0
        chosen, newest = stats.gop_decision, stats.decision
        return PlaybackStatus(
            state=self.state,
            position_s=self._position_s(),
            duration_s=timeline.duration_s if timeline else 0.0,
            frame=self._frame_now(),
            frames=timeline.frames if timeline else 0,
            fps=timeline.fps if timeline else 0.0,
            speed=self._clock.rate,
            loop=self._clock.loop,
            buffered_s=timeline.ranges_s(self._worker.ready_gops()) if timeline else (),
            gop_starts_s=timeline.starts_s if timeline else (),
            rungs=opened.rungs if opened else (),
            rung=rung,
            auto=self._rung is None,
            rung_reason=chosen.reason if chosen else "",
            bitrate_bps=8.0 * rate * (timeline.fps if timeline else 0.0),
            decode_ms=stats.decode_ms,
            late_frames=self._late_frames,
            corrupt_segments=stats.corrupt_segments,
            message=stats.message,
            wants_play=self._wants_play,
            scrubbing=self._scrubbing,
            chosen_rung=opened.rungs[chosen.quality] if opened and chosen else None,
            fetch_reason=newest.reason if newest else "",
            throughput_bps=stats.throughput_bps,
            ahead_s=self._ahead_s() if opened else 0.0,
            static_layers=(stats.static_layers, opened.static_layers if opened else 0),
        )

    def note_skipped(self, frames: int) -> None:
        """How many frames the drawing has skipped so far, as it could not keep up."""
        fresh, self._skipped_frames = frames - self._skipped_frames, frames
        if fresh > 0:
            self._count_deadlines(0, fresh)

    @property
    def lost_s(self) -> float:
        """Seconds that were not played because `tick` was not called for more than `late_s`."""
        return self._clock.late_s_total

    @property
    def state(self) -> PlaybackState:
        if self._worker.failed:
            return PlaybackState.FAILED
        if self.opened is None:
            return PlaybackState.OPENING
        if self._ended:
            return PlaybackState.ENDED
        if self._buffering:
            return PlaybackState.BUFFERING
        return PlaybackState.PLAYING if self._wants_play else PlaybackState.PAUSED

    def take_events(self) -> list[PlaybackError]:
        """What went wrong since the last call; fatal ones end this scene."""
        return self._worker.take_events()

    def settle(self, timeout_s: float) -> bool:
        """Wait until everything wanted at this position is decoded, or the scene failed.

        For headless use and tests; the window never calls it.
        """
        if not self._worker.wait(lambda: bool(self.opened) or self._worker.failed, timeout_s):
            return False
        self.tick()
        return self._worker.wait(lambda: self._worker.idle, timeout_s)

    def close(self) -> None:
        """Stop the thread and let go of the scene; safe to call twice, from any state."""
        self._worker.close()

    # --- inside ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Once the scene is open, or another one took its place: go where it was asked to."""
        assert self.opened is not None
        replaced = self._begun is not None and self._begun is not self.opened
        if replaced and self._opening_position_s is None:
            self._opening_position_s = self._clock.position_s()
        self._begun = self.opened
        if self._opening_position_s is not None:
            self.seek_frame(self.opened.timeline.frame_at(self._opening_position_s))
            if self._rung not in self.opened.rungs:
                self._rung = None

    def _end(self) -> None:
        assert self.opened is not None
        self._clock.pause()
        self._clock.move((self.opened.timeline.frames - 1) / self.opened.timeline.fps)
        self._wants_play = False
        self._ended = True

    def _decoded_here(self) -> tuple[int, CachedGop | None]:
        """The frame at the position and its GOP, if that is decoded; the position leaves broken
        ones. Both are of one look at the clock, which passes into the next GOP at any time."""
        assert self.opened is not None
        for _ in range(self.opened.timeline.gop_count):
            index = self._frame_now()
            gop, _ = self.opened.timeline.locate(index)
            position_s, best = self._clock.position_s(), self._deadlines.best_index
            self._worker.request(self._target(gop), position_s, best)
            if not self._worker.is_broken(gop):
                return index, self._worker.get(gop)
            if not self._leave_broken(gop):
                break
        return self._frame_now(), None

    def _leave_broken(self, gop: int) -> bool:
        """Move to the nearest GOP that may be whole: the next one, at the end the one before."""
        assert self.opened is not None
        timeline = self.opened.timeline
        for candidate in timeline.ahead(gop, timeline.gop_count, self._clock.loop):
            if not self._worker.is_broken(candidate):
                self._clock.move(timeline.start_s(candidate))
                return True
        if self._wants_play:
            self._wants_play, self._ended = False, True
        for candidate in range(gop - 1, -1, -1):
            if not self._worker.is_broken(candidate):
                last = timeline.starts[candidate] + timeline.gop_frames[candidate] - 1
                self._clock.move(last / timeline.fps)
                return True
        return False

    def _target(self, gop: int) -> PlayTarget:
        return PlayTarget(
            gop=gop,
            serial=self._clock.serial,
            rung=self._rung,
            loop=self._clock.loop,
            playing=self._wants_play,
            speed=self._clock.rate,
            scrubbing=self._scrubbing,
        )

    def _settle_state(self, cached: CachedGop | None) -> None:
        """Buffering starts when the picture is missing, and ends when enough is there."""
        if cached is None or cached.still:
            self._buffering = True
        elif self._buffering:
            self._buffering = self._wants_play and not self._enough_ahead()
        if self._wants_play and not self._buffering and not self._scrubbing:
            self._clock.play()
        else:
            self._clock.pause()
            self._deadlines.forget()

    def _enough_ahead(self) -> bool:
        return self._ahead_s() >= self._settings.resume_s * self._clock.rate or self._worker.idle

    def _ahead_s(self) -> float:
        """Content that can be played from the position on without a gap."""
        assert self.opened is not None
        timeline, ready = self.opened.timeline, self._worker.ready_gops()
        gop, ahead_s = self._gop_now(), 0.0
        for following in timeline.ahead(gop, timeline.gop_count, self._clock.loop):
            if following not in ready:
                break
            ahead_s += timeline.gop_frames[following] / timeline.fps
        return max(ahead_s - (self._clock.position_s() - timeline.start_s(gop)), 0.0)

    def _show(self, cached: CachedGop, index: int) -> PlaybackFrame:
        assert self.opened is not None
        _, inside = self.opened.timeline.locate(index)
        inside = min(inside, cached.gop.frames - 1)  # another scene may just have taken its place
        serial, still = self._clock.serial, cached.still
        frame = PlaybackFrame(cached.gop, inside, index, cached.rung, serial, still)
        old = self._shown
        if old is not None and _same(old, frame):
            return old
        plays = self._wants_play and not self._scrubbing
        if plays and old is not None and old.serial == frame.serial and index > old.index:
            stride = max(1, math.ceil(self._clock.rate))
            late = max(0, index - old.index - stride)
            self._late_frames += late
            self._count_deadlines(1, late)
        self._shown = frame
        return frame

    def _count_deadlines(self, shown: int, late: int) -> None:
        if self.opened is not None:
            lowest = self.opened.ladder.lowest
            self._deadlines.count(self._monotonic(), shown, late, lowest)

    def _current_frame(self) -> PlaybackFrame | None:
        shown = self._shown
        return shown if shown and shown.serial == self._clock.serial else None

    def _position_s(self) -> float:
        if self._opening_position_s is not None:
            return max(self._opening_position_s, 0.0)
        return self._clock.duration_s if self._ended else self._clock.position_s()

    def _frame_now(self) -> int:
        if self.opened is None:
            return 0
        return self.opened.timeline.frame_at(self._clock.position_s())

    def _gop_now(self) -> int:
        assert self.opened is not None
        return self.opened.timeline.locate(self._frame_now())[0]

    def _at_last_frame(self) -> bool:
        if self.opened is None or self._clock.loop:
            return False
        return self._frame_now() == self.opened.timeline.frames - 1


def _limited_speed(speed: float) -> float:
    return min(max(speed, SPEED_LIMITS[0]), SPEED_LIMITS[1])


def _same(a: PlaybackFrame, b: PlaybackFrame) -> bool:
    return a.gop is b.gop and a.index == b.index and a.serial == b.serial
