"""The thread that decodes packets to Gaussians, those that are shown next first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from streamstgs.app.player.buffer.scene_buffer import SceneBuffer, still_gop
from streamstgs.app.player.buffer.static_stock import StaticStock
from streamstgs.app.player.pipeline.state import DecodeSide, DecodeView
from streamstgs.app.player.status import fault_message, layer_message
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, CorruptSegment
from streamstgs.codec.packets import FeaturePacket, Keyframe, KeyframePacket
from streamstgs.renderer import Gaussians, Gop

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StaticJob:
    """A static layer to decode.

    Args:
        buffer, stock: Where the result goes.
        layer: Number of the layer.
        data: Its file; None if it could not be fetched.
    """

    buffer: SceneBuffer
    stock: StaticStock
    layer: int
    data: bytes | None
    gop: None = None


@dataclass(frozen=True)
class GopJob:
    """A GOP to decode.

    Args:
        buffer: Where the result goes.
        gop: Number of the GOP.
        static: The static Gaussians decoded so far.
        keyframe: Its keyframe.
        features: Its feature video; None to show the keyframe without motion.
    """

    buffer: SceneBuffer
    gop: int
    static: Gaussians
    keyframe: KeyframePacket
    features: FeaturePacket | None


Job = StaticJob | GopJob


@dataclass(frozen=True)
class DecodeSettings:
    """What is decoded when.

    Args:
        prefetch_gops: GOPs decoded ahead of the shown one.
        left_s: The shown GOP is replaced by a better one if at least so much of it is left.
        local: Whether the scene lies on this machine. If so, nothing is shown before all static
            layers are decoded, and packets are dropped once they are decoded.
    """

    prefetch_gops: int
    left_s: float
    local: bool


class DecodeThread:
    """Decodes; never waits for a network. Results go into the buffer of the state.

    Args:
        state: Shared with playback and the fetch thread.
        settings: What is decoded when.
        device: Device of the decoded planes.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        state: DecodeSide,
        settings: DecodeSettings,
        device: torch.device | str,
        monotonic: Callable[[], float],
    ) -> None:
        self._state = state
        self._choice = JobChoice(settings)
        self._local = settings.local
        self._device = device
        self._monotonic = monotonic
        self._last: tuple[KeyframePacket, Keyframe] | None = None  # keyframe decoded last
        self.thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def _run(self) -> None:
        """The thread boundary: every error becomes an event."""
        state = self._state
        try:
            while found := self._next_job():
                job, cancel = found
                if isinstance(job, StaticJob):
                    self._decode_static(job, cancel)
                else:
                    self._decode_gop(job, cancel)
        except Exception as error:
            log.exception("decode thread")
            state.fail(fault_message(error))
        finally:
            state.release_gops()

    def _next_job(self) -> tuple[Job, CancelToken] | None:
        return self._state.wait_for_job(self._choice.next)

    def _decode_static(self, job: StaticJob, cancel: CancelToken) -> None:
        layer: Gaussians | None = None
        try:
            if job.data is not None:
                decoder = job.buffer.scene.decoder
                layer = decoder.static(job.layer, job.data, cancel, job.stock.gop)
                layer = layer.to(self._device)
        except Cancelled:
            self._state.skip_job()
            return
        except CorruptSegment as error:
            log.warning("static layer %d is left out: %s", job.layer, error)
            self._state.report(layer_message(error))
        self._state.put_static(job.buffer, job.stock, job.layer, layer, with_still=not self._local)

    def _decode_gop(self, job: GopJob, cancel: CancelToken) -> None:
        state, buffer, features = self._state, job.buffer, job.features
        start_s = self._monotonic()
        broken = buffer.opened.qualities
        try:
            keyframe = self._keyframe(job, cancel)
            if features is None:
                state.put_still(buffer, self._without_motion(job, keyframe))
                return
            broken = (features.quality,)
            decoder = buffer.scene.decoder
            codes = decoder.features(job.gop, features, cancel)
            gop = decoder.assemble(job.gop, job.static, keyframe, codes, self._device)
        except Cancelled:
            state.skip_job()
        except CorruptSegment as error:
            state.mark_broken(job.gop, broken, str(error), buffer)
            state.skip_job()
        else:
            seconds, wanted = self._monotonic() - start_s, self._choice.wanted
            state.put_gop(buffer, job.gop, gop, features, seconds, wanted, drop_packets=self._local)

    def _keyframe(self, job: GopJob, cancel: CancelToken) -> Keyframe:
        if self._last is None or self._last[0] is not job.keyframe:
            decoder = job.buffer.scene.decoder
            self._last = job.keyframe, decoder.keyframe(job.gop, job.keyframe, cancel)
        return self._last[1]

    def _without_motion(self, job: GopJob, keyframe: Keyframe) -> Gop:
        at_rest = keyframe.canonical.to(torch.device(self._device)).activate()
        return still_gop(Gaussians.concatenate([job.static, at_rest]))


