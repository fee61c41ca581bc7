"""The training run: footage -> coarse stage -> static layer -> fine stage per GOP -> run directory.

A run that was killed is resumed by running it again: finished parts are kept, a GOP goes on from
its last checkpoint. GOPs are independent and are spread over all CUDA devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from renderer import CanonicalGaussians, Gaussians, RenderSettings
from trainer.coarse.background import StillView, flat_background, mean_color, still_views
from trainer.coarse.color_response import ColorResponse
from trainer.coarse.depth_supervision import sparse_depth
from trainer.coarse.footage import CoarseFootage, MedianFootage, frame_footage
from trainer.coarse.free_space import FreeSpace, free_distance
from trainer.coarse.stage import StaticConfig, train_static
from trainer.config import TrainConfig
from trainer.datasets import Capture, check_capture, open_capture
from trainer.errors import CaptureError, RunError
from trainer.evaluation.held_out import HeldOutWatch
from trainer.fine.footage import GopFootage, gop_footage
from trainer.fine.joint import JointTraining, joint_gops
from trainer.fine.stage import GopTraining, train_gop
from trainer.fine.start import GopStart, gop_start
from trainer.parallel import run_on_devices, training_devices
from trainer.points.initial_points import found_points, initial_points
from trainer.points.point_cloud import PointCloud, gaussians_from_points, surfels_from_points
from trainer.progress import Progress, log
from trainer.random_source import RandomSource
from trainer.run_directory import RunDirectory, load_checkpoint, save_checkpoint
from trainer.scene_meta import scene_meta
from trainer.training_record import Stopwatch, changed_settings, plain_config, summary


def train(config: TrainConfig) -> None:
    """Train all that is missing in the run directory.

    Raises:
        CaptureError: before any work; names the camera or file.
        RunError: the run directory belongs to another capture or other settings.
    """
    devices = training_devices(config.device)
    capture = open_capture(config.data)
    check_capture(capture)
    run = RunDirectory(config.out)
    claim(run, config)
    if not run.coarse_path.exists():
        train_coarse_stage(config, capture, run, devices[0])
    lengths = _planned_lengths(run, capture)
    settle_static_layer(config, capture, run, range(len(lengths)), devices[0])
    missing = [i for i in range(len(lengths)) if not run.gop_path(i).exists()]
    run_on_devices(partial(train_one_gop, config), missing, devices)
    _sum_up(run, config, capture.frames)


def claim(run: RunDirectory, config: TrainConfig) -> None:
    """Write the settings into a new run; an old one must have been begun with the same."""
    settings = plain_config(config)
    begun = run.read_config()
    changed = [] if begun is None else changed_settings(begun, settings)
    if changed:
        raise RunError(f"{run.path} was begun with other settings: {'; '.join(changed)}")
    run.write_config(settings)


def _planned_lengths(run: RunDirectory, capture: Capture) -> list[int]:
    """Frames of each GOP."""
    _, lengths = run.read_plan()
    if sum(lengths) != capture.frames:
        raise RunError(
            f"{run.path} is planned for {sum(lengths)} frames, the capture has {capture.frames}"
        )
    return lengths


def _sum_up(run: RunDirectory, config: TrainConfig, frames: int) -> None:
    document = summary(config, run.read_stages(), frames)
    run.write_summary(document)
    peak = document["peak_memory_gib"]
    log.info(
        "trained %d frames in %.0f s: %.2f s per frame%s",
        frames, document["seconds"], document["seconds_per_frame"],
        "" if peak is None else f", at most {peak:.1f} GiB of GPU memory",
    )  # fmt: skip


def train_coarse_stage(
    config: TrainConfig, capture: Capture, run: RunDirectory, device: torch.device
) -> None:
    """Medians -> points -> Gaussians; also decides the background and the plan of GOPs."""
    _use(device)
    stopwatch = Stopwatch("coarse", device)
    log.info("reading %d frames of %d cameras", capture.frames, len(capture.views))
    stills = still_views(capture, config.background, device)
    views = capture.split("train")
    seen = [stills[v.name] for v in views]
    medians = [s.median for s in seen]
    background = flat_background(medians, config.background)
    log.info("background: %s", background or "none, the scene is closed")
    near = config.near_share * capture.camera_distance
    meta = scene_meta(capture, background or mean_color(medians), near)
    random = RandomSource(config.seed, device)
    cameras = [v.camera for v in views]
    static_config = config.static.for_pictures(cameras[0].width, cameras[0].height)
    found = found_points(capture, medians, config.points, random)
    free_space = FreeSpace(cameras, near, free_distance(found, cameras))
    log.info("nothing stands nearer to the cameras than %.3g", free_space.far)
    start = static_start(config, capture, found, static_config.cap, medians, random)
    watch = HeldOutWatch.of_stills(capture, stills, RenderSettings(meta.background, near), device)
    progress = Progress("coarse", config.static.iterations, device)

    def report(step: int, loss: Tensor, canonical: CanonicalGaussians) -> None:
        if step % config.report_every == 0:
            watched = step % config.watch_every == 0
            quality = watch.read(lambda _: canonical.activate()) if watched else None
            progress.report(step, loss.item(), quality)

    footage = coarse_footage(static_config, capture, seen, found, near, device)
    response = None
    if config.color_response.enabled:
        response = ColorResponse(len(views), config.color_response, device)
    static = train_static(
        start, footage, background, near, capture.camera_distance,
        static_config, random, report, response, free_space,
    )  # fmt: skip
    final = watch.read(lambda _: static.activate())
    log.info("coarse stage: %d Gaussians, held-out %.2f dB", len(static), final)
    run.write_stills(stills)
    run.write_plan(meta, gop_lengths(capture.frames, config.gop_frames))
    if response is not None:
        names = [v.name for v in views]
        run.write_responses(dict(zip(names, response.matrices().detach(), strict=True)))
    run.write_stage(stopwatch.record())
    run.write_coarse(static)  # last: where it exists, the stage is done


def static_start(
    config: TrainConfig,
    capture: Capture,
    found: PointCloud,
    most: int,
    medians: list[Tensor],
    random: RandomSource,
) -> CanonicalGaussians:
    """The static Gaussians before training: found points, and guesses where these are few."""
    cameras = [v.camera for v in capture.split("train")]
    points = initial_points(found, most, cameras, medians, config.points, random)
    if len(points) == 0:
        raise CaptureError(f"{config.data}: no points to start from; give some with --points.path")
    log.info("starting from %d points, %d at most", len(points), most)
    dense = len(found) >= config.points.fill
    return (surfels_from_points if dense else gaussians_from_points)(points, opacity=0.5)


def coarse_footage(
    config: StaticConfig,
    capture: Capture,
    stills: list[StillView],
    points: PointCloud,
    near: float,
    device: torch.device,
) -> CoarseFootage:
    """What the coarse stage learns from.

    Args:
        stills: of the training cameras.
        points: whose depth is known.
        near: distance of the near plane, world units.
    """
    views = capture.split("train")
    if config.learns_from == "frames":
        return frame_footage(views, capture.frames, config.frames, device)
    cameras = [v.camera for v in views]
    depths = []
    if config.depth_weight > 0:
        depths = [
            sparse_depth(points, camera, still.median, near)
            for camera, still in zip(cameras, stills, strict=True)
        ]
    return MedianFootage(cameras, stills, config.reliable_share, depths)


def gop_lengths(frames: int, gop_frames: int) -> list[int]:
    """Equal GOPs of at most `gop_frames`, so that the last one is not a stub."""
    count = -(-frames // gop_frames)
    return [frames * (i + 1) // count - frames * i // count for i in range(count)]


def settle_static_layer(
    config: TrainConfig,
    capture: Capture,
    run: RunDirectory,
    gops: Sequence[int],
    device: torch.device,
) -> None:
    """Make the layer final that all of these GOPs share; where there is none, nothing is done."""
    if not config.static_split or run.static_path.exists():
        return
    if config.joint.iterations > 0:
        train_jointly(config, capture, run, joint_gops(gops, config.joint), device)
    else:
        run.write_static(run.read_coarse())


def train_jointly(
    config: TrainConfig,
    capture: Capture,
    run: RunDirectory,
    gops: Sequence[int],
    device: torch.device,
) -> None:
    """The static layer with the first part of some GOPs, which go on from their checkpoints."""
    _use(device)
    stopwatch = Stopwatch("joint", device)
    coarse = run.read_coarse().to(device)
    begun = [_new_gop(config, capture, run, index, coarse, device) for index in gops]
    training = JointTraining(coarse, begun, capture.camera_distance, config.joint)
    progress = Progress("joint", training.iterations, device)
    while training.iteration < training.iterations:
        loss = training.step()
        if training.iteration % config.report_every == 0:
            progress.report(training.iteration, loss.item())
    static = training.static()
    log.info("joint: %d of %d static Gaussians stay", len(static), len(coarse))
    for index, gop in zip(gops, begun, strict=True):
        save_checkpoint(run.checkpoint_path(index), gop.state_dict() | {"spent_s": 0.0})
    run.write_stage(stopwatch.record())
    run.write_static(static)  # last: where it exists, the stage is done


def train_one_gop(config: TrainConfig, index: int, device: torch.device) -> None:
    """Fine stage of one GOP, resumed from its checkpoint if there is one."""
    _use(device)
    run = RunDirectory(config.out)
    stopwatch = Stopwatch(run.gop_path(index).stem, device)
    capture = open_capture(config.data)
    meta, lengths = run.read_plan()
    frames = _frames_of(lengths, index)
    training = _begun(config, capture, run, index, device, stopwatch)
    checkpoint = run.checkpoint_path(index)
    settings = RenderSettings(meta.background, meta.near)
    watch = HeldOutWatch.of_frames(capture, frames.start, frames.stop, settings, device)
    progress = Progress(f"GOP {index}", config.gop.iterations, device, training.iteration)

    def report(training: GopTraining, loss: Tensor) -> None:
        step = training.iteration
        if step % config.report_every == 0:
            watched = step % config.watch_every == 0
            quality = watch.read(training.gaussians_at) if watched else None
            progress.report(step, loss.item(), quality)
        if step % config.checkpoint_every == 0:
            save_checkpoint(checkpoint, training.state_dict() | {"spent_s": stopwatch.spent_s})

    trained = train_gop(training, report)
    final = watch.read(training.gaussians_at)
    moving = len(trained.canonical)
    log.info("GOP %d: %d moving Gaussians, held-out %.2f dB", index, moving, final)
    run.write_stage(stopwatch.record())
    run.write_gop(index, trained)


def _frames_of(lengths: Sequence[int], index: int) -> range:
    first = sum(lengths[:index])
    return range(first, first + lengths[index])


def _begun(
    config: TrainConfig,
    capture: Capture,
    run: RunDirectory,
    index: int,
    device: torch.device,
    stopwatch: Stopwatch,
) -> GopTraining:
    """The GOP's training as its checkpoint left it, or a new one."""
    layer = (run.read_static() if config.static_split else run.read_coarse()).to(device)
    checkpoint = run.checkpoint_path(index)
    if not checkpoint.exists():
        return _new_gop(config, capture, run, index, layer, device)
    state = load_checkpoint(checkpoint, device)
    _, footage = _footage(config, capture, run, index, device)
    start = GopStart.of_checkpoint(state)
    training = _training(config, capture, index, start, layer, footage, device)
    training.load_state_dict(state)
    stopwatch.before_s = state["spent_s"]
    log.info("GOP %d goes on at step %d", index, training.iteration)
    return training


