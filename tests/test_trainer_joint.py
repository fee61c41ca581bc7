"""Static and moving Gaussians trained together; where moving ones are not wanted."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.renderer import CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.background import dynamic_mask
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import load_frames, open_capture
from streamstgs.trainer.fine.config import GopConfig, JointConfig
from streamstgs.trainer.fine.footage import GopFootage
from streamstgs.trainer.fine.joint import JointTraining, joint_gops
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.joint_stage import gops_in_memory
from streamstgs.trainer.memory import gop_bytes
from streamstgs.trainer.optimization.gaussian_parameters import GaussianRates
from streamstgs.trainer.optimization.rasterizer import rasterize, rasterize_with_share
from streamstgs.trainer.random_source import RandomSource

from tests.capture_scene import BACKGROUND, FRAMES, ring_cameras, scene_at, still_blobs

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def footage(tiny_capture: Path) -> GopFootage:
    views = open_capture(tiny_capture).split("train")
    frames = load_frames(views, range(FRAMES))
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopFootage([v.camera for v in views], frames, masks, BACKGROUND, near=0.1)


@pytest.fixture(scope="module")
def wide_footage() -> GopFootage:
    """Two larger pictures of three moments, so that there are pixels far from what moves."""
    cameras = [c.resized(96, 72) for c in ring_cameras(8)[1:3]]
    settings = RenderSettings(BACKGROUND)
    moments = [rasterize(scene_at(frame), cameras, settings)[0] for frame in range(3)]
    frames = [torch.stack([m[k] for m in moments]).mul(255).round().byte() for k in range(2)]
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopFootage(cameras, frames, masks, BACKGROUND, near=0.1)


def moving_blob() -> CanonicalGaussians:
    """64 small Gaussians where the red blob is in frame 2."""
    random = RandomSource(0, CPU)
    place = scene_at(2).means[5]
    return CanonicalGaussians(
        means=place + 0.1 * random.normal(64, 3),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(64, 1),
        log_scales=torch.full((64, 3), math.log(0.1)),
        opacity_logits=torch.full((64,), -1.0),
        colors=torch.tensor([[1.0, 0.1, 0.1]]).repeat(64, 1),
    )


def gop(footage: GopFootage, seed: int, iterations: int = 40) -> GopTraining:
    config = GopConfig(count=64, iterations=iterations, features=4, width=16, moments=2)
    birth, reach = torch.full((64,), 2.0), torch.full((64,), 3.0)
    start = GopStart.sorted(moving_blob(), birth, reach, FRAMES, config)
    static = still_blobs().activate()
    return GopTraining(start, static, footage, 4.0, config, RandomSource(seed, CPU))


def with_ghost() -> CanonicalGaussians:
    """The still blobs, and one that was there in the medians only."""
    still = still_blobs()
    ghost = replace(still[:1], means=torch.tensor([[0.0, -0.9, 0.9]]))
    parts = zip(vars(still).values(), vars(ghost).values(), strict=True)
    return CanonicalGaussians(*(torch.cat(pair) for pair in parts))


RATES = GaussianRates(means=1.6e-5, opacity_logits=0.5)


def test_what_is_not_there_in_the_frames_fades_from_the_static_layer(footage: GopFootage) -> None:
    config = JointConfig(iterations=15, dead_opacity=0.5, rates=RATES)
    training = JointTraining(with_ghost(), [gop(footage, 0), gop(footage, 1)], 4.0, config)
    before = training.parameters["opacity_logits"].detach().sigmoid().clone()
    while training.iteration < training.iterations:
        assert math.isfinite(training.step().item())
    after = training.parameters["opacity_logits"].detach().sigmoid()
    assert after[5] < 0.3 < before[5]  # the ghost
    assert (after[:5] > 0.9).all()
    assert len(training.static()) == 5
    assert not training.static().means.requires_grad


def test_gops_take_turns_on_their_own_schedules(footage: GopFootage) -> None:
    gops = [gop(footage, 0), gop(footage, 1, iterations=3)]
    training = JointTraining(still_blobs(), gops, 4.0, JointConfig(iterations=5))
    assert training.iterations == 6  # no GOP makes more than its own schedule
    for _ in range(3):
        training.step()
    assert [g.iteration for g in gops] == [2, 1]


def test_the_gops_that_take_part_are_spread_evenly() -> None:
    assert joint_gops(range(3), 8) == [0, 1, 2]
    assert joint_gops(range(9), 3) == [0, 4, 8]
    assert joint_gops([4, 7], 1) == [4]


def test_as_many_gops_take_part_as_fit_into_memory(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = open_capture(tiny_capture)
    config = TrainConfig(tiny_capture, tmp_path, gop_frames=2)
    footage_bytes = gop_bytes(config, capture)
    cuda = torch.device("cuda", 0)
    for free_bytes, expected in ((10 * footage_bytes, 5), (footage_bytes, 1), (1, 1)):
        free = (free_bytes, 1 << 40)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device, free=free: free)
        assert gops_in_memory(config, capture, cuda) == expected
    assert gops_in_memory(config, capture, CPU) >= config.joint.gops


# What moving Gaussians draw


def test_the_share_of_marked_gaussians_is_their_weight_in_the_picture() -> None:
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


def test_pixels_are_still_where_nothing_moves_near_by(wide_footage: GopFootage) -> None:
    for still, frames in zip(wide_footage.still, wide_footage.frames, strict=True):
        moves = dynamic_mask(frames, 0.02)
        assert moves.any()
        for row in range(0, 72, 5):
            for column in range(0, 96, 5):
                near = moves[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5]
                assert still[row, column].item() == float(not near.any())


def test_moving_gaussians_cost_where_nothing_moves(wide_footage: GopFootage) -> None:
    """By hand: nothing but the weight times the mean share on still pixels is added."""
    footage, views = wide_footage, [0, 1]
    static = still_blobs().activate()[1:]
    moving = Gaussians.concatenate([scene_at(2)[5:], still_blobs().activate()[:1]])

    def loss(weight: float, of: Gaussians = static) -> float:
        return footage.loss(of, moving, 2, views, BACKGROUND, 0.2, weight).item()

    drawn = Gaussians.concatenate([static, moving])
    marked = torch.tensor([0.0] * 4 + [1.0] * 2)
    cameras = [footage.cameras[v] for v in views]
    _, _, shares = rasterize_with_share(drawn, marked, cameras, RenderSettings(BACKGROUND, 0.1))
    expected = (shares * torch.stack([footage.still[v] for v in views])).mean().item()
    assert expected > 0
    assert loss(0.7) - loss(0.0) == pytest.approx(0.7 * expected, rel=1e-4)
    assert loss(0.7, Gaussians.empty()) == loss(0.0, Gaussians.empty())  # nothing else draws there


def test_the_gradient_pulls_moving_gaussians_off_still_pixels(wide_footage: GopFootage) -> None:
    footage, stored = wide_footage, still_blobs()[:1]
    stored.opacity_logits.requires_grad_()
    static = still_blobs().activate()
    grads = []
    for weight in (0.0, 1.0):
        stored.opacity_logits.grad = None
        footage.loss(static, stored.activate(), 0, [0, 1], BACKGROUND, 0.2, weight).backward()
        assert stored.opacity_logits.grad is not None
        grads.append(stored.opacity_logits.grad.item())
    assert grads[1] > grads[0]


def test_all_costs_where_only_the_background_is_seen(wide_footage: GopFootage) -> None:
    """By hand: the weight times the mean alpha on pixels that show the background all the time."""
    footage, views = wide_footage, [0, 1]
    cameras = [footage.cameras[v] for v in views]
    haze = replace(
        scene_at(2)[:1],
        scales=torch.full((1, 3), 1.5),
        opacities=torch.tensor([0.05]),
        colors=torch.tensor([BACKGROUND]),
        means=torch.zeros(1, 3),
    )
    haze.opacities.requires_grad_()
    moving = scene_at(2)[5:]
    seen = torch.stack([footage.empty[v] for v in views])
    assert 0.1 < seen.mean() < 0.95
    nothing = torch.stack([f[0] for f in footage.frames]).float() / 255 - torch.tensor(BACKGROUND)
    assert (nothing.abs().amax(dim=-1)[seen > 0] <= 3.5 / 255).all()
    _, alphas = rasterize(
        Gaussians.concatenate([haze, moving]), cameras, RenderSettings(BACKGROUND)
    )
    without = footage.loss(haze, moving, 2, views, BACKGROUND, 0.2)
    costly = footage.loss(haze, moving, 2, views, BACKGROUND, 0.2, 0.0, 0.3)
    assert (costly - without).item() == pytest.approx(0.3 * (alphas * seen).mean().item(), rel=1e-4)
    (costly - without).backward()
    assert haze.opacities.grad is not None
    assert haze.opacities.grad.item() > 0
