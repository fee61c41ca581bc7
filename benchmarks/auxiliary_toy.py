"""Trains a toy scene with and without the auxiliary pass, and with variants of it.

    python -m benchmarks.auxiliary_toy --steps 300 --seeds 2

A dozen blobs circle and change their colours; canonical Gaussians start where the blobs are in the
middle of the GOP, so that the field has to learn all of the motion. Prints, for each variant, the
PSNR of cameras that training does not see, and how far f' is from f.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace

import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig, codes_of_all_times
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.optimization.losses import psnr
from streamstgs.trainer.optimization.rasterizer import rasterize
from streamstgs.trainer.rng import Rng

BACKGROUND = (0.2, 0.4, 0.6)
BLOBS, FRAMES, CAMERAS = 12, 8, 6
BASE = AuxiliaryConfig(batch_size=BLOBS, width=32, heads=4, two_way=False)
VARIANTS = {
    "off": replace(BASE, enabled=False),
    "as it was": BASE,
    "bound 0.5": replace(BASE, residual_bound=0.5),
    "heads from L_c alone": replace(BASE, trains_heads=False),
    "L_sd two-way": replace(BASE, two_way=True),
    "L_sd weight 1": replace(BASE, distillation_weight=1.0),
    "bound 0.5, heads from L_c alone": replace(BASE, residual_bound=0.5, trains_heads=False),
    "same, from the middle": replace(BASE, residual_bound=0.5, trains_heads=False, start=0.5),
}


@dataclass(frozen=True)
class Options:
    """What to train.

    Args:
        steps: iterations of each training.
        seeds: trainings of each variant; figures are their medians.
        variants: names, or their beginnings; none means all.
    """

    steps: int = 300
    seeds: int = 2
    variants: tuple[str, ...] = ()


def main(options: Options) -> None:
    torch.set_num_threads(1)
    table = Table("variant", "held-out PSNR, dB", "f' - f", "size of f", box=box.MARKDOWN)
    for name, auxiliary in VARIANTS.items():
        if options.variants and not name.startswith(options.variants):
            continue
        runs = [trained(auxiliary, options.steps, seed) for seed in range(options.seeds)]
        found = [statistics.median(figures) for figures in zip(*runs, strict=True)]
        print(name, *(f"{figure:.3f}" for figure in found), flush=True)
        table.add_row(name, *(f"{figure:.3f}" for figure in found))
    Console(width=120).print(table)


def trained(auxiliary: AuxiliaryConfig, steps: int, seed: int) -> tuple[float, float, float]:
    """Held-out PSNR in dB, mean |f' - f| and mean |f| after training."""
    config = GopConfig(
        iterations=steps, features=4, width=32, window=3, trajectories=False, feature_noise=0.0,
        opacity_reg=0.0, auxiliary=auxiliary,
    )  # fmt: skip
    cameras = ring(CAMERAS)
    views = recorded(cameras[1:])
    start = GopStart(blobs(FRAMES // 2), torch.zeros(BLOBS, FRAMES + 2, config.features))
    rng = Rng(seed, torch.device("cpu"))
    with torch.no_grad():
        start.features.add_(0.02 * rng.normal(*start.features.shape))
    training = GopTraining(start, Gaussians.empty(), views, 2.0, config, rng)
    training.density.step = lambda *_: None  # type: ignore[method-assign]
    while training.iteration < steps:
        training.step()
    return held_out_psnr(training, cameras[0]), *drift(training)


@torch.no_grad()
def held_out_psnr(training: GopTraining, camera: Camera) -> float:
    """Mean over all frames, dB."""
    settings, found = RenderSettings(BACKGROUND), []
    for frame in range(FRAMES):
        picture, _ = rasterize(training.gaussians_at(frame), [camera], settings)
        target, _ = rasterize(blobs(frame).activate(), [camera], settings)
        found.append(psnr(picture.clamp(0, 1), target).item())
    return statistics.mean(found)


@torch.no_grad()
def drift(training: GopTraining) -> tuple[float, float]:
    """Mean |f' - f| and mean |f|."""
    codes = codes_of_all_times(training.field, training.parameters["features"].clamp(-1, 1))
    if training.auxiliary is None:
        return 0.0, codes.abs().mean().item()
    teacher = training.auxiliary.transformer(codes, training.parameters["means"])
    return (teacher - codes).abs().mean().item(), codes.abs().mean().item()


def blobs(frame: int) -> CanonicalGaussians:
    """The true scene at a frame."""
    random = torch.Generator().manual_seed(3)
    turn = 2 * math.pi * (torch.rand(BLOBS, generator=random) + 0.5 * frame / FRAMES)
    radius = 0.4 + 0.5 * torch.rand(BLOBS, generator=random)
    level = torch.rand(BLOBS, generator=random) - 0.5
    means = torch.stack([radius * turn.cos(), radius * turn.sin(), level], dim=1)
    shift = 0.25 * math.sin(2 * math.pi * frame / FRAMES)
    return CanonicalGaussians(
        means=means,
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(BLOBS, 1),
        log_scales=torch.full((BLOBS, 3), math.log(0.16)),
        opacity_logits=torch.full((BLOBS,), 2.0),
        colors=(torch.rand(BLOBS, 3, generator=random) + shift).clamp(0, 1),
    )


def ring(count: int) -> list[Camera]:
    up, angles = torch.tensor([0.0, 0.0, 1.0]), [2 * math.pi * k / count for k in range(count)]
    positions = [torch.tensor([4 * math.cos(a), 4 * math.sin(a), 1.5]) for a in angles]
    return [Camera.look_at(p, torch.zeros(3), up, 0.7, 32, 24) for p in positions]


def recorded(cameras: list[Camera]) -> GopViews:
    """What the training cameras see."""
    settings = RenderSettings(BACKGROUND)
    pictures = [rasterize(blobs(k).activate(), cameras, settings)[0] for k in range(FRAMES)]
    frames = [torch.stack([p[c] for p in pictures]).mul(255).round().byte()
              for c in range(len(cameras))]  # fmt: skip
    masks = [torch.ones(f.shape[1:3], dtype=torch.bool) for f in frames]
    return GopViews(cameras, frames, masks, BACKGROUND, near=0.1)


if __name__ == "__main__":
    main(tyro.cli(Options))
