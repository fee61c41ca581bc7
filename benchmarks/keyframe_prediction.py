"""Estimates the bytes that predicting a keyframe from the previous GOP could save.

    python -m benchmarks.keyframe_prediction assets/tokyo.stgs

Predicts each moving Gaussian of a GOP from one of the previous GOP: from that in the same place of
the grid, or from the nearest in all attributes, each relative to its spread. Differences of codes
are compressed as the codes themselves would be. The index of the nearest Gaussian would have to be
sent, too; it is not counted, so the bytes are a lower bound. The table also has the distance of the
nearest relative to the nearest neighbour in the same GOP.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from streamstgs.codec.attributes.attribute_images import encode_attribute_images
from streamstgs.codec.attributes.layers import attributes
from streamstgs.codec.encoder.config import AttributeBits, EncoderConfig
from streamstgs.codec.encoder.grid_sorting import grid_shape
from streamstgs.codec.encoder.layer_encoding import encode_layer, quantisers_for
from streamstgs.codec.scene import open_scene
from torch import Tensor

BLOCK = 2048  # Gaussians that are compared with all others at a time


@dataclass(frozen=True)
class Options:
    """What to measure.

    Args:
        scene: an encoded scene of two GOPs or more.
    """

    scene: tyro.conf.Positional[str]


def main(options: Options) -> None:
    bits = asdict(EncoderConfig().moving_bits)
    table = Table("GOP", "plain, bytes", "from the same place", "from the nearest",
                  "its distance", box=box.MARKDOWN)  # fmt: skip
    with open_scene(options.scene) as scene:
        gops = [scene.decode_gop(k, scene.qualities[0]).canonical for k in range(scene.gop_count)]
        center, radius = scene.meta.center, scene.meta.radius
    for index, (before, now) in enumerate(pairwise(gops), start=1):
        count = min(len(before), len(now))
        values = attributes(now[torch.arange(count)]), attributes(before[torch.arange(count)])
        spanned = {name: torch.cat([v[name] for v in values]) for name in values[0]}
        quantisers = quantisers_for(spanned, AttributeBits(**bits), center, radius)
        codes, known = (encode_layer(v, quantisers) for v in values)
        nearest, distance = nearest_in(*reversed(values))
        guesses = None, known, {name: c[nearest.numpy()] for name, c in known.items()}
        sizes = [len(compressed(codes, guess, bits)) for guess in guesses]
        table.add_row(str(index), *(f"{s:,}" for s in sizes), f"{distance:.1f}")
    Console(width=120).print(table)


def nearest_in(before: dict[str, Tensor], now: dict[str, Tensor]) -> tuple[Tensor, float]:
    """[N] the nearest before of each Gaussian, and the median of how far it is, in distances to
    the nearest neighbour of its own GOP."""
    spread = {name: v.std(dim=0).clamp(min=1e-6) for name, v in now.items()}
    old, new = (torch.cat([v[n] / spread[n] for n in v], dim=1) for v in (before, now))
    found, ratios = [], []
    for rows in torch.arange(len(new)).split(BLOCK):
        far = torch.cdist(new[rows], old).min(dim=1)
        own = torch.cdist(new[rows], new)
        own[torch.arange(len(rows)), rows] = torch.inf
        found.append(far.indices)
        ratios.append(far.values / own.min(dim=1).values.clamp(min=1e-6))
    return torch.cat(found), torch.cat(ratios).median().item()


def compressed(
    codes: dict[str, np.ndarray], guess: dict[str, np.ndarray] | None, bits: dict[str, int]
) -> bytes:
    """Planes of the codes, or of their differences to a guess modulo the range, 0 in its middle."""
    if guess is not None:
        codes = {name: difference(c, guess[name], bits[name]) for name, c in codes.items()}
    count = len(next(iter(codes.values())))
    return encode_attribute_images(codes, bits, *grid_shape(count), EncoderConfig().jxl_effort)


def difference(codes: np.ndarray, guess: np.ndarray, bits: int) -> np.ndarray:
    half = 1 << (bits - 1)
    return ((codes.astype(np.int32) - guess + half) % (2 * half)).astype(codes.dtype)


if __name__ == "__main__":
    main(tyro.cli(Options))
