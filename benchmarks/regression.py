"""Checks that drawing on the processor has not become slower; continuous integration runs it.

    python -m benchmarks.regression

A fixed loop, which runs no code of the renderer, is timed in turn with the stages, in one thread.
A stage is judged by its processor time over that of the loop: neither the clock rate of the machine
nor other programs change this ratio much. Ends with status 1 if a ratio is above its limit, which
is 1.3 times the largest ratio that was measured.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from llvmlite import binding
from numba import config, njit
from streamstgs.renderer import DeformationField, FieldConfig, Gaussians, Gop, RenderSettings
from streamstgs.renderer.backends.cpu.backend import CpuBackend, CpuSettings
from streamstgs.renderer.field_inference import GopDeformer
from streamstgs.renderer.thread_pool import ThreadPool
from streamstgs.renderer.trajectories import Trajectories

from benchmarks.made_up_scene import made_up_scene
from benchmarks.rasterize import Options as CloudOptions
from benchmarks.rasterize import made_up_cloud, orbit_camera

WIDTH, HEIGHT = 640, 360
MOVING, FRAMES = 10_000, 8
ALIKE = 32  # neighbours in the grid whose features are nearly the same
Ratios = dict[str, float]  # by stage
LIMITS: dict[str, Ratios] = {  # by vector instructions; other processors get the first ones
    "AVX-512": {"rasterise": 8.6, "deform": 3.6, "deform, trajectories": 6.4},
    "AVX2": {"rasterise": 7.4, "deform": 2.9, "deform, trajectories": 5.0},
}
WARM_UP_ROUNDS = 3  # they compile and fill the caches


@dataclass(frozen=True)
class Options:
    """How much is measured.

    Args:
        rounds: Times that each stage is timed.
        json: File for the figures; they are printed as well.
    """

    rounds: int = 25
    json: Path | None = None


def main(options: Options) -> int:
    vectors = vector_instructions()
    limits, found = LIMITS[vectors], ratios(options.rounds)
    for name, ratio in found.items():
        print(f"{name}: {ratio:.2f} times the fixed loop; limit {limits[name]:.2f} ({vectors})")
    if options.json:
        figures = {"vectors": vectors, "ratios": found, "limits": limits}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    slow = too_slow(found, limits)
    for name in slow:
        print(f"{name} has become slower: {found[name]:.2f} is above {limits[name]:.2f}.")
    return int(bool(slow))


def too_slow(found: Ratios, limits: Ratios) -> list[str]:
    """The stages whose ratio is above its limit."""
    return [name for name, limit in limits.items() if not found[name] <= limit]


def vector_instructions() -> str:
    """The key of LIMITS for the processor that numba compiles for."""
    features = config.CPU_FEATURES or binding.get_host_cpu_features().flatten()
    has = set(features.split(","))
    return "AVX2" if "+avx2" in has and "+avx512f" not in has else "AVX-512"


def ratios(rounds: int) -> Ratios:
    """Median over the rounds of the processor time of each stage over that of the fixed loop."""
    torch.set_num_threads(1)
    stages = _stages()
    numbers, sums = np.linspace(-1, 1, 4096, dtype=np.float32), np.zeros(4096, np.float32)
    found: dict[str, list[float]] = {name: [] for name in stages}
    for number in range(-WARM_UP_ROUNDS, rounds):
        for name, work in stages.items():
            before_s = _processor_s(lambda: _fixed_loop(numbers, sums))
            work_s = _processor_s(lambda: work(number))  # noqa: B023 (called at once)
            after_s = _processor_s(lambda: _fixed_loop(numbers, sums))
            if number >= 0:
                found[name].append(2 * work_s / (before_s + after_s))
    return {name: statistics.median(values) for name, values in found.items()}


def _stages() -> dict[str, Callable[[int], object]]:
    backend = CpuBackend(CpuSettings(threads=1))
    cloud = made_up_cloud(CloudOptions(gaussians=60_000), HEIGHT)
    pool = ThreadPool(1, "deform")
    straight, curved = (GopDeformer(_gop(paths), pool) for paths in (False, True))

    def rasterise(number: int) -> Any:
        camera = orbit_camera(0.01 * number, WIDTH, HEIGHT)
        return backend.render_rgb8(cloud, camera, RenderSettings())

    return {
        "rasterise": rasterise,
        "deform": lambda number: straight.gaussians_at(number % FRAMES),
        "deform, trajectories": lambda number: curved.gaussians_at(number % FRAMES),
    }


def _gop(trajectories: bool) -> Gop:
    """A GOP of the usual shape, whose neighbours have similar features as in a sorted grid."""
    torch.manual_seed(0)
    shape = FieldConfig()
    field = DeformationField(shape).eval()
    for head in field.heads.values():
        torch.nn.init.normal_(head[-1].weight, std=0.01)
    canonical = made_up_scene(MOVING).static
    if trajectories:
        canonical = canonical.map(lambda t: t.repeat(4, *(1 for _ in t.shape[1:])))
        centers, extents = torch.rand(4 * MOVING), torch.full((4 * MOVING,), 0.05).log()
        paths = Trajectories(torch.randn(4 * MOVING, 3), centers, extents)
        canonical = type(canonical).of_tensors(canonical.tensors() | vars(paths))
    count, frames = len(canonical), FRAMES + shape.window - 1
    codes = torch.randint(0, 250, (frames, -(-count // ALIKE), shape.features))
    codes = codes.repeat_interleave(ALIKE, dim=1)[:, :count]
    codes += torch.randint(0, 5, codes.shape)
    return Gop(
        static=Gaussians.empty(),
        canonical=canonical,
        features=codes.to(torch.uint8),
        feature_offset=torch.full((shape.features,), -2.0),
        feature_step=torch.full((shape.features,), 4.0 / 255),
        field=field,
        frames=FRAMES,
    )


@njit(fastmath=True, nogil=True, error_model="numpy")
def _fixed_loop(numbers: Any, sums: Any) -> None:
    """A polynomial of degree 15, again and again over numbers in the first cache."""
    for _ in range(1600):
        for i in range(len(numbers)):
            x, total = numbers[i], np.float32(1)
            for k in range(15):
                total = total * x + np.float32(1.0) / np.float32(k + 1)
            sums[i] += total


def _processor_s(work: Callable[[], object]) -> float:
    start_s = time.thread_time()
    work()
    return time.thread_time() - start_s


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
