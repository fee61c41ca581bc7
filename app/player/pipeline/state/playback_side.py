"""What the owner of the position, `Playback`, asks of the pipeline and gets from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.phases import PipelineEvent, PipelinePhase
from streamstgs.app.player.pipeline.fetch_view import PlayTarget
from streamstgs.app.player.pipeline.state.locked_state import DECODING, FETCHING, LockedState
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.status import PlaybackError
from streamstgs.codec.streaming.adaptive import FetchLayer, FetchSegment


@dataclass(frozen=True)
class PipelineCounters:
    """Figures for the statistics.

    Args:
        decode_ms: Decoding time of the last GOP, per frame.
        corrupt_segments: (GOP, quality) pairs that cannot be played.
        static_layers: How many layers are decoded at the position, and how many there are.
        step: What was fetched last.
        segment_step: The last step that fetched a GOP.
        packet_bytes: Bytes of stored packets.
        message: What a person should know now; empty if nothing.
    """

    decode_ms: float
    corrupt_segments: int
    static_layers: tuple[int, int]
    step: FetchSegment | FetchLayer | None
    segment_step: FetchSegment | None
    packet_bytes: int
    message: str


class PlaybackSide(LockedState):
    """Sets the target, and shows what is decoded. Called by the owner of the position."""

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

    def request(self, target: PlayTarget, position_s: float, excluded_qualities: int) -> None:
        """Set what playback asks for; cheap if it asked for the same before.

        Args:
            excluded_qualities: How many of the best qualities are rendered too late.
        """
        with self._changed:
            self._position_s = position_s
            if self._buffer is None or (target, excluded_qualities) == (
                self._target,
                self._excluded_qualities,
            ):
                return
            if target.gop >= self._buffer.opened.timeline.gop_count:
                return  # meant for a scene that this one replaced
            self._target, self._excluded_qualities = target, excluded_qualities
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
            stock = buffer.static.of(self._target.gop) if buffer and self._target else None
            return PipelineCounters(
                decode_ms=self._decode_ms,
                corrupt_segments=len(buffer.broken) if buffer else 0,
                static_layers=(stock.decoded, len(stock.sizes)) if stock else (0, 0),
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
