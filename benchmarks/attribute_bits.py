"""Measures what the encoder's choices give and cost: the tables of docs/bitstream.md, section 9.

    python -m benchmarks.attribute_bits                a made-up scene of textured surfaces
    python -m benchmarks.attribute_bits path/to/RUN    the static Gaussians of a training run

Pictures are compared with those of the Gaussians before quantisation; bits per Gaussian are those
of the compressed planes. Tables are printed as Markdown.
"""

from __future__ import annotations

import math
import platform
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor

from codec import layers
from codec.encoder import encode_scene
from codec.encoder_config import AttributeBits, EncoderConfig
from codec.grid_sorting import grid_shape
from codec.planes import encode_planes
from codec.quantisation import Quantiser
from codec.source import CameraPreset, SceneMeta, TrainedGop
from renderer import Camera, CanonicalGaussians, DeformationField, FieldConfig, RenderSettings
from renderer.backends import choose_backend
from renderer.backends.base import Backend
from trainer.run_directory import load_run

BIT_STEPS = (-2, -1, 0, 1, 2)  # depths tried for each attribute, around the default
MOST_BITS = 16
EFFORTS = (3, 5, 7, 9)
LAYER_COUNTS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Options:
    """What to measure on.

    Args:
        run: a training run; without one the scene is made up.
        gaussians: how many the made-up scene has.
        backend: what draws; see `renderer.backends`.
        views: how many of the scene's camera presets are drawn.
    """

    run: tyro.conf.Positional[Path | None] = None
    gaussians: int = 24_000
    backend: str = "cpu"
    views: int = 3


@dataclass
class StaticScene:
    """Static Gaussians alone as a `codec.source.SceneSource`; its one GOP moves nothing."""

    meta: SceneMeta
    static: CanonicalGaussians
    gop_count: int = 1

    def gop(self, index: int) -> TrainedGop:
        config = FieldConfig(features=1, width=1)
        features = torch.zeros(config.window, 0, config.features)
        return TrainedGop(CanonicalGaussians.empty(), features, DeformationField(config), frames=1)


def main(options: Options) -> None:
    scene = scene_of_run(options.run) if options.run else made_up_scene(options.gaussians)
    measure = Measurement(scene, choose_backend(options.backend).backend, options.views)
    print(f"{scene.meta.title}: {len(scene.static)} Gaussians, {options.backend} backend")
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for table in (
        attribute_table(measure),
        combination_table(measure),
        effort_table(measure),
        layout_table(scene),
    ):
        Console(width=100).print(table)


class Measurement:
    """One scene in grid order, its exact pictures, and what a choice of bits makes of both."""

    def __init__(self, scene: StaticScene, backend: Backend, views: int) -> None:
        meta, static = scene.meta, layers.normalised_static(scene.static)
        self.meta, self.backend = meta, backend
        self.cameras = [preset_camera(preset, meta) for preset in meta.presets[:views]]
        self.shape = grid_shape(len(static))
        values = layers.sorting_values(static)
        self.gaussians = static[layers.grid_order(values, *self.shape, sort=True, seed=0)]
        self.exact = self._pictures(self.gaussians)

    def bits_per_gaussian(
        self, bits: AttributeBits, names: Iterable[str], effort: int = EncoderConfig.jxl_effort
    ) -> float:
        """Of the compressed planes of the attributes `names`."""
        values = layers.attributes(self.gaussians)
        quantisers = self._quantisers(bits)
        codes = {name: quantisers[name].encode(values[name]) for name in names}
        data = encode_planes(codes, asdict(bits), *self.shape, effort)
        return 8 * len(data) / len(self.gaussians)

    def psnr_db(self, bits: AttributeBits, names: Iterable[str]) -> float:
        """Of the pictures with the attributes `names` quantised and the others exact."""
        values = layers.attributes(self.gaussians)
        quantisers = self._quantisers(bits)
        for name in names:
            values[name] = quantisers[name].decode(quantisers[name].encode(values[name]))
        error = self._pictures(layers.canonical_from(values)) - self.exact
        return -10 * math.log10(max(error.square().mean().item(), 1e-12))

    def cell(self, bits: AttributeBits, names: Iterable[str]) -> str:
        names = tuple(names)
        return f"{self.psnr_db(bits, names):.1f} / {self.bits_per_gaussian(bits, names):.1f}"

    def _quantisers(self, bits: AttributeBits) -> dict[str, Quantiser]:
        values = layers.attributes(self.gaussians)
        return layers.quantisers_for(values, bits, self.meta.center, self.meta.radius)

    def _pictures(self, gaussians: CanonicalGaussians) -> Tensor:
        """[views, height, width, 3] as shown: clipped at display white."""
        settings = RenderSettings(background=self.meta.background, near=self.meta.near)
        drawn = gaussians.activate().to(self.backend.device)
        pictures = [self.backend.render(drawn, camera, settings) for camera in self.cameras]
        return torch.stack(pictures).cpu().clamp(0, 1)


