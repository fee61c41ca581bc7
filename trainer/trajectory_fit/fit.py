"""Fits one GOP: straight paths by least squares, and principal components of what is left.

The principal components are the best linear basis for any number of features, so there are no steps
to tune, and a processor suffices.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.renderer.trajectories import Trajectories
from streamstgs.trainer.trajectory_fit.field import companded, computed_field
from streamstgs.trainer.trajectory_fit.frames import (
    COLORS,
    LOG_SCALES,
    LOGIT,
    MEANS,
    QUATS,
    WIDTH,
    canonical_of,
)
from torch import Tensor

ALWAYS = 64.0  # temporal extent in GOPs: nothing fades
MIDDLE = 0.5  # temporal centre
LEAST = 1e-9
# Changes of equal visibility: of centres relative to the size of a Gaussian, and before activation.
MEANS_UNIT, QUATS_UNIT, LOG_SCALES_UNIT, LOGIT_UNIT, COLORS_UNIT = 0.25, 0.1, 0.15, 0.3, 0.04


@dataclass(frozen=True)
class StraightPaths:
    """What is linear in time.

    Args:
        middle: [N, 14] rows at the middle of the GOP.
        velocities: [N, 3] world units per GOP.
        rest: [G, N, 14] rows without both.
    """

    middle: Tensor
    velocities: Tensor
    rest: Tensor


def visible_units(rows: Tensor) -> Tensor:
    """[14] changes that are about equally visible, from the rows [N, 14] of a frame."""
    units = torch.ones(WIDTH)
    sizes = rows[:, LOG_SCALES].mean(dim=1).exp()
    weights = rows[:, LOGIT].sigmoid()
    visible = sizes[weights >= weights.median()]
    units[MEANS] = MEANS_UNIT * max(float(visible.median()), LEAST)
    units[QUATS], units[LOG_SCALES] = QUATS_UNIT, LOG_SCALES_UNIT
    units[LOGIT], units[COLORS] = LOGIT_UNIT, COLORS_UNIT
    return units


def straight_paths(rows: Tensor) -> StraightPaths:
    """Fit the rows [G, N, 14] of a GOP by least squares."""
    frames = len(rows)
    time = torch.arange(frames, device=rows.device) / frames
    middle = rows.mean(dim=0)
    ahead = time - time.mean()
    velocities = torch.zeros_like(middle[:, MEANS])
    if frames > 1:
        moved = rows[:, :, MEANS] - middle[None, :, MEANS]
        velocities = torch.einsum("g,gnk->nk", ahead, moved) / ahead.square().sum()
        middle = middle.clone()
        middle[:, MEANS] += velocities * (MIDDLE - time.mean())
    rest = rows - middle
    rest[:, :, MEANS] -= velocities[None] * (time - MIDDLE)[:, None, None]
    return StraightPaths(middle, velocities, rest)


def spread(paths: StraightPaths, units: Tensor) -> Tensor:
    """[14, 14] sum of products of what straight paths leave, in visible units, by opacity."""
    weights = paths.middle[:, LOGIT].sigmoid()
    flat = (paths.rest / units * weights.sqrt()[None, :, None]).reshape(-1, WIDTH).double()
    return flat.T @ flat


def fit_gop(rows: Tensor, units: Tensor, basis: Tensor) -> TrainedGop:
    """The GOP of rows.

    Args:
        rows: [G, N, 14] frames of the moving Gaussians.
        units: [14] as of `visible_units`.
        basis: [14, F] orthonormal directions in these units.
    """
    paths = straight_paths(rows)
    shares = (paths.rest / units) @ basis  # [G, N, F]
    largest = shares.new_full((basis.shape[1],), LEAST)
    if shares.numel():  # else all Gaussians are static
        largest = shares.abs().amax(dim=(0, 1)).clamp(min=LEAST)
    directions = (basis * largest).T * units  # [F, 14]
    extent = max(float(directions[:, MEANS].norm(dim=1).max()), LEAST)
    ones = torch.ones(rows.shape[1], device=rows.device)
    trajectories = Trajectories(paths.velocities, MIDDLE * ones, torch.log(ALWAYS * ones))
    canonical = canonical_of(paths.middle)
    return TrainedGop(
        canonical=type(canonical)(
            canonical.means,
            canonical.quats,
            canonical.log_scales,
            canonical.opacity_logits,
            canonical.colors,
            trajectories,
        ),
        features=companded(shares / largest),
        field=computed_field(directions, extent),
        frames=len(rows),
    )
