"""The two stages of training, and what they draw with."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.renderer.gaussians import rotation_matrices
from streamstgs.trainer.coarse.background import (
    BackgroundConfig,
    StillView,
    dynamic_mask,
    still_view,
)
from streamstgs.trainer.coarse.depth_supervision import SparseDepth, depth_loss
from streamstgs.trainer.coarse.dropout import drop_out
from streamstgs.trainer.coarse.footage import MedianFootage
from streamstgs.trainer.coarse.stage import StaticConfig, control_density, explore, train_static
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import load_frames, open_capture
from streamstgs.trainer.evaluation.held_out import HeldOutWatch
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.footage import GopFootage
from streamstgs.trainer.fine.moving_start import FEWEST, moving_start
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters, GaussianRates
from streamstgs.trainer.optimization.losses import psnr
from streamstgs.trainer.optimization.rasterizer import depth_map, rasterize, rasterize_with_depth
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.random_source import RandomSource
from torch import Tensor

from tests.capture_scene import BACKGROUND, FRAMES, HEIGHT, WIDTH, ring_cameras, scene_at
from tests.synthetic import random_canonical

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
SETTINGS = RenderSettings(BACKGROUND)


def logits(opacity: Tensor) -> Tensor:
    return torch.logit(opacity)


def stored(gaussians: Gaussians) -> CanonicalGaussians:
    return CanonicalGaussians(
        gaussians.means, gaussians.quats, gaussians.scales.log(),
        logits(gaussians.opacities), gaussians.colors,
    )  # fmt: skip


@pytest.fixture(scope="module")
def footage(tiny_capture: Path) -> GopFootage:
    capture = open_capture(tiny_capture)
    frames = load_frames(capture.split("train"), range(FRAMES))
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopFootage(
        [v.camera for v in capture.split("train")], frames, masks, BACKGROUND, near=0.1
    )


@pytest.fixture(scope="module")
def stills(footage: GopFootage) -> list[StillView]:
    return [still_view(f, BackgroundConfig()) for f in footage.frames]


# Drawing


def test_cameras_are_drawn_side_by_side_with_gradients() -> None:
    cameras, gaussians = ring_cameras(3), stored(scene_at(0))
    gaussians.means.requires_grad_()
    pictures, alphas = rasterize(gaussians.activate(), cameras, SETTINGS)
    assert pictures.shape == (3, HEIGHT, WIDTH, 3)
    assert alphas.shape == (3, HEIGHT, WIDTH)
    pictures.sum().backward()
    assert gaussians.means.grad is not None
    assert gaussians.means.grad.abs().sum() > 0


def test_the_depth_of_a_wall_and_of_nothing() -> None:
    """A wall of wide Gaussians 5 before the camera, on the left half of the picture only."""
    K = torch.tensor([[20.0, 0, 16], [0, 20, 12], [0, 0, 1]])
    camera = Camera(torch.eye(4), K, 32, 24)
    places = torch.cartesian_prod(torch.arange(-6.0, -0.9, 0.5), torch.arange(-4.0, 4.1, 0.5))
    wall = CanonicalGaussians(
        means=torch.cat([places, torch.full((len(places), 1), 5.0)], dim=1),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(len(places), 1),
        log_scales=torch.tensor([0.4, 0.4, 0.001]).log().repeat(len(places), 1),
        opacity_logits=torch.full((len(places),), 6.0),
        colors=torch.zeros(len(places), 3),
    ).activate()
    depth = depth_map(wall, camera, RenderSettings(background=(1, 1, 1)))
    assert torch.allclose(depth[4:20, 2:8], torch.tensor(5.0), atol=0.02)
    assert (depth[:, 26:] == torch.inf).all()  # whatever the capture's units are


def test_the_watch_reads_the_held_out_camera(tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    watch = HeldOutWatch.of_frames(capture, 2, 5, SETTINGS, CPU)
    assert [frame for frame, _, _ in watch.shots] == [0, 1, 2]
    assert watch.read(lambda frame: scene_at(2 + frame)) > 50  # but for the rounding to 8 bit
    assert watch.read(lambda frame: scene_at(frame)) < 35


def test_without_held_out_cameras_the_first_one_stands_in(tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    training_only = replace(capture, views=capture.split("train"))
    watch = HeldOutWatch.of_frames(training_only, 0, 1, SETTINGS, CPU)
    assert torch.equal(watch.shots[0][1].viewmat, capture.views[1].camera.viewmat)


# The static stage


def test_haze_before_a_flat_background_fades(footage: GopFootage, stills: list[StillView]) -> None:
    """A faint cloud of the background's colour changes no picture; the weight removes it."""
    haze = CanonicalGaussians(
        torch.zeros(1, 3),
        torch.tensor([[1.0, 0, 0, 0]]),
        torch.full((1, 3), math.log(0.7)),
        torch.tensor([-1.0]),
        torch.tensor([BACKGROUND]),
    )
    empty = [replace(s, median=background_picture(s.median)) for s in stills]
    near = MedianFootage(footage.cameras, empty, 0.5, [], BACKGROUND)
    config = StaticConfig(
        cap=1, iterations=20, opacity_weight=0, scale_weight=0, exploration=0, dropout=0
    )
    left = train_static(
        haze, near, BACKGROUND, 0.1, 4.0, config, RandomSource(0, CPU), lambda *_: None
    )
    rate = config.rates.opacity_logits
    assert left.opacity_logits.item() == pytest.approx(-1.0 - 20 * rate, abs=3 * rate)


