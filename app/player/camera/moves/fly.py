"""Flies a camera with keys that are held: forward, sideways, up and down."""

from __future__ import annotations

import math
from enum import Enum

from streamstgs.app.player.camera.controller import CameraController

SPEED = 0.3  # of the radius of the scene, per second
FAST = 4.0  # times as fast
HALF_LIFE_S = 0.06  # of the difference to the wanted speed: flights start and stop softly
STOPPED = 1e-3  # of the usual speed
LONGEST_STEP_S = 0.1  # a window that stood still does not jump


class FlyKey(Enum):
    """A direction in which a camera flies, as (right, up, forward)."""

    FORWARD = (0, 0, 1)
    BACK = (0, 0, -1)
    LEFT = (-1, 0, 0)
    RIGHT = (1, 0, 0)
    UP = (0, 1, 0)
    DOWN = (0, -1, 0)


class FlyControl:
    """Moves a camera while directions are held. Owner: the thread of the viewer model.

    Example:
        model.fly.press(FlyKey.FORWARD)
        model.tick(dt_s=0.02)
        model.fly.release(FlyKey.FORWARD)

    Args:
        camera: Its limits hold for flights, too.

    Attributes:
        fast: Whether it flies `FAST` times as fast.
    """

    def __init__(self, camera: CameraController) -> None:
        self._camera = camera
        self._held: set[FlyKey] = set()
        self._speed = (0.0, 0.0, 0.0)  # right, up, forward; relative to the usual speed
        self.fast = False

    def press(self, key: FlyKey) -> None:
        """Fly in a direction until `release`."""
        self._held.add(key)

    def release(self, key: FlyKey) -> None:
        """Fly no longer in a direction; the flight ends softly."""
        self._held.discard(key)

    def stop(self) -> None:
        """Release all directions and stop at once."""
        self._held.clear()
        self._speed = (0.0, 0.0, 0.0)

    @property
    def moving(self) -> bool:
        """Whether the camera flies, or will at the next tick."""
        return bool(self._held) or any(self._speed)

    def advance(self, dt_s: float) -> None:
        """Fly on for some seconds."""
        dt_s = min(max(dt_s, 0.0), LONGEST_STEP_S)
        wanted = [sum(key.value[axis] for key in self._held) for axis in range(3)]
        length = math.hypot(*wanted)
        factor = (FAST if self.fast else 1.0) / max(length, 1.0)
        share = 1.0 - 0.5 ** (dt_s / HALF_LIFE_S)
        right, up, forward = (
            now + (goal * factor - now) * share
            for now, goal in zip(self._speed, wanted, strict=True)
        )
        if not self._held and math.hypot(right, up, forward) < STOPPED:
            right = up = forward = 0.0
        self._speed = (right, up, forward)
        step = SPEED * self._camera.scene_radius * dt_s
        if self._camera.available and any(self._speed):
            self._camera.fly(right * step, up * step, forward * step)
