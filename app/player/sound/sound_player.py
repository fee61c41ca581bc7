"""Plays the sound of the open scene in step with its pictures."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from streamstgs.app.player.sound.device import MiniaudioDevice, SoundDevice, SoundUnavailable
from streamstgs.app.player.sound.sample_store import ReadSegment, SampleStore
from streamstgs.app.player.sound.sound_time import SoundTime
from streamstgs.app.translation import tr
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import CodecError
from streamstgs.codec.package.sound_track import RATE_HZ, Sound

log = logging.getLogger(__name__)

OUT_OF_STEP_S = 0.03  # sound that is farther from the pictures jumps to them
FADE_S = 0.005  # a jump is faded in, or it would click
LOOK_S = 0.1  # how often the thread looks for segments to load
CLOSE_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class SoundPlan:
    """Where the pictures are: `position_s` at `at_s` of the sound time, `rate` times as fast."""

    position_s: float
    at_s: float
    rate: float


class SoundPlayer:
    """The sound of a viewer. Owner: the thread of the viewer model; it loads and plays in others.

    The scene plays silently where there is no device, at other speeds than 1, and backwards.

    Args:
        open_device: Opens the sound device; raises SoundUnavailable.
        time: Follows the device while it plays.
    """

    changed = Signal()  # volume, muting, the problem, or whether the scene has sound

    def __init__(
        self,
        open_device: Callable[[], SoundDevice] = MiniaudioDevice,
        time: SoundTime | None = None,
    ) -> None:
        self.time = time or SoundTime()
        self.problem = ""  # why nothing is heard: what happened, then what to do
        self._told = ""  # the problem that `changed` was emitted for
        self._open_device = open_device
        self._volume, self._muted = 1.0, False
        self._store: SampleStore | None = None
        self._sample = 0  # where pictures were last; of the thread that loads, while it runs
        self._plan: SoundPlan | None = None  # None: silence; read by the device's thread
        self._cursor: int | None = None  # next sample; of the device's thread
        self._rendered = 0  # frames since the device started; of the device's thread
        self._wakes = threading.Condition()
        self._cancel = CancelToken()
        self._thread: threading.Thread | None = None

    # --- settings ---------------------------------------------------------------------------------

    @property
    def available(self) -> bool:
        """Whether the open scene has sound."""
        return self._store is not None

    @property
    def volume(self) -> float:
        """0 .. 1; what is heard is its square, as ears judge loudness."""
        return self._volume

    @volume.setter
    def volume(self, volume: float) -> None:
        if not 0.0 <= volume <= 1.0:
            raise ValueError(f"The volume {volume} is not within 0 .. 1.")
        self._volume = volume
        self.changed.emit()

    @property
    def muted(self) -> bool:
        """Whether nothing is heard, whatever the volume."""
        return self._muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self._muted = muted
        self.changed.emit()

    # --- the scene --------------------------------------------------------------------------------

    def enter_scene(
        self, track: Sound | None, read_segment: ReadSegment | None, position_s: float = 0.0
    ) -> None:
        """Play the sound of another scene from now on.

        Args:
            track: None for a scene without sound.
            read_segment: Fetches and decodes a segment of it.
            position_s: Where the scene begins to play.
        """
        self._leave()
        self._sample = round(position_s * RATE_HZ)
        if track is not None and read_segment is not None:
            self._store = store = SampleStore(track, read_segment)
            self._cancel = cancel = CancelToken()
            self._thread = threading.Thread(
                target=self._run, args=(store, cancel), name="sound", daemon=True
            )
            self._thread.start()
        self.changed.emit()

    def grow(self, track: Sound) -> None:
        """Play on with a longer track of the same sound, as live scenes grow."""
        if self._store is not None:
            self._store.track = track

    def update(self, position_s: float | None, rate: float = 1.0) -> None:
        """Tell where the pictures are; call on every tick while the scene has sound.

        Args:
            position_s: None while nothing is to be heard.
            rate: Content seconds in a second; near 1, as it changes the pitch, too.
        """
        if self.problem != self._told:  # found in the thread that plays
            self._told = self.problem
            self.changed.emit()
        before = self._plan
        self._plan = None if position_s is None else SoundPlan(position_s, self.time.now(), rate)
        if (before is None) is not (self._plan is None):
            with self._wakes:
                self._wakes.notify_all()

    def close(self) -> None:
        """Stop, and let the device go."""
        self._leave()

    def _leave(self) -> None:
        self._plan = None
        self._cancel.cancel()
        with self._wakes:
            self._wakes.notify_all()
        if self._thread is not None:
            self._thread.join(CLOSE_TIMEOUT_S)
        self._thread, self._store = None, None

    # --- the thread that loads, and starts and stops the device -----------------------------------

    def _run(self, store: SampleStore, cancel: CancelToken) -> None:
        device, playing = None, False
        try:
            device = self._open_device()
            while not cancel.cancelled:
                wanted = self._plan is not None and not self._muted
                if wanted and not playing:
                    self._start(device, store)
                elif playing and not wanted:
                    device.stop()
                    self.time.release()
                playing = wanted
                if not self._load(store, cancel):
                    with self._wakes:
                        self._wakes.wait(LOOK_S)
        except SoundUnavailable as error:
            self.problem = str(error)
            log.info("no sound: %s", error)
        except Exception:  # the thread boundary
            self.problem = tr("Sound stopped by a fault in this program. Open the scene again.")
            log.exception("sound")
        finally:
            self.time.release()
            if device is not None:
                device.close()

    def _start(self, device: SoundDevice, store: SampleStore) -> None:
        self._cursor, self._rendered = None, 0
        self.time.follow()
        device.start(lambda frames: self._render(store, frames, device.latency_frames))

    def _load(self, store: SampleStore, cancel: CancelToken) -> bool:
        """Load a segment that is missing; returns whether there may be more."""
        plan = self._plan
        if plan is not None:
            self._sample = round(plan.position_s * RATE_HZ)
        try:
            return store.load_next(self._sample, cancel)
        except (CodecError, OSError) as error:
            log.info("a part of the sound is missing: %s", error)
            return False

    # --- the device's thread ----------------------------------------------------------------------

    def _render(self, store: SampleStore, frames: int, latency: int) -> NDArray[np.int16]:
        """[frames, 2] the next samples."""
        heard = max(self._rendered - latency, 0)  # the buffer fills at once, before it is heard
        ahead_s = (self._rendered - heard) / RATE_HZ
        self.time.heard(heard)
        self._rendered += frames
        plan, cursor = self._plan, self._cursor
        if plan is None:
            self._cursor = None
            return np.zeros((frames, 2), np.int16)
        heard_s = plan.position_s + plan.rate * (self.time.now() - plan.at_s + ahead_s)
        wanted = round(heard_s * RATE_HZ)
        jumps = cursor is None or abs(cursor - wanted) > OUT_OF_STEP_S * RATE_HZ
        begin = wanted if cursor is None or jumps else cursor
        count = round(frames * plan.rate)
        self._cursor = begin + count
        samples = _stretched(store.read(begin, count), frames) * self._volume**2
        if jumps:
            fade = min(frames, round(FADE_S * RATE_HZ))
            samples[:fade] *= np.linspace(0.0, 1.0, fade, dtype=np.float32)[:, None]
        return np.rint(samples).astype(np.int16)


def _stretched(samples: NDArray[np.int16], frames: int) -> NDArray[np.float32]:
    """[frames, 2] samples between those that are given; the pitch changes with the speed."""
    if len(samples) == frames:
        return samples.astype(np.float32)
    at = np.arange(frames) * (len(samples) / frames)
    channels = [np.interp(at, np.arange(len(samples)), channel) for channel in samples.T]
    return np.stack(channels, axis=1).astype(np.float32)