def attribute_table(measure: Measurement) -> Table:
    steps = [f"{step:+d}" if step else "default" for step in BIT_STEPS]
    table = markdown("attribute (default bits)", *steps, title="one attribute: PSNR dB / bits")
    for name, default in asdict(AttributeBits()).items():
        depths = [default + step for step in BIT_STEPS]
        cells = [
            measure.cell(replace(AttributeBits(), **{name: depth}), [name])
            if depth <= MOST_BITS
            else "-"
            for depth in depths
        ]
        table.add_row(f"{name} ({default})", *cells)
    return table


def combination_table(measure: Measurement) -> Table:
    table = markdown(
        "", *asdict(AttributeBits()), "PSNR dB / bits", title="all attributes together"
    )
    for label, step in (("coarser", -1), ("default", 0), ("finer", 1)):
        depths = {name: depth + step for name, depth in asdict(AttributeBits()).items()}
        cell = measure.cell(AttributeBits(**depths), depths)
        table.add_row(label, *map(str, depths.values()), cell)
    return table


def effort_table(measure: Measurement) -> Table:
    table = markdown("JPEG XL effort", *map(str, EFFORTS), title="default bits")
    bits = AttributeBits()
    sizes = [measure.bits_per_gaussian(bits, asdict(bits), effort) for effort in EFFORTS]
    table.add_row("bits per Gaussian", *(f"{size:.1f}" for size in sizes))
    return table


def layout_table(scene: StaticScene) -> Table:
    """Whole scenes through the encoder: into how many layers, sorted or not."""
    labels = [*map(str, LAYER_COUNTS), "1, not sorted"]
    table = markdown("static layers", *labels, title="default bits and effort")
    sizes = [static_bytes(scene, EncoderConfig(static_layers=k)) for k in LAYER_COUNTS]
    sizes.append(static_bytes(scene, EncoderConfig(static_layers=1, sort=False)))
    table.add_row("bytes", *(f"{size:,}" for size in sizes))
    table.add_row("against one layer", *(f"{size / sizes[0] - 1:+.1%}" for size in sizes))
    return table


def static_bytes(scene: StaticScene, config: EncoderConfig) -> int:
    """Bytes of all static layers of the encoded scene."""
    with tempfile.TemporaryDirectory() as place:
        report = encode_scene(scene, Path(place) / "scene", replace(config, rungs=(32,)))
    return report.part_bytes["static"]


def scene_of_run(path: Path) -> StaticScene:
    run = load_run(path)
    return StaticScene(run.meta, run.static)


def made_up_scene(count: int) -> StaticScene:
    """A floor, a wall and a sphere; random sizes and rotations, colours of a smooth texture."""
    random = torch.Generator().manual_seed(0)
    along = torch.rand(count, 2, generator=random) * 2 - 1
    parts = [points(along[k::3]) for k, points in enumerate((_floor, _wall, _sphere))]
    means = torch.cat(parts)
    noise = torch.randn(count, 3, generator=random)
    waves = torch.sin(means * torch.tensor([5.0, 7.0, 6.0]) + means.roll(1, dims=-1) * 3.0)
    static = CanonicalGaussians(
        means=means + 0.01 * noise,
        quats=torch.randn(count, 4, generator=random),
        log_scales=math.log(3.0 / count**0.5) + 0.5 * torch.randn(count, 3, generator=random),
        opacity_logits=1.0 + 1.5 * torch.randn(count, generator=random),
        colors=(0.5 + 0.35 * waves + 0.05 * noise).clamp(0, 1),
    )
    return StaticScene(_made_up_meta(), static)


def _floor(along: Tensor) -> Tensor:
    return torch.stack([2 * along[:, 0], torch.ones(len(along)), 2 * along[:, 1]], dim=-1)


def _wall(along: Tensor) -> Tensor:
    return torch.stack([2 * along[:, 0], along[:, 1], torch.full((len(along),), 2.0)], dim=-1)


def _sphere(along: Tensor) -> Tensor:
    turn, height = math.pi * along[:, 0], along[:, 1]
    ring = (1 - height.square()).sqrt()
    return 0.7 * torch.stack([ring * turn.cos(), height, ring * turn.sin()], dim=-1)


def _made_up_meta() -> SceneMeta:
    eyes = ((0.0, -0.5, -4.0), (2.0, -1.0, -3.0), (-1.5, 0.2, -2.5))
    return SceneMeta(
        title="Made-up surfaces",
        fps=24.0,
        up=(0.0, -1.0, 0.0),
        center=(0.0, 0.0, 0.0),
        radius=3.0,
        background=(0.1, 0.2, 0.3),
        width=480,
        height=270,
        presets=tuple(CameraPreset(f"View {k}", eye, (0.0, 0.0, 0.0), 0.7)
                      for k, eye in enumerate(eyes)),
    )  # fmt: skip


def preset_camera(preset: CameraPreset, meta: SceneMeta) -> Camera:
    position, target, up = map(torch.tensor, (preset.position, preset.target, meta.up))
    return Camera.look_at(position, target, up, preset.fov_y_rad, meta.width, meta.height)


def markdown(*columns: str, title: str) -> Table:
    return Table(*columns, title=title, title_justify="left", box=box.MARKDOWN)


if __name__ == "__main__":
    main(tyro.cli(Options))
