"""From a location to decoded GOPs: fetch thread, packets, decode thread, decoded GOPs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.buffer.scene_buffer import SceneBufferSettings
from streamstgs.app.player.pipeline.decode_thread import DecodeSettings, DecodeThread
from streamstgs.app.player.pipeline.fetch_thread import FetchThread, FetchThreadSettings, OpenScene
from streamstgs.app.player.pipeline.fetch_view import PlayTarget
from streamstgs.app.player.pipeline.scheduler import FetchSettings
from streamstgs.app.player.pipeline.state import PipelineCounters, PipelineState
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.status import PlaybackError
from streamstgs.app.translation import tr
from streamstgs.codec.streaming.address import host, is_url, redact_credentials

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PipelineSettings:
    """Bounds of fetching and decoding.

    Args:
        buffer: Bounds of memory.
        fetching: What is fetched when.
        prefetch_gops: GOPs decoded ahead of the shown one.
        retry_s: Seconds before a server that does not answer is asked again; the pause doubles up
            to 4 times this, but stays short while a frame is missing.
        hurry_s: After so many seconds of short pauses they double while a frame is missing, too.
        close_timeout_s: How long `close` waits for each thread.
        silent_s: A server that was asked and sent nothing for so long is reported as silent.
    """

    buffer: SceneBufferSettings = field(default_factory=SceneBufferSettings)
    fetching: FetchSettings = field(default_factory=FetchSettings)
    prefetch_gops: int = 2
    retry_s: float = 1.0
    hurry_s: float = 30.0
    close_timeout_s: float = 5.0
    silent_s: float = 3.0


class Pipeline:
    """Opens a scene and keeps decoded GOPs ready; owns the two threads.

    `request` says what is wanted, `get` returns what is decoded. Of many seeks only the newest is
    fetched and decoded. Called by the owner of the position.

    Args:
        open_scene, location, probe: As of `FetchThread`.
        settings: Bounds.
        device: Device of the decoded planes.
        monotonic: Seconds that only grow.
        first_qp: QP of the quality to begin with, None to choose automatically.
    """

    def __init__(
        self,
        open_scene: OpenScene,
        location: str,
        settings: PipelineSettings,
        device: torch.device | str = "cpu",
        monotonic: Callable[[], float] = time.monotonic,
        first_qp: int | None = None,
        probe: ThroughputProbe | None = None,
    ) -> None:
        self._location = redact_credentials(location)
        self._settings = settings
        self._probe = probe or ThroughputProbe(settings.fetching.metering)
        self._state = state = PipelineState()
        self._probe.on_progress = state.note_progress
        fetching = FetchThreadSettings(
            settings.fetching, settings.buffer, settings.retry_s, settings.hurry_s, first_qp
        )
        local = not is_url(location)
        left_s = settings.fetching.adaptive.upgrades.left_s
        decoding = DecodeSettings(settings.prefetch_gops, left_s, local)
        probe = self._probe
        self._threads = [
            FetchThread(state, open_scene, location, fetching, device, probe, monotonic).thread,
            DecodeThread(state, decoding, device, monotonic).thread,
        ]

    def start(self) -> None:
        """Start to open the scene."""
        for thread in self._threads:
            thread.start()

    @property
    def opened(self) -> OpenedScene | None:
        """Facts about the open scene; None before."""
        return self._state.opened

    @property
    def failed(self) -> bool:
        """Whether the scene cannot be played; the fatal event says why."""
        return self._state.failed

    @property
    def idle(self) -> bool:
        """Whether nothing remains to be fetched or decoded for what is wanted now."""
        return self._state.idle

    def request(self, target: PlayTarget, position_s: float, excluded_qualities: int) -> None:
        """Set what is wanted; cheap if it was wanted before. As of `PipelineState`."""
        self._state.request(target, position_s, excluded_qualities)

    def get(self, gop: int) -> CachedGop | None:
        """A decoded GOP, or None while it is not decoded."""
        return self._state.get(gop)

    def nearest(self, frame: int) -> tuple[int, CachedGop | None]:
        """The decoded content frame nearest to another one, and its GOP; None: none is decoded."""
        return self._state.nearest(frame)

    def is_broken(self, gop: int) -> bool:
        """Whether a GOP cannot be shown at any quality."""
        return self._state.is_broken(gop)

    def ready_gops(self) -> frozenset[int]:
        """GOPs that can be played without a network, decoded or not."""
        return self._state.ready_gops()

    def counters(self) -> PipelineCounters:
        """Figures for the statistics, with a message if the server is silent."""
        counters = self._state.counters()
        return replace(counters, message=counters.message or self._silence())

    def throughput_bps(self) -> float:
        """The current estimate; 0 without one."""
        throughput = self._probe.throughput()
        return throughput.bps if throughput else 0.0

    def _silence(self) -> str:
        """The message while a stalled request may still be answered."""
        silent = self._probe.silent_s() >= self._settings.silent_s
        if not silent:
            return ""
        return tr("Nothing comes from {host}. Still asking.", host=host(self._location))

    def take_events(self) -> list[PlaybackError]:
        """The errors since the last call."""
        return self._state.take_events()

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `condition` holds; it is evaluated whenever the state changes."""
        return self._state.wait(condition, timeout_s)

    def close(self) -> bool:
        """Stop the threads and release the scene. Returns whether they ended in time."""
        self._state.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(self._settings.close_timeout_s)
        late = [thread.name for thread in self._threads if thread.is_alive()]
        if late:
            log.warning("threads of %s did not end in time: %s", self._location, late)
        return not late