def background_picture(like: Tensor) -> Tensor:
    """[H, W, 3] uint8 of nothing but the background."""
    return (torch.tensor(BACKGROUND) * 255).round().to(torch.uint8).expand_as(like).contiguous()


def trained_static(
    stills: list[StillView],
    cameras: list[Camera],
    config: StaticConfig,
    depths: list[SparseDepth] | None = None,
) -> tuple[CanonicalGaussians, list[tuple[int, float]]]:
    start = stored(scene_at(0)[torch.arange(5)])
    start.colors.mul_(0.5)
    told: list[tuple[int, float]] = []
    footage = MedianFootage(cameras, stills, config.reliable_share, depths or [])
    static = train_static(
        start, footage, BACKGROUND, 0.1, 4.0, config, RandomSource(0, CPU),
        lambda step, loss, _: told.append((step, loss.item())),
    )  # fmt: skip
    return static, told


def test_the_static_layer_learns_the_medians(footage: GopFootage, stills: list[StillView]) -> None:
    config = StaticConfig(cap=5, iterations=25, rates=GaussianRates(colors=0.03))
    static, told = trained_static(stills, footage.cameras, config)
    assert [step for step, _ in told] == list(range(1, 26))
    early, late = (sum(loss for _, loss in part) / 7 for part in (told[:7], told[-7:]))
    assert late < 0.8 * early
    assert not static.means.requires_grad


def test_pixels_that_are_not_trusted_have_no_say(
    footage: GopFootage, stills: list[StillView]
) -> None:
    doubtful = [replace(s, reliability=torch.zeros_like(s.reliability)) for s in stills]
    config = StaticConfig(iterations=3, opacity_weight=0, scale_weight=0, exploration=0)
    static, _ = trained_static(doubtful, footage.cameras, config)
    start = stored(scene_at(0)[torch.arange(5)])
    assert torch.equal(static.colors, start.colors * 0.5)
    assert torch.equal(static.means, start.means)


