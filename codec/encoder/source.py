"""The input of the encoder: a trained scene, GOP by GOP.

The trainer hands one over (`trainer.run_directory`); tests make small ones (`tests.synthetic`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from streamstgs.codec.package.scene_meta import SceneMeta

if TYPE_CHECKING:  # what is said of a scene is read before torch is loaded
    from streamstgs.renderer import CanonicalGaussians, DeformationField
    from torch import Tensor


@dataclass(frozen=True)
class TrainedGop:
    """A GOP as trained.

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
