"""Measures how fast sequences of splat files play on the processor.

    python -m benchmarks.splat_sequence [--gaussians 100000] [--kinds ply spz] [--seconds 10]
        [--size 1280 720] [--json figures.json]

Writes a sequence of numbered files into a temporary folder, reads each frame once for the times of
reading, and then plays it as the window does: a thread decodes ahead while this one draws the frame
that is due. The figures count the frames that were drawn. Run it on an idle machine: the load
average before the measurement is part of the figures.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import tyro
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.codec.cancel import NEVER
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.raw_gaussians import RawGaussians
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.formats.writers import written
from streamstgs.renderer import Camera, RenderSettings
from streamstgs.renderer.backends import choose_backend

FRAMES = 60
FPS = 30.0
OPENING_S = 120.0
TICK_S = 0.001


def moving_ball(count: int, frame: int) -> RawGaussians:
    """A ball of Gaussians without harmonics, one half of which moves with the frame."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(count, 3)) * 0.5
    means[: count // 2, 1] += 0.2 * np.sin(frame / 5)
    arrays = (
        means,
        rng.normal(size=(count, 4)),
        rng.normal(np.log(1.5 * count ** (-1 / 3)) - 1.0, 0.3, (count, 3)),
        rng.uniform(-1, 3, count),
        rng.uniform(-1, 1, (count, 1, 3)),
    )
    return RawGaussians(*(np.ascontiguousarray(array, np.float32) for array in arrays))


def write_clip(folder: Path, kind: str, count: int) -> int:
    """Write the files of a sequence; returns their size in bytes."""
    converter = Converter()
    try:
        for frame in range(FRAMES):
            path = folder / f"frame_{frame:04d}.{kind}"
            path.write_bytes(written(moving_ball(count, frame), path, None, converter, NEVER))
    finally:
        converter.close()
    return sum(path.stat().st_size for path in folder.iterdir())


def read_ms(folder: Path) -> float:
    """Median time to read and decode a frame, ms."""
    times = []
    with open_reader(folder) as reader:
        for frame in range(1, FRAMES):
            start_s = time.perf_counter()
            reader.segment(frame)
            times.append(1000 * (time.perf_counter() - start_s))
    return median(times)


def play(folder: Path, seconds: float, size: tuple[int, int]) -> dict[str, float]:
    """Play from the start, drawing each frame that is due."""
    choice = choose_backend("cpu")
    choice.backend.warm_up()
    playback = Playback(str(folder), replace(PlaybackSettings(), fps=FPS))
    drawn, raster_ms = 0, []
    try:
        playback.settle(OPENING_S)
        meta = playback.meta
        assert meta is not None
        camera = _camera(meta, size)
        settings = RenderSettings(meta.background, meta.near)
        playback.play()
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            frame = playback.tick()
            if frame is None:
                time.sleep(TICK_S)
                continue
            start_s = time.perf_counter()
            choice.backend.render_rgb8(frame.gop.gaussians_at(frame.frame), camera, settings)
            raster_ms.append(1000 * (time.perf_counter() - start_s))
            drawn += 1
    finally:
        playback.close()
        choice.backend.close()
    return {"frames_per_second": drawn / seconds, "raster_ms": median(raster_ms or [0.0])}


def _camera(meta: Any, size: tuple[int, int]) -> Camera:
    import torch

    view = meta.presets[0]
    position, target = torch.tensor(view.position), torch.tensor(view.target)
    return Camera.look_at(position, target, torch.tensor(meta.up), view.fov_y_rad, *size)


def main(
    gaussians: int = 100_000,
    kinds: tuple[str, ...] = ("ply", "spz"),
    seconds: float = 10.0,
    size: tuple[int, int] = (1280, 720),
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None,
) -> None:
    """Measure each kind and print a table.

    Args:
        gaussians: Gaussians of a frame.
        kinds: Suffixes of the files.
        seconds: How long each kind is played.
        size: Width and height of the images, px.
        json_file: Write the figures to this file, too.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    rows = []
    for kind in kinds:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            size_mb = write_clip(folder, kind, gaussians) / FRAMES / 1e6
            row = {"kind": kind, "mb_per_frame": size_mb, "read_ms": read_ms(folder)}
            rows.append({**row, **play(folder, seconds, size)})
    print(f"{gaussians} Gaussians, {size[0]} x {size[1]} px, load {load:.1f} before\n")
    print("| kind | MB per frame | read ms | raster ms | frames per second of 30 |")
    print("|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['kind']} | {row['mb_per_frame']:.2f} | {row['read_ms']:.1f} | "
            f"{row['raster_ms']:.1f} | {row['frames_per_second']:.1f} |"
        )
    if json_file is not None:
        figures = {"gaussians": gaussians, "size": size, "load": load, "kinds": rows}
        json_file.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
