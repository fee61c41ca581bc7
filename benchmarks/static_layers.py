"""Compares divisions of the static Gaussians into layers: bytes against early image quality.

    python -m benchmarks.static_layers assets/tokyo.stgs

Decodes the static Gaussians of a package, divides them as the encoder would, and codes each layer.
Prints the bytes of each layer and the PSNR of images with the layers so far against images of the
package. Images are rendered from the presets, moving Gaussians included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from streamstgs.codec.attributes.attribute_images import (
    decode_attribute_images,
    encode_attribute_images,
)
from streamstgs.codec.attributes.layers import attributes, concatenate, decode_layer
from streamstgs.codec.encoder.config import EncoderConfig, QualitySettings, StaticLayerSettings
from streamstgs.codec.encoder.grid_sorting import grid_shape
from streamstgs.codec.encoder.layer_encoding import (
    encode_layer,
    grid_order,
    quantisers_for,
    sorting_values,
)
from streamstgs.codec.encoder.quality_measurement import (
    QualityMeter,
    psnr_of_error,
    static_layer_errors,
)
from streamstgs.codec.encoder.static_layers import StaticLayer, divide_static
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.renderer import CanonicalGaussians, Gaussians, Gop
from streamstgs.renderer.backends import choose_backend


@dataclass(frozen=True)
class Options:
    """What to measure.

    Args:
        scene: a package.
        splits: numbers of layers beside the far one, and growths, in pairs.
        backend: what draws.
        gop: whose moving Gaussians are drawn.
    """

    scene: tyro.conf.Positional[Path]
    splits: tuple[tuple[int, float], ...] = ((3, 2.0), (5, 1.5), (7, 1.3))
    backend: str = "cpu"
    gop: int = 0


@dataclass(frozen=True)
class Split:
    """Bytes of each layer, and PSNR with none, one, two ... of them."""

    name: str
    layer_bytes: list[int]
    prefix_db: list[float]


class Measurement:
    """One scene; what its static Gaussians cost and show when they are divided anew."""

    def __init__(self, scene: Scene, options: Options) -> None:
        self._scene, self._meta = scene, scene.meta
        self._backend = choose_backend(options.backend).backend
        self._gop = scene.decode_gop(options.gop, scene.qualities[-1], self._backend.device)
        self._settings = QualitySettings(frames_per_gop=QualitySettings.static_frames_per_gop)
        self._meter = QualityMeter(self._gop, self._meta, self._backend, self._settings)
        self._static = concatenate(list(_decoded(scene)))

    def as_it_is(self) -> Split:
        errors = static_layer_errors(self._scene, self._gop, self._backend, self._settings)
        sizes = [layer.file.size_bytes for layer in self._scene.manifest.static]
        return Split("as it is", sizes, [psnr_of_error(error) for error in errors])

    def divided(self, count: int, growth: float) -> Split:
        settings = replace(StaticLayerSettings(), layers=count, growth=growth)
        coded = [_code(p, self._meta) for p in divide_static(self._static, self._meta, settings)]
        prefixes = accumulate((g for _, g in coded), _join, initial=Gaussians.empty())
        shown = [self._meter.quality_db(self._with(prefix)) for prefix in prefixes]
        return Split(f"{count}, growth {growth:g}", [size for size, _ in coded], shown)

    def _with(self, static: Gaussians) -> Gop:
        return replace(self._gop, static=static.to(self._backend.device))


def _decoded(scene: Scene) -> Iterator[CanonicalGaussians]:
    for k, e in enumerate(scene.manifest.static):
        data = scene.fetch_static(k)
        codes = decode_attribute_images(data, e.bits, e.count, e.height, e.width, e.file.name)
        yield decode_layer(codes, e.quantisers)


def _join(before: Gaussians, layer: Gaussians) -> Gaussians:
    return Gaussians.concatenate([before, layer])


def _code(part: StaticLayer, meta: SceneMeta) -> tuple[int, Gaussians]:
    """Bytes of a layer, and what is decoded of it."""
    config, grid = EncoderConfig(), grid_shape(len(part.gaussians))
    order = grid_order(sorting_values(part.gaussians), *grid, True, config.seed)
    values = attributes(part.gaussians[order])
    quantisers = quantisers_for(values, config.static_bits, tuple(meta.center), part.unit)
    codes = encode_layer(values, quantisers)
    depths = {name: quantiser.bits for name, quantiser in quantisers.items()}
    data = encode_attribute_images(codes, depths, *grid, config.jxl_effort)
    return len(data), decode_layer(codes, quantisers).activate()


def main(options: Options) -> None:
    console = Console(width=200)
    with open_scene(options.scene) as scene, torch.no_grad():
        measurement = Measurement(scene, options)
        splits = [measurement.as_it_is()]
        splits += [measurement.divided(count, growth) for count, growth in options.splits]
    table = Table(box=box.MARKDOWN)
    for heading in ("layers", "kB of each", "dB with none, one, two ...", "all, kB"):
        table.add_column(heading)
    for split in splits:
        sizes = ", ".join(f"{size / 1000:.0f}" for size in split.layer_bytes)
        shown = ", ".join(f"{db:.1f}" for db in split.prefix_db)
        table.add_row(split.name, sizes, shown, f"{sum(split.layer_bytes) / 1000:.0f}")
    console.print(table)


if __name__ == "__main__":
    main(tyro.cli(Options))
