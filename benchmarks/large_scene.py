"""Opens and plays a scene of 1,000,000 Gaussians, 150,000 of them moving.

    python -m benchmarks.large_scene benchmarks/reports/large_scene.json --backend cpu

The scene is made up, encoded, and measured by `streamstgs bench` in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from streamstgs.codec.encoder.config import (
    EncoderConfig,
    PosterSettings,
    QualitySettings,
    StaticLayerSettings,
)
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig

from benchmarks.made_up_scene import made_up_scene

ROOT = Path(__file__).resolve().parent.parent
FIGURES = (
    "size", "backend", "hardware", "gaussians", "decode_ms_per_frame", "deform_ms", "raster_ms",
    "tick_ms", "seek_ms", "playback", "first_picture_s", "memory_mb",
)  # fmt: skip
# What makes no difference for the player and takes long to encode is left out.
ENCODING = EncoderConfig(
    qps=(28,),
    preset="ultrafast",
    static=StaticLayerSettings(layers=1, presets=1, ring_views=1),
    jxl_effort=1,
    sort=False,
    poster=PosterSettings(width_px=0),
    quality=QualitySettings(cameras=0),
)


@dataclass(frozen=True)
class Options:
    """What is made and measured.

    Args:
        json: The report that is written.
        backend: Name of the backend.
        size: Size of the images as WIDTHxHEIGHT in px.
        gaussians: Number of Gaussians; the encoder leaves out a few to fill its images.
        moving: How many of them move.
        seconds: Length of the real-time run.
    """

    json: Annotated[Path, tyro.conf.Positional]
    backend: str = "cpu"
    size: str = "640x360"
    gaussians: int = 1_000_100
    moving: int = 150_000
    seconds: float = 10.0


@dataclass(frozen=True)
class LargeScene:
    """Surfaces and a cloud that swings before them; a `codec.encoder.source.SceneSource`.

    Args:
        meta: Of the scene.
        static: Before activation.
        moving: Number of moving Gaussians.
        gop_count: Number of GOPs.
        frames: Of each GOP.
    """

    meta: SceneMeta
    static: CanonicalGaussians
    moving: int
    gop_count: int = 2
    frames: int = 24

    def gop(self, index: int) -> TrainedGop:
        torch.manual_seed(index)
        config = FieldConfig()
        field = DeformationField(config).eval()
        for head in field.heads.values():
            torch.nn.init.normal_(head[-1].weight, std=0.02)
        count = self.frames + config.window - 1
        swing = torch.sin(torch.linspace(0, 3, count))[:, None, None]
        canonical = made_up_scene(self.moving).static
        return TrainedGop(
            canonical=replace(canonical, means=0.6 * canonical.means),
            features=swing * torch.linspace(-1, 1, self.moving)[:, None].repeat(1, config.features),
            field=field,
            frames=self.frames,
        )


def main(options: Options) -> None:
    surfaces = made_up_scene(options.gaussians - options.moving)
    scene = LargeScene(surfaces.meta, surfaces.static, options.moving)
    with tempfile.TemporaryDirectory() as folder:
        package, figures = Path(folder) / "large.stgs", Path(folder) / "figures.json"
        encode_scene(scene, package, ENCODING)
        command = [sys.executable, "main.py", "bench", str(package)]
        command += ["--backend", options.backend, "--size", options.size]
        command += ["--seconds", str(options.seconds), "--json", str(figures)]
        subprocess.run(command, cwd=ROOT, check=True)
        run: dict[str, Any] = json.loads(figures.read_text("utf-8"))
        report = {"package_mb": package.stat().st_size / 1e6} | {k: run[k] for k in FIGURES}
    options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    print(f"wrote {options.json}")


if __name__ == "__main__":
    main(tyro.cli(Options))