class JobChoice:
    """Chooses what to decode next. No effects; called under the lock of the state."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings

    def wanted(self, view: DecodeView) -> list[int]:
        """GOPs to have decoded, the first one most urgently; as many as the cache holds."""
        target, timeline = view.target, view.buffer.opened.timeline
        ahead = target.ahead(timeline, self._settings.prefetch_gops)
        return ahead[: view.buffer.gops.capacity]

    def next(self, view: DecodeView) -> Job | None:
        """What the frame at the position needs, then what is shown next, then improvements."""
        buffer, target = view.buffer, view.target
        here = buffer.static.of(target.gop)
        static = _next_static(buffer, here)
        if self._settings.local and not here.is_complete:
            return static
        if target.scrubbing and buffer.gops:
            return _nearest_job(view) or static
        first_static = static is not None and static.stock is here and here.decoded == 0
        if not first_static and target.gop not in buffer.gops:
            job = _gop_job(buffer, target.gop) or self._still_job(buffer, target.gop)
            if job is not None:
                return job
        if static is not None:
            return static
        wanted = self.wanted(view)
        undecoded = [gop for gop in wanted if gop not in buffer.gops and self._is_lit(buffer, gop)]
        missing = (_gop_job(buffer, gop) for gop in undecoded)
        better = (_gop_job(buffer, gop) for gop in wanted if self._is_worth_replacing(view, gop))
        return next((job for jobs in (missing, better) for job in jobs if job is not None), None)

    def _is_lit(self, buffer: SceneBuffer, gop: int) -> bool:
        """Whether the static layers of a GOP allow to show it: on a disk all of them."""
        stock = buffer.static.of(gop)
        return stock.is_complete if self._settings.local else stock.is_visible

    def _still_job(self, buffer: SceneBuffer, gop: int) -> GopJob | None:
        """The keyframe without motion, at the start of a scene without static Gaussians."""
        stored = buffer.packets.get(gop)
        shown = len(buffer.gops) or buffer.still is not None
        static = buffer.static.of(gop)
        if self._settings.local or static.sizes or shown or stored is None:
            return None
        return GopJob(buffer, gop, static.gaussians, stored.keyframe, None)

    def _is_worth_replacing(self, view: DecodeView, gop: int) -> bool:
        """Whether the stored packets of a decoded GOP are of a better or of the chosen quality."""
        target, stored = view.target, view.buffer.packets.get(gop)
        decoded = view.buffer.gops.quality_of(gop)
        if decoded is None or stored is None or stored.features is None:
            return False
        if target.playing and gop == target.gop and not self._is_enough_left(view):
            return False
        quality = stored.features.quality
        if target.quality is None:
            return quality > decoded
        return decoded not in (quality, target.quality)

    def _is_enough_left(self, view: DecodeView) -> bool:
        """Whether so much of the shown GOP is left that it is worth being replaced."""
        timeline, target = view.buffer.opened.timeline, view.target
        if timeline.gop_count == 1:
            return True  # it is shown again and again
        left_s = timeline.rest_s(target.gop, view.position_s, target.backwards)
        enough_s = self._settings.left_s + view.decode_s * target.speed
        return target.quality is None and left_s >= enough_s


def _nearest_job(view: DecodeView) -> GopJob | None:
    """While the timeline is dragged: the nearest GOP, if it is nearer than all decoded ones."""
    buffer, timeline = view.buffer, view.buffer.opened.timeline
    frame = timeline.frame_at(view.position_s)
    for gop in timeline.by_distance(frame, buffer.ready_gops()):
        if gop in buffer.gops:
            return None
        job = _gop_job(buffer, gop)
        if job is not None:
            return job
    return None


def _next_static(buffer: SceneBuffer, here: StaticStock) -> StaticJob | None:
    """The next static layer to decode, of the period at the position first."""
    for stock in (here, *buffer.static.all()):
        if stock.decoded in stock.packets:
            return StaticJob(buffer, stock, stock.decoded, stock.packets[stock.decoded])
    return None


def _gop_job(buffer: SceneBuffer, gop: int) -> GopJob | None:
    stored = buffer.packets.get(gop)
    if stored is None or stored.features is None:
        return None
    static = buffer.static.of(gop).gaussians
    return GopJob(buffer, gop, static, stored.keyframe, stored.features)
