"""The coarse stage of a run: once for the capture, before there are GOPs.

Medians -> points -> Gaussians. It also decides what all GOPs share: the background, the near plane,
each camera's colour response, and the plan of the GOPs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from streamstgs.renderer import CanonicalGaussians, RenderSettings
from streamstgs.trainer.coarse.background import StillView, flat_background, mean_color, still_views
from streamstgs.trainer.coarse.color_response import ColorResponse
from streamstgs.trainer.coarse.depth_supervision import sparse_depth
from streamstgs.trainer.coarse.footage import CoarseFootage, MedianFootage, frame_footage
from streamstgs.trainer.coarse.free_space import FreeSpace
from streamstgs.trainer.coarse.stage import StaticConfig, train_static
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.evaluation.held_out import HeldOutWatch
from streamstgs.trainer.gop_plan import gop_lengths
from streamstgs.trainer.memory import GIB, gop_bytes
from streamstgs.trainer.parallel import make_current
from streamstgs.trainer.points.initial_points import found_points, initial_points
from streamstgs.trainer.points.point_cloud import (
    PointCloud,
    gaussians_from_points,
    surfels_from_points,
)
from streamstgs.trainer.progress import TrainingProgress, log
from streamstgs.trainer.random_source import RandomSource
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.scene_meta import scene_meta
from streamstgs.trainer.training_record import Stopwatch
from torch import Tensor


def train_coarse_stage(
    config: TrainConfig, capture: Capture, run: RunDirectory, device: torch.device
) -> None:
    """Train it and write what it leaves into the run directory.

    Raises:
        CaptureError: there are no points to start from.
    """
    make_current(device)
    stopwatch = Stopwatch("coarse", device)
    log.info(
        "reading %d frames of %d cameras, %.1f GiB a GOP",
        capture.frames, len(capture.views), gop_bytes(config, capture) / GIB,
    )  # fmt: skip
    stills = still_views(capture, config.background, device)
    views = capture.split("train")
    cameras, seen = [v.camera for v in views], [stills[v.name] for v in views]
    medians = [s.median for s in seen]
    background = flat_background(medians, config.background)
    log.info("background: %s", background or "none, the scene is closed")
    near = config.near_share * capture.camera_distance
    meta = scene_meta(capture, background or mean_color(medians), near)
    random = RandomSource(config.seed, device)
    settings = config.static.for_pictures(cameras[0].width, cameras[0].height)
    found = found_points(capture, medians, config.points, random)
    free_space = FreeSpace(cameras, capture.center, near, found.positions)
    log.info("nothing stands nearer to the cameras than %.3g", free_space.far)
    start = _start(config, capture, found, settings.cap, medians, random)
    watch = HeldOutWatch.of_stills(capture, stills, RenderSettings(meta.background, near), device)
    footage = _footage(settings, capture, seen, found, near, background, device)
    response = _response(config, capture, device)
    static = train_static(
        start, footage, background, near, capture.camera_distance,
        settings, random, _reporting(config, watch, device), response, free_space,
    )  # fmt: skip
    final = watch.read(lambda _: static.activate())
    log.info("coarse stage: %d Gaussians, %s %.2f dB", len(static), watch.name, final)
    run.write_stills(stills)
    run.write_points(found.positions)
    run.write_plan(meta, gop_lengths(capture.frames, config.gop_frames))
    _write_response(run, capture, response)
    run.write_stage(stopwatch.record())
    run.write_coarse(static)  # last: where it exists, the stage is done


def _start(
    config: TrainConfig,
    capture: Capture,
    found: PointCloud,
    most: int,
    medians: list[Tensor],
    random: RandomSource,
) -> CanonicalGaussians:
    """The Gaussians before training: found points, and guesses where these are few."""
    cameras = [v.camera for v in capture.split("train")]
    points = initial_points(found, most, cameras, medians, config.points, random)
    if len(points) == 0:
        raise CaptureError(f"{config.data}: no points to start from; give some with --points.path")
    log.info("starting from %d points, %d at most", len(points), most)
    flat = config.points.surfels and len(found) >= config.points.fill
    return (surfels_from_points if flat else gaussians_from_points)(points, opacity=0.5)


def _footage(
    config: StaticConfig,
    capture: Capture,
    stills: list[StillView],
    points: PointCloud,
    near: float,
    background: tuple[float, float, float] | None,
    device: torch.device,
) -> CoarseFootage:
    """What the coarse stage learns from.

    Args:
        stills: of the training cameras.
        points: whose depth is known.
        near: distance of the near plane, world units.
        background: the flat colour behind the scene; None where there is none.
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
    return MedianFootage(cameras, stills, config.reliable_share, depths, background)


def _response(config: TrainConfig, capture: Capture, device: torch.device) -> ColorResponse | None:
    """Of the training cameras, where it is fitted."""
    if not config.color_response.enabled:
        return None
    return ColorResponse(len(capture.split("train")), config.color_response, device)


def _write_response(run: RunDirectory, capture: Capture, response: ColorResponse | None) -> None:
    if response is not None:
        names = [v.name for v in capture.split("train")]
        run.write_responses(dict(zip(names, response.matrices().detach(), strict=True)))


def _reporting(
    config: TrainConfig, watch: HeldOutWatch, device: torch.device
) -> Callable[[int, Tensor, CanonicalGaussians], None]:
    """Says after some steps how far training is, and after fewer how good."""
    progress = TrainingProgress("coarse", config.static.iterations, device, watched=watch.name)

    def report(step: int, loss: Tensor, canonical: CanonicalGaussians) -> None:
        if step % config.report_every == 0:
            watched = step % config.watch_every == 0
            quality = watch.read(lambda _: canonical.activate()) if watched else None
            progress.report(step, loss.item(), quality)

    return report
