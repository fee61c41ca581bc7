"""The parts of a scene that are fetched as one: packets before decoding, and decoded keyframes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streamstgs.codec.quality import Quality

if TYPE_CHECKING:  # packets are fetched without torch
    from streamstgs.renderer import CanonicalGaussians, DeformationField
    from torch import Tensor


@dataclass(frozen=True)
class KeyframePacket:
    """The part of a keyframe that all qualities share, as fetched.

    Args:
        layers: content of the files of the most important moving Gaussians, in the order of the
            manifest.
        field: content of the file with the weights of the deformation field.
    """

    layers: tuple[bytes, ...]
    field: bytes

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.layers)) + len(self.field)


@dataclass(frozen=True)
class FeaturePacket:
    """What a GOP has at one quality beside the shared keyframe, as fetched.

    Args:
        quality: the quality of the video.
        init, media: the initialisation segment, which all GOPs share, and the media segment.
        layers: content of the files of the moving Gaussians that not all qualities have.
    """

    quality: Quality
    init: bytes
    media: bytes
    layers: tuple[bytes, ...] = ()

    @property
    def size_bytes(self) -> int:
        return len(self.media) + sum(map(len, self.layers))


@dataclass(frozen=True)
class Keyframe:
    """A decoded keyframe, on the CPU.

    Args:
        canonical: the moving Gaussians that all qualities have.
        field: the deformation field, in eval mode.
    """

    canonical: CanonicalGaussians
    field: DeformationField


@dataclass(frozen=True)
class DecodedFeatures:
    """A decoded `FeaturePacket`, on the CPU.

    Args:
        added: the moving Gaussians that follow those of the keyframe.
        codes: [E, M, F] uint8 features of both together.
    """

    added: CanonicalGaussians
    codes: Tensor