def test_known_depths_pull_the_surface_to_them(
    footage: GopFootage, stills: list[StillView]
) -> None:
    """All pictures are distrusted, so that depth alone moves what is drawn."""
    doubtful = [replace(s, reliability=torch.zeros_like(s.reliability)) for s in stills]
    drawn = [depth_map(scene_at(0)[torch.arange(5)], c, SETTINGS) for c in footage.cameras]
    known = []
    for depth in drawn:
        place = depth.argmin()
        row, column = place // WIDTH, place % WIDTH
        known.append(SparseDepth(row[None], column[None], depth.min()[None] * 1.1))

    def error(weight: float) -> float:
        config = StaticConfig(
            iterations=40, depth_weight=weight, opacity_weight=0, scale_weight=0, exploration=0,
            dropout=0, relocate_until=0, rates=GaussianRates(means=5e-3),
        )  # fmt: skip
        static, _ = trained_static(doubtful, footage.cameras, config, known)
        _, _, depths = rasterize_with_depth(static.activate(), footage.cameras, SETTINGS)
        return sum(depth_loss(d, k, 0.1, 4.0).item() for d, k in zip(depths, known, strict=True))

    assert error(1.0) < 0.8 * error(0.0)


def test_dropping_out_keeps_the_opacity_in_the_mean() -> None:
    gaussians = random_canonical(4000).activate()
    gaussians = replace(gaussians, opacities=torch.full((4000,), 0.5))
    left = drop_out(gaussians, 0.2, RandomSource(0, CPU)).opacities
    assert set(left.unique().tolist()) == {0.0, 0.625}
    assert left.mean().item() == pytest.approx(0.5, abs=0.02)
    assert drop_out(gaussians, 0.0, RandomSource(0, CPU)) is gaussians


def test_pictures_decide_how_many_gaussians_are_too_many() -> None:
    config = StaticConfig(cap=1000, per_pixel=0.1)
    assert config.for_pictures(64, 48).cap == 307
    assert config.for_pictures(640, 480).cap == 1000
    assert replace(config, per_pixel=None).for_pictures(64, 48).cap == 1000


def test_density_control_moves_the_dead_and_grows_to_the_cap() -> None:
    canonical = random_canonical(100)
    canonical.opacity_logits[:10] = -12
    parameters = GaussianParameters(canonical, GaussianRates(), 1.0)
    config, random = StaticConfig(cap=110, growth=0.07), RandomSource(0, CPU)
    control_density(parameters, config, random)
    assert len(parameters) == 107
    assert (parameters["opacity_logits"].sigmoid() > config.dead_opacity * 0.99).all()
    for _ in range(3):
        control_density(parameters, config, random)
    assert len(parameters) == 110


def test_only_transparent_gaussians_wander() -> None:
    canonical = random_canonical(100)
    canonical.opacity_logits[:50] = logits(torch.tensor(0.002))
    canonical.opacity_logits[50:] = logits(torch.tensor(0.5))
    parameters = GaussianParameters(canonical, GaussianRates(), 1.0)
    explore(parameters, 5e5, RandomSource(0, CPU))
    moved = (parameters["means"] - canonical.means).norm(dim=1)
    assert moved[:50].min() > 0
    assert moved[50:].max() < 1e-6


def test_gaussians_wander_along_their_covariance() -> None:
    canonical = random_canonical(50)
    canonical.opacity_logits.fill_(-6.0)
    parameters = GaussianParameters(canonical, GaussianRates(), 2.0)
    explore(parameters, 4e6, RandomSource(0, CPU))
    gaussians = canonical.activate()
    axes = rotation_matrices(gaussians.quats) * gaussians.scales[:, None]
    noise = RandomSource(0, CPU).normal(50, 3)
    gate = torch.sigmoid(100 * (0.005 - gaussians.opacities))[:, None]
    kick = noise * gate * 4e6 * parameters.rate("means") / 2.0**2
    expected = canonical.means + (axes @ axes.mT @ kick[..., None])[..., 0]
    assert (expected - canonical.means).norm(dim=1).min() > 0
    assert torch.allclose(parameters["means"], expected, rtol=1e-5, atol=1e-5)


