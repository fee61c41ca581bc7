"""Divides the static Gaussians into layers, the most important ones first.

A few Gaussians far away (sky, floaters) would widen the range of the quantiser and so coarsen all
others, or cost all others bits: they are a part of their own. They come second: the first part is
the first picture and stays small, but the far Gaussians are all that there is of the rim and the
background of a scene, and for the few bytes that they cost no later part is worth the hole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from streamstgs.codec.encoder.config import StaticLayerSettings
from streamstgs.codec.encoder.importance_order import by_importance
from streamstgs.codec.encoder.layer_encoding import split_sizes
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import CanonicalGaussians
from streamstgs.renderer.gaussians import rotation_matrices
from streamstgs.renderer.settings import ALPHA_MAX, ALPHA_MIN
from torch import Tensor


@dataclass(frozen=True)
class StaticLayer:
    """The Gaussians of one layer.

    Args:
        gaussians: the members, not yet in grid order.
        unit: distance from the scene's centre over which their positions are coded evenly.
    """

    gaussians: CanonicalGaussians
    unit: float


def divide_static(
    static: CanonicalGaussians, meta: SceneMeta, settings: StaticLayerSettings
) -> list[StaticLayer]:
    """Return the layers in the order in which they are sent; none if no Gaussian is visible.

    The first holds the most important ones that are not far, the second those that are far, the
    others the rest.

    Args:
        static: finite, on the CPU.
    """
    kept = drawable(upright(static), settings.thinnest * meta.radius)
    if not len(kept):
        return []
    center, radius = torch.tensor(meta.center), max(meta.radius, 1e-6)
    distance = (kept.means - center).norm(dim=-1)
    far_count = int(settings.far_share * len(kept))
    ranked = distance.argsort(stable=True)
    near, far = kept[ranked[: len(kept) - far_count]], kept[ranked[len(kept) - far_count :]]
    sizes = split_sizes(len(near), max(settings.layers, 1), settings.growth)
    chosen = by_importance(near, far, sizes, meta, settings)
    members = [near[part] for part in chosen if len(part)]
    if len(far):
        members.insert(1, far)
    return [StaticLayer(m, even_reach(m.means - center, radius)) for m in members]


def upright(gaussians: CanonicalGaussians) -> CanonicalGaussians:
    """Return equal Gaussians that need fewer bits: smallest rotations, w > 0, colours >= 0.

    An ellipsoid is the same when its axes are named anew: of the 24 rotations that do so the one
    that leaves the least to turn is taken, so that quaternions fill a small part of their range.
    Only for Gaussians that nothing is added to. A field's deltas add to the stored attributes, so
    moving Gaussians must keep theirs as trained.
    """
    quats = torch.nn.functional.normalize(gaussians.quats, dim=-1)
    turns, names = axis_turns()
    turned = quaternion_product(quats[:, None], turns)  # [N, 24, 4]
    best = turned[..., 0].abs().argmax(dim=-1)
    quats = turned[torch.arange(len(quats)), best]
    return replace(
        gaussians,
        quats=torch.where(quats[:, :1] < 0, -quats, quats),
        log_scales=gaussians.log_scales.gather(1, names[best]),
        colors=gaussians.colors.relu(),
    )


def axis_turns() -> tuple[Tensor, Tensor]:
    """Return the 24 rotations of a cube: [24, 4] quaternions, [24, 3] old axis of each new axis."""
    halves = torch.cartesian_prod(*[torch.tensor([-1.0, 0.0, 1.0])] * 4)
    length = halves.square().sum(dim=-1)
    candidates = halves[(length == 1) | (length == 2) | (length == 4)]
    candidates = torch.nn.functional.normalize(candidates, dim=-1)
    first = candidates[torch.arange(len(candidates)), (candidates != 0).float().argmax(dim=-1)]
    turns = candidates[first > 0]  # of q and -q, which are the same rotation, one
    return turns, rotation_matrices(turns).abs().argmax(dim=-2)


def quaternion_product(a: Tensor, b: Tensor) -> Tensor:
    """Return [..., 4] wxyz of rotation b followed by rotation a."""
    real = a[..., :1] * b[..., :1] - (a[..., 1:] * b[..., 1:]).sum(dim=-1, keepdim=True)
    cross = torch.linalg.cross(*torch.broadcast_tensors(a[..., 1:], b[..., 1:]))
    return torch.cat([real, a[..., :1] * b[..., 1:] + b[..., :1] * a[..., 1:] + cross], dim=-1)


def drawable(gaussians: CanonicalGaussians, thinnest: float) -> CanonicalGaussians:
    """Return the Gaussians that backends render, without extremes that make no visible difference.

    Args:
        gaussians: static ones; to moving ones a field adds.
        thinnest: world units.
    """
    opacities = gaussians.opacity_logits.sigmoid()
    seen = gaussians[torch.nonzero(opacities >= ALPHA_MIN).flatten()]
    opaque = math.log(ALPHA_MAX / (1 - ALPHA_MAX))
    return replace(
        seen,
        log_scales=seen.log_scales.clamp(min=math.log(max(thinnest, 1e-12))),
        opacity_logits=seen.opacity_logits.clamp(max=opaque),
    )


def even_reach(offsets: Tensor, radius: float) -> float:
    """Return the median length of [N, 3] offsets, at most `radius`."""
    return min(max(offsets.norm(dim=-1).median().item(), 1e-3 * radius), radius)
