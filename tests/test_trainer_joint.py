"""Static and moving Gaussians trained together; where moving ones are not wanted."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.codec.attributes.layers import concatenate
from streamstgs.renderer import CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.temporal_median import dynamic_mask
from streamstgs.trainer.datasets import load_frames, open_capture
from streamstgs.trainer.fine.config import GopConfig, JointConfig
from streamstgs.trainer.fine.joint import JointTraining, joint_gops
from streamstgs.trainer.fine.stage import GopTraining, image_loss
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.joint_stage import gops_in_memory
from streamstgs.trainer.memory import gop_bytes
from streamstgs.trainer.optimization.rasterizer import rasterize, rasterize_with_share
from streamstgs.trainer.rng import Rng

from tests.capture_scene import BACKGROUND, FRAMES, ring_cameras, scene_at, still_blobs

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def training_views(tiny_capture: Path) -> GopViews:
    views = open_capture(tiny_capture).split("train")
    frames = load_frames(views, range(FRAMES))
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopViews([v.camera for v in views], frames, masks, BACKGROUND, near=0.1)


@pytest.fixture(scope="module")
def wide_views() -> GopViews:
    """Two larger pictures of three moments, so that there are pixels far from what moves."""
    cameras = [c.resized(96, 72) for c in ring_cameras(8)[1:3]]
    settings = RenderSettings(BACKGROUND)
    sample_frames = [rasterize(scene_at(frame), cameras, settings)[0] for frame in range(3)]
    frames = [torch.stack([m[k] for m in sample_frames]).mul(255).round().byte() for k in range(2)]
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopViews(cameras, frames, masks, BACKGROUND, near=0.1)


def moving_blob() -> CanonicalGaussians:
    """64 small Gaussians where the red blob is in frame 2."""
    rng = Rng(0, CPU)
    place = scene_at(2).means[5]
    return CanonicalGaussians(
        means=place + 0.1 * rng.normal(64, 3),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(64, 1),
        log_scales=torch.full((64, 3), math.log(0.1)),
        opacity_logits=torch.full((64,), -1.0),
        colors=torch.tensor([[1.0, 0.1, 0.1]]).repeat(64, 1),
    )


def gop(training_views: GopViews, seed: int, iterations: int = 40) -> GopTraining:
    config = GopConfig(init_count=64, iterations=iterations, features=4, width=16, sample_frames=2)
    centers, extents = torch.full((64,), 2.0), torch.full((64,), 3.0)
    start = GopStart.sorted(moving_blob(), centers, extents, FRAMES, config)
    static = still_blobs().activate()
    return GopTraining(start, static, training_views, 4.0, config, Rng(seed, CPU))


def with_ghost() -> CanonicalGaussians:
    """The still blobs, and one that was there in the medians only."""
    still = still_blobs()
    ghost = replace(still[:1], means=torch.tensor([[0.0, -0.9, 0.9]]))
    return concatenate([still, ghost])


def test_joint_training_fades_a_ghost_of_the_medians(
    training_views: GopViews,
) -> None:
    config = JointConfig(iterations=15, min_opacity=0.5, opacities_lr=0.5)
    training = JointTraining(
        with_ghost(), [gop(training_views, 0), gop(training_views, 1)], 4.0, config
    )
    before = training.parameters["opacity_logits"].detach().sigmoid().clone()
    while training.iteration < training.iterations:
        assert math.isfinite(training.step().loss.item())
    after = training.parameters["opacity_logits"].detach().sigmoid()
    assert after[5] < 0.3 < before[5]  # the ghost
    assert (after[:5] > 0.9).all()
    assert len(training.static()) == 5
    assert not training.static().means.requires_grad


def test_joint_training_alternates_gops(training_views: GopViews) -> None:
    gops = [gop(training_views, 0), gop(training_views, 1, iterations=3)]
    training = JointTraining(still_blobs(), gops, 4.0, JointConfig(iterations=5))
    assert training.iterations == 6  # no GOP makes more than its own schedule
    for _ in range(3):
        training.step()
    assert [g.iteration for g in gops] == [2, 1]


def test_joint_gops_are_spread_evenly() -> None:
    assert joint_gops(range(3), 8) == [0, 1, 2]
    assert joint_gops(range(9), 3) == [0, 4, 8]
    assert joint_gops([4, 7], 1) == [4]


def test_gops_in_memory_fit_half_of_the_free_memory(
    tiny_capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = open_capture(tiny_capture)
    views_bytes = gop_bytes(capture, gop_frames=2)
    cuda = torch.device("cuda", 0)
    for free_bytes, expected in ((10 * views_bytes, 5), (views_bytes, 1), (1, 1)):
        free = (free_bytes, 1 << 40)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device, free=free: free)
        assert gops_in_memory(8, capture, 2, cuda) == expected
    assert gops_in_memory(8, capture, 2, CPU) == 8


# What moving Gaussians draw


def test_rasterized_share_is_the_weight_of_marked_gaussians() -> None:
    """A white copy of the marked ones, over black and behind black others, is their share."""
    cameras, scene = ring_cameras(2), scene_at(2)
    marked = torch.tensor([0.0, 0, 1, 0, 0, 1])
    settings = RenderSettings(BACKGROUND)
    pictures, _, shares = rasterize_with_share(scene, marked, cameras, settings)
    assert torch.allclose(pictures, rasterize(scene, cameras, settings)[0])
    _, alphas = rasterize(scene, cameras, settings)
    _, _, others = rasterize_with_share(scene, 1 - marked, cameras, settings)
    assert torch.allclose(shares + others, alphas, atol=1e-5)
    assert shares.max() > 0.5


def test_static_pixels_exclude_a_margin_around_motion(wide_views: GopViews) -> None:
    for still, frames in zip(wide_views.static_pixels, wide_views.frames, strict=True):
        moves = dynamic_mask(frames, 0.02)
        assert moves.any()
        for row in range(0, 72, 5):
            for column in range(0, 96, 5):
                near = moves[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5]
                assert still[row, column].item() == float(not near.any())


def test_static_alpha_penalty_equals_hand_computation(wide_views: GopViews) -> None:
    """By hand: nothing but the weight times the mean share on still pixels is added."""
    training_views, views = wide_views, [0, 1]
    static = still_blobs().activate()[1:]
    moving = Gaussians.concatenate([scene_at(2)[5:], still_blobs().activate()[:1]])

    batch = training_views.batch(2, views, Rng(0, CPU))

    def loss(weight: float, of: Gaussians = static) -> float:
        config = GopConfig(static_alpha_reg=weight, background_alpha_reg=0.0)
        return image_loss(of, moving, batch, config).total.item()

    drawn = Gaussians.concatenate([static, moving])
    marked = torch.tensor([0.0] * 4 + [1.0] * 2)
    cameras = [training_views.cameras[v] for v in views]
    _, _, shares = rasterize_with_share(drawn, marked, cameras, RenderSettings(BACKGROUND, 0.1))
    expected = (
        (shares * torch.stack([training_views.static_pixels[v] for v in views])).mean().item()
    )
    assert expected > 0
    assert loss(0.7) - loss(0.0) == pytest.approx(0.7 * expected, rel=1e-4)
    assert loss(0.7, Gaussians.empty()) == loss(0.0, Gaussians.empty())  # nothing else draws there
    standing = torch.tensor([True, True])
    config = GopConfig(static_alpha_reg=0.7, background_alpha_reg=0.0)
    exempt = image_loss(static, moving, batch, config, standing).total.item()
    assert exempt == pytest.approx(loss(0.0), rel=1e-6)


def test_static_alpha_penalty_fades_moving_gaussians(wide_views: GopViews) -> None:
    training_views, stored = wide_views, still_blobs()[:1]
    stored.opacity_logits.requires_grad_()
    static = still_blobs().activate()
    batch = training_views.batch(0, [0, 1], Rng(0, CPU))
    grads = []
    for weight in (0.0, 1.0):
        stored.opacity_logits.grad = None
        config = GopConfig(static_alpha_reg=weight, background_alpha_reg=0.0)
        image_loss(static, stored.activate(), batch, config).total.backward()
        assert stored.opacity_logits.grad is not None
        grads.append(stored.opacity_logits.grad.item())
    assert grads[1] > grads[0]


def test_background_alpha_penalty_equals_hand_computation(wide_views: GopViews) -> None:
    """By hand: the weight times the mean alpha on pixels that show the background all the time."""
    training_views, views = wide_views, [0, 1]
    cameras = [training_views.cameras[v] for v in views]
    haze = replace(
        scene_at(2)[:1],
        scales=torch.full((1, 3), 1.5),
        opacities=torch.tensor([0.05]),
        colors=torch.tensor([BACKGROUND]),
        means=torch.zeros(1, 3),
    )
    haze.opacities.requires_grad_()
    moving = scene_at(2)[5:]
    seen = torch.stack([training_views.background_pixels[v] for v in views])
    assert 0.1 < seen.mean() < 0.95
    nothing = torch.stack([f[0] for f in training_views.frames]).float() / 255 - torch.tensor(
        BACKGROUND
    )
    assert (nothing.abs().amax(dim=-1)[seen > 0] <= 3.5 / 255).all()
    _, alphas = rasterize(
        Gaussians.concatenate([haze, moving]), cameras, RenderSettings(BACKGROUND)
    )
    batch = training_views.batch(2, views, Rng(0, CPU))
    without, costly = (
        image_loss(
            haze, moving, batch, GopConfig(static_alpha_reg=0.0, background_alpha_reg=weight)
        ).total
        for weight in (0.0, 0.3)
    )
    assert (costly - without).item() == pytest.approx(0.3 * (alphas * seen).mean().item(), rel=1e-4)
    (costly - without).backward()
    assert haze.opacities.grad is not None
    assert haze.opacities.grad.item() > 0
