"""Settings of the encoder, and its report."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from operator import attrgetter

import numpy as np
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.video.codecs import Codec

QP_MAX = 51
PRESETS = "ultrafast superfast veryfast faster fast medium slow slower veryslow placebo"
BIT_OPTIONS = ("static_bits", "moving_bits")
RANGES: dict[str, tuple[float, float]] = {
    "jxl_effort": (1, 9),
    "threads": (1, inf),
    "static.layers": (1, inf),
    "static.growth": (0.01, inf),
    "static.far_share": (0, 1),
    "static.thinnest": (0, inf),
    "static.presets": (0, inf),
    "static.ring_views": (0, inf),
    "static.height_px": (1, inf),
    "moving.least_share": (0, 1),
    "moving.frames": (1, inf),
    "moving.presets": (0, inf),
    "moving.ring_views": (1, inf),
    "moving.height_px": (1, inf),
    "lowest_mbps": (0, inf),
    "poster.width_px": (0, inf),
    "poster.quality": (0, 100),
    "poster.most_bytes": (1, inf),
    "quality.cameras": (0, inf),
    "quality.height_px": (1, inf),
    "quality.frames_per_gop": (1, inf),
    "quality.static_frames_per_gop": (1, inf),
}  # of settings that have no sense beyond


@dataclass(frozen=True)
class AttributeBits:
    """Bits of each canonical attribute; `benchmarks.attribute_bits` measures their effect.

    The defaults are those of static Gaussians, which have no trajectories.

    Args:
        means: Bits for each coordinate of the centres, 1 to 16.
        quats: Bits for each number of the rotations, 1 to 16.
        log_scales: Bits for each logarithm of a scale, 1 to 16.
        opacity_logits: Bits for the opacity, 1 to 16.
        colors: Bits for each colour channel, 1 to 16.
        velocities: Bits for each coordinate of the velocities, 1 to 16.
        centers: Bits for the temporal centre, 1 to 16.
        log_extents: Bits for the logarithm of the temporal extent, 1 to 16.
    """

    means: int = 14
    quats: int = 8
    log_scales: int = 8
    opacity_logits: int = 7
    colors: int = 8
    velocities: int = 9
    centers: int = 8
    log_extents: int = 6


MOVING_BITS = AttributeBits(means=11, quats=6, log_scales=6, opacity_logits=6, colors=6)


@dataclass(frozen=True)
class StaticLayerSettings:
    """How the static Gaussians are divided into layers.

    Args:
        layers: Number of layers beside the far one; the most important Gaussians come first.
        growth: Number of Gaussians in a layer relative to the layer before.
        far_share: Share of Gaussians, the farthest, that make a layer of their own, sent second.
        thinnest: Smallest scale relative to the radius of the scene; thinner Gaussians look the
            same and are stored with this scale.
        presets: Number of named cameras that importance is measured from.
        ring_views: Number of cameras on each of two rings that importance is measured from, too.
        height_px: Height of the images that importance is measured on, px.
    """

    layers: int = 7
    growth: float = 1.3
    far_share: float = 0.02
    thinnest: float = 3e-6
    presets: int = 4
    ring_views: int = 5
    height_px: int = 120


@dataclass(frozen=True)
class MovingLayerSettings:
    """How the moving Gaussians of a GOP are divided into layers.

    Args:
        least_share: Share of the moving Gaussians that every quality has at least.
        frames: Number of frames of each GOP that importance is measured at.
        presets: Number of named cameras that importance is measured from.
        ring_views: Number of cameras on a ring that importance is measured from, too.
        height_px: Height of the images that importance is measured on, px.
    """

    least_share: float = 0.02
    frames: int = 8
    presets: int = 3
    ring_views: int = 4
    height_px: int = 120


@dataclass(frozen=True)
class PosterSettings:
    """How the poster is made.

    Args:
        width_px: Largest width of the poster, px; 0 makes none.
        quality: JPEG quality, 0 to 100; reduced if the file exceeds `most_bytes`.
        most_bytes: Largest size of the file, bytes.
        window_aspects: The poster fills windows between these aspect ratios (width / height).
        most_margin: Largest width or height of the poster relative to the image of the capture.
    """

    width_px: int = 1280
    quality: int = 85
    most_bytes: int = 100_000
    window_aspects: tuple[float, float] = (9 / 16, 1.85)
    most_margin: float = 3.2


@dataclass(frozen=True)
class QualitySettings:
    """How the image quality of segments and static layers is measured.

    Args:
        cameras: Number of named cameras to measure from; a scene without any is measured from one
            on the orbit. 0 measures nothing.
        height_px: Height of the images, px; the width keeps the aspect ratio of the capture.
        frames_per_gop: Number of frames of each GOP to measure for each quality, evenly spread.
        static_frames_per_gop: Number of frames of each GOP to measure for each static layer.
    """

    cameras: int = 4
    height_px: int = 180
    frames_per_gop: int = 4
    static_frames_per_gop: int = 1


@dataclass(frozen=True)
class EncoderConfig:
    """How a scene is encoded.

    Args:
        qps: Quantisers (QP, 0 to 51) of the feature video; each makes one quality of the scene.
        codec: Video codec of the features.
        preset: Preset of the video encoder, from ultrafast to placebo; slower ones need fewer
            bytes.
        static_bits: Bits of the attributes of static Gaussians.
        moving_bits: Bits of the attributes of moving Gaussians, which cover a smaller range and are
            less sharp.
        static: How the static Gaussians are divided into layers.
        moving: How the moving Gaussians of each GOP are divided into layers.
        lowest_mbps: Bitrate of the worst quality, Mbit/s, all files counted. It gets the most
            important Gaussians that fit, the best quality has all of them, and their number falls
            evenly in between. 0 gives all Gaussians to all qualities.
        jxl_effort: Effort of the lossless image encoder, 1 to 9.
        sort: Arrange similar Gaussians next to each other, which makes files smaller.
        seed: Seed of the random numbers of the sorting.
        sort_by_lifetime: Moving Gaussians that are visible in the same frames are neighbours in the
            grid, which makes the feature video smaller.
        threads: Number of threads of the video encoder.
        poster: How the poster is made.
        quality: How image quality is measured, for players that adapt to the network.
        paged_from: Scenes of at least so many segments list them in pages, so that opening takes
            no longer than that of a short scene.
        keep_codes: The report holds all codes, for tests; long scenes need the memory.
    """

    qps: tuple[int, ...] = (24, 28, 32, 34, 36)
    codec: Codec = "hevc"
    preset: str = "medium"
    static_bits: AttributeBits = AttributeBits()
    moving_bits: AttributeBits = MOVING_BITS
    static: StaticLayerSettings = StaticLayerSettings()
    moving: MovingLayerSettings = MovingLayerSettings()
    lowest_mbps: float = 0.8
    jxl_effort: int = 5
    sort: bool = True
    seed: int = 0
    sort_by_lifetime: bool = True
    threads: int = 1
    poster: PosterSettings = field(default_factory=PosterSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    paged_from: int = 64
    keep_codes: bool = False

    def __post_init__(self) -> None:
        """Raises EncodeError, which names the option."""
        in_range = bool(self.qps) and all(0 <= qp <= QP_MAX for qp in self.qps)
        _require(in_range, "qps", self.qps, f"QPs from 0 to {QP_MAX}")
        _require(len({*self.qps}) == len(self.qps), "qps", self.qps, "different QPs")
        _require(self.preset in PRESETS.split(), "preset", self.preset, f"one of {PRESETS}")
        bits = {f"{kind}.{name}": (1, 16) for kind in BIT_OPTIONS for name in vars(AttributeBits())}
        for option, (least, most) in (RANGES | bits).items():
            value = attrgetter(option)(self)
            wanted = f"from {least} to {most}" if most < inf else f"at least {least}"
            _require(least <= value <= most, option, value, wanted)


def _require(holds: bool, option: str, value: object, wanted: str) -> None:
    if not holds:
        raise EncodeError(f"--{option.replace('_', '-')} is {value}; it must be {wanted}")


@dataclass(frozen=True)
class EncodeReport:
    """Sizes and quality of an encoded scene.

    Args:
        frames: Content frames of the scene.
        total_bytes: Size of all files with all qualities, bytes.
        part_bytes: Size of the parts static, keyframes, fields and manifest, bytes.
        qp_bytes: Size of the feature video by QP, initialisation segments included, bytes.
        quality_bytes: Size by QP of all files that a viewer of the quality fetches, bytes.
        qp_psnr_db: Mean PSNR of the decoded feature codes by QP.
        static_codes, gop_codes, feature_codes: With `keep_codes`, [N, C] codes by attribute of each
            static layer and of each layer of each GOP, and the [E, M, F] feature codes before the
            video encoder.
    """

    frames: int
    total_bytes: int
    part_bytes: dict[str, int]
    qp_bytes: dict[int, int]
    qp_psnr_db: dict[int, float]
    quality_bytes: dict[int, int]
    static_codes: list[dict[str, np.ndarray]] = field(default_factory=list, repr=False)
    gop_codes: list[dict[str, np.ndarray]] = field(default_factory=list, repr=False)
    feature_codes: list[np.ndarray] = field(default_factory=list, repr=False)

    def bytes_per_frame(self, qp: int) -> float:
        """Bytes per content frame that a viewer of one quality fetches."""
        return self.quality_bytes[qp] / self.frames
