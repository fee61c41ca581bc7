"""The sound device, through miniaudio (MIT, 0.6 MB; Qt Multimedia would be 175 MB)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.translation import tr
from streamstgs.codec.package.sound_track import RATE_HZ

log = logging.getLogger(__name__)

Render = Callable[[int], NDArray[np.int16]]  # frames -> [frames, 2]

CHANNELS = 2
PERIOD_MS = 10
PERIODS = 3  # the buffer: 20 ms lie in it when the next period is rendered
NULL_BACKEND = "Null"


class SoundDevice(Protocol):
    """Plays what a function renders. One thread calls its methods, another one renders."""

    latency_frames: int  # from a sample's rendering until it is heard

    def start(self, render: Render) -> None:
        """Play what `render` returns, until `stop`."""
        ...

    def stop(self) -> None:
        """Stop; `render` is not called any more."""
        ...

    def close(self) -> None:
        """Let the device go."""
        ...


class MiniaudioDevice:
    """Implements `SoundDevice`.

    Args:
        null: Whether to play into nothing, at the rate of the system's clock; for tests.

    Raises:
        SoundUnavailable: This machine has no sound device, or miniaudio is missing.
    """

    latency_frames = (PERIODS - 1) * PERIOD_MS * RATE_HZ // 1000

    def __init__(self, null: bool = False) -> None:
        try:
            import miniaudio
        except ImportError as error:
            raise SoundUnavailable(tr("The package miniaudio is missing; install it.")) from error
        backends = [miniaudio.Backend.NULL] if null else None
        try:
            self._device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.SIGNED16,
                nchannels=CHANNELS,
                sample_rate=RATE_HZ,
                buffersize_msec=PERIOD_MS,
                callback_periods=PERIODS,
                backends=backends,
                app_name="StreamSTGS Player",
            )
        except miniaudio.MiniaudioError as error:
            raise SoundUnavailable(
                tr("The sound device cannot be opened: {error}.", error=error)
            ) from error
        if self._device.backend == NULL_BACKEND and not null:
            self._device.close()
            raise SoundUnavailable(tr("This machine has no sound device."))
        log.debug("sound through %s", self._device.backend)

    def start(self, render: Render) -> None:
        generator = _rendered(render)
        next(generator)
        self._device.start(generator)

    def stop(self) -> None:
        self._device.stop()

    def close(self) -> None:
        self._device.close()


class SoundUnavailable(RuntimeError):
    """No sound device can be used here; the scene plays silently."""


def _rendered(render: Render) -> Generator[NDArray[np.int16], int, None]:
    """What miniaudio asks for: frames in, samples out."""
    frames = yield np.zeros((0, CHANNELS), np.int16)
    while True:
        frames = yield render(frames)
