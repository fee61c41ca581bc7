"""Measures how many bits each attribute of the Gaussians needs, on a training run.

    python -m benchmarks.attribute_bits path/to/RUN

Quantises each attribute alone at a range of bit depths, in the layers that the encoder would make,
and compares rendered images with those of the unquantised Gaussians. Errors of different attributes
add up, so the cheapest depths for a wanted quality follow from the tables. The chosen depths are
then measured together. Without a run, a synthetic scene is measured (`--gaussians`).
"""

from __future__ import annotations

import itertools
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from streamstgs.codec.attributes.attribute_images import encode_attribute_images
from streamstgs.codec.attributes.layers import attributes, canonical_from, concatenate
from streamstgs.codec.encoder.config import AttributeBits, EncoderConfig, QualitySettings
from streamstgs.codec.encoder.grid_sorting import grid_shape
from streamstgs.codec.encoder.layer_encoding import grid_order, quantisers_for, sorting_values
from streamstgs.codec.encoder.quality_measurement import (
    psnr_of_error,
    quality_cameras,
    sample_frames,
    trained_gop,
)
from streamstgs.codec.encoder.source import SceneSource
from streamstgs.codec.encoder.static_layers import divide_static
from streamstgs.renderer import CanonicalGaussians, Gop, RenderSettings
from streamstgs.renderer.backends import choose_backend
from streamstgs.renderer.backends.base import Backend
from streamstgs.trainer.run_directory import load_run
from torch import Tensor

from benchmarks.made_up_scene import made_up_scene

DEPTHS = {
    "means": range(9, 17),
    "quats": range(4, 11),
    "log_scales": range(4, 11),
    "opacity_logits": range(3, 10),
    "colors": range(4, 11),
}
Cost = tuple[float, float]  # bits per Gaussian, mean square error of the pictures


@dataclass(frozen=True)
class Options:
    """What to measure on.

    Args:
        run: a training run; without one the scene is made up.
        gaussians: how many the made-up scene has.
        scene_db: PSNR that the scene reaches against its training cameras.
        loss_db: how much of it the quantisation of static or of moving Gaussians may cost.
        backend: what draws; the best of this machine if not named.
        gops: how many of the run's GOPs are measured.
        height_px: of the pictures; details count as they do at the capture's own size.
        views, frames: how many presets, and frames of each GOP, are drawn.
    """

    run: tyro.conf.Positional[Path | None] = None
    gaussians: int = 24_000
    scene_db: float = 33.0
    loss_db: float = 0.01
    backend: str | None = None
    gops: int = 2
    height_px: int = 720
    views: int = 4
    frames: int = 2

    @property
    def wanted_db(self) -> float:
        """PSNR against what was trained at which the loss against the capture is `loss_db`."""
        return self.scene_db - psnr_of_ratio(self.loss_db)


def psnr_of_ratio(loss_db: float) -> float:
    """10 log10 of the share of error that lowers a PSNR by `loss_db`."""
    return -psnr_of_error(10 ** (loss_db / 10) - 1)


@dataclass(frozen=True)
class GridLayer:
    """Gaussians in grid order: which item each is, and the unit of their positions' curve."""

    gaussians: CanonicalGaussians
    order: Tensor
    grid: tuple[int, int]
    unit: float


