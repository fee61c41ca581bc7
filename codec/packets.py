"""The parts of a scene that are fetched as one: packets before decoding, and decoded keyframes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streamstgs.codec.quality import Quality

if TYPE_CHECKING:  # packets are fetched without torch
    from streamstgs.renderer import CanonicalGaussians, DeformationField


@dataclass(frozen=True)
class KeyframePacket:
    """The keyframe of a GOP as fetched; all qualities share it.

    Args:
        layers: content of the files of the moving Gaussians, in the order of the manifest.
        field: content of the file with the weights of the deformation field.
    """

    layers: tuple[bytes, ...]
    field: bytes

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.layers)) + len(self.field)


@dataclass(frozen=True)
class FeaturePacket:
    """The feature video of a GOP at one quality, as fetched.

    Args:
        quality: the quality of the video.
        init, media: the initialisation segment, which all GOPs share, and the media segment.
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