def _new_gop(
    config: TrainConfig,
    capture: Capture,
    run: RunDirectory,
    index: int,
    layer: CanonicalGaussians,
    device: torch.device,
) -> GopTraining:
    """A GOP before its first step; `layer` is static, or, without a split, moves as well."""
    stills, footage = _footage(config, capture, run, index, device)
    random = RandomSource(config.seed + 1 + index, device)
    start = gop_start(footage, stills, layer, capture, config, random)
    return _training(config, capture, index, start, layer, footage, device, random)


def _footage(
    config: TrainConfig, capture: Capture, run: RunDirectory, index: int, device: torch.device
) -> tuple[list[StillView], GopFootage]:
    """The still views of the training cameras, and what these saw in a GOP."""
    meta, lengths = run.read_plan()
    stills = run.read_stills()
    seen = [stills[v.name].to(device) for v in capture.split("train")]
    footage = gop_footage(
        capture, _frames_of(lengths, index), seen, run.read_responses(), meta.near,
        config.background, config.gop.dynamic_density, device,
    )  # fmt: skip
    return seen, footage


def _training(
    config: TrainConfig,
    capture: Capture,
    index: int,
    start: GopStart,
    layer: CanonicalGaussians,
    footage: GopFootage,
    device: torch.device,
    random: RandomSource | None = None,
) -> GopTraining:
    static = layer.activate() if config.static_split else Gaussians.empty(device)
    random = random or RandomSource(config.seed + 1 + index, device)
    return GopTraining(start, static, footage, capture.camera_distance, config.gop, random)


def _use(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_device(device)
