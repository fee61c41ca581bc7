"""How much moves in each frame of a camera: what cameras of one scene have in common."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from streamstgs.trainer.datasets import CapturedView

HEIGHT_PX = 72
NOISE = 2.0  # of 255: changes of a reduced pixel that a recording makes by itself
READERS = 4
FLOOR = 1e-3


def motion_energies(views: Sequence[CapturedView], frames: int) -> np.ndarray:
    """[C, frames - 1] mean change of brightness from frame to frame, 0..255, beyond noise.

    Raises CaptureError, naming the camera.
    """
    with ThreadPoolExecutor(READERS) as pool:
        return np.stack(list(pool.map(lambda view: motion_energy(view, frames), views)))


def motion_energy(view: CapturedView, frames: int) -> np.ndarray:
    """[frames - 1] of one camera."""
    pictures = view.reader.small(HEIGHT_PX).read(range(frames))
    grey = pictures.mean(axis=-1, dtype=np.float32)
    return np.maximum(np.abs(np.diff(grey, axis=0)) - NOISE, 0).mean(axis=(1, 2))


def rhythm(energies: np.ndarray) -> np.ndarray:
    """[C, T - 1] how the logarithm of the energies [C, T] rises and falls: the same for cameras
    that see the same motion from near and far."""
    logs = np.log(energies + FLOOR)
    padded = np.pad(logs, ((0, 0), (1, 1)), mode="edge")
    smooth = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    return np.diff(smooth, axis=1)
