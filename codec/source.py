"""What the encoder takes: a trained scene in memory, GOP by GOP.

The trainer hands one over (`trainer.run_directory`); tests make small ones (`tests.synthetic`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # what is said of a scene is read before torch is loaded
    from streamstgs.renderer import CanonicalGaussians, DeformationField
    from torch import Tensor


@dataclass(frozen=True)
class CameraPreset:
    """A named view for the player: where the eye is, what it looks at, how wide it sees."""

    name: str
    position: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_y_rad: float


@dataclass(frozen=True)
class SceneMeta:
    """What a player needs to know of a scene beside its planes.

    Args:
        fps: content frames per second.
        up: unit vector that points up in the world.
        center: point that an orbit turns around, world units.
        radius: distance from `center` that a full view of the scene needs, world units.
        background: RGB behind the Gaussians, display-encoded, 0..1.
        near: distance of the near plane, world units: cameras of a capture stand inside of things
            that others see, and nothing nearer than this may hide their view.
        width, height: picture size of the capture in px; the natural aspect ratio.
        presets: named cameras; the first is the opening view.
    """

    title: str
    fps: float
    up: tuple[float, float, float]
    center: tuple[float, float, float]
    radius: float
    background: tuple[float, float, float]
    width: int
    height: int
    near: float = 0.01
    licence: str = ""
    attribution: str = ""
    presets: tuple[CameraPreset, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class TrainedGop:
    """One GOP as trained.

    Args:
        canonical: M moving Gaussians.
        features: [E, M, F] float temporal features, E = frames + W - 1.
        field: the deformation field.
        frames: G.
    """

    canonical: CanonicalGaussians
    features: Tensor
    field: DeformationField
    frames: int


class SceneSource(Protocol):
    """A trained scene; GOPs are loaded one at a time so that long scenes fit in memory."""

    meta: SceneMeta
    static: CanonicalGaussians
    gop_count: int

    def gop(self, index: int) -> TrainedGop: ...