def test_a_capture_in_other_units_explores_alike() -> None:
    """Ten times as large in all, and seen from ten times as far."""
    moves = []
    for unit in (1.0, 10.0):
        canonical = random_canonical(50)
        canonical.opacity_logits.fill_(-6.0)
        canonical.means.mul_(unit)
        canonical.log_scales.add_(math.log(unit))
        parameters = GaussianParameters(canonical, GaussianRates(), 2 * unit)
        explore(parameters, 4e6, RandomSource(0, CPU))
        moves.append((parameters["means"].detach() - canonical.means) / unit)
    assert moves[0].norm(dim=1).min() > 0
    assert torch.allclose(moves[0], moves[1], rtol=1e-3, atol=1e-7)


# The fine stage


def gop_training(footage: GopFootage, **changes: object) -> GopTraining:
    """The moving blob starts where it is in frame 2; the others are static."""
    config = GopConfig(count=64, iterations=40, features=4, width=16, moments=2, **changes)
    random = RandomSource(0, CPU)
    scene = stored(scene_at(2))
    blob = scene[torch.full((64,), 5)]
    blob.means.add_(0.1 * random.normal(64, 3))
    blob.log_scales.fill_(math.log(0.1))
    start = GopStart.sorted(blob, torch.full((64,), 2.0), torch.full((64,), 3.0), FRAMES, config)
    static = scene_at(0)[torch.arange(5)]
    return GopTraining(start, static, footage, 4.0, config, random)


def training_psnr(training: GopTraining) -> float:
    """Mean over all frames as the first training camera sees them."""
    footage = training.footage
    readings = []
    for frame, target in enumerate(footage.frames[0]):
        picture, _ = rasterize(training.gaussians_at(frame), footage.cameras[:1], SETTINGS)
        readings.append(psnr(picture[0], target.float() / 255))
    return torch.stack(readings).mean().item()


@pytest.mark.parametrize("window", [1, 3, 5])
def test_a_gop_learns_with_windows_of_each_size(footage: GopFootage, window: int) -> None:
    training = gop_training(footage, window=window)
    before = training_psnr(training)
    losses = [training.step().item() for _ in range(24)]
    assert all(math.isfinite(loss) for loss in losses)
    assert training_psnr(training) > before + 1.5
    gop = training.trained()
    assert gop.features.shape == (FRAMES + window - 1, 64, 4)
    assert gop.features.abs().max() <= 1
    assert (len(gop.canonical), gop.frames) == (64, FRAMES)
    assert not gop.features.requires_grad


def test_a_fresh_field_leaves_the_gaussians_where_they_are(footage: GopFootage) -> None:
    training = gop_training(footage)
    for frame in (0, FRAMES - 1):
        drawn = training.gaussians_at(frame)
        assert torch.equal(drawn.means[:5], training.static.means)
        assert torch.allclose(drawn.means[5:], training.parameters["means"])


def test_gaussians_seen_in_no_frame_are_relocated(footage: GopFootage) -> None:
    training = gop_training(footage, relocation=True)
    with torch.no_grad():
        training.parameters["opacity_logits"][:20] = -9
        training.parameters["features"][:20] = 0.77
    training.control_density()
    assert len(training.parameters) == 64
    assert (training.parameters["opacity_logits"].sigmoid() > 0.005).all()
    assert (training.parameters["features"] != 0.77).all()  # features move along


def test_learning_rates_fall_to_what_is_left_at_the_end(footage: GopFootage) -> None:
    training = gop_training(footage)
    training.iteration = 40
    training.step()
    rates = {g["name"]: g["lr"] for g in training.parameters.optimizer.param_groups}
    assert rates["features"] == pytest.approx(5e-3 * 0.02)
    assert rates["means"] == pytest.approx(1.6e-6 * 4.0)
    assert training.field_optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 * 0.02)


# The start of a GOP


def start_config(tmp_path: Path) -> TrainConfig:
    gop = GopConfig(count=128, moments=2, fast_share=0.0)
    return TrainConfig(tmp_path, tmp_path, hull=HullConfig(candidates=20_000), gop=gop)