class Measurement:
    """The layers of a kind of Gaussians, and what a choice of bits makes of bytes and pictures.

    Args:
        kind: "static" or "moving".
    """

    def __init__(self, source: SceneSource, kind: str, backend: Backend, options: Options) -> None:
        self.meta, self.kind, self._backend, self._options = source.meta, kind, backend, options
        count = min(options.gops, source.gop_count)
        self._gops = [trained_gop(source, k, backend.device) for k in range(count)]
        self.layers = list(self._in_grid_order(source))
        self.count = sum(len(layer.gaussians) for layer in self.layers)
        self._exact = [p.cpu() for p in self._pictures(self._gops)] if self.count else []

    def cost(self, depths: dict[str, int]) -> Cost:
        """With the attributes of `depths` quantised and the others as trained."""
        size, decoded = 0, []
        for layer in self.layers:
            values = attributes(layer.gaussians)
            bits = replace(AttributeBits(), **depths)
            quantisers = quantisers_for(values, bits, tuple(self.meta.center), layer.unit)
            codes = {name: quantisers[name].encode(values[name]) for name in depths}
            size += len(
                encode_attribute_images(codes, depths, *layer.grid, EncoderConfig.jxl_effort)
            )
            values |= {name: quantisers[name].decode(codes[name]) for name in depths}
            decoded.append(canonical_from(values))
        return 8 * size / self.count, self._error(decoded)

    def _in_grid_order(self, source: SceneSource) -> Iterator[GridLayer]:
        if self.kind == "static":
            for part in divide_static(source.static.to("cpu"), self.meta, EncoderConfig().static):
                yield _sorted(part.gaussians, None, part.unit)
        else:
            for gop in self._gops:
                if len(gop.canonical):
                    yield _sorted(gop.canonical.to("cpu"), gop, self.meta.radius)

    def _error(self, decoded: list[CanonicalGaussians]) -> float:
        pairs = zip(self._exact, self._pictures(self._changed(decoded)), strict=True)
        errors = [(exact - p.cpu()).square().mean().item() for exact, p in pairs]
        return sum(errors) / len(errors)

    def _changed(self, decoded: list[CanonicalGaussians]) -> list[Gop]:
        device = self._backend.device
        if self.kind == "static":
            static = concatenate(decoded).activate().to(device)
            return [replace(gop, static=static) for gop in self._gops]
        return [
            replace(gop, canonical=new[layer.order.argsort()].to(device))
            for gop, new, layer in zip(self._gops, decoded, self.layers, strict=True)
        ]

    @torch.no_grad()
    def _pictures(self, gops: list[Gop]) -> Iterator[Tensor]:
        options, settings = self._options, RenderSettings(self.meta.background, self.meta.near)
        views = QualitySettings(options.views, options.height_px, options.frames)
        for gop in gops:
            for frame in sample_frames(gop.frames, options.frames):
                gaussians = gop.gaussians_at(frame)
                for camera in quality_cameras(self.meta, views):
                    yield self._backend.render(gaussians, camera, settings).clamp(0, 1)


def _sorted(gaussians: CanonicalGaussians, gop: Gop | None, unit: float) -> GridLayer:
    grid = grid_shape(len(gaussians))
    features = gop.features.cpu() if gop else None
    order = grid_order(sorting_values(gaussians, features), *grid, True, 0)
    return GridLayer(gaussians[order], order, grid, unit)


def cheapest(costs: dict[str, dict[int, Cost]], wanted_db: float) -> dict[str, int]:
    """The depths with the fewest bits whose errors add up to no more than `wanted_db` allows."""
    names = list(costs)
    best: tuple[float, tuple[int, ...]] = (float("inf"), ())
    for depths in itertools.product(*(costs[name] for name in names)):
        chosen = [costs[name][depth] for name, depth in zip(names, depths, strict=True)]
        if psnr_of_error(sum(error for _, error in chosen)) >= wanted_db:
            best = min(best, (sum(bits for bits, _ in chosen), depths))
    return dict(zip(names, best[1], strict=True)) if best[1] else {n: max(DEPTHS[n]) for n in names}


def main(options: Options) -> None:
    source = load_run(options.run) if options.run else made_up_scene(options.gaussians)
    backend = choose_backend(options.backend).backend
    print(f"{source.meta.title}, {backend.name} backend, {platform.machine()}")
    print(f"wanted: {options.wanted_db:.1f} dB against what was trained, static or moving alone")
    for kind, default in defaults().items():
        measure = Measurement(source, kind, backend, options)
        if measure.count:
            report(measure, default, options)


def defaults() -> dict[str, AttributeBits]:
    config = EncoderConfig()
    return {"static": config.static_bits, "moving": config.moving_bits}


def report(measure: Measurement, default: AttributeBits, options: Options) -> None:
    costs = {n: {d: measure.cost({n: d}) for d in depths} for n, depths in DEPTHS.items()}
    table = Table("dB/bits", *map(str, range(3, 17)), box=box.MARKDOWN, title=measure.kind)
    for name, found in costs.items():
        table.add_row(name, *(_cell(found.get(depth)) for depth in range(3, 17)))
    Console(width=220).print(table)
    for said, depths in (
        ("default", asdict(default)),
        ("chosen", cheapest(costs, options.wanted_db)),
    ):
        chosen = ", ".join(f"{name} {depth}" for name, depth in depths.items())
        print(f"{measure.kind} {said}: {_cell(measure.cost(depths))} with {chosen}")


def _cell(cost: Cost | None) -> str:
    return f"{psnr_of_error(cost[1]):.1f}/{cost[0]:.1f}" if cost else ""


if __name__ == "__main__":
    main(tyro.cli(Options))
