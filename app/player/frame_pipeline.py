"""Frames of scenes of other programs: decoded ahead of the position, in a thread of their own.

`Pipeline` serves scenes that are fetched in parts, at several qualities. A `SceneReader` has
neither: each content frame counts as a GOP of one frame, is decoded shortly before it is shown, and
is kept as long as memory allows. Nothing is fetched and nothing adapts.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from streamstgs.app.player.buffer.gop_cache import CachedGop, GopCache, static_bytes
from streamstgs.app.player.buffer.scene_buffer import still_gop
from streamstgs.app.player.phases import PIPELINE_TRANSITIONS, PipelineEvent, PipelinePhase
from streamstgs.app.player.pipeline.fetch_view import PlayTarget
from streamstgs.app.player.pipeline.state import PipelineCounters
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.state_machine import StateMachine
from streamstgs.app.player.status import PlaybackError, fault_message
from streamstgs.app.translation import tr
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, CodecError, SceneUnreachable
from streamstgs.codec.formats.reader import SceneReader, Segment
from streamstgs.codec.formats.registry import find_format
from streamstgs.codec.formats.stgs import SUFFIX, StgsFormat
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME
from streamstgs.codec.streaming.address import clean_location
from streamstgs.renderer import Gaussians

log = logging.getLogger(__name__)
OpenReader = Callable[[CancelToken], SceneReader]


@dataclass(frozen=True)
class FramePipelineSettings:
    """Bounds of decoded frames.

    Args:
        ahead_s: Content seconds that are decoded ahead of the position.
        max_frames: Decoded frames kept at most.
        max_bytes: Bytes of their Gaussians at most; one frame is always kept.
        close_timeout_s: How long `close` waits for the thread.
        retry_s: Pause before a server that did not answer is asked again.
    """

    ahead_s: float = 2.0
    max_frames: int = 240
    max_bytes: int = 1 << 30
    close_timeout_s: float = 5.0
    retry_s: float = 1.0


def is_frames(location: str) -> bool:
    """Whether a location is a scene of another program, which a `FramePipeline` plays.

    Reads the first bytes of a file on this machine, unless its name tells that it is one of ours.
    Of a URL, the name decides.
    """
    if location.lower().endswith((SUFFIX, MANIFEST_NAME, DASH_NAME)):
        return False
    try:
        return not isinstance(find_format(clean_location(location)), StgsFormat)
    except CodecError:
        return False  # the other pipeline reports it


class FramePipeline:
    """Opens a scene and keeps decoded frames ready; owns one thread.

    It offers what `Playback` uses of a `Pipeline`, with the same meaning. Called by the owner of
    the position.

    Args:
        open_reader: Opens the scene; raises CodecError or OSError. Runs in the thread.
        location: For messages.
        settings: Bounds.
        device: Device of the Gaussians.
    """

    def __init__(
        self,
        open_reader: OpenReader,
        location: str,
        settings: FramePipelineSettings,
        device: torch.device | str = "cpu",
    ) -> None:
        self._open_reader = open_reader
        self._location = location
        self._settings = settings
        self._device = device
        self._closing = CancelToken()
        self._changed = threading.Condition()  # guards everything below
        self._phase = StateMachine(PipelinePhase.OPENING, PIPELINE_TRANSITIONS)
        self._opened: OpenedScene | None = None
        self._target: PlayTarget | None = None
        self._frames = GopCache(settings.max_frames, settings.max_bytes, static_bytes)
        self._broken: set[int] = set()
        self._events: list[PlaybackError] = []
        self._decode_ms = 0.0
        self._resting = False  # the thread has decoded all that is wanted
        self._out_of_reach = False  # the server, when it was asked last; of the thread alone
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)

    def start(self) -> None:
        """Start to open the scene."""
        self._thread.start()

    @property
    def opened(self) -> OpenedScene | None:
        """Facts about the open scene; None before."""
        with self._changed:
            return self._opened

    @property
    def failed(self) -> bool:
        """Whether the scene cannot be played; the fatal event says why."""
        with self._changed:
            return self._phase.state is PipelinePhase.FAILED

    @property
    def idle(self) -> bool:
        """Whether all frames that are wanted now are decoded; also true if the scene failed."""
        with self._changed:
            return self._resting or self._phase.state is PipelinePhase.FAILED

    def request(self, target: PlayTarget, position_s: float, excluded_qualities: int) -> None:
        """Set what is wanted. The position is in `target`, and there is one quality only."""
        with self._changed:
            if self._opened is not None and target != self._target:
                self._target, self._resting = target, False
                self._changed.notify_all()

    def get(self, gop: int) -> CachedGop | None:
        """A decoded frame, or None while it is not decoded."""
        with self._changed:
            return self._frames.get(gop)

    def nearest(self, frame: int) -> tuple[int, CachedGop | None]:
        """The decoded frame nearest to another one; None if none is decoded."""
        with self._changed:
            near = min(self._frames, key=lambda index: abs(index - frame), default=None)
            return (frame, None) if near is None else (near, self._frames.get(near))

    def is_broken(self, gop: int) -> bool:
        """Whether a frame cannot be decoded."""
        with self._changed:
            return gop in self._broken

    def ready_gops(self) -> frozenset[int]:
        """The decoded frames."""
        with self._changed:
            return frozenset(self._frames)

    def counters(self) -> PipelineCounters:
        """Figures for the statistics."""
        with self._changed:
            return PipelineCounters(self._decode_ms, len(self._broken), (0, 0), None, None, 0, "")

    def throughput_bps(self) -> float:
        """0: there is no network."""
        return 0.0

    def take_events(self) -> list[PlaybackError]:
        """The errors since the last call."""
        with self._changed:
            taken, self._events = self._events, []
            return taken

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `condition` holds; it is evaluated whenever the state changes."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def close(self) -> bool:
        """Stop the thread and release the scene. Returns whether it ended in time."""
        with self._changed:
            self._phase.handle(PipelineEvent.CLOSE)
            self._closing.cancel()
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(self._settings.close_timeout_s)
        late = self._thread.is_alive()
        if late:
            log.warning("the thread of %s did not end in time", self._location)
        return not late

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        """The thread boundary: every error becomes an event."""
        try:
            with self._open_reader(self._closing) as reader:
                self._publish(reader)
                self._decode_all(reader)
        except Cancelled:
            log.debug("%s was closed while it was being opened", self._location)
        except (CodecError, OSError) as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("frame thread of %s", self._location)
            self._fail(fault_message(error))
        finally:
            with self._changed:
                self._frames.clear()

    def _publish(self, reader: SceneReader) -> None:
        with self._changed:
            self._phase.handle(PipelineEvent.OPENED)
            self._opened = OpenedScene.of_reader(reader)
            self._target = PlayTarget(0, 0, None, loop=True, playing=True, speed=1.0)
            self._changed.notify_all()

    def _decode_all(self, reader: SceneReader) -> None:
        """Decode what is wanted until the pipeline is closed."""
        kept: tuple[int, Segment] | None = None
        while (frame := self._next_frame()) is not None:
            start_s = time.perf_counter()
            time_s = frame / reader.info.meta.fps
            index = reader.info.segment_at(time_s)
            try:
                if kept is None or kept[0] != index:
                    kept = None  # two segments need not fit into memory
                    kept = index, reader.segment(index, None, self._device, self._closing)
                gaussians = kept[1].gaussians_at(time_s)
            except Cancelled:
                return
            except SceneUnreachable as error:  # the frame is wanted again once the server is back
                self._tell_outage(str(error))
                self._closing.wait(self._settings.retry_s)
            except CodecError as error:
                self._mark_broken(frame, str(error))
            else:
                self._out_of_reach = False
                self._put(frame, gaussians, time.perf_counter() - start_s)

    def _next_frame(self) -> int | None:
        """The next frame to decode, after waiting for one; None once the thread shall end."""
        with self._changed:
            while not self._closing.cancelled:
                for frame in self._wanted():
                    if frame not in self._frames and frame not in self._broken:
                        return frame
                self._resting = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._closing.cancelled or not self._resting)
            return None

    def _wanted(self) -> list[int]:
        """Frames to have decoded, the most urgent one first; as many as may be kept."""
        target, opened = self._target, self._opened
        assert target is not None
        assert opened is not None
        timeline = opened.timeline
        if target.scrubbing:
            return [target.gop]
        ahead = math.ceil(self._settings.ahead_s * timeline.fps * max(target.speed, 1.0))
        return target.ahead(timeline, ahead)[: self._frames.capacity]

    def _put(self, frame: int, gaussians: Gaussians, seconds: float) -> None:
        with self._changed:
            assert self._opened is not None
            cached = CachedGop(still_gop(gaussians), self._opened.best)
            self._frames.put(frame, cached, self._wanted())
            self._decode_ms = 1000.0 * seconds
            self._changed.notify_all()

    def _tell_outage(self, reason: str) -> None:
        """Say once for each outage that the server does not answer."""
        if not self._out_of_reach:
            log.warning("%s is out of reach: %s", self._location, reason)
            with self._changed:
                self._events.append(PlaybackError(f"Waiting for the server: {reason}", False))
        self._out_of_reach = True

    def _mark_broken(self, frame: int, reason: str) -> None:
        log.warning("frame %d of %s cannot be shown: %s", frame, self._location, reason)
        with self._changed:
            assert self._opened is not None
            self._broken.add(frame)
            skipped = tr("Frame {number} skipped: {reason}", number=frame + 1, reason=reason)
            self._events.append(PlaybackError(skipped, False))
            all_broken = len(self._broken) == self._opened.timeline.frames
            self._changed.notify_all()
        if all_broken:
            self._fail(tr("No frame of this scene can be read. Choose another one."))

    def _fail(self, message: str) -> None:
        with self._changed:
            if self._phase.handle(PipelineEvent.FAIL):
                self._events.append(PlaybackError(message, True))
                self._closing.cancel()
                self._changed.notify_all()
