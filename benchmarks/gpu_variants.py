"""Times other settings of gsplat and of the deformation kernel on a CUDA device.

    python -m benchmarks.gpu_variants

Each row of gsplat is an image of the bundled scene, waited for, with its PSNR against the settings
that the player uses. Each row of the kernel has its largest error against the torch module in
double precision, among Gaussians that can be seen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
import tyro
from rich.console import Console
from rich.table import Table
from streamstgs.app.player.camera.path import OrbitPath
from streamstgs.cli.open import bundled_scene
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.renderer import Camera, Gaussians, Gop
from streamstgs.renderer.backends.gsplat_cuda import require_gsplat
from streamstgs.renderer.settings import ALPHA_MIN, DILATION_PX2
from torch import Tensor

from benchmarks.gpu_tick import made_up_gop, summary

BASE: dict[str, Any] = {"packed": False, "eps2d": DILATION_PX2, "rasterize_mode": "antialiased"}
GSPLAT: dict[str, dict[str, Any]] = {
    "as the player": {},
    "packed": {"packed": True},
    "radius_clip 0.5 px": {"radius_clip": 0.5},
    "radius_clip 1 px": {"radius_clip": 1.0},
    "radius_clip 2 px": {"radius_clip": 2.0},
    "tiles of 8 px": {"tile_size": 8},
    "tiles of 32 px": {"tile_size": 32},
    "segmented sort": {"segmented": True},
    "float16 colors": {"dtype": torch.float16},
    "not antialiased": {"rasterize_mode": "classic"},
    "only what is in view": {"select": True},
}
KERNEL = [
    (precision, block, warps)
    for precision in ("tf32x3", "bf16x3", "tf32", "ieee")
    for block, warps in ((32, 4), (64, 4), (128, 8))
    if precision != "ieee" or block == 64
]


@dataclass(frozen=True)
class Options:
    """Settings of the benchmark.

    Args:
        images: Number of times that each variant is run.
        part: What is timed: "gsplat", "kernel" or "all".
    """

    images: int = 100
    part: str = "all"


@torch.no_grad()
def main(options: Options) -> None:
    require_gsplat()
    with open_scene(bundled_scene()) as scene:
        if options.part in ("gsplat", "all"):
            for size in ((1352, 1014), (3840, 2160)):
                _print_gsplat(scene, size, options.images)
        if options.part in ("kernel", "all"):
            gop = scene.decode_gop(0, scene.qualities[-1], "cuda")
            _print_kernel("bundled scene", gop, options.images)
            gop, _ = made_up_gop(200_000, 150_000, torch.device("cuda"))
            _print_kernel("150,000 moving", gop, options.images)


def _print_gsplat(scene: Scene, size: tuple[int, int], images: int) -> None:
    frozen = scene.decode_gop(0, scene.qualities[-1], "cuda").gaussians_at(0)
    path = OrbitPath.of(scene.meta, scene.duration_s)
    cameras = [path.camera_at(k / 24.0, *size) for k in range(images)]
    table = Table(title=f"gsplat, {size[0]}x{size[1]}", title_justify="left")
    for column in ("variant", "ms p50", "p99", "PSNR dB"):
        table.add_column(column)
    expected = _draw(frozen, cameras[0], {})
    for name, variant in GSPLAT.items():
        try:
            times = _timed(lambda k, v=variant: _draw(frozen, cameras[k], v), images)
            error = (_draw(frozen, cameras[0], variant).clamp(0, 1) - expected.clamp(0, 1)).square()
            psnr = -10 * math.log10(max(float(error.mean()), 1e-12))
            table.add_row(name, f"{times['p50']:.3f}", f"{times['p99']:.3f}", f"{psnr:.1f}")
        except Exception as error:  # what a variant cannot do is a finding
            table.add_row(name, "-", "-", f"{type(error).__name__}: {error}"[:70])
    Console(width=120).print(table)


def _draw(gaussians: Gaussians, camera: Camera, variant: dict[str, Any]) -> Tensor:
    from gsplat import rasterization

    settings = {**BASE, **variant}
    dtype = settings.pop("dtype", torch.float32)
    if settings.pop("select", False):
        gaussians = gaussians[_in_view(gaussians.means, camera)]
    device = gaussians.means.device
    pictures, _, _ = rasterization(
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        gaussians.opacities,
        gaussians.colors.to(dtype),
        camera.viewmat[None].to(device, non_blocking=True),
        camera.K[None].to(device, non_blocking=True),
        camera.width,
        camera.height,
        **settings,
    )
    return pictures[0].float()


def _in_view(means: Tensor, camera: Camera) -> Tensor:
    """[K] Gaussians whose centres are in the picture or within a fifth of it beside it."""
    device = means.device
    seen = means @ camera.viewmat[:3, :3].T.to(device) + camera.viewmat[:3, 3].to(device)
    at = seen[:, :2] / seen[:, 2:].clamp(min=1e-3)
    reach = 1.2 * torch.tensor([camera.width / camera.K[0, 0], camera.height / camera.K[1, 1]]) / 2
    inside = (at.abs() < reach.to(device)).all(dim=1)
    return (inside & (seen[:, 2] > 0)).nonzero()[:, 0]


def _print_kernel(name: str, gop: Gop, runs: int) -> None:
    from streamstgs.renderer.fused.field import FusedField

    table = Table(title=f"deformation kernel, {name}", title_justify="left")
    for column in ("variant", "ms p50", "p99", "back to back", "error", "compiled in s"):
        table.add_column(column)
    exact = _exact(gop, 2.5)
    times = _timed(lambda k: gop.dynamic_at(k % gop.frames), runs)
    error = _error(gop.dynamic_at(2.5), exact)
    table.add_row("torch", f"{times['p50']:.3f}", f"{times['p99']:.3f}", "-", f"{error:.1e}", "-")
    for precision, block, warps in KERNEL:
        label = f"{precision}, {block} Gaussians, {warps} warps"
        try:
            start_s = time.perf_counter()
            field = FusedField(gop, precision, block, warps)
            moved = field.gaussians_at(2.5)[len(gop.static) :]
            error = _error(moved, exact)
            compiled_s = time.perf_counter() - start_s
            times = _timed(lambda k, f=field: f.gaussians_at(k % gop.frames), runs)
            alone = _back_to_back(lambda k, f=field: f.gaussians_at(k % gop.frames), runs)
            row = (times["p50"], times["p99"], alone)
            cells = (f"{ms:.3f}" for ms in row)
            table.add_row(label, *cells, f"{error:.1e}", f"{compiled_s:.1f}")
        except Exception as error:  # what a variant cannot do is a finding
            table.add_row(label, "-", "-", "-", "-", f"{type(error).__name__}: {error}"[:60])
    Console(width=120).print(table)


def _exact(gop: Gop, frame: float) -> Gaussians:
    """The moving Gaussians in double precision."""
    return replace(
        gop,
        canonical=gop.canonical.map(Tensor.double),
        feature_offset=gop.feature_offset.double(),
        feature_step=gop.feature_step.double(),
        field=deepcopy(gop.field).double(),
    ).dynamic_at(frame)


def _error(found: Gaussians, exact: Gaussians) -> float:
    seen = exact.opacities >= ALPHA_MIN
    pairs = zip(found.tensors().values(), exact.tensors().values(), strict=True)
    return max(float((one - other)[seen].abs().max()) for one, other in pairs)


def _timed(work: Callable[[int], Any], count: int) -> dict[str, float]:
    """Times of runs that are waited for, after some to warm up."""
    times = []
    for k in range(count):
        torch.cuda.synchronize()
        start_s = time.perf_counter()
        work(k)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start_s)
    return summary(times[count // 5 :])


def _back_to_back(work: Callable[[int], Any], count: int) -> float:
    """Milliseconds of a run among many that follow each other without waiting."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for k in range(count):
        work(k)
    end.record()
    torch.cuda.synchronize()
    return float(start.elapsed_time(end)) / count


if __name__ == "__main__":
    main(tyro.cli(Options))
