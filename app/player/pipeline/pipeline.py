"""From a location to decoded GOPs: source thread, packets, decode thread, GOPs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.buffer.scene_buffer import SceneBufferSettings
from streamstgs.app.player.pipeline.decode_thread import DecodeThread
from streamstgs.app.player.pipeline.fetch_thread import OpenScene, SourceSettings, SourceThread
from streamstgs.app.player.pipeline.scheduler import FetchSettings
from streamstgs.app.player.pipeline.shared_state import PipelineState, PlayTarget
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.status import PlaybackError
from streamstgs.codec.streaming.adaptive import Decision, FetchSegment
from streamstgs.codec.streaming.address import host, is_url, redact_credentials

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PipelineSettings:
    """Bounds of source and decoder.

    Args:
        stock: bounds of memory.
        fetching: what is fetched when.
        prefetch_gops: GOPs decoded ahead of the one that is shown.
        retry_s: pause before an unreachable server is asked again; doubles up to 4 times this ...
        hurry_s: ... at once where nobody waits for a picture, else after so many seconds.
        close_timeout_s: how long `close` waits for each thread.
        silent_s: a server that is asked and sends nothing for so long is said to be silent.
    """

    stock: SceneBufferSettings = field(default_factory=SceneBufferSettings)
    fetching: FetchSettings = field(default_factory=FetchSettings)
    prefetch_gops: int = 2
    retry_s: float = 1.0
    hurry_s: float = 30.0
    close_timeout_s: float = 5.0
    silent_s: float = 3.0


@dataclass(frozen=True)
class PipelineStats:
    """Counters and the newest decision.

    Args:
        decode_ms: decoding of the last GOP, per frame.
        corrupt_segments: rungs of GOPs that could not be had.
        static_layers: how many are drawn.
        decision: what was fetched last, and why.
        gop_decision: the same of GOPs only.
        throughput_bps: estimate of now, 0 where there is none.
        packet_bytes: of GOPs kept as they were fetched.
    """

    decode_ms: float
    corrupt_segments: int
    static_layers: int
    decision: Decision | None
    gop_decision: FetchSegment | None
    throughput_bps: float
    packet_bytes: int
    message: str


class Pipeline:
    """What a `Playback` asks for GOPs; owns the two threads. Called by the owner of the position.

    `request` says what is wanted, `get` picks up what is decoded. Of many seeks only the newest is
    fetched and decoded.

    Args:
        open_scene, location, first_rung, traffic: as of `SourceThread`.
        device: where the planes shall be.
        monotonic: clock for measuring, seconds.
    """

    def __init__(
        self,
        open_scene: OpenScene,
        location: str,
        settings: PipelineSettings,
        device: torch.device | str = "cpu",
        monotonic: Callable[[], float] = time.monotonic,
        first_rung: int | None = None,
        traffic: ThroughputProbe | None = None,
    ) -> None:
        self._location = redact_credentials(location)
        self._settings = settings
        self._traffic = traffic or ThroughputProbe(settings.fetching.metering)
        self._state = state = PipelineState()
        source = SourceSettings(
            settings.fetching, settings.stock, settings.retry_s, settings.hurry_s
        )
        self._threads = [
            SourceThread(
                state, open_scene, location, source, first_rung, device, self._traffic, monotonic
            ).thread,
            DecodeThread(
                state,
                settings.prefetch_gops,
                settings.fetching.shown.left_s,
                not is_url(location),
                device,
                monotonic,
            ).thread,
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def opened(self) -> OpenedScene | None:
        return self._state.opened

    @property
    def failed(self) -> bool:
        """Whether the scene cannot be played; the fatal event says why."""
        return self._state.failed

    @property
    def idle(self) -> bool:
        """Whether nothing remains to be fetched or decoded for what is wanted now."""
        return self._state.idle

    def request(self, target: PlayTarget, position_s: float, best_rung: int) -> None:
        """Say what is wanted now; cheap when it is what was wanted before."""
        self._state.request(target, position_s, best_rung)

    def get(self, gop: int) -> CachedGop | None:
        """A decoded GOP, or None while it is not there."""
        with self._state.changed:
            return self._state.stock.get(gop) if self._state.stock else None

    def nearest(self, frame: int) -> tuple[int, CachedGop | None]:
        """The decoded content frame nearest to another one, and its GOP; None: there is none."""
        with self._state.changed:
            return self._state.stock.nearest(frame) if self._state.stock else (frame, None)

    def is_broken(self, gop: int) -> bool:
        """Whether a GOP was tried and cannot be shown."""
        with self._state.changed:
            stock = self._state.stock
            return stock is not None and stock.is_broken(gop) and gop not in stock.gops

    def ready_gops(self) -> frozenset[int]:
        """Those that can be played without a network, decoded or not."""
        with self._state.changed:
            return self._state.stock.ready_gops() if self._state.stock else frozenset()

    def stats(self) -> PipelineStats:
        with self._state.changed:
            state, stock = self._state, self._state.stock
            throughput = self._traffic.throughput()
            return PipelineStats(
                decode_ms=state.decode_ms,
                corrupt_segments=len(stock.broken) if stock else 0,
                static_layers=stock.static_decoded if stock else 0,
                decision=state.decision,
                gop_decision=state.gop_decision,
                throughput_bps=throughput.bps if throughput else 0.0,
                packet_bytes=stock.packets.size_bytes if stock else 0,
                message=state.message or self._silence(),
            )

    def _silence(self) -> str:
        """What to say while a stalled request may still come to life."""
        silent = self._traffic.silent_s() >= self._settings.silent_s
        return f"Nothing comes from {host(self._location)}. Still asking." if silent else ""

    def take_events(self) -> list[PlaybackError]:
        return self._state.take_events()

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `condition` holds, asked whenever the state of the threads changes."""
        return self._state.wait(condition, timeout_s)

    def close(self) -> bool:
        """Stop and let go of the scene. Returns whether the threads ended in time."""
        self._state.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(self._settings.close_timeout_s)
        late = [thread.name for thread in self._threads if thread.is_alive()]
        if late:
            log.warning("threads of %s did not end in time: %s", self._location, late)
        return not late
