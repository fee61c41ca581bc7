"""Measures the speed of the backends on a synthetic cloud of Gaussians.

    python -m benchmarks.rasterize --gaussians 60000 --size 640x360 --backends cpu reference

The camera moves a little between images. The table has the median over `--pictures` images of the
elapsed time, and of the processor time of all threads, which other programs disturb less.
"""

from __future__ import annotations

import math
import platform
import statistics
import time
from dataclasses import dataclass

import torch
import tyro
from rich.console import Console
from rich.table import Table
from streamstgs.renderer import BackendUnavailable, Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends import choose_backend
from streamstgs.renderer.backends.base import Backend


@dataclass(frozen=True)
class Options:
    """Settings of the benchmark.

    Args:
        gaussians: Number of Gaussians in the cloud.
        size: Size of the picture as WIDTHxHEIGHT in px.
        splat_px: Median standard deviation of a splat in the picture, in px.
        sh_degree: Degree of spherical harmonics, 0 to 3; -1 for plain colours.
        backends: Names of the backends to time.
        pictures: Number of pictures that are timed.
    """

    gaussians: int = 60_000
    size: str = "640x360"
    splat_px: float = 2.0
    sh_degree: int = -1
    backends: tuple[str, ...] = ("cpu",)
    pictures: int = 30


def main(options: Options) -> None:
    width, height = (int(side) for side in options.size.split("x"))
    table = Table("backend", "ms", "worst ms", "processor ms", "reason", title=_title(options))
    for name in options.backends:
        try:
            choice = choose_backend(name)
        except BackendUnavailable as reason:
            table.add_row(name, "-", "-", "-", str(reason))
            continue
        cloud = made_up_cloud(options, height).to(choice.backend.device)
        times = time_backend(choice.backend, cloud, width, height, options.pictures)
        clock_ms, processor_ms = zip(*times, strict=True)
        figures = (statistics.median(clock_ms), max(clock_ms), statistics.median(processor_ms))
        table.add_row(name, *(f"{figure:.2f}" for figure in figures), choice.reason)
    Console().print(table)


def time_backend(
    backend: Backend, cloud: Gaussians, width: int, height: int, pictures: int
) -> list[tuple[float, float]]:
    """(elapsed, processor) ms of each picture until the device is done, after two to warm up."""
    times_ms = []
    for picture in range(-2, pictures):
        camera = orbit_camera(0.01 * picture, width, height)
        clock_s, processor_s = time.perf_counter(), time.process_time()
        backend.render(cloud, camera, RenderSettings())
        if backend.device.type == "cuda":
            torch.cuda.synchronize()
        times_ms.append(
            (1e3 * (time.perf_counter() - clock_s), 1e3 * (time.process_time() - processor_s))
        )
    return times_ms[2:]


def made_up_cloud(options: Options, height: int) -> Gaussians:
    """Splats of log-normal size in a flat box that fills the picture of `orbit_camera`."""
    random = torch.Generator().manual_seed(0)
    count = options.gaussians
    pixel = 2 * math.tan(0.35) * 4.0 / height  # world units of a pixel at the box
    sizes = torch.exp(0.6 * torch.randn(count, 1, generator=random)) * options.splat_px * pixel
    return Gaussians(
        means=(torch.rand(count, 3, generator=random) * 2 - 1) * torch.tensor([2.6, 1.5, 0.7]),
        quats=torch.nn.functional.normalize(torch.randn(count, 4, generator=random), dim=-1),
        scales=sizes * torch.exp(0.4 * torch.randn(count, 3, generator=random)),
        opacities=torch.rand(count, generator=random) * 0.95 + 0.05,
        colors=torch.rand(count, 3, generator=random),
        sh=made_up_sh(count, options.sh_degree, random),
    )


def made_up_sh(count: int, degree: int, random: torch.Generator) -> torch.Tensor | None:
    """[N, K, 3] random spherical harmonics; None for degree -1."""
    if degree < 0:
        return None
    return 0.3 * torch.randn(count, (degree + 1) ** 2, 3, generator=random)


def orbit_camera(angle_rad: float, width: int, height: int) -> Camera:
    position = torch.tensor([4.0 * math.sin(angle_rad), 0.0, -4.0 * math.cos(angle_rad)])
    return Camera.look_at(
        position, torch.zeros(3), torch.tensor([0.0, -1.0, 0.0]), 0.7, width, height
    )


def _title(options: Options) -> str:
    machine = (
        torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or "CPU"
    )
    sh = f"spherical harmonics of degree {options.sh_degree}, " if options.sh_degree >= 0 else ""
    drawn = f"{options.gaussians} Gaussians, {sh}{options.size}"
    return f"{drawn}, {machine}, torch {torch.__version__}"


if __name__ == "__main__":
    main(tyro.cli(Options))
