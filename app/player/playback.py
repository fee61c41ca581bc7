"""Playback of a scene: transport controls in, frames to show out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.frame_pipeline import (
    FramePipeline,
    FramePipelineSettings,
    is_frames,
)
from streamstgs.app.player.live.follower import LiveFollower, LiveSettings
from streamstgs.app.player.live.live_window import LiveWindow
from streamstgs.app.player.phases import (
    PLAYBACK_TRANSITIONS,
    PlaybackEvent,
    PlaybackPhase,
)
from streamstgs.app.player.pipeline.fetch_view import PlayTarget
from streamstgs.app.player.pipeline.pipeline import Pipeline, PipelineSettings
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.position.due_frame import DueFrame
from streamstgs.app.player.position.playhead import Playhead, limited_speed
from streamstgs.app.player.position.seek_queue import SeekKind
from streamstgs.app.player.position.time_mapping import TimeMapping
from streamstgs.app.player.rendering.frame_pacing import DroppedFrameSettings
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.shown_frames import ShownFrames
from streamstgs.app.player.state_machine import StateMachine
from streamstgs.app.player.status import (
    PlaybackError,
    PlaybackFrame,
    PlaybackState,
    PlaybackStatus,
)
from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import OpenSettings, Scene, open_scene
from streamstgs.codec.streaming.address import host, is_url
from streamstgs.codec.streaming.throughput_memory import MemorySettings, ThroughputMemory


@dataclass(frozen=True)
class PlaybackSettings:
    """How a scene is played.

    Args:
        autoplay: Whether to play once the scene is open.
        loop: Whether to continue at the start when the end is reached.
        qp: QP of the quality to play at, None to choose automatically.
        speed: Content seconds per second, 0.1 .. 8; negative plays backwards.
        smooth: Whether slow motion shows moments between two frames.
        live: How a live scene is followed.
        resume_s: Seconds of playing that must be buffered before playback starts or resumes.
        late_s: Longer gaps between two ticks are not made up for.
        pipeline: Bounds of fetching and decoding.
        deadlines: When rendering counts as too slow.
        opening: Timeouts of servers, and the cache of fetched scenes.
        frames: Bounds of decoded frames of scenes of other programs.
        fps: Content frames per second of a scene that does not tell them; None for 30.
    """

    autoplay: bool = True
    loop: bool = True
    qp: int | None = None
    speed: float = 1.0
    smooth: bool = True
    live: LiveSettings = field(default_factory=LiveSettings)
    resume_s: float = 0.5
    late_s: float = 0.2
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    deadlines: DroppedFrameSettings = field(default_factory=DroppedFrameSettings)
    opening: OpenSettings = field(default_factory=OpenSettings)
    frames: FramePipelineSettings = field(default_factory=FramePipelineSettings)
    fps: float | None = None


class Playback:
    """Plays one scene. All methods belong to one thread (the GUI's); only `settle` and `close`
    wait, because fetching and decoding happen in threads of their own (`Pipeline`).

    Call `tick` on each display refresh; it returns the frame to show. Opening starts at once.

    Args:
        location: Path of a .stgs file or a directory, or a URL.
        settings: How the scene is played.
        device: Device of decoded planes: that of the backend.
        monotonic: Seconds that only grow.
        opener: Opens the location; raises CodecError or OSError. Runs in the fetch thread. None
            for `open_scene`, which is cancelled if the playback is closed meanwhile.
        probe: Listener of the transport; a scene of an `opener` has to be given it as well.
        clock: Where the content time is kept, such as a clock shared with other playbacks; None
            makes one.
    """

    def __init__(
        self,
        location: str,
        settings: PlaybackSettings = PlaybackSettings(),
        device: torch.device | str = "cpu",
        monotonic: Callable[[], float] = time.monotonic,
        opener: Callable[[str], Scene] | None = None,
        probe: ThroughputProbe | None = None,
        clock: PlaybackClock | None = None,
    ) -> None:
        self.location = str(location)
        self._settings = settings
        clock = clock or PlaybackClock(monotonic, settings.late_s)
        clock.set_loop(settings.loop)
        clock.set_rate(limited_speed(settings.speed))
        self._playhead = Playhead(clock)
        first = PlaybackPhase.OPENING if settings.autoplay else PlaybackPhase.OPENING_PAUSED
        self._phase = StateMachine(first, PLAYBACK_TRANSITIONS)
        self._smooth = settings.smooth
        self._qp = settings.qp  # of the quality chosen by hand; None: automatic
        self._scene: OpenedScene | None = None  # the one that `tick` played last
        self._live = LiveWindow(self._playhead, LiveFollower(settings.live, monotonic))
        self._frames = ShownFrames(settings.deadlines, monotonic)
        self._memory = _throughput_memory(self.location, settings.opening)
        self._throughput = probe or self._new_probe()
        opening = replace(settings.opening, listener=self._throughput)
        self._pipeline: Pipeline | FramePipeline
        if opener is None and is_frames(self.location):
            self._pipeline = FramePipeline(
                lambda closed: open_reader(self.location, closed, settings.fps, opening),
                self.location,
                settings.frames,
                device,
            )
        else:
            self._pipeline = Pipeline(
                lambda closed: (
                    opener(self.location) if opener else open_scene(self.location, opening, closed)
                ),
                self.location,
                settings.pipeline,
                device,
                monotonic,
                settings.qp,
                self._throughput,
            )
        self._due = DueFrame(self._playhead, self._pipeline, self._request, self._end_if_played)
        self._pipeline.start()

    @property
    def settings(self) -> PlaybackSettings:
        """How the scene is played."""
        return self._settings

    # --- the open scene --------------------------------------------------------------------------

    @property
    def opened(self) -> OpenedScene | None:
        """Timeline, qualities and sizes of the scene; None until it is open."""
        return self._pipeline.opened

    @property
    def meta(self) -> SceneMeta | None:
        """Title, frame rate and cameras of the scene; None until it is open."""
        opened = self._pipeline.opened
        return opened.meta if opened else None

    # --- transport -------------------------------------------------------------------------------

    def play(self) -> None:
        """Play from the position; from the start (backwards: the end) if nothing follows.

        At the edge of a live scene something does: it waits there.
        """
        timeline = self._timeline
        at_end = timeline is not None and self._playhead.is_at_end(timeline) and not self._is_live
        if self.state is PlaybackState.ENDED or at_end:
            self._playhead.rewind(timeline)
            self._phase.handle(PlaybackEvent.SEEK)
        self._playhead.end_steps()
        self._phase.handle(PlaybackEvent.PLAY)

    def pause(self, leaves_edge: bool = True) -> None:
        """Hold the frame; a scene that is buffering stays paused when it is ready.

        Args:
            leaves_edge: Whether a live scene is not followed any more, until `go_live`.
        """
        self._live.following = self._live.following and not leaves_edge
        self._phase.handle(PlaybackEvent.PAUSE)
        self._playhead.clock.pause()

    def toggle(self) -> None:
        """Pause if the scene plays or would play once it is ready, else play."""
        if self._wants_play:
            self.pause()
        else:
            self.play()

    def step(self, frames: int) -> None:
        """Pause and go `frames` content frames forward (negative: back); wraps only when looping.

        Steps that follow each other are one seek, as the moves of a drag are: a key that is held
        steps faster than frames are rendered.
        """
        if self._wants_play:
            self._playhead.end_steps()
        self.pause()
        timeline = self._timeline
        if timeline is not None:
            goal = self._playhead.frame(timeline) + frames
            goal = goal % timeline.frames if self._playhead.clock.loop else goal
            self._playhead.seek_frame(goal, SeekKind.STEP, timeline)
            self._phase.handle(PlaybackEvent.SEEK)

    def seek(self, position_s: float, scrubbing: bool = False) -> None:
        """Go to a content time; clamped to the scene. A scene that opens starts there.

        Args:
            position_s: Content time.
            scrubbing: Whether another seek follows soon, as while the timeline is dragged. Until
                the last one, time stands, only segments around the position are fetched, at low
                quality, and the nearest decoded frame is shown. One drag is one seek (one serial).
        """
        kind = SeekKind.DRAG if scrubbing else SeekKind.JUMP
        self._live.following = False
        self._playhead.seek(position_s, kind, self._timeline)
        self._phase.handle(PlaybackEvent.SEEK)

    def seek_frame(self, frame: int, scrubbing: bool = False) -> None:
        """Go to a content frame, clamped to the scene; does nothing before the scene is open."""
        timeline = self._timeline
        if timeline is not None:
            kind = SeekKind.DRAG if scrubbing else SeekKind.JUMP
            self._live.following = False
            self._playhead.seek_frame(frame, kind, timeline)
            self._phase.handle(PlaybackEvent.SEEK)

    def go_live(self) -> None:
        """Go to the edge of a live scene and stay near it; nothing else has an edge."""
        opened = self.opened
        if opened is not None and opened.live is not None:
            self.seek(self._live.goal_s())
            self._live.following = True
            self.play()

    def set_speed(self, speed: float) -> None:
        """Set the content seconds per second, limited to 0.1 .. 8; negative plays backwards."""
        self._playhead.clock.set_rate(limited_speed(speed))

    def set_smooth(self, smooth: bool) -> None:
        """Set whether slow motion shows moments between two frames of a segment."""
        self._smooth = smooth

    def set_time_mapping(self, mapping: TimeMapping, run_s: float | None = None) -> None:
        """Set which content times are played; all scenes that share the clock follow.

        Args:
            run_s: The run time to go on at; None goes on at the present position.
        """
        self._playhead.clock.set_time_mapping(mapping, run_s)

    def set_loop(self, loop: bool) -> None:
        """Set whether playback continues at the start when the end is reached.

        A live scene has no end to continue from.
        """
        if self._scene is None or self._scene.live is None:
            self._playhead.clock.set_loop(loop)

    def set_quality(self, quality: Quality | None) -> None:
        """Choose a quality of the scene, None for automatic.

        While playing it applies from the next GOP on. While paused the shown GOP is decoded
        again and replaced; until then the old one stays.

        Raises:
            UnknownQuality: The open scene has no such quality.
        """
        opened = self.opened
        if quality is not None and opened is not None:
            opened.quality(quality.qp)  # raises if the scene has no such quality
        self._qp = None if quality is None else quality.qp

    # --- frames and state ------------------------------------------------------------------------

    def tick(self) -> PlaybackFrame | None:
        """The frame to show now; never waits.

        The same object is returned while nothing changes. None means that there is no new frame:
        the scene is not open yet, or the frame of a seek is still being decoded. Keep the old image
        then; frames of older serials are never returned. While the timeline is dragged the frame
        may be the nearest decoded one; its index tells which.
        """
        opened = self._follow_pipeline()
        if opened is None:
            return self._frames.current(self._playhead.serial)
        self._playhead.advance(opened.timeline)
        if opened.live is not None:
            self._stay_live(opened.timeline)
        elif self._playhead.clock.ended():
            self._end(opened.timeline)
        index, cached, share = self._due.find(opened.timeline, self._smooth)
        self._update_phase(opened.timeline, cached)
        if cached is None and self._playhead.dragging:
            (index, cached), share = self._pipeline.nearest(index), 0.0
        if cached is None:
            return self._frames.current(self._playhead.serial)
        return self._show(opened, cached, index, share)

    def decoded(self, frame: int) -> PlaybackFrame | None:
        """A content frame that is decoded already, such as to draw a small image of it; else None.

        It shows nothing by itself: `tick` goes on as if this had not been called.
        """
        timeline = self._timeline
        if timeline is None or not 0 <= frame < timeline.frames:
            return None
        gop, inside = timeline.locate(frame)
        cached = self._pipeline.get(gop)
        if cached is None or inside >= cached.gop.frames:
            return None
        return PlaybackFrame(cached.gop, inside, frame, cached.quality, self._playhead.serial)

    def status(self) -> PlaybackStatus:
        """A snapshot for transport bar and statistics."""
        opened, counters = self.opened, self._pipeline.counters()
        timeline = opened.timeline if opened else None
        # After a seek it is still the quality of the frame before.
        newest = self._frames.newest
        quality = newest.quality if newest else self._quality
        segment, step = counters.segment_step, counters.step
        clock = self._playhead.clock
        ended = self.state is PlaybackState.ENDED
        return PlaybackStatus(
            state=self.state,
            position_s=clock.end_position_s() if ended else self._playhead.position_s(),
            duration_s=timeline.duration_s if timeline else 0.0,
            frame=self._playhead.frame(timeline) if timeline else 0,
            frames=timeline.frames if timeline else 0,
            fps=timeline.fps if timeline else 0.0,
            speed=1.0 if self._is_live and self._live.following else clock.rate,
            loop=clock.loop,
            buffered_s=timeline.ranges_s(self._pipeline.ready_gops()) if timeline else (),
            gop_starts_s=timeline.starts_s if timeline else (),
            qualities=opened.qualities if opened else (),
            quality=quality,
            auto=self._qp is None,
            quality_reason=segment.reason if segment else "",
            decode_ms=counters.decode_ms,
            late_frames=self._frames.late,
            corrupt_segments=counters.corrupt_segments,
            message=counters.message,
            wants_play=self._wants_play,
            scrubbing=self._playhead.dragging,
            chosen_quality=opened.qualities[segment.quality_index] if opened and segment else None,
            fetch_reason=step.reason if step else "",
            throughput_bps=self._pipeline.throughput_bps(),
            ahead_s=self._due.ahead_s(timeline) if timeline else 0.0,
            static_layers=counters.static_layers,
            live=self._live.status() if self._is_live else None,
            backwards=self._playhead.is_backwards,
            smooth=self._smooth,
        )

    def note_skipped(self, frames: int) -> None:
        """Report how many frames rendering has skipped since the start, as it could not keep up."""
        opened = self.opened
        self._frames.note_skipped(frames, len(opened.qualities) - 1 if opened else None)

    @property
    def lost_s(self) -> float:
        """Seconds that were not played because `tick` was not called for more than `late_s`."""
        return self._playhead.clock.late_s_total

    @property
    def state(self) -> PlaybackState:
        """The state as of the last `tick` and the calls since."""
        return self._phase.state.state

    def take_events(self) -> list[PlaybackError]:
        """The errors since the last call; fatal ones end this scene."""
        return self._pipeline.take_events()

    def settle(self, timeout_s: float) -> bool:
        """Wait until everything wanted at this position is decoded, or the scene failed.

        For offline use and tests; the window never calls it. Returns False after `timeout_s`.
        """
        pipeline = self._pipeline
        if not pipeline.wait(lambda: bool(pipeline.opened) or pipeline.failed, timeout_s):
            return False
        self.tick()
        return pipeline.wait(lambda: pipeline.idle, timeout_s)

    def close(self) -> None:
        """Stop the threads and release the scene; safe to call twice, in any state."""
        self._pipeline.close()
        if self._memory is not None:
            self._memory.remember(host(self.location), *self._throughput.session())
            self._memory = None

    # --- inside ----------------------------------------------------------------------------------

    def _new_probe(self) -> ThroughputProbe:
        """A probe that expects the throughput of the last session with the same host."""
        metering, also = self._settings.pipeline.fetching.metering, self._settings.opening.listener
        prior_bps = self._memory.recall(host(self.location)) if self._memory else None
        return ThroughputProbe(metering, also=also, prior_bps=prior_bps)

    @property
    def _timeline(self) -> Timeline | None:
        opened = self._pipeline.opened
        return opened.timeline if opened else None

    @property
    def _wants_play(self) -> bool:
        return self._phase.state.wants_play

    @property
    def _quality(self) -> Quality | None:
        """The quality chosen by hand, if the open scene has it."""
        qualities = self._scene.qualities if self._scene else ()
        return next((quality for quality in qualities if quality.qp == self._qp), None)

    def _follow_pipeline(self) -> OpenedScene | None:
        """The scene to play, after the phase and the position followed what became of it."""
        opened = self._pipeline.opened
        if self._pipeline.failed:
            self._phase.handle(PlaybackEvent.FAIL)
            return None
        if opened is None or opened is self._scene:
            return opened
        if self._scene is not None and opened.grew_from(self._scene):
            self._scene = opened
            self._live.grow(opened)
            return opened
        if self._scene is not None:  # another scene replaced it
            self._live.leave()
            self._playhead.stay()
            self._phase.handle(PlaybackEvent.SEEK)
        self._phase.handle(PlaybackEvent.OPENED)
        if isinstance(self._pipeline, FramePipeline) and opened.timeline.frames == 1:
            self._phase.handle(PlaybackEvent.PAUSE)  # time would run to and fro for nothing
        self._scene = opened
        if opened.live is not None:
            self._live.enter(opened)
        if self._quality is None:
            self._qp = None
        return opened

    def _stay_live(self, timeline: Timeline) -> None:
        """Wait at the live edge, leave what is gone, and keep the distance to the edge."""
        if self._live.wait_at_edge(timeline):
            self._phase.handle(PlaybackEvent.MISSING)
        if self._phase.state is PlaybackPhase.PLAYING:
            self._live.keep_distance(timeline)

    @property
    def _is_live(self) -> bool:
        return self._scene is not None and self._scene.live is not None

    def _end(self, timeline: Timeline) -> None:
        clock = self._playhead.clock
        clock.pause()
        clock.move(0.0 if clock.rate < 0.0 else (timeline.frames - 1) / timeline.fps)
        self._phase.handle(PlaybackEvent.END)

    def _request(self, gop: int, position_s: float) -> None:
        excluded = self._frames.dropped.excluded_qualities
        self._pipeline.request(self._target(gop), position_s, excluded)

    def _end_if_played(self) -> None:
        """End, as no GOP that follows is intact; a live scene waits, as it may get one."""
        if self._is_live:
            self._phase.handle(PlaybackEvent.MISSING)
        elif self._wants_play:
            self._phase.handle(PlaybackEvent.END)

    def _target(self, gop: int) -> PlayTarget:
        return PlayTarget(
            gop=gop,
            serial=self._playhead.serial,
            quality=self._quality,
            loop=self._playhead.clock.loop,
            playing=self._wants_play,
            speed=self._playhead.content_speed,
            scrubbing=self._playhead.dragging,
            backwards=self._playhead.is_backwards,
        )

    def _update_phase(self, timeline: Timeline, cached: CachedGop | None) -> None:
        """Buffering starts when the frame is missing, and ends when enough content is ahead."""
        if cached is None or cached.still:
            self._phase.handle(PlaybackEvent.MISSING)
        elif self._phase.state is not PlaybackPhase.BUFFERING or self._is_enough_ahead(timeline):
            self._phase.handle(PlaybackEvent.READY)
        if self._phase.state is PlaybackPhase.PLAYING and not self._playhead.dragging:
            self._playhead.clock.play()
        else:
            self._playhead.clock.pause()
            self._frames.dropped.forget()

    def _is_enough_ahead(self, timeline: Timeline) -> bool:
        enough_s = self._settings.resume_s * self._playhead.content_speed
        if self._due.ahead_s(timeline) >= enough_s:
            return True
        return self._pipeline.idle and not self._is_live  # a live scene will have more

    def _show(
        self, opened: OpenedScene, cached: CachedGop, index: int, share: float
    ) -> PlaybackFrame:
        plays = self._wants_play and not self._playhead.dragging
        return self._frames.show(
            opened.timeline,
            cached,
            index,
            self._playhead.serial,
            self._playhead.clock.content_rate if plays else None,
            len(opened.qualities) - 1,
            0.0 if cached.still else share,
        )


def _throughput_memory(location: str, opening: OpenSettings) -> ThroughputMemory | None:
    """Where the throughput of a server is remembered; None for files, and where nothing is kept."""
    if not is_url(location) or opening.cache.max_bytes <= 0:
        return None
    return ThroughputMemory(MemorySettings(opening.cache.directory))
