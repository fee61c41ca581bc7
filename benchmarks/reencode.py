"""Encodes a package again, as if its decoded best quality were a trained scene.

    python -m benchmarks.reencode assets/tokyo.stgs again.stgs --encoder.lowest-mbps 0.8

Prints what each quality has and costs, and the PSNR of its pictures against those of the package,
with the static layers that suit the quality. No training is needed, so that settings of the
encoder can be compared; the features were coded once before, so that they cost more bytes than
those of a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from streamstgs.codec.attributes.attribute_images import decode_attribute_images
from streamstgs.codec.attributes.layers import concatenate, decode_layer
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.renderer import CanonicalGaussians


@dataclass(frozen=True)
class Options:
    """What to encode, and how.

    Args:
        scene: a package.
        output: the package to write.
        gops: number of GOPs to take, from the first; 0 for all.
        encoder: settings of the encoder.
    """

    scene: tyro.conf.Positional[Path]
    output: tyro.conf.Positional[Path]
    gops: int = 0
    encoder: EncoderConfig = EncoderConfig()  # noqa: RUF009 (frozen)


class DecodedScene:
    """A package as a `codec.encoder.source.SceneSource`."""

    def __init__(self, scene: Scene, gops: int) -> None:
        self._scene = scene
        self.meta: SceneMeta = scene.meta
        self.gop_count = min(gops or scene.gop_count, scene.gop_count)

    @property
    def static(self) -> CanonicalGaussians:
        layers = []
        for k, entry in enumerate(self._scene.manifest.static):
            data, shape = self._scene.fetch_static(k), (entry.count, entry.height, entry.width)
            codes = decode_attribute_images(data, entry.bits, *shape, entry.file.name)
            layers.append(decode_layer(codes, entry.quantisers))
        return concatenate(layers)

    def gop(self, index: int) -> TrainedGop:
        gop = self._scene.decode_gop(index, self._scene.qualities[-1])
        features = gop.features.float() * gop.feature_step + gop.feature_offset
        return TrainedGop(gop.canonical, features, gop.field, gop.frames)


def main(options: Options) -> None:
    torch.set_num_threads(1)
    with open_scene(options.scene) as scene:
        encode_scene(DecodedScene(scene, options.gops), options.output, options.encoder, print_step)
    with open_scene(options.output) as made:
        Console(width=160).print(table_of(made))


def print_step(what: str, share: float) -> None:
    print(f"{share:4.0%} {what}", flush=True)


def table_of(scene: Scene) -> Table:
    """What each quality of a package has and costs."""
    parts = ("static", "keyframes", "fields", "features")
    columns = [f"{part}, kB a frame" for part in parts]
    table = Table("QP", "static", "moving", "Mbit/s", *columns, "PSNR, dB", box=box.MARKDOWN)
    manifest = scene.manifest
    for place, quality in enumerate(reversed(scene.qualities)):
        sizes = scene.bytes_per_frame(quality)
        table.add_row(
            str(quality.qp),
            f"{sum(layer.count for layer in manifest.static_of(place)):,}",
            f"{sum(gop.moving_count(place) for gop in manifest.gops) / len(manifest.gops):,.0f}",
            f"{quality.bitrate_bps / 1e6:.2f}",
            *(f"{sizes[part] / 1000:.2f}" for part in parts),
            "" if quality.psnr_db is None else f"{quality.psnr_db:.2f}",
        )
    return table


if __name__ == "__main__":
    main(tyro.cli(Options))
