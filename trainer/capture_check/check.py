"""Looks at a whole capture before training: `streamstgs capture check`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from streamstgs.renderer import Camera
from streamstgs.trainer.capture_check.epipolar import PoseFit, neighbour_pairs, pose_fits
from streamstgs.trainer.capture_check.matches import find_matches
from streamstgs.trainer.capture_check.motion_energy import motion_energies
from streamstgs.trainer.capture_check.report import CaptureReport, describe
from streamstgs.trainer.capture_check.sheet import write_sheet
from streamstgs.trainer.capture_check.synchrony import CameraSync, camera_offsets
from streamstgs.trainer.datasets import (
    Capture,
    CaptureConfig,
    check_capture,
    load_frames,
    open_capture,
)
from streamstgs.trainer.datasets.moments import offsets_of
from streamstgs.trainer.datasets.reduction import reduced
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.initial_points import InitialPointsConfig, check_points

log = logging.getLogger("streamstgs.trainer")
MATCHED_HEIGHT_PX = 720
Problems = list[tuple[str | None, str]]


@dataclass(frozen=True)
class CheckConfig:
    """What is checked.

    Args:
        capture: how the capture is read.
        frame: frame that is shown on the sheet and whose features are matched.
        sheet: PNG with a frame of each camera; None writes none.
        poses, sync: whether poses and synchronisation are checked, which takes minutes.
    """

    capture: CaptureConfig = field(default_factory=CaptureConfig)
    frame: int = 0
    sheet: Path | None = None
    poses: bool = True
    sync: bool = True


def check_folder(folder: Path, config: CheckConfig) -> CaptureReport:
    """Read a capture and check that it fits together; trains nothing.

    Returns:
        What will be read, and all problems; those that keep a capture from being read, too.

    Raises:
        WriteError: the sheet cannot be written.
    """
    with _warnings() as warnings:
        try:
            capture = open_capture(folder, config.capture)
            check_capture(capture)
            check_points(capture, InitialPointsConfig())
            if not 0 <= config.frame < capture.frames:
                raise CaptureError(f"there is no frame {config.frame} of {capture.frames}")
        except CaptureError as error:
            return CaptureReport(folder, problems=(str(error),), warnings=tuple(warnings))
        report = describe(folder, capture)
        pictures = [p[0].numpy() for p in load_frames(capture.views, [config.frame])]
        problems: Problems = []
        if config.poses:
            fits, found = _check_poses(capture, pictures)
            report = replace(report, poses=tuple(fits))
            problems += found
        if config.sync and capture.frames > 1:
            syncs, found = _check_sync(capture, config.capture)
            report = replace(report, sync=tuple(syncs))
            problems += found
        if config.sheet is not None:
            wrong = {camera for camera, _ in problems if camera}
            write_sheet(config.sheet, capture.views, pictures, wrong)
        texts = tuple(text for _, text in problems)
        return replace(report, problems=texts, warnings=tuple(warnings), sheet=config.sheet)


def _check_poses(capture: Capture, pictures: list[np.ndarray]) -> tuple[list[PoseFit], Problems]:
    """How well poses fit, and cameras that do not."""
    log.info("matching features of %d cameras", len(pictures))
    cameras, small = _small([v.camera for v in capture.views], pictures)
    pairs = neighbour_pairs(cameras)
    try:
        matches = find_matches(small, pairs)
        fits = pose_fits(cameras, matches)
        lost = [f.camera for f in fits if f.fits is None]
        more = {(min(a, b), max(a, b)) for a in lost for b in range(len(cameras)) if a != b} - set(
            pairs
        )
        if more and len(lost) < len(cameras):
            log.info("matching %d cameras with all others", len(lost))
            fits = pose_fits(cameras, matches + find_matches(small, more))
    except CaptureError as error:
        return [], [(None, str(error))]
    return fits, _pose_problems(capture, fits)


def _pose_problems(capture: Capture, fits: list[PoseFit]) -> Problems:
    if not any(f.fits is not None for f in fits):
        log.warning("no two cameras show enough of the same: poses could not be checked")
        return []
    problems: Problems = []
    for fit in fits:
        name = capture.views[fit.camera].name
        if fit.fits is None:
            log.warning("camera %s shows too little of what others show to check its pose", name)
        elif not fit.fits:
            problems.append((
                name,
                f"camera {name}: its pose does not fit: {fit.matches} pixels that {fit.pairs} "
                f"other cameras show, too, are {fit.error_px:.1f} px off where they should be "
                f"(limit {fit.limit_px:.1f}). Has the camera been moved or zoomed, or has its "
                "calibration been mixed up? Calibrate again, or leave it out",
            ))  # fmt: skip
    return problems


def _small(
    cameras: list[Camera], pictures: list[np.ndarray]
) -> tuple[list[Camera], list[np.ndarray]]:
    """Cameras and pictures no higher than `MATCHED_HEIGHT_PX`."""
    chosen = CaptureConfig(MATCHED_HEIGHT_PX)
    small = [chosen.applied(camera) for camera in cameras]
    sized = [reduced(p, c.width, c.height) for p, c in zip(pictures, small, strict=True)]
    return small, sized


def _check_sync(capture: Capture, config: CaptureConfig) -> tuple[list[CameraSync], Problems]:
    """Offsets in time, and cameras that are off by a frame or more."""
    log.info("comparing motion in %d frames of %d cameras", capture.frames, len(capture.views))
    syncs = camera_offsets(motion_energies(capture.views, capture.frames), capture.fps)
    names = [v.name for v in capture.views]
    given = offsets_of(capture.views, config)
    wanted = {n: given[n] + s.frames for n, s in zip(names, syncs, strict=True)}
    told = {v.name: v.offset for v in capture.views}
    remedy = " ".join(f"{name}={frames}" for name, frames in wanted.items() if frames != told[name])
    problems: Problems = [
        (
            name,
            f"camera {name}: shows each moment {abs(sync.offset or 0):.1f} frames "
            f"{'later' if sync.frames > 0 else 'earlier'} than most cameras. "
            f"Train with --capture.offset {remedy}",
        )
        for name, sync in zip(names, syncs, strict=True)
        if sync.frames
    ]
    unknown = [name for name, sync in zip(names, syncs, strict=True) if sync.offset is None]
    if unknown:
        log.warning(
            "motion of %d of %d cameras (%s) says too little to check when they show it",
            len(unknown), len(names), ", ".join(unknown[:8]),
        )  # fmt: skip
    return syncs, problems


class _Keeper(logging.Filter):
    """Keeps warnings for the report instead of printing them."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        self.kept.append(record.getMessage())
        return False


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collects the warnings about the capture, which are not printed meanwhile."""
    keeper = _Keeper()
    log.addFilter(keeper)
    try:
        yield keeper.kept
    finally:
        log.removeFilter(keeper)
