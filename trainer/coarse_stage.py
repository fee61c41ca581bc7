"""The coarse stage of a run: trained once for the capture, before the GOPs.

Temporal medians -> points -> Gaussians. It also decides what all GOPs share: the background, the
near plane, each camera's colour correction, and the plan of the GOPs.
"""

from __future__ import annotations

import torch
from streamstgs.renderer import CanonicalGaussians, RenderSettings
from streamstgs.trainer.coarse.background import flat_background, mean_color
from streamstgs.trainer.coarse.color_correction import ColorCorrection, ColorCorrectionConfig
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.depth_supervision import sparse_depth
from streamstgs.trainer.coarse.free_space import FreeSpace
from streamstgs.trainer.coarse.stage import CoarseTraining, SceneGeometry, train_coarse
from streamstgs.trainer.coarse.temporal_median import TemporalMedian, capture_medians
from streamstgs.trainer.coarse.training_views import CoarseViews, MedianViews, frame_views
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.gop_plan import gop_lengths
from streamstgs.trainer.memory import GIB, gop_bytes
from streamstgs.trainer.parallel import make_current
from streamstgs.trainer.points.initial_points import (
    InitialPointsConfig,
    found_points,
    initial_points,
)
from streamstgs.trainer.points.point_cloud import (
    PointCloud,
    gaussians_from_points,
    surfels_from_points,
)
from streamstgs.trainer.progress import log
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.scene_meta import scene_meta
from streamstgs.trainer.stage_reporter import StageReporter
from streamstgs.trainer.stage_settings import CoarseStageSettings
from streamstgs.trainer.training_record import Stopwatch
from streamstgs.trainer.validation import Validation
from torch import Tensor


def train_coarse_stage(
    settings: CoarseStageSettings, capture: Capture, run: RunDirectory, device: torch.device
) -> None:
    """Train the stage and write its results into the run directory.

    Raises:
        CaptureError: There are no points to start from.
    """
    make_current(device)
    stopwatch = Stopwatch("coarse", device)
    log.info(
        "reading %d frames of %d cameras, %.1f GiB a GOP",
        capture.frames, len(capture.views), gop_bytes(capture, settings.gop_frames) / GIB,
    )  # fmt: skip
    medians = capture_medians(capture, settings.background, device)
    trained_on = [medians[v.name] for v in capture.split("train")]
    images = [m.image for m in trained_on]
    cameras = [v.camera for v in capture.split("train")]
    background = flat_background(images, settings.background)
    log.info("background: %s", background or "none, the scene is closed")
    near = settings.near_share * capture.camera_distance
    meta = scene_meta(capture, background or mean_color(images), near)
    rng = Rng(settings.seed, device)
    largest = max(cameras, key=lambda camera: camera.width * camera.height)
    config = settings.coarse.for_images(largest.width, largest.height)
    found = found_points(capture, images, settings.points, rng)
    free_space = FreeSpace(cameras, capture.center, near, found.positions)
    log.info("free space reaches %.3g before the cameras", free_space.far)
    start = _start(settings.points, capture, found, config.density.cap_max, images, rng)
    scene = SceneGeometry(background, near, capture.camera_distance, free_space)
    views = _training_views(config, capture, trained_on, found, scene, device)
    correction = _correction(settings.color_correction, capture, device)
    with_norms = settings.reports.with_gradient_norms
    training = CoarseTraining(start, views, scene, config, rng, correction, with_norms)
    validation = Validation.of_medians(
        capture, medians, RenderSettings(meta.background, near), device
    )
    reporter = StageReporter(
        "coarse", "coarse", training.iterations, settings.reports, run.path, device,
        validation=validation, gaussians_at=training.gaussians_at,
    )  # fmt: skip
    gaussians = train_coarse(training, lambda _, record: reporter.add(record))
    final = validation.in_words(validation.measure(training.gaussians_at))
    log.info("coarse stage: %d Gaussians, %s", len(gaussians), final)
    run.write_medians(medians)
    run.write_points(found.positions)
    run.write_plan(meta, gop_lengths(capture.frames, settings.gop_frames))
    _write_corrections(run, capture, correction)
    run.write_stage(stopwatch.record())
    run.write_coarse(gaussians)  # last: where it exists, the stage is done


def _start(
    config: InitialPointsConfig,
    capture: Capture,
    found: PointCloud,
    most: int,
    images: list[Tensor],
    rng: Rng,
) -> CanonicalGaussians:
    """The Gaussians before training: found points, and guesses where these are few.

    Args:
        most: Largest number of Gaussians.
        images: [H, W, 3] uint8 temporal medians of the training cameras.
    """
    cameras = [v.camera for v in capture.split("train")]
    points = initial_points(found, most, cameras, images, config, rng)
    if len(points) == 0:
        raise CaptureError(
            f"{capture.title}: no points to start from; give some with --points.path"
        )
    log.info("starting from %d points, %d at most", len(points), most)
    flat = config.surfels and len(found) >= config.fill
    return (surfels_from_points if flat else gaussians_from_points)(points, opacity=0.5)


def _training_views(
    config: CoarseConfig,
    capture: Capture,
    medians: list[TemporalMedian],
    points: PointCloud,
    scene: SceneGeometry,
    device: torch.device,
) -> CoarseViews:
    """The training views of the stage.

    Args:
        medians: Temporal medians of the training cameras.
        points: Points with known depths.
    """
    views = capture.split("train")
    if config.learns_from == "frames":
        return frame_views(views, capture.frames, config.frames, device)
    cameras = [v.camera for v in views]
    depths = []
    if config.depth_lambda > 0:
        depths = [
            sparse_depth(points, camera, median.image, scene.near)
            for camera, median in zip(cameras, medians, strict=True)
        ]
    return MedianViews(cameras, medians, config.reliable_share, depths, scene.background)


def _correction(
    config: ColorCorrectionConfig, capture: Capture, device: torch.device
) -> ColorCorrection | None:
    """Colour correction of the training cameras; None where it is not fitted."""
    if not config.enabled:
        return None
    return ColorCorrection(len(capture.split("train")), config, device)


def _write_corrections(
    run: RunDirectory, capture: Capture, correction: ColorCorrection | None
) -> None:
    if correction is not None:
        names = [v.name for v in capture.split("train")]
        matrices = correction.matrices().detach()
        run.write_color_corrections(dict(zip(names, matrices, strict=True)))
