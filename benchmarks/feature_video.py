"""Compares settings of the video encoder on the features of an encoded scene.

    python -m benchmarks.feature_video assets/tokyo.stgs

Encodes the codes of one GOP, decoded from the best quality, again. Rendered images are compared
with those of the original codes, so the tables have the PSNR of codes and of images over bytes. One
thread; times are CPU time of this process.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from streamstgs.codec.encoder.config import QualitySettings
from streamstgs.codec.encoder.feature_encoding import feature_grid, psnr_db
from streamstgs.codec.encoder.layer_encoding import grid_order, sorting_values
from streamstgs.codec.encoder.lifetimes import lifetimes, visible_frames
from streamstgs.codec.encoder.quality_measurement import QualityMeter
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.scene import open_scene
from streamstgs.codec.video.feature_video import VideoSettings, decode_segment, encode_segment
from streamstgs.codec.video.tile_layout import TileLayout
from streamstgs.renderer import Gop
from streamstgs.renderer.backends import choose_backend

NO_PSY = "psy-rd=0:psy-rdoq=0"
VARIANTS = {
    "medium, tuned for people, no B": VideoSettings(b_pictures=0, tuning="info=0"),
    "no psychovisual terms": VideoSettings(b_pictures=0, tuning=NO_PSY),
    "and rdoq-level 2": VideoSettings(b_pictures=0),
    "and 8 B-pictures (default)": VideoSettings(),
    "default without deblocking, SAO": VideoSettings(
        tuning=f"{VideoSettings.tuning}:sao=0:no-deblock=1"
    ),
    "default, preset slow": VideoSettings(preset="slow"),
}


@dataclass(frozen=True)
class Options:
    """What to encode.

    Args:
        scene: an encoded scene.
        gop: of it.
        qps: tried with each variant.
        backend: what draws.
    """

    scene: tyro.conf.Positional[str]
    gop: int = 1
    qps: tuple[int, ...] = (20, 26, 32)
    backend: str | None = None


def main(options: Options) -> None:
    torch.set_num_threads(1)
    backend = choose_backend(options.backend).backend
    with open_scene(options.scene) as scene:
        gop = scene.decode_gop(options.gop, scene.qualities[-1], backend.device)
        tiles, meta = scene.manifest.tiles, scene.meta
    settings = QualitySettings(height_px=180, frames_per_gop=12)
    meter = QualityMeter(gop, meta, backend, settings)
    print(f"{options.scene}, GOP {options.gop}, {platform.machine()}, {backend.name} backend")
    columns = [f"QP {qp}" for qp in options.qps]
    table = Table("bytes / codes dB / pictures dB / encode s / decode ms a frame", *columns,
                  box=box.MARKDOWN)  # fmt: skip
    for name, shown, variant in variants(gop):
        cells = (cell(shown, tiles, replace(variant, qp=qp), meter) for qp in options.qps)
        table.add_row(name, *cells)
    Console(width=160).print(table)


def variants(gop: Gop) -> Iterator[tuple[str, Gop, VideoSettings]]:
    """Name, what is encoded, how."""
    for name, video in VARIANTS.items():
        yield name, gop, video
    yield "sorted by features, lifetimes", sorted_again(gop), VideoSettings()


def sorted_again(gop: Gop) -> Gop:
    """The GOP in the order that the encoder chooses today."""
    trained = TrainedGop(gop.canonical, gop.features.float(), gop.field, gop.frames)
    values = gop.features.float() * gop.feature_step + gop.feature_offset
    visible = visible_frames(replace(trained, features=values))
    side = int(np.ceil(len(gop.canonical) ** 0.5))
    wanted = sorting_values(gop.canonical, values, lifetimes(visible))
    order = grid_order(wanted, side, side, sort=True, seed=0)
    return replace(gop, canonical=gop.canonical[order], features=gop.features[:, order])


def cell(gop: Gop, tiles: TileLayout, settings: VideoSettings, meter: QualityMeter) -> str:
    codes = gop.features.cpu().numpy()
    begun = time.process_time()
    planes = (tiles.tile(feature_grid(frame, tiles)) for frame in codes)
    init, media = encode_segment(planes, len(codes), 0, 90_000, settings)
    encoded = time.process_time()
    shape = (codes.shape[0], codes.shape[1], codes.shape[2])
    decoded = decode_segment(init, media, tiles, shape, settings.codec, "segment")
    decode_ms = (time.process_time() - encoded) * 1000 / len(codes)
    shown = replace(gop, features=torch.from_numpy(decoded).to(gop.device))
    return (
        f"{len(media):,} / {psnr_db(codes, decoded):.1f} / {meter.quality_db(shown):.1f} / "
        f"{encoded - begun:.1f} / {decode_ms:.1f}"
    )


if __name__ == "__main__":
    main(tyro.cli(Options))
