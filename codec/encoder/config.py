"""What the encoder may choose, and what it tells when it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from operator import attrgetter

import numpy as np
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.video.tile_layout import Codec

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
    """Bits per channel of each canonical attribute, 1..16; `benchmarks.attribute_bits` measures.

    The defaults are those of static Gaussians.
    """

    means: int = 14
    quats: int = 8
    log_scales: int = 8
    opacity_logits: int = 7
    colors: int = 8


MOVING_BITS = AttributeBits(means=11, quats=6, log_scales=6, opacity_logits=6, colors=6)


@dataclass(frozen=True)
class StaticLayerSettings:
    """How the static Gaussians are divided into layers.

    Args:
        layers: parts of them; the most important come first, so that a prefix already gives a
            picture.
        growth: Gaussians of a part over those of the part before.
        far_share: so many of them, the farthest, are a part of their own, sent second.
        thinnest: of the scene's radius; thinner Gaussians look the same, and are coded as this.
        presets: importance is what pictures would lack: of the first so many presets of the scene,
        ring_views: and of so many views from each of two rings around it,
        height_px: all of this height.
    """

    layers: int = 7
    growth: float = 1.3
    far_share: float = 0.02
    thinnest: float = 3e-6
    presets: int = 4
    ring_views: int = 5
    height_px: int = 120


@dataclass(frozen=True)
class PosterSettings:
    """How a poster is made.

    Args:
        width_px: of the poster at most; 0 makes none.
        quality: of the JPEG, 0..100; less where it gets too long otherwise.
        most_bytes: what it should not exceed.
        window_aspects: the poster fills windows between these aspect ratios (width / height).
        most_margin: but is at most so many times as wide or high as the capture's own picture.
    """

    width_px: int = 1280
    quality: int = 85
    most_bytes: int = 100_000
    window_aspects: tuple[float, float] = (9 / 16, 1.85)
    most_margin: float = 3.2


@dataclass(frozen=True)
class QualitySettings:
    """What is drawn to judge a quality or a static layer.

    Args:
        cameras: the first so many presets of the scene, one on the orbit where it has none; 0
            measures nothing.
        height_px: of the pictures; their width keeps the aspect of the capture.
        frames_per_gop: spread evenly over the GOP.
        static_frames_per_gop: the same where static layers are judged.
    """

    cameras: int = 4
    height_px: int = 180
    frames_per_gop: int = 4
    static_frames_per_gop: int = 1


@dataclass(frozen=True)
class EncoderConfig:
    """How a scene is encoded.

    Args:
        qps: quantisers of the feature video; each makes one quality of the scene.
        codec: of the feature video, hevc or h264.
        preset: of the video encoder.
        static_bits, moving_bits: per canonical attribute of the two kinds of Gaussians; what
            moves covers a smaller range and is less sharp.
        static: how the static Gaussians are divided into layers.
        jxl_effort: 1..9, time spent on the lossless planes.
        sort: lay Gaussians out by likeness; without it files are larger.
        seed: of the sorting.
        sort_by_lifetime: Moving Gaussians that are visible in the same frames are neighbours in the
            grid, which makes the feature video smaller.
        threads: of the video encoder.
        poster: the picture that is seen before anything else is there.
        quality: how the quality of each segment is measured, for players that adapt to the network.
        keep_codes: hold all codes in the report, for tests; long scenes need the memory.
    """

    qps: tuple[int, ...] = (16, 20, 24, 28, 32)
    codec: Codec = "hevc"
    preset: str = "medium"
    static_bits: AttributeBits = AttributeBits()
    moving_bits: AttributeBits = MOVING_BITS
    static: StaticLayerSettings = StaticLayerSettings()
    jxl_effort: int = 5
    sort: bool = True
    seed: int = 0
    sort_by_lifetime: bool = True
    threads: int = 1
    poster: PosterSettings = field(default_factory=PosterSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
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
    """What was written.

    Args:
        frames: content frames of the scene.
        total_bytes: of all files, all qualities.
        part_bytes: static, keyframes, fields, manifest.
        qp_bytes: QP -> feature video over the whole scene, initialisation included.
        qp_psnr_db: QP -> mean PSNR of the decoded feature codes.
        static_codes, gop_codes, feature_codes: with `keep_codes`, attribute -> [N, C] codes of
            each static layer and of each GOP, and the [E, M, F] feature codes before the video.
    """

    frames: int
    total_bytes: int
    part_bytes: dict[str, int]
    qp_bytes: dict[int, int]
    qp_psnr_db: dict[int, float]
    static_codes: list[dict[str, np.ndarray]] = field(default_factory=list, repr=False)
    gop_codes: list[dict[str, np.ndarray]] = field(default_factory=list, repr=False)
    feature_codes: list[np.ndarray] = field(default_factory=list, repr=False)

    def bytes_per_frame(self, qp: int) -> float:
        """Bytes per content frame of all that a viewer of one quality fetches."""
        return (sum(self.part_bytes.values()) + self.qp_bytes[qp]) / self.frames
