"""A viewer over a scripted network, in simulated time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.codec.cancel import CancelToken

from tests.scripted_scene import ManualClock, ScriptedNetwork, ScriptedScene

WAIT_S = 60.0
Hook = Callable[[ScriptedNetwork, str], None]


class Session:
    """A viewer, a line and a scene."""

    def __init__(
        self,
        scene: ScriptedScene,
        mbps: float,
        hook: Hook,
        settings: PlaybackSettings,
    ) -> None:
        self.clock = ManualClock()
        probe = ThroughputProbe(monotonic=self.clock)
        self.scene = scene
        self.line = ScriptedNetwork(
            self.clock, mbps * 1e6, probe, on_request=hook, settle=self._settle
        )
        self._started = threading.Event()
        scene.network = self.line
        self.playback = Playback(
            "http://scripted/scene", settings, "cpu", self.clock, lambda _: scene, probe
        )
        self._started.set()

    def _settle(self, cancel: CancelToken) -> None:
        """Wait until the fetch thread has acted on the bytes that passed."""
        assert self._started.wait(WAIT_S)
        state = self.playback._pipeline._state
        assert state.wait(lambda: cancel.cancelled or state.is_acted_on(), WAIT_S)

    def until(self, condition: Callable[[], bool]) -> PlaybackFrame | None:
        """Tick while time stands still, but for what the network takes."""
        end_s = time.monotonic() + WAIT_S
        while True:
            frame = self.playback.tick()
            if condition():
                return frame
            assert time.monotonic() < end_s, self.playback.status()
            time.sleep(0.001)

    def settled(self) -> PlaybackFrame:
        assert self.playback.settle(WAIT_S)
        frame = self.playback.tick()
        assert frame is not None
        return frame

    def play(self, seconds: float, tick_s: float = 0.1) -> list[PlaybackFrame]:
        """Let time pass; the frames that were new."""
        frames: list[PlaybackFrame] = []
        end_s = self.clock() + seconds
        while self.clock() < end_s:
            with self.line.passing:
                self.clock.advance(tick_s)
            assert self.playback.settle(WAIT_S)
            frame = self.playback.tick()
            if frame is not None and (not frames or frames[-1] is not frame):
                frames.append(frame)
        return frames


Start = Callable[..., Session]
