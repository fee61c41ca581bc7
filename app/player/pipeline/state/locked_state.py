"""The fields that the threads of a pipeline share, and the lock that guards them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from streamstgs.app.player.buffer.scene_buffer import SceneBuffer
from streamstgs.app.player.phases import PIPELINE_TRANSITIONS, PipelineEvent, PipelinePhase
from streamstgs.app.player.pipeline.fetch_view import PlayTarget
from streamstgs.app.player.state_machine import StateMachine
from streamstgs.app.player.status import PlaybackError
from streamstgs.app.translation import tr
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.quality import Quality
from streamstgs.codec.streaming.adaptive import FetchLayer, FetchSegment

log = logging.getLogger(__name__)
FETCHING, DECODING = "fetch", "decode"  # the two threads


class LockedState:
    """What all parts of the state have in common.

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
        self._excluded_qualities = 0  # how many of the best qualities are rendered too late
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
            self._fail_if_unplayable(current)

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

    def _rest(self, thread: str, timeout_s: float | None, seen: int | None) -> None:
        before = self._version
        if seen not in (None, before):
            return
        self._idle_at[thread] = before
        self._changed.notify_all()
        self._changed.wait_for(lambda: self.closing.cancelled or self._version != before, timeout_s)
        if self._version == before and self._idle_at.get(thread) == before:
            del self._idle_at[thread]  # time has passed: there may be work

    def _fail_if_unplayable(self, buffer: SceneBuffer) -> None:
        if buffer.is_unplayable():
            self.fail(tr("No part of this scene can be decoded. Fetch it again or ask its maker."))

    def _report(self, message: str) -> None:
        self._events.append(PlaybackError(message, False))

    def _end(self) -> None:
        self.closing.cancel()
        self._changed.notify_all()
