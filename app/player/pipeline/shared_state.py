"""The state that the threads of a pipeline share, behind one lock."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.buffer.packet_queue import StoredGop
from streamstgs.app.player.buffer.scene_buffer import SceneBuffer
from streamstgs.app.player.phases import PIPELINE_TRANSITIONS, PipelineEvent, PipelinePhase
from streamstgs.app.player.pipeline.fetch_view import FetchView, PlayTarget
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.state_machine import StateMachine
from streamstgs.app.player.status import PlaybackError
from streamstgs.app.translation import tr
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.quality import Quality
from streamstgs.codec.streaming.adaptive import FetchLayer, FetchSegment, Throughput
from streamstgs.renderer import Gaussians, Gop

log = logging.getLogger(__name__)


class DecodeJob(Protocol):
    """Something to decode."""

    @property
    def gop(self) -> int | None:
        """The GOP; None for a static layer."""
        ...


Job = TypeVar("Job", bound=DecodeJob)
FETCHING, DECODING = "fetch", "decode"  # the two threads


@dataclass(frozen=True)
class DecodeView:
    """The buffer and what is asked of it, for a choice under the lock of the state."""

    buffer: SceneBuffer
    target: PlayTarget
    position_s: float
    decode_s: float


@dataclass(frozen=True)
class PipelineCounters:
    """Figures for the statistics.

    Args:
        decode_ms: Decoding time of the last GOP, per frame.
        corrupt_segments: (GOP, quality) pairs that cannot be played.
        static_layers: How many layers are decoded.
        step: What was fetched last.
        segment_step: The last step that fetched a GOP.
        packet_bytes: Bytes of stored packets.
        message: What a person should know now; empty if nothing.
    """

    decode_ms: float
    corrupt_segments: int
    static_layers: int
    step: FetchSegment | FetchLayer | None
    segment_step: FetchSegment | None
    packet_bytes: int
    message: str


class PipelineState:
    """Shared by the owner of the position (`Playback`), the fetch thread and the decode thread.

    The lock is private: each method takes it, and hands over values, never the lock. A thread
    without work tells for which `version` of the state that holds, so that "idle" can never mean
    an older state.

    Attributes:
        closing: Cancelled once the threads shall end.
    """

    def __init__(self) -> None:
        self.closing = CancelToken()
        self._changed = threading.Condition()  # guards everything below
        self._phase = StateMachine(PipelinePhase.OPENING, PIPELINE_TRANSITIONS)
        self._buffer: SceneBuffer | None = None  # replaced by the fetch thread, filled by both
        # written by the owner of the position, and by the fetch thread when a scene is opened
        self._target: PlayTarget | None = None
        self._position_s = 0.0
        self._given_up = 0  # how many of the best qualities are rendered too late
        # written by the fetch thread
        self._step: FetchSegment | FetchLayer | None = None
        self._segment_step: FetchSegment | None = None
        self._message = ""  # about an outage, or why the scene failed
        self._looked: tuple[int, int] | None = None  # (version, progress) it acted on last
        self._progress = 0  # written by the transport: grows while bytes arrive
        # written by the decode thread
        self._decoding: int | None = None  # GOP
        self._decode_cancel = CancelToken(self.closing)  # replaced with each job
        self._decode_s = self._decode_ms = 0.0  # of the last GOP, and per frame
        # written by all
        self._events: list[PlaybackError] = []
        self._version = 0  # grows with every change that a thread may have to act on
        self._served = -1  # serial of the newest seek that found its GOP buffered
        self._idle_at: dict[str, int] = {}  # thread -> version at which it had no work

    # --- the owner of the position ---------------------------------------------------------------

    @property
    def opened(self) -> OpenedScene | None:
        """Facts about the open scene; None before."""
        with self._changed:
            return self._buffer.opened if self._buffer else None

    @property
    def failed(self) -> bool:
        """Whether the scene cannot be played."""
        with self._changed:
            return self._phase.state is PipelinePhase.FAILED

    @property
    def idle(self) -> bool:
        """Whether neither thread has work for the target; also true if the scene failed."""
        with self._changed:
            quiet = [self._idle_at.get(name) == self._version for name in (FETCHING, DECODING)]
            return self._phase.state is PipelinePhase.FAILED or all(quiet)

    def request(self, target: PlayTarget, position_s: float, given_up: int) -> None:
        """Set what playback asks for; cheap if it asked for the same before.

        Args:
            given_up: How many of the best qualities are rendered too late.
        """
        with self._changed:
            self._position_s = position_s
            if self._buffer is None or (target, given_up) == (self._target, self._given_up):
                return
            if target.gop >= self._buffer.opened.timeline.gop_count:
                return  # meant for a scene that this one replaced
            self._target, self._given_up = target, given_up
            self._touch()

    def get(self, gop: int) -> CachedGop | None:
        """What can be shown of a GOP; None while it is not decoded."""
        with self._changed:
            return self._buffer.get(gop) if self._buffer else None

    def nearest(self, frame: int) -> tuple[int, CachedGop | None]:
        """The decoded content frame nearest to another one, and its GOP; None: none is decoded."""
        with self._changed:
            return self._buffer.nearest(frame) if self._buffer else (frame, None)

    def is_broken(self, gop: int) -> bool:
        """Whether a GOP cannot be shown at any quality."""
        with self._changed:
            buffer = self._buffer
            return buffer is not None and buffer.is_broken(gop) and gop not in buffer.gops

    def ready_gops(self) -> frozenset[int]:
        """GOPs that can be played without a network, decoded or not."""
        with self._changed:
            return self._buffer.ready_gops() if self._buffer else frozenset()

    def counters(self) -> PipelineCounters:
        """Figures for the statistics."""
        with self._changed:
            buffer = self._buffer
            return PipelineCounters(
                decode_ms=self._decode_ms,
                corrupt_segments=len(buffer.broken) if buffer else 0,
                static_layers=buffer.static_decoded if buffer else 0,
                step=self._step,
                segment_step=self._segment_step,
                packet_bytes=buffer.packets.size_bytes if buffer else 0,
                message=self._message,
            )

    def take_events(self) -> list[PlaybackError]:
        """The errors since the last call."""
        with self._changed:
            taken, self._events = self._events, []
            return taken

    def wait(self, condition: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until `condition` holds; it is evaluated whenever the state changes."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def close(self) -> None:
        """Tell the threads to end."""
        with self._changed:
            self._phase.handle(PipelineEvent.CLOSE)
            self._end()

    # --- the fetch thread ------------------------------------------------------------------------

    def publish(self, buffer: SceneBuffer, target: PlayTarget) -> None:
        """Make a scene the open one, with a first target: fetching begins at once."""
        with self._changed:
            self._phase.handle(PipelineEvent.OPENED)
            self._buffer, self._target = buffer, target
            self._touch()

    def grow(self, opened: OpenedScene) -> None:
        """Make known that the open scene, a live one, has more GOPs or has ended."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.opened = opened
            self._touch()

    def replace_scene(self, message: str) -> None:
        """Report that another scene replaced the open one, which will be opened next."""
        with self._changed:
            self._phase.handle(PipelineEvent.REPLACED)
            self._report(message)

    def fetch_view(self, throughput: Throughput | None) -> tuple[int, FetchView]:
        """A snapshot for the scheduler, and its version."""
        with self._changed:
            buffer, target = self._buffer, self._target
            assert buffer is not None
            assert target is not None
            qualities = buffer.opened.qualities
            best = qualities[max(len(qualities) - 1 - self._given_up, 0)]
            view = FetchView.of(buffer, target, self._position_s, best)
            sought = self._served != target.serial
            return self._version, replace(
                view, sought=sought, throughput=throughput, decode_s=self._decode_s
            )

    def begin_step(self, step: FetchSegment | FetchLayer) -> None:
        """Record what is fetched now."""
        with self._changed:
            self._step = step
            if isinstance(step, FetchSegment):
                self._segment_step = step

    def end_step(self) -> None:
        """Record that nothing is in flight."""
        with self._changed:
            self._touch()

    def stored_keyframe(self, gop: int) -> KeyframePacket | None:
        """The keyframe of a GOP, if it is stored."""
        with self._changed:
            stored = self._buffer.packets.get(gop) if self._buffer else None
            return stored.keyframe if stored else None

    def stored_layers(self, gop: int) -> tuple[bytes, ...]:
        """The keyframe layers that are stored with the features of a GOP."""
        with self._changed:
            stored = self._buffer.packets.get(gop) if self._buffer else None
            return stored.features.layers if stored and stored.features else ()

    def put_keyframe(self, gop: int, packet: KeyframePacket) -> None:
        """Store the keyframe of a GOP."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.packets.put_keyframe(gop, packet)
            self._touch()

    def put_segment(self, gop: int, keyframe: KeyframePacket, features: FeaturePacket) -> bool:
        """Store a complete GOP; False if there was no room for it."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.packets.put(gop, StoredGop(keyframe, features))
            self._buffer.trim(self._target.gop if self._target else gop)
            self._touch()
            return self._buffer.packets.get(gop) is not None

    def put_layer(self, layer: int, data: bytes | None) -> None:
        """Store the file of a static layer; None if it cannot be fetched."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.static_fetched, self._buffer.static_part_bytes = layer + 1, 0
            self._buffer.static_packets[layer] = data
            self._touch()

    def keep_layer_part(self, size_bytes: int) -> None:
        """Record how much of the next static layer was received when its transfer was stopped."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.static_part_bytes = size_bytes

    def report_outage(self, message: str, is_new: bool) -> None:
        """Show that a server does not answer; as an event if this is a new outage."""
        with self._changed:
            self._message = message
            if is_new:
                self._report(message)
            self._touch()

    def end_outage(self) -> None:
        """Clear the message about an outage."""
        with self._changed:
            self._message = ""

    def pause_after_outage(self, soon_s: float, later_s: float) -> None:
        """Wait `later_s`, only `soon_s` if a frame is missing; a seek and `close` end the wait."""
        with self._changed:
            before = self._target.serial if self._target else None

            def cut_off() -> bool:
                target = self._target
                return self.closing.cancelled or bool(target and target.serial != before)

            if not self._changed.wait_for(cut_off, soon_s):
                rest_s = later_s - soon_s
                self._changed.wait_for(lambda: cut_off() or self._is_frame_missing(), rest_s)

    def wait_for_transfer(
        self, is_done: Callable[[], bool], seen: tuple[int, int], timeout_s: float
    ) -> tuple[int, int]:
        """Wait until a transfer is done, makes progress, or the state changes.

        Args:
            is_done: Whether the transfer is done; `wake` is called when it becomes true.
            seen: What this returned last, or (version, 0) of the view that was acted on.

        Returns:
            the current (version, progress), to be given to the next call.
        """
        with self._changed:
            self._looked = seen
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: is_done() or (self._version, self._progress) != seen, timeout_s
            )
            self._looked = None
            return self._version, self._progress

    def rest(self, wait_s: float | None, seen: int | None) -> None:
        """Wait for another version of the state, because the fetch thread has no work in this one.

        Args:
            wait_s: Content seconds to wait at most; None for no bound.
            seen: The version that was acted on, None for the present one.
        """
        with self._changed:
            speed = self._target.speed if self._target else 1.0
            self._rest(FETCHING, None if wait_s is None else wait_s / speed, seen)

    # --- the decode thread -----------------------------------------------------------------------

    def wait_for_job(
        self, choose: Callable[[DecodeView], Job | None]
    ) -> tuple[Job, CancelToken] | None:
        """Wait for something to decode; None once the thread shall end.

        Args:
            choose: Called under the lock with what there is to decode; must not wait.

        Returns:
            The job, and a token that is cancelled if the job delays the frame at the position.
        """
        with self._changed:
            while not self.closing.cancelled:
                job = None
                if self._buffer is not None and self._target is not None:
                    view = (self._buffer, self._target, self._position_s, self._decode_s)
                    job = choose(DecodeView(*view))
                self._decoding = job.gop if job else None
                self._decode_cancel = CancelToken(self.closing)
                if job is not None:
                    return job, self._decode_cancel
                self._rest(DECODING, None, None)
            return None

    def put_static(
        self, buffer: SceneBuffer, layer: int, gaussians: Gaussians | None, with_still: bool
    ) -> None:
        """Add a decoded static layer; None if it could not be decoded."""
        with self._changed:
            buffer.put_static(layer, gaussians, with_still)
            self._touch()

    def put_still(self, buffer: SceneBuffer, gop: Gop) -> None:
        """Add a GOP without motion, shown until the first one is decoded."""
        with self._changed:
            buffer.still = CachedGop(gop, buffer.opened.lowest, still=True)
            self._finish_decoding()

    def put_gop(
        self,
        buffer: SceneBuffer,
        gop: int,
        decoded: Gop,
        features: FeaturePacket,
        seconds: float,
        wanted: Callable[[DecodeView], list[int]],
        drop_packets: bool,
    ) -> None:
        """Add a decoded GOP.

        Args:
            features: What it was decoded from.
            seconds: How long that took.
            wanted: The GOPs to keep, called under the lock.
            drop_packets: Whether its packets are not needed any more.
        """
        with self._changed:
            keep: list[int] = []
            if self._target is not None and self._buffer is buffer:
                view = (buffer, self._target, self._position_s, self._decode_s)
                keep = wanted(DecodeView(*view))
            buffer.put_gop(gop, decoded, features.quality, keep)
            self._decode_s, self._decode_ms = seconds, 1000.0 * seconds / decoded.frames
            if drop_packets:
                buffer.packets.drop(gop, features)
            self._finish_decoding()

    def skip_job(self) -> None:
        """Record that a job ended without a result."""
        with self._changed:
            self._finish_decoding()

    def release_gops(self) -> None:
        """Drop all decoded GOPs, at the end of the thread."""
        with self._changed:
            if self._buffer is not None:
                self._buffer.gops.clear()

    # --- both threads, and the transport ---------------------------------------------------------

    def mark_broken(
        self, gop: int, qualities: Iterable[Quality], reason: str, buffer: SceneBuffer | None = None
    ) -> None:
        """Record that a GOP cannot be played at these qualities.

        Args:
            buffer: Nothing happens if another scene replaced that of this buffer.
        """
        with self._changed:
            current = self._buffer
            if current is None or buffer not in (None, current):
                return
            qualities = list(qualities)
            qps = [quality.qp for quality in qualities]
            log.warning("GOP %d at QP %s cannot be played: %s", gop, qps, reason)
            current.mark_broken(gop, qualities)
            if current.is_broken(gop) and gop not in current.gops:
                self._report(tr("Part {number} skipped: {reason}", number=gop + 1, reason=reason))
            self._touch()
            if current.is_unplayable():
                self.fail(
                    tr("No part of this scene can be decoded. Fetch it again or ask its maker.")
                )

    def mark_page_broken(self, gops: range, reason: str) -> None:
        """Record that the GOPs of a page cannot be played at any quality."""
        with self._changed:
            assert self._buffer is not None
            for gop in gops:
                self._buffer.mark_broken(gop, self._buffer.opened.qualities)
            first, last = gops[0] + 1, gops[-1] + 1
            self._report(
                tr(
                    "Parts {first} to {last} skipped: {reason}",
                    first=first,
                    last=last,
                    reason=reason,
                )
            )
            self._touch()
            if self._buffer.is_unplayable():
                self.fail(
                    tr("No part of this scene can be decoded. Fetch it again or ask its maker.")
                )

    def report(self, message: str) -> None:
        """Add an event about an error that playback survived."""
        with self._changed:
            self._report(message)

    def fail(self, message: str) -> None:
        """End the threads, because the scene cannot be played."""
        with self._changed:
            if self._phase.handle(PipelineEvent.FAIL):
                self._events.append(PlaybackError(message, True))
                self._message = message
                self._end()

    def note_progress(self) -> None:
        """Wake the fetch thread, because bytes arrived."""
        with self._changed:
            self._progress += 1
            self._changed.notify_all()

    def wake(self) -> None:
        """Wake all threads, because something outside the state changed."""
        with self._changed:
            self._changed.notify_all()

    def is_acted_on(self) -> bool:
        """Whether the fetch thread waits for a transfer and acted on all that happened so far."""
        with self._changed:
            return self._looked == (self._version, self._progress)

    # --- under the lock --------------------------------------------------------------------------

    def _touch(self) -> None:
        """The state has changed: wake all threads, and cancel decoding that delays the frame."""
        self._version += 1
        buffer, target = self._buffer, self._target
        if buffer is not None and target is not None:
            if target.gop in buffer.ready_gops():
                self._served = target.serial
            stored = buffer.packets.get(target.gop)
            waits = target.gop not in buffer.gops and stored is not None and stored.features
            elsewhere = self._decoding not in (None, target.gop)
            # Were it cancelled by each move of a drag, nothing would ever be decoded.
            if waits and elsewhere and not target.scrubbing:
                self._decode_cancel.cancel()
        self._changed.notify_all()

    def _finish_decoding(self) -> None:
        self._decoding = None
        self._touch()

    def _is_frame_missing(self) -> bool:
        """Whether the GOP at the position of the open scene is not buffered."""
        if self._phase.state is not PipelinePhase.OPEN or self._buffer is None:
            return False
        return self._target is not None and self._target.gop not in self._buffer.ready_gops()

    def _rest(self, thread: str, timeout_s: float | None, seen: int | None) -> None:
        before = self._version
        if seen not in (None, before):
            return
        self._idle_at[thread] = before
        self._changed.notify_all()
        self._changed.wait_for(lambda: self.closing.cancelled or self._version != before, timeout_s)
        if self._version == before and self._idle_at.get(thread) == before:
            del self._idle_at[thread]  # time has passed: there may be work

    def _report(self, message: str) -> None:
        self._events.append(PlaybackError(message, False))

    def _end(self) -> None:
        self.closing.cancel()
        self._changed.notify_all()
