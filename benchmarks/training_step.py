"""Measures the time of one training step, stage by stage and part by part, on a synthetic scene.

    python -m benchmarks.training_step --size 1280x720 --profile

Prints ms per step of the coarse and of the fine stage, ms of each part with its gradient alone, and
SSIM with different ways to blur. `--profile` also prints where a step of each stage spends its
time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import tyro
from rich.console import Console
from rich.table import Table
from streamstgs.codec.encoder.grid_sorting import grid_shape
from streamstgs.renderer import Camera, CanonicalGaussians, RenderSettings
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig, add_sgld_noise
from streamstgs.trainer.coarse.stage import CoarseTraining, SceneGeometry, train_coarse
from streamstgs.trainer.coarse.training_views import FrameViews
from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig, codes_of_all_times
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.optimization import structural_similarity
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters, LearningRates
from streamstgs.trainer.optimization.losses import attribute_loss, ssim, temporal_loss
from streamstgs.trainer.optimization.rasterizer import rasterize
from streamstgs.trainer.optimization.structural_similarity import gaussian_kernel
from streamstgs.trainer.rng import Rng
from torch import Tensor
from torch.nn.functional import conv2d
from torch.profiler import ProfilerActivity, profile

WARM_UP = 10
BACKGROUND = (0.5, 0.6, 0.7)


@dataclass(frozen=True)
class Options:
    """What to train on.

    Args:
        size: pictures as WIDTHxHEIGHT in px.
        cameras, frames: of the made-up GOP; they are held on the device.
        static, moving: Gaussians.
        steps: timed, after a few to warm up.
        device: torch device; "auto" takes the first CUDA device, else the CPU.
        profile: show the 15 operations of each stage that take most of the time.
    """

    size: str = "1280x720"
    cameras: int = 8
    frames: int = 60
    static: int = 60_000
    moving: int = 16_384
    steps: int = 100
    device: str = "auto"
    profile: bool = False


def main(options: Options) -> None:
    device = torch.device(options.device if options.device != "auto" else _best_device())
    scene = MadeUpScene(options, device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    title = f"{options.size}, {options.static} + {options.moving} Gaussians, {name}, torch "
    console = Console(width=150)
    for heading, rows in (
        ("steps", step_times(scene)),
        ("parts, with their gradients", part_times(scene)),
        ("SSIM of two pictures by its blur", ssim_times(scene)),
    ):
        table = Table(heading, "ms", title=title + torch.__version__)
        for label, ms in rows:
            table.add_row(label, f"{ms:.2f}")
        console.print(table)
    if options.profile:
        step = scene.training().step
        print_profile("coarse stage", lambda steps: coarse_stage(scene, steps), device)
        print_profile("fine stage", lambda steps: [step() for _ in range(steps)], device)


class MadeUpScene:
    """Random Gaussians in a box, random pictures from a ring of cameras."""

    def __init__(self, options: Options, device: torch.device) -> None:
        self.options, self.device = options, device
        self.width, self.height = (int(side) for side in options.size.split("x"))
        self.rng = Rng(0, device)
        self.cameras = [self._camera(k) for k in range(options.cameras)]
        self.frames = [
            (self.rng.uniform(options.frames, self.height, self.width, 3) * 255).byte()
            for _ in self.cameras
        ]
        self.static = self.cloud(options.static)

    def _camera(self, number: int) -> Camera:
        angle = 2 * math.pi * number / self.options.cameras
        eye = torch.tensor([4 * math.sin(angle), 0.5, -4 * math.cos(angle)])
        up = torch.tensor([0.0, -1.0, 0.0])
        camera = Camera.look_at(eye, torch.zeros(3), up, 0.7, self.width, self.height)
        there = {"viewmat": camera.viewmat.to(self.device), "K": camera.K.to(self.device)}
        return replace(camera, **there)

    def cloud(self, count: int) -> CanonicalGaussians:
        """Splats of about three pixels."""
        pixel = 2 * math.tan(0.35) * 4 / self.height
        return CanonicalGaussians(
            means=(self.rng.uniform(count, 3) - 0.5) * 3,
            quats=self.rng.normal(count, 4),
            log_scales=math.log(3 * pixel) + 0.4 * self.rng.normal(count, 3),
            opacity_logits=self.rng.normal(count),
            colors=self.rng.uniform(count, 3),
        )

    def training_views(self) -> GopViews:
        mask = torch.zeros(self.height, self.width, dtype=torch.bool, device=self.device)
        mask[self.height // 4 : -self.height // 4, self.width // 4 : -self.width // 4] = True
        return GopViews(self.cameras, self.frames, [mask] * len(self.cameras), BACKGROUND, 0.1)

    def training(self, **changes: object) -> GopTraining:
        config = replace(GopConfig(), **changes)  # type: ignore[arg-type]
        count, frames = self.options.moving, self.options.frames
        features = self.rng.normal(count, frames + config.window - 1, config.features) * 0.1
        start = GopStart(self.cloud(count), features)
        static = self.static.activate()
        return GopTraining(start, static, self.training_views(), 4.0, config, self.rng)


def step_times(scene: MadeUpScene) -> Iterator[tuple[str, float]]:
    steps = scene.options.steps
    coarse_stage(scene, WARM_UP)
    started_s = time.perf_counter()
    coarse_stage(scene, steps)
    yield "coarse stage, one view", 1000 * (time.perf_counter() - started_s) / steps
    for label, auxiliary in (("no", AuxiliaryConfig(enabled=False)), ("with", AuxiliaryConfig())):
        step = scene.training(auxiliary=auxiliary).step
        yield f"fine stage, two views, {label} auxiliary pass", timed(step, steps, scene.device)


def coarse_stage(scene: MadeUpScene, steps: int) -> None:
    """So many steps of the coarse stage, without density control, the device waited for."""
    training_views = FrameViews(scene.cameras, scene.frames, scene.device)
    config = CoarseConfig(iterations=steps, batch_size=1, density=McmcConfig(refine_stop=0.0))
    geometry = SceneGeometry(BACKGROUND, 0.1, 4.0)
    training = CoarseTraining(scene.static, training_views, geometry, config, scene.rng)
    train_coarse(training, lambda *_: None)
    _wait(scene.device)


def part_times(scene: MadeUpScene) -> Iterator[tuple[str, float]]:
    training = scene.training(auxiliary=AuxiliaryConfig())
    parameters, field, config = training.parameters, training.field, training.config
    settings = RenderSettings(BACKGROUND, 0.1)
    everything = GaussianParameters(scene.static, LearningRates(), 4.0)
    grid = grid_shape(len(parameters))

    def draw(views: int) -> Tensor:
        drawn = everything.canonical().activate()
        return rasterize(drawn, scene.cameras[:views], settings)[0].mean()

    def codes() -> Tensor:
        batch = scene.rng.subset(config.auxiliary.batch_size, len(parameters))
        return codes_of_all_times(field, parameters["features"].index_select(0, batch))

    def auxiliary() -> Tensor:
        assert training.auxiliary is not None
        guided = training.auxiliary.transformer(seen := codes(), torch.zeros(len(seen), 3).to(seen))
        return guided.mean()

    def features() -> Tensor:
        return temporal_loss(parameters["features"].transpose(0, 1), 0, config.window, 0.02)

    parts: dict[str, Callable[[], Tensor]] = {
        "draw one view": lambda: draw(1),
        "draw two views": lambda: draw(2),
        "move by the field": lambda: training.deformed(0, disturb=True).means.mean(),
        "codes of all times, a batch": lambda: codes().mean(),
        "auxiliary transformer, with the codes": auxiliary,
        "temporal regulariser": features,
        "spatial regulariser": lambda: attribute_loss(parameters.canonical(), 4.0, *grid),
    }
    for label, part in parts.items():
        yield label, timed(lambda part=part: part().backward(), scene.options.steps, scene.device)
    yield from optimizer_times(scene, training)
    wander = timed(
        lambda: add_sgld_noise(everything, 5e5, scene.rng), scene.options.steps, scene.device
    )
    yield "SGLD noise (coarse stage)", wander


def optimizer_times(scene: MadeUpScene, training: GopTraining) -> Iterator[tuple[str, float]]:
    training.step()
    groups = {
        "Adam of the Gaussians": training.parameters.optimizer,
        "Adam of the field": training.field_optimizer,
    }
    for label, optimizer in groups.items():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        yield label, timed(optimizer.step, scene.options.steps, scene.device)


def ssim_times(scene: MadeUpScene) -> Iterator[tuple[str, float]]:
    picture = scene.rng.uniform(2, scene.height, scene.width, 3).requires_grad_()
    target = scene.rng.uniform(2, scene.height, scene.width, 3)
    ways = {
        "depthwise, as shipped": structural_similarity.blur,
        "a batch of single channels": single_channel_blur,
        "products with banded matrices": banded_blur,
        "sums of shifted planes": shifted_blur,
    }
    for label, blur in ways.items():
        with blurred_by(blur):
            ms = timed(lambda: ssim(picture, target).backward(), scene.options.steps, scene.device)
        yield label, ms
    plain = timed(lambda: plain_ssim(picture, target).backward(), scene.options.steps, scene.device)
    yield "single channels, gradient by autograd (before)", plain


@contextmanager
def blurred_by(blur: Callable[[Tensor, Tensor], Tensor]) -> Iterator[None]:
    shipped = structural_similarity.blur
    structural_similarity.blur = blur
    try:
        yield
    finally:
        structural_similarity.blur = shipped


def single_channel_blur(planes: Tensor, kernel: Tensor) -> Tensor:
    pad = len(kernel) // 2
    planes = conv2d(planes[:, None], kernel[None, None, :, None], padding=(pad, 0))
    return conv2d(planes, kernel[None, None, None, :], padding=(0, pad))[:, 0]


def banded_blur(planes: Tensor, kernel: Tensor) -> Tensor:
    return band(planes.shape[-2], kernel) @ planes @ band(planes.shape[-1], kernel)


def band(size: int, kernel: Tensor) -> Tensor:
    place = torch.arange(size, device=kernel.device)
    offset = place[None] - place[:, None] + len(kernel) // 2
    inside = (offset >= 0) & (offset < len(kernel))
    return torch.where(inside, kernel[offset.clamp(0, len(kernel) - 1)], 0.0)


def shifted_blur(planes: Tensor, kernel: Tensor) -> Tensor:
    pad, (height, width) = len(kernel) // 2, planes.shape[-2:]
    weights = kernel.tolist()
    padded = torch.nn.functional.pad(planes, (0, 0, pad, pad))
    down = padded[:, :height] * weights[0]
    for k, weight in enumerate(weights[1:], 1):
        down.add_(padded[:, k : k + height], alpha=weight)
    padded = torch.nn.functional.pad(down, (pad, pad))
    across = padded[..., :width] * weights[0]
    for k, weight in enumerate(weights[1:], 1):
        across.add_(padded[..., k : k + width], alpha=weight)
    return across


def plain_ssim(picture: Tensor, target: Tensor) -> Tensor:
    kernel = gaussian_kernel(11, 1.5, picture.device)
    x, y = (p.permute(0, 3, 1, 2).flatten(0, 1) for p in (picture, target))
    blurred = single_channel_blur(torch.cat([x, y, x * x, y * y, x * y]), kernel)
    mean_x, mean_y, xx, yy, xy = blurred.split(len(x))
    above = (2 * mean_x * mean_y + 1e-4) * (2 * (xy - mean_x * mean_y) + 9e-4)
    squares = mean_x**2 + mean_y**2
    return (above / ((squares + 1e-4) * (xx + yy - squares + 9e-4))).mean()


def timed(work: Callable[[], object], times: int, device: torch.device) -> float:
    """Mean ms of a call, the device waited for at the end alone."""
    for _ in range(min(WARM_UP, times)):
        work()
    _wait(device)
    started_s = time.perf_counter()
    for _ in range(times):
        work()
    _wait(device)
    return 1000 * (time.perf_counter() - started_s) / times


def print_profile(label: str, work: Callable[[int], object], device: torch.device) -> None:
    """Where a few steps spend their time."""
    steps = 20
    work(WARM_UP)
    kinds = [ProfilerActivity.CPU]
    order = "self_cpu_time_total"
    if device.type == "cuda":
        kinds.append(ProfilerActivity.CUDA)
        order = "self_cuda_time_total"
    with profile(activities=kinds) as profiler:
        work(steps)
        _wait(device)
    print(f"\n{label}, {steps} steps")
    print(profiler.key_averages().table(sort_by=order, row_limit=15, max_name_column_width=60))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


if __name__ == "__main__":
    main(tyro.cli(Options))
