"""Fetching one GOP: keyframe and field, then features, perhaps at a lower rung than intended."""

from __future__ import annotations

import logging
from collections.abc import Callable

from streamstgs.app.player.buffer.packet_queue import StoredGop
from streamstgs.app.player.pipeline.polled_token import PolledToken
from streamstgs.app.player.pipeline.scrub_dwell import ScrubDwell
from streamstgs.app.player.pipeline.shared_state import Errand, PipelineState
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.pipeline.transfer_progress import TransferProgress
from streamstgs.codec.errors import Cancelled, CorruptSegment, MissingSegment
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import Scene
from streamstgs.codec.streaming.adaptive import Abort, FetchSegment, InFlight, Revision

log = logging.getLogger(__name__)

Reconsider = Callable[[InFlight], Revision | None]


class SegmentTransfer:
    """One GOP on its way. Lives in the source thread.

    While it comes, it is looked at now and then. As long as keyframe and field come, the rung is
    open. Features may be abandoned for those of a lower rung; what came of keyframe and field is
    kept. Features of a GOP that is there already may be given up.

    A seek elsewhere ends it. While the timeline is dragged it is brought to its end nevertheless:
    it is a picture near the hand, and if each move began another GOP, none would ever come. Only
    where the hand rests elsewhere and less than half is here, that place comes first.

    Args:
        decision: which GOP at which rung.
        watch_s: how often it is looked at.
    """

    def __init__(
        self,
        scene: Scene,
        state: PipelineState,
        decision: FetchSegment,
        traffic: ThroughputProbe,
        monotonic: Callable[[], float],
        watch_s: float,
    ) -> None:
        self._scene = scene
        self._state = state
        self._gop, self._rung = decision.gop, decision.quality
        self._watch = TransferProgress(traffic, monotonic, watch_s)
        self._hand = ScrubDwell(monotonic, watch_s)
        self._is_new = True
        self._keyframe: KeyframePacket | None = None
        self._abandoned = self._stopped = False

    def run(self, reconsider: Reconsider) -> StoredGop | None:
        """The GOP; None where it cannot be had. The keyframe is in the stock before.

        Raises:
            CodecError: SceneUnreachable, SceneChanged, or Cancelled if something else is wanted.
        """
        with self._state.changed:
            stock = self._state.stock
            assert stock is not None
            stored, self._is_new = stock.packets.get(self._gop), stock.rung_of(self._gop) is None
        self._keyframe = stored.keyframe if stored else None
        self._count_keyframe()
        self._expect()
        part = [self._quality(self._rung).qp]
        try:
            if self._keyframe is None:
                part = [quality.qp for quality in self._scene.qualities]
                self._keyframe = self._fetch_keyframe(reconsider)
                self._count_keyframe()
            while True:
                part = [self._quality(self._rung).qp]
                packet = self._fetch_features(reconsider)
                if packet is not None:
                    return StoredGop(self._keyframe, packet)
        except (CorruptSegment, MissingSegment) as error:
            with self._state.changed:
                self._state.lose_rungs(self._gop, part, str(error))
            return None

    def _count_keyframe(self) -> None:
        """Keyframe and field count as received where they are there, also without a network."""
        if self._keyframe is None:
            return
        opened = self._state.opened
        assert opened is not None
        self._watch.count_at_least(opened.ladder.gops[self._gop].shared_bytes)

    def _expect(self) -> None:
        keyframe = self._gop if self._keyframe is None else None
        self._scene.expect(keyframe=keyframe, features=(self._gop, self._quality(self._rung)))

    def _quality(self, rung: int) -> Quality:
        """Of an index of the ladder, which counts from the best."""
        return self._scene.qualities[-1 - rung]

    def _fetch_keyframe(self, reconsider: Reconsider) -> KeyframePacket:
        def given_up() -> bool:
            self._look(reconsider)  # another rung does not end the keyframe
            self._abandoned = False
            return self._unwanted()

        packet = self._scene.fetch_keyframe(self._gop, PolledToken(given_up))
        with self._state.changed:
            stock = self._state.stock
            assert stock is not None
            stock.packets.put_keyframe(self._gop, packet)
            self._state.touch()
        return packet

    def _fetch_features(self, reconsider: Reconsider) -> FeaturePacket | None:
        """None when they were abandoned for a lower rung.

        Raises:
            Cancelled: something else is wanted, or what is there will do.
        """
        self._abandoned = False

        def given_up() -> bool:
            self._look(reconsider)
            return self._abandoned or self._unwanted()

        try:
            quality = self._quality(self._rung)
            return self._scene.fetch_features(self._gop, quality, PolledToken(given_up))
        except Cancelled:
            if self._unwanted() or not self._abandoned or self._stopped:
                raise
            self._watch.forget_received()
            self._count_keyframe()
            return None

    def _unwanted(self) -> bool:
        target = self._state.target
        if self._state.closed or not self._state.errand_void or target is None:
            return self._state.closed
        finish = target.scrubbing and self._is_new
        return not finish or (self._hand.rests(target.gop) and not self._is_mostly_here())

    def _is_mostly_here(self) -> bool:
        opened = self._state.opened
        assert opened is not None
        size_bytes = opened.ladder.gops[self._gop].bytes_at(self._rung)
        return 2 * self._watch.received_bytes >= size_bytes

    def _look(self, reconsider: Reconsider) -> None:
        if self._abandoned or not self._watch.is_due():
            return
        received, elapsed_s = self._watch.received_bytes, self._watch.elapsed_s
        instead = reconsider(InFlight(self._gop, self._rung, received, elapsed_s))
        if instead is not None:
            self._switch_to(instead)

    def _switch_to(self, instead: Revision) -> None:
        log.info("GOP %d: %s", self._gop, instead.reason)
        self._abandoned = True
        if isinstance(instead, Abort):
            self._stopped = True
            return
        self._rung = instead.quality
        self._expect()
        with self._state.changed:
            self._state.decide(Errand(self._gop, self._quality(self._rung).qp), instead)
