"""What the decode thread takes from the pipeline and adds to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.buffer.scene_buffer import SceneBuffer
from streamstgs.app.player.buffer.static_stock import StaticStock
from streamstgs.app.player.pipeline.fetch_view import PlayTarget
from streamstgs.app.player.pipeline.state.locked_state import DECODING, LockedState
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.packets import FeaturePacket
from streamstgs.renderer import Gaussians, Gop


class DecodeJob(Protocol):
    """Something to decode."""

    @property
    def gop(self) -> int | None:
        """The GOP; None for a static layer."""
        ...


Job = TypeVar("Job", bound=DecodeJob)


@dataclass(frozen=True)
class DecodeView:
    """The buffer and what is asked of it, for a choice under the lock of the state."""

    buffer: SceneBuffer
    target: PlayTarget
    position_s: float
    decode_s: float


class DecodeSide(LockedState):
    """Waits for jobs and stores what is decoded. Called by the decode thread."""

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
        self,
        buffer: SceneBuffer,
        stock: StaticStock,
        layer: int,
        gaussians: Gaussians | None,
        with_still: bool,
    ) -> None:
        """Add a decoded static layer of a period; None if it could not be decoded."""
        with self._changed:
            buffer.put_static(stock, layer, gaussians, with_still)
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

    def _finish_decoding(self) -> None:
        self._decoding = None
        self._touch()
