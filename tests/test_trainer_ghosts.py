"""A box that stands for most of the video and then moves must not stay in the static layer."""

from __future__ import annotations

import math

import pytest
import torch
from streamstgs.codec.attributes.layers import concatenate
from streamstgs.renderer import CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.temporal_median import dynamic_mask, motion_mask
from streamstgs.trainer.fine.config import GopConfig, JointConfig
from streamstgs.trainer.fine.joint import JointTraining
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.fine.static_ghosts import find_ghosts, hull_share
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.optimization.rasterizer import rasterize
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.rng import Rng

from tests.capture_scene import BACKGROUND, ring_cameras

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
STANDS, LEAVES, FRAMES = (-0.5, 0.0), (0.6, 0.2), 5  # places of the box; it leaves after frame 2
THRESHOLD = 0.06
HULL = HullConfig(depth_tolerance=0.02)


def canonical(means: torch.Tensor, colors: torch.Tensor, size: float) -> CanonicalGaussians:
    count = len(means)
    return CanonicalGaussians(
        means=means,
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        log_scales=torch.full((count, 3), math.log(size)),
        opacity_logits=torch.full((count,), 4.0),
        colors=colors,
    )


def ground() -> CanonicalGaussians:
    """Tiles of random grey at z = 0."""
    along = torch.linspace(-1.2, 1.2, 9)
    means = torch.cartesian_prod(along, along, torch.tensor([0.0]))
    grey = 0.3 + 0.4 * torch.rand(len(means), 1, generator=torch.Generator().manual_seed(0))
    return canonical(means, grey.expand(-1, 3).contiguous(), 0.13)


def box(place: tuple[float, float]) -> CanonicalGaussians:
    """A red cube of 27 blobs on the ground."""
    along = torch.linspace(-0.15, 0.15, 3)
    means = torch.cartesian_prod(along, along, along + 0.35)
    means = means + torch.tensor([*place, 0.0])
    return canonical(means, torch.tensor([[0.9, 0.1, 0.1]]).repeat(len(means), 1), 0.09)


def place_at(frame: int) -> tuple[float, float]:
    return STANDS if frame <= 2 else LEAVES


@pytest.fixture(scope="module")
def views() -> GopViews:
    cameras = [c.resized(48, 36) for c in ring_cameras(5)]
    settings = RenderSettings(BACKGROUND)
    shown = [concatenate([ground(), box(place_at(f))]).activate() for f in range(FRAMES)]
    pictures = [rasterize(scene, cameras, settings)[0] for scene in shown]
    frames = [torch.stack([p[c] for p in pictures]).mul(255).round().byte() for c in range(5)]
    medians = [f.median(dim=0).values for f in frames]
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopViews(cameras, frames, masks, BACKGROUND, 0.1, None, medians, THRESHOLD)


def learned() -> CanonicalGaussians:
    """What the coarse stage makes of the medians: the ground, and the box where it stood."""
    return concatenate([ground(), box(STANDS)])


def ghosts_of(static: CanonicalGaussians, views: GopViews, share: float) -> torch.Tensor:
    return find_ghosts(static.activate(), views.cameras, masks_of(views), share, HULL, 0.1)


def ghost_share(static: CanonicalGaussians, views: GopViews) -> torch.Tensor:
    return hull_share(static.activate(), views.cameras, masks_of(views), HULL, 0.1)


def masks_of(views: GopViews) -> list[torch.Tensor]:
    assert views.medians is not None
    pairs = zip(views.frames, views.medians, strict=True)
    return [motion_mask(frames, median, THRESHOLD) for frames, median in pairs]


def redness(static: Gaussians, views: GopViews) -> float:
    """How red the static layer is, in the mean over all cameras."""
    pictures, _ = rasterize(static, views.cameras, RenderSettings((0.0, 0.0, 0.0)))
    return (pictures[..., 0] - pictures[..., 1]).clamp(min=0).mean().item()


def test_the_box_is_found_and_the_ground_is_kept(views: GopViews) -> None:
    static = learned()
    found = ghosts_of(static, views, 0.25)
    of_ground, of_box = found[:81], found[81:]
    assert of_box.float().mean() > 0.9
    assert of_ground.float().mean() < 0.1
    assert redness(static[~found].activate(), views) < 0.1 * redness(static.activate(), views)


def test_what_is_gone_too_rarely_stays(views: GopViews) -> None:
    assert not ghosts_of(learned(), views, 0.5).any()  # it is gone in 2 of 5 frames


def test_nothing_is_found_where_nothing_stood(views: GopViews) -> None:
    assert ghosts_of(ground(), views, 0.25).float().mean() < 0.1


def test_the_ghost_lies_in_the_hull_while_the_box_is_gone(views: GopViews) -> None:
    ground_alone = ghost_share(ground(), views)
    share = ghost_share(learned(), views)
    surface = share[81:] > 0  # what is inside of the box no camera sees
    assert surface.float().mean() > 0.5
    assert share[81:][surface].mean().item() == pytest.approx(0.4, abs=0.05)
    assert share[:81].mean() < 0.05
    assert ground_alone.mean() < 0.1


def test_joint_training_presses_on_ghosts(views: GopViews) -> None:
    static, faded = learned(), {}
    in_motion = ghost_share(static, views)
    ghosts = torch.arange(len(static)) >= 81
    for weight in (0.0, 1.0):
        config = GopConfig(iterations=40, features=4, width=16, trajectories=False)
        start = GopStart(box(LEAVES), torch.zeros(27, FRAMES + 4, 4))
        gop = GopTraining(start, static.activate(), views, 4.0, config, Rng(0, CPU))
        settings = JointConfig(iterations=6, opacities_lr=0.8, ghost_opacity_reg=weight)
        training = JointTraining(static, [gop], 4.0, settings, in_motion)
        while training.iteration < training.iterations:
            training.step()
        opacities = training.parameters["opacity_logits"].detach().sigmoid()
        faded[weight] = opacities[ghosts & (in_motion > 0)].mean().item()
        assert opacities[~ghosts & (in_motion == 0)].mean() > 0.9
    assert faded[1.0] < faded[0.0] - 0.1
