"""The thread that turns what was fetched into Gaussians, those that are shown next first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.buffer.scene_buffer import SceneBuffer, still_gop
from streamstgs.app.player.pipeline.polled_token import PolledToken
from streamstgs.app.player.pipeline.shared_state import DECODER, PipelineState, PlayTarget
from streamstgs.codec.errors import Cancelled, CorruptSegment
from streamstgs.codec.packets import FeaturePacket, Keyframe, KeyframePacket
from streamstgs.renderer import Gaussians, Gop

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _StaticJob:
    stock: SceneBuffer
    layer: int
    data: bytes | None


@dataclass(frozen=True)
class _GopJob:
    stock: SceneBuffer
    gop: int
    keyframe: KeyframePacket
    features: FeaturePacket | None  # None: a still picture of the keyframe will do


class DecodeThread:
    """Decodes; never waits for a network. Results go into the stock of the state.

    Args:
        prefetch_gops: GOPs decoded ahead of the one that is shown.
        left_s: a GOP that is being shown is replaced by a better one if so much of it is left.
        local: whether the scene lies on this machine: then nothing is shown before it is whole,
            and what was read is not kept.
        device: where the planes shall be.
    """

    def __init__(
        self,
        state: PipelineState,
        prefetch_gops: int,
        left_s: float,
        local: bool,
        device: torch.device | str,
        monotonic: Callable[[], float],
    ) -> None:
        self._state = state
        self._prefetch_gops = prefetch_gops
        self._left_s = left_s
        self._local = local
        self._device = device
        self._monotonic = monotonic
        self._kept: tuple[KeyframePacket, Keyframe] | None = None  # decoded last
        self.thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def _run(self) -> None:
        """The thread boundary: whatever happens inside ends up as an event."""
        try:
            while job := self._wait_for_job():
                if isinstance(job, _StaticJob):
                    self._decode_static(job)
                else:
                    self._decode_gop(job)
        except Exception as error:
            log.exception("decode thread")
            self._state.fail(
                f"Playback stopped by a fault in this program ({error!r}). Open it again."
            )
        finally:
            with self._state.changed:
                if self._state.stock is not None:
                    self._state.stock.gops.clear()

    def _wait_for_job(self) -> _StaticJob | _GopJob | None:
        """What to decode next; None when the thread shall end."""
        state = self._state
        with state.changed:
            while not state.closed:
                job = self._next_job()
                state.decoding = job.gop if isinstance(job, _GopJob) else None
                state.decoding_void = False
                if job is not None:
                    return job
                state.rest(DECODER)
            return None

    # --- decoding --------------------------------------------------------------------------------

    def _decode_static(self, job: _StaticJob) -> None:
        layer: Gaussians | None = None
        try:
            if job.data is not None:
                layer = job.stock.scene.decoder.static(job.layer, job.data).to(self._device)
        except CorruptSegment as error:
            log.warning("static layer %d is left out: %s", job.layer, error)
            with self._state.changed:
                self._state.say(f"Some of what does not move is left out: {error}")
        with self._state.changed:
            job.stock.put_static(job.layer, layer, with_still=not self._local)
            self._state.touch()

    def _decode_gop(self, job: _GopJob) -> None:
        start_s = self._monotonic()
        rungs = job.stock.opened.rungs
        try:
            keyframe = self._keyframe(job)
            rungs = (job.features.quality.qp,) if job.features else rungs
            gop = self._gop(job, keyframe)
        except Cancelled:
            self._done()
        except CorruptSegment as error:
            with self._state.changed:
                if self._state.stock is job.stock:
                    self._state.lose_rungs(job.gop, list(rungs), str(error))
            self._done()
        else:
            self._put(job, gop, self._monotonic() - start_s)

    def _keyframe(self, job: _GopJob) -> Keyframe:
        if self._kept is None or self._kept[0] is not job.keyframe:
            decoder = job.stock.scene.decoder
            self._kept = job.keyframe, decoder.keyframe(job.gop, job.keyframe)
        return self._kept[1]

    def _gop(self, job: _GopJob, keyframe: Keyframe) -> Gop:
        decoder, static = job.stock.scene.decoder, job.stock.static
        if job.features is None:
            at_rest = keyframe.canonical.to(torch.device(self._device)).activate()
            return still_gop(Gaussians.concatenate([static, at_rest]))
        codes = decoder.features(job.gop, job.features, PolledToken(self._cancelled))
        return decoder.assemble(job.gop, static, keyframe, codes, self._device)

    def _put(self, job: _GopJob, gop: Gop, seconds: float) -> None:
        state, stock = self._state, job.stock
        with state.changed:
            if job.features is None:
                stock.still = CachedGop(gop, stock.opened.rungs[-1], still=True)
            else:
                stock.put_gop(job.gop, gop, job.features.quality.qp, self._wanted(stock))
                state.decode_s, state.decode_ms = seconds, 1000.0 * seconds / gop.frames
                if self._local:
                    stock.packets.drop(job.gop, job.features)
            state.decoding = None
            state.touch()

    def _done(self) -> None:
        with self._state.changed:
            self._state.decoding = None
            self._state.touch()

    def _cancelled(self) -> bool:
        return self._state.closed or self._state.decoding_void

    # --- under the lock --------------------------------------------------------------------------

    def _wanted(self, stock: SceneBuffer) -> list[int]:
        """GOPs to have decoded, most urgent first; as many as fit into the cache."""
        target = self._state.target
        if target is None or self._state.stock is not stock:
            return []
        ahead = stock.opened.timeline.ahead(target.gop, self._prefetch_gops, target.loop)
        return ahead[: stock.gops.capacity]

    def _next_job(self) -> _StaticJob | _GopJob | None:
        """What keeps the picture from coming, then what will be shown, then what improves it."""
        stock, target = self._state.stock, self._state.target
        if stock is None or target is None:
            return None
        wanted = self._wanted(stock)
        static = self._next_static(stock)
        everything_static = stock.static_decoded == stock.opened.static_layers
        if self._local and not everything_static:
            return static
        if target.scrubbing and stock.gops:
            return self._near_the_hand(stock) or static
        first_static = static is not None and stock.static_decoded == 0
        if not first_static and target.gop not in stock.gops:
            job = self._job(stock, target.gop) or self._still_job(stock, target.gop)
            if job is not None:
                return job
        if static is not None:
            return static
        missing = (self._job(stock, gop) for gop in wanted if gop not in stock.gops)
        better = (self._job(stock, gop) for gop in wanted if self._worth_replacing(stock, gop))
        return next((job for jobs in (missing, better) for job in jobs if job is not None), None)

    def _near_the_hand(self, stock: SceneBuffer) -> _GopJob | None:
        """While the timeline is dragged: what shows a place nearer to the hand than all that is
        decoded."""
        timeline = stock.opened.timeline
        frame = timeline.frame_at(self._state.position_s)
        for gop in timeline.by_distance(frame, stock.ready_gops()):
            if gop in stock.gops:
                return None
            job = self._job(stock, gop)
            if job is not None:
                return job
        return None

    def _next_static(self, stock: SceneBuffer) -> _StaticJob | None:
        layer = stock.static_decoded
        if layer not in stock.static_packets:
            return None
        return _StaticJob(stock, layer, stock.static_packets[layer])

    def _job(self, stock: SceneBuffer, gop: int) -> _GopJob | None:
        stored = stock.packets.get(gop)
        if stored is None or stored.features is None:
            return None
        return _GopJob(stock, gop, stored.keyframe, stored.features)

    def _still_job(self, stock: SceneBuffer, gop: int) -> _GopJob | None:
        """A scene in which everything moves begins with a keyframe at rest."""
        stored = stock.packets.get(gop)
        shown = len(stock.gops) or stock.still is not None
        if self._local or stock.opened.static_layers or shown or stored is None:
            return None
        return _GopJob(stock, gop, stored.keyframe, None)

    def _worth_replacing(self, stock: SceneBuffer, gop: int) -> bool:
        target, stored = self._state.target, stock.packets.get(gop)
        cached = stock.gops.rung_of(gop)
        if target is None or cached is None or stored is None or stored.features is None:
            return False
        if target.playing and gop == target.gop and not self._is_enough_left(stock, target):
            return False
        rung = stored.features.quality.qp
        return rung < cached if target.rung is None else cached not in (rung, target.rung)

    def _is_enough_left(self, stock: SceneBuffer, target: PlayTarget) -> bool:
        """Whether a better GOP is worth being swapped in under somebody's eyes."""
        timeline = stock.opened.timeline
        if timeline.gop_count == 1:
            return True  # it is shown again and again
        left_s = timeline.end_s(target.gop) - self._state.position_s
        enough_s = self._left_s + self._state.decode_s * target.speed
        return target.rung is None and left_s >= enough_s
