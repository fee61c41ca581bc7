"""Fetching one static layer, as far as it is not paused to let a GOP pass."""

from __future__ import annotations

import logging
from collections.abc import Callable

from streamstgs.app.player.pipeline.polled_token import PolledToken
from streamstgs.app.player.pipeline.shared_state import PipelineState
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.pipeline.transfer_progress import TransferProgress
from streamstgs.codec.scene import Scene
from streamstgs.codec.streaming.adaptive import InFlight, Revision

log = logging.getLogger(__name__)


class LayerTransfer:
    """One static layer on its way. Lives in the source thread.

    What came of a paused layer is kept by the transport, which continues it by a byte range.

    Args:
        had_bytes: what came of the layer before.
        watch_s: how often it is looked at.
    """

    def __init__(
        self,
        scene: Scene,
        state: PipelineState,
        layer: int,
        had_bytes: int,
        traffic: ThroughputProbe,
        monotonic: Callable[[], float],
        watch_s: float,
    ) -> None:
        self._scene = scene
        self._state = state
        self._layer = layer
        self._had_bytes = had_bytes
        assert state.opened is not None
        self._size_bytes = state.opened.ladder.static_bytes[layer]
        self._watch = TransferProgress(traffic, monotonic, watch_s)
        self._paused = False

    @property
    def received_bytes(self) -> int:
        """Of the layer, with what came before; never quite all of it."""
        return min(self._had_bytes + self._watch.received_bytes, self._size_bytes - 1)

    def run(self, reconsider: Callable[[InFlight], Revision | None]) -> bytes:
        """The file of the layer.

        Raises:
            Cancelled: it was paused, or something else is wanted.
            CodecError: it cannot be had.
        """
        self._scene.expect(static=[self._layer])

        def given_up() -> bool:
            self._look(reconsider)
            return self._paused or self._state.closed or self._state.errand_void

        return self._scene.fetch_static(self._layer, PolledToken(given_up))

    def _look(self, reconsider: Callable[[InFlight], Revision | None]) -> None:
        if self._paused or not self._watch.is_due():
            return
        received, elapsed_s = self.received_bytes, self._watch.elapsed_s
        paused = reconsider(InFlight(-1, -1, received, elapsed_s, static_layer=self._layer))
        if paused is not None:
            log.info("static layer %d: %s", self._layer, paused.reason)
            self._paused = True
