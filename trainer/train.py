"""The training run: footage -> static layer -> one fine stage per GOP -> run directory.

A run that was killed is resumed by running it again: finished parts are kept, a GOP goes on from
its last checkpoint. GOPs are independent and are spread over all CUDA devices.
"""

from __future__ import annotations

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch

from renderer import CanonicalGaussians, RenderSettings
from trainer.background import dynamic_mask, flat_background, mean_color, still_views
from trainer.config import TrainConfig
from trainer.datasets import Capture, load_frames, open_capture
from trainer.gop_stage import GopFootage, GopTraining, train_gop
from trainer.gop_start import moving_start
from trainer.held_out import HeldOutWatch
from trainer.initial_points import initial_points
from trainer.point_cloud import gaussians_from_points
from trainer.progress import Progress, log
from trainer.random_source import RandomSource
from trainer.run_directory import RunDirectory, load_checkpoint, save_checkpoint
from trainer.scene_meta import scene_meta
from trainer.static_stage import train_static


def train(config: TrainConfig) -> None:
    """Train all that is missing in the run directory. Raises CaptureError before any work."""
    _log_to_console()
    capture = open_capture(config.data)
    run = RunDirectory(config.out)
    devices = training_devices(config.device)
    if not run.static_path.exists():
        train_static_layer(config, capture, run, devices[0])
    missing = [i for i in range(len(run.read_plan()[1])) if not run.gop_path(i).exists()]
    if len(devices) == 1:
        _train_gops(config, missing, devices[0])
    else:
        _train_side_by_side(config, missing, devices)


def training_devices(name: str) -> list[torch.device]:
    """The devices that "auto" or a device name stands for."""
    if name != "auto":
        return [torch.device(name)]
    count = torch.cuda.device_count()
    return [torch.device("cuda", i) for i in range(count)] or [torch.device("cpu")]


def _train_side_by_side(
    config: TrainConfig, missing: list[int], devices: list[torch.device]
) -> None:
    """One process a device; GOPs are dealt out in turn."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(devices), mp_context=context) as pool:
        shares = [missing[k :: len(devices)] for k in range(len(devices))]
        jobs = [
            pool.submit(_train_gops, config, share, device)
            for share, device in zip(shares, devices, strict=True)
            if share
        ]
        for job in as_completed(jobs):
            job.result()


def _train_gops(config: TrainConfig, indices: list[int], device: torch.device) -> None:
    _log_to_console()
    for index in indices:
        train_one_gop(config, index, device)


def _log_to_console() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")


def train_static_layer(
    config: TrainConfig, capture: Capture, run: RunDirectory, device: torch.device
) -> None:
    """Medians -> points -> static layer; also decides the background and the plan of GOPs."""
    _use(device)
    log.info("reading %d frames of %d cameras", capture.frames, len(capture.views))
    stills = still_views(capture, config.background, device)
    run.write_stills(stills)
    views = capture.split("train")
    seen = [stills[v.name].to(device) for v in views]
    background = flat_background([s.median for s in seen], config.background)
    log.info("background: %s", background or "none, the scene is closed")
    random = RandomSource(config.seed, device)
    points = initial_points(capture, [s.median for s in seen], config.points, random)
    log.info("starting from %d points, %d at most", len(points), config.static.cap)
    points = points[random.permutation(len(points))[: config.static.cap]]
    near = config.near_share * capture.camera_distance
    meta = scene_meta(capture, background or mean_color([s.median for s in seen]), near)
    watch = HeldOutWatch.of_stills(capture, stills, RenderSettings(meta.background, near), device)
    progress = Progress("static", config.static.iterations)

    def report(step: int, loss: float, canonical: CanonicalGaussians) -> None:
        if step % config.report_every == 0:
            progress.report(step, loss, watch.read(lambda _: canonical.activate()))

    static = train_static(
        gaussians_from_points(points, opacity=0.5),
        [v.camera for v in views], seen, background, near, capture.camera_distance,
        config.static, random, report,
    )  # fmt: skip
    final = watch.read(lambda _: static.activate())
    log.info("static: %d Gaussians, held-out %.2f dB", len(static), final)
    run.write_plan(meta, gop_lengths(capture.frames, config.gop_frames))
    run.write_static(static)


def gop_lengths(frames: int, gop_frames: int) -> list[int]:
    """Equal GOPs of at most `gop_frames`, so that the last one is not a stub."""
    count = -(-frames // gop_frames)
    return [frames * (i + 1) // count - frames * i // count for i in range(count)]


def train_one_gop(config: TrainConfig, index: int, device: torch.device) -> None:
    """Fine stage of one GOP, resumed from its checkpoint if there is one."""
    _use(device)
    capture = open_capture(config.data)
    run = RunDirectory(config.out)
    meta, lengths = run.read_plan()
    first = sum(lengths[:index])
    views = capture.split("train")
    stills = [run.read_stills()[v.name].to(device) for v in views]
    frames = [f.to(device) for f in load_frames(views, first, first + lengths[index])]
    footage = GopFootage(
        cameras=[v.camera for v in views],
        frames=frames,
        masks=[dynamic_mask(f, config.background.motion_threshold) for f in frames],
        background=flat_background([s.median for s in stills], config.background),
        near=meta.near,
    )
    random = RandomSource(config.seed + 1 + index, device)
    static = run.read_static().to(device).activate()
    points, birth = moving_start(footage, stills, static, config, random)
    training = GopTraining(
        gaussians_from_points(points, opacity=0.3),
        birth, static, footage, capture.camera_distance, config.gop, random,
    )  # fmt: skip
    checkpoint = run.checkpoint_path(index)
    if checkpoint.exists():
        training.load_state_dict(load_checkpoint(checkpoint, device))
        log.info("GOP %d goes on at step %d", index, training.iteration)
    watch = HeldOutWatch.of_frames(
        capture, first, first + lengths[index], RenderSettings(meta.background, meta.near), device
    )
    progress = Progress(f"GOP {index}", config.gop.iterations, training.iteration)

    def report(training: GopTraining, loss: float) -> None:
        step = training.iteration
        if step % config.report_every == 0:
            progress.report(step, loss, watch.read(training.gaussians_at))
        if step % config.checkpoint_every == 0:
            save_checkpoint(checkpoint, training.state_dict())

    trained = train_gop(training, report)
    final = watch.read(training.gaussians_at)
    log.info("GOP %d: %d moving Gaussians, held-out %.2f dB", index, len(points), final)
    run.write_gop(index, trained)


def _use(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_device(device)
