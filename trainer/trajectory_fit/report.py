"""Errors of an encoded scene against the sequence that it was made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from streamstgs.codec.encoder.view_cameras import orbit_cameras, preset_cameras
from streamstgs.codec.formats.reader import SceneReader
from streamstgs.renderer import Gaussians, RenderSettings
from streamstgs.renderer.backends import choose_backend
from streamstgs.trainer.trajectory_fit.frames import TrackedFrames
from torch import Tensor

SAMPLES = 2_000  # Gaussians whose positions are compared
FRAMES = 8  # evenly spread over the sequence
CAMERAS, HEIGHT_PX = 3, 240
CAP_DB = 100.0


@dataclass(frozen=True)
class FitReport:
    """How an encoded scene differs from its sequence.

    Args:
        position_rmse: World units, at frames spread over the sequence, of sampled Gaussians.
        relative_rmse: The same relative to the radius of the scene.
        psnr_db: Mean PSNR of rendered images.
        worst_psnr_db: The lowest one.
    """

    position_rmse: float
    relative_rmse: float
    psnr_db: float
    worst_psnr_db: float


@torch.no_grad()
def compare(scene: SceneReader, frames: TrackedFrames) -> FitReport:
    """Compare a scene at its best quality with its sequence."""
    meta, info = scene.info.meta, scene.info
    cameras = preset_cameras(meta, HEIGHT_PX, CAMERAS) or orbit_cameras(meta, HEIGHT_PX, CAMERAS)
    backend = choose_backend(None if torch.cuda.is_available() else "cpu").backend
    settings = RenderSettings(meta.background, meta.near)
    count = min(FRAMES, len(frames))
    squares, decibels = [], []
    try:
        for k in range(count):
            index = k * (len(frames) - 1) // max(count - 1, 1)
            time_s = index / meta.fps
            ours = scene.segment(info.segment_at(time_s)).gaussians_at(time_s)
            theirs = frames.gaussians(index)
            squares.append(_squared_distances(ours, theirs))
            for camera in cameras:
                images = [
                    backend.render(gaussians.to(backend.device), camera, settings).clamp(0, 1)
                    for gaussians in (ours, theirs)
                ]
                error = float((images[0] - images[1]).square().mean())
                decibels.append(min(-10 * math.log10(max(error, 1e-12)), CAP_DB))
    finally:
        backend.close()
    rmse = float(torch.cat(squares).mean().sqrt())
    return FitReport(rmse, rmse / meta.radius, sum(decibels) / len(decibels), min(decibels))


def _squared_distances(ours: Gaussians, theirs: Gaussians) -> Tensor:
    """[K] from sampled Gaussians of the sequence to those of the scene that are most like them.

    The encoder sorts Gaussians, so they are found again by their place, colour and size. Where two
    are alike, the nearer one counts, so the figure is a lower bound there.
    """
    visible = (theirs.opacities > 0.05).nonzero()[:, 0]
    chosen = visible[:: max(1, len(visible) // SAMPLES)]
    size = theirs.scales.log().mean(dim=1).exp().median().clamp(min=1e-9)
    nearest = torch.cdist(_keys(theirs, size)[chosen], _keys(ours, size)).argmin(dim=1)
    return (ours.means[nearest] - theirs.means[chosen]).square().sum(dim=1)


def _keys(gaussians: Gaussians, size: Tensor) -> Tensor:
    """[N, 9] numbers that tell Gaussians apart; the encoder may exchange the axes of a scale."""
    logs = gaussians.scales.clamp(min=1e-9).log().sort(dim=1).values
    return torch.cat([gaussians.means / size, gaussians.colors / 0.05, logs / 0.1], dim=1)
