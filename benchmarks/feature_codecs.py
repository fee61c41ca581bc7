"""Compares other codecs for the feature video: HEVC with 10 bits, and AV1.

    python -m benchmarks.feature_codecs assets/tokyo.stgs

Encodes the codes of one GOP, decoded from the best quality of the scene, at several qualities with
each codec. Rendered images are compared with those of the original codes, which gives a curve of
image PSNR over bytes and its BD-rate against the encoder's choice. Bytes are those of the coded
pictures alone, without a container. With 10 bits, codes have two more binary places, and decoded
values are not rounded to whole codes.
"""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from streamstgs.codec.encoder.config import QualitySettings
from streamstgs.codec.encoder.feature_encoding import feature_grid, psnr_db
from streamstgs.codec.encoder.quality_measurement import QualityMeter
from streamstgs.codec.scene import open_scene
from streamstgs.codec.video.feature_video import VideoSettings
from streamstgs.codec.video.tile_layout import TileLayout
from streamstgs.renderer import Gop
from streamstgs.renderer.backends import choose_backend
from streamstgs.trainer.evaluation.rate_distortion import RatePoint, bd_rate, efficient_points

FRAME_RATE = 25  # of the coded pictures; no coder here uses it for its decisions


@dataclass(frozen=True)
class Options:
    """What to encode.

    Args:
        scene: an encoded scene.
        gop: of it.
        backend: what draws.
    """

    scene: tyro.conf.Positional[str]
    gop: int = 1
    backend: str | None = None


@dataclass(frozen=True)
class Trial:
    """An encoder and its options.

    Args:
        encoder, options: FFmpeg's name, and its options with {q} for the quality and {frames}
            for the length of the GOP.
        bits: per sample, 8 or 10.
        qualities: what {q} takes.
    """

    encoder: str
    options: dict[str, str]
    bits: int
    qualities: tuple[int, ...]


HEVC = {
    "preset": VideoSettings.preset,
    "x265-params": "qp={q}:keyint={frames}:min-keyint={frames}:scenecut=0:open-gop=0:bframes=8:"
    "b-adapt=2:rc-lookahead=20:log-level=none:info=0:" + VideoSettings.tuning,
}
SVT = "rc=0:qp={q}:keyint={frames}:enable-tf=0:aq-mode=0:lp=1"  # no denoising, one thread
TRIALS = {
    "HEVC, 8 bits (the encoder's)": Trial("libx265", HEVC, 8, (16, 20, 24, 28, 32)),
    "HEVC, 10 bits": Trial("libx265", HEVC, 10, (16, 20, 24, 28, 32)),
    "AV1, 8 bits, SVT preset 4": Trial(
        "libsvtav1", {"preset": "4", "svtav1-params": SVT}, 8, (12, 20, 28, 36, 44)
    ),
    "AV1, 10 bits, SVT preset 4": Trial(
        "libsvtav1", {"preset": "4", "svtav1-params": SVT}, 10, (12, 20, 28, 36, 44)
    ),
}


def main(options: Options) -> None:
    os.environ.setdefault("SVT_LOG", "1")  # errors alone
    torch.set_num_threads(1)
    backend = choose_backend(options.backend).backend
    with open_scene(options.scene) as scene:
        gop = scene.decode_gop(options.gop, scene.qualities[-1], backend.device)
        tiles, meta = scene.manifest.tiles, scene.meta
    meter = QualityMeter(gop, meta, backend, QualitySettings(height_px=180, frames_per_gop=12))
    print(f"{options.scene}, GOP {options.gop}, {platform.machine()}, {backend.name} backend")
    table = Table("bytes / codes dB / pictures dB", *(f"quality {k}" for k in range(1, 6)),
                  "decode ms a frame", "BD-rate %", box=box.MARKDOWN)  # fmt: skip
    chosen: list[RatePoint] = []
    for name, trial in TRIALS.items():
        made = [measure(gop, tiles, trial, quality, meter) for quality in trial.qualities]
        curve = efficient_points([RatePoint(one.size_bytes, one.pictures_db) for one in made])
        chosen = chosen or curve
        cells = [f"{m.size_bytes:,.0f} / {m.codes_db:.1f} / {m.pictures_db:.1f}" for m in made]
        slowest_ms = max(m.decode_ms for m in made)
        table.add_row(name, *cells, f"{slowest_ms:.1f}", f"{bd_rate(curve, chosen):+.1f}")
    Console(width=200).print(table)


@dataclass(frozen=True)
class Measured:
    """A quality of a trial; PSNR of codes (of 8 bits) and of pictures, CPU time of decoding."""

    size_bytes: int
    codes_db: float
    pictures_db: float
    decode_ms: float


def measure(
    gop: Gop, tiles: TileLayout, trial: Trial, quality: int, meter: QualityMeter
) -> Measured:
    codes = gop.features.cpu().numpy()
    planes = [tiles.tile(feature_grid(frame, tiles)) for frame in codes]
    packets, header = encode(planes, trial, quality)
    begun = time.process_time()
    lumas = decode(packets, header, trial)
    decode_ms = (time.process_time() - begun) * 1000 / len(planes)
    found = np.stack([tiles.untile(luma)[:, : codes.shape[1]].T for luma in lumas])
    shown = replace(gop, features=torch.from_numpy(found).to(gop.device))
    return Measured(
        sum(len(p) for p in packets), psnr_db(codes, found), meter.quality_db(shown), decode_ms
    )


def encode(planes: list[np.ndarray], trial: Trial, quality: int) -> tuple[list[bytes], bytes]:
    """Luma planes [H, W] uint8 as packets, and what a decoder needs before them."""
    context = av.CodecContext.create(trial.encoder, "w")
    context.height, context.width = planes[0].shape
    context.pix_fmt = "yuv420p" if trial.bits == 8 else "yuv420p10le"
    context.time_base, context.framerate = Fraction(1, FRAME_RATE), Fraction(FRAME_RATE)
    context.color_range, context.thread_count = 2, 1
    words = {"q": quality, "frames": len(planes) + 1}
    context.options = {name: text.format(**words) for name, text in trial.options.items()}
    packets = []
    for k, plane in enumerate(planes):
        picture = picture_of(plane, trial.bits)
        picture.pts, picture.time_base = k, context.time_base
        packets += context.encode(picture)
    packets += context.encode(None)
    return [bytes(p) for p in packets], bytes(context.extradata or b"")


def picture_of(plane: np.ndarray, bits: int) -> av.VideoFrame:
    """A plane with grey chroma."""
    height, width = plane.shape
    kind = np.uint8 if bits == 8 else np.uint16
    samples = np.full((height * 3 // 2, width), 1 << (bits - 1), kind)
    samples[:height] = plane.astype(kind) << (bits - 8)
    name = "yuv420p" if bits == 8 else "yuv420p10le"
    return av.VideoFrame.from_ndarray(samples, format=name)


def decode(packets: list[bytes], header: bytes, trial: Trial) -> list[np.ndarray]:
    """[H, W] float32 planes in units of codes, in the order in which they are shown."""
    context = av.CodecContext.create("hevc" if "265" in trial.encoder else "libdav1d", "r")
    context.extradata, context.thread_count = header, 1
    pictures = [p for data in packets for p in context.decode(av.Packet(data))]
    pictures += context.decode(None)
    step = 1 << (trial.bits - 8)
    return [p.to_ndarray()[: p.height].astype(np.float32) / step for p in pictures]


if __name__ == "__main__":
    main(tyro.cli(Options))
