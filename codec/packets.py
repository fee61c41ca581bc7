"""Parts of a scene as they travel, fetched but not yet decoded; and a keyframe once it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streamstgs.codec.quality import Quality

if TYPE_CHECKING:  # packets are fetched without torch
    from streamstgs.renderer import CanonicalGaussians, DeformationField


@dataclass(frozen=True)
class KeyframePacket:
    """What a GOP needs at any quality.

    Args:
        layers: files of the moving Gaussians, in the order of the manifest.
        field: weights of the deformation field.
    """

    layers: tuple[bytes, ...]
    field: bytes

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.layers)) + len(self.field)


@dataclass(frozen=True)
class FeaturePacket:
    """The feature video of a GOP.

    Args:
        quality: which one of the scene.
        init, media: initialisation segment, the same for all GOPs, and media segment.
    """

    quality: Quality
    init: bytes
    media: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.media)


@dataclass(frozen=True)
class Keyframe:
    """A decoded keyframe, on the CPU.

    Args:
        canonical: M Gaussians that the field moves.
        field: the deformation field, in eval mode.
    """

    canonical: CanonicalGaussians
    field: DeformationField