def static_room() -> Gaussians:
    """The five still blobs in the corners of a room: its walls bound what may move."""
    corners = torch.cartesian_prod(*[torch.tensor([-1.1, 1.1])] * 3)
    walls = CanonicalGaussians(
        corners, torch.ones(8, 4), torch.full((8, 3), -9.0), torch.ones(8), torch.zeros(8, 3)
    )
    return Gaussians.concatenate([scene_at(0)[torch.arange(5)], walls.activate()])


def test_moving_gaussians_start_on_what_moves(
    footage: GopFootage, stills: list[StillView], tiny_capture: Path, tmp_path: Path
) -> None:
    config, random = start_config(tmp_path), RandomSource(0, CPU)
    capture = open_capture(tiny_capture)
    found = moving_start(footage, stills, static_room(), capture, config, random)
    assert len(found) == 128
    assert found.birth.unique().tolist() == [1, 4]  # a quarter and three quarters of six frames
    assert found.reach.unique().tolist() == [3]
    for frame in (1, 4):
        middle = found[found.birth == frame].points.positions.median(dim=0).values
        assert (middle - scene_at(frame).means[5]).norm() < 0.2


def test_what_is_fast_starts_where_it_is_between_the_moments(
    footage: GopFootage, stills: list[StillView], tiny_capture: Path, tmp_path: Path
) -> None:
    """The one moment, frame 3, sees the blob aside from where it is in all other frames."""
    shown = torch.tensor([1, 1, 1, 4, 1, 1])
    jumping = replace(footage, frames=[f[shown] for f in footage.frames])
    config = start_config(tmp_path)
    config = replace(
        config, gop=replace(config.gop, count=2048, moments=1, fast_share=0.25, fast_every=1)
    )
    capture, random = open_capture(tiny_capture), RandomSource(0, CPU)
    found = moving_start(jumping, stills, static_room(), capture, config, random)
    of_moment = found.birth == 3
    at_once, between = found[of_moment], found[~of_moment]
    assert 100 < len(between) <= 0.25 * 2048
    assert len(found) <= 2048
    assert (at_once.points.positions.median(dim=0).values - scene_at(4).means[5]).norm() < 0.2
    assert (between.points.positions.median(dim=0).values - scene_at(1).means[5]).norm() < 0.3
    assert (between.reach == 1).all()
    left = at_once.points.positions[:, 0] > scene_at(4).means[5, 0]  # where it is in frame 3 alone
    assert (at_once.reach[left] == 1).float().mean() > 0.8
    assert (at_once.reach[~left] == 6).float().mean() > 0.8


def test_what_hardly_moves_takes_no_points_between_the_moments(
    footage: GopFootage, stills: list[StillView], tiny_capture: Path, tmp_path: Path
) -> None:
    shown = torch.full((6,), 1)
    standing = replace(footage, frames=[f[shown] for f in footage.frames])
    config = start_config(tmp_path)
    config = replace(
        config, gop=replace(config.gop, count=2048, moments=1, fast_share=0.25, fast_every=1)
    )
    capture, random = open_capture(tiny_capture), RandomSource(0, CPU)
    found = moving_start(standing, stills, static_room(), capture, config, random)
    assert (found.birth == 3).float().mean() > 0.9
    assert (found.reach == 6).float().mean() > 0.9  # frames over moments


def test_a_gop_in_which_nothing_moves_has_a_few_gaussians(
    footage: GopFootage, stills: list[StillView], tiny_capture: Path, tmp_path: Path
) -> None:
    frozen = replace(footage, frames=[s.median.expand(FRAMES, -1, -1, -1) for s in stills])
    static = random_canonical(100).activate()
    capture, config = open_capture(tiny_capture), start_config(tmp_path)
    found = moving_start(frozen, stills, static, capture, config, RandomSource(0, CPU))
    assert len(found) == FEWEST
    assert found.points.colors.amax() <= 1
