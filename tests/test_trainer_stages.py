"""The two stages of training, and what they draw with."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.renderer.gaussians import rotation_matrices
from streamstgs.trainer.coarse.background import BackgroundConfig
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig, McmcStrategy, add_sgld_noise
from streamstgs.trainer.coarse.depth_supervision import SparseDepth, depth_loss
from streamstgs.trainer.coarse.dropout import drop_out
from streamstgs.trainer.coarse.stage import CoarseTraining, SceneGeometry, train_coarse
from streamstgs.trainer.coarse.temporal_median import (
    TemporalMedian,
    capture_medians,
    dynamic_mask,
    motion_mask,
    temporal_median,
)
from streamstgs.trainer.coarse.training_views import MedianViews
from streamstgs.trainer.datasets import load_frames, open_capture
from streamstgs.trainer.fine.config import (
    FEWEST_MOVING,
    GopConfig,
    GopStartConfig,
    OpacityDensityConfig,
)
from streamstgs.trainer.fine.density import OpacityStrategy
from streamstgs.trainer.fine.moving_start import FEWEST, moving_start
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.fine.start import GopStart, initial_trajectories
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.optimization.density import DensityStatistics
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters, LearningRates
from streamstgs.trainer.optimization.losses import psnr
from streamstgs.trainer.optimization.rasterizer import depth_map, rasterize, rasterize_with_depth
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.validation import PSNR, Metric, Validation, ValidationView
from torch import Tensor

from tests.capture_scene import BACKGROUND, FRAMES, HEIGHT, WIDTH, ring_cameras, scene_at
from tests.synthetic import random_canonical

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
SETTINGS = RenderSettings(BACKGROUND)
SCENE = SceneGeometry(BACKGROUND, near=0.1, scale=4.0)


def logits(opacity: Tensor) -> Tensor:
    return torch.logit(opacity)


def stored(gaussians: Gaussians) -> CanonicalGaussians:
    return CanonicalGaussians(
        gaussians.means, gaussians.quats, gaussians.scales.log(),
        logits(gaussians.opacities), gaussians.colors,
    )  # fmt: skip


@pytest.fixture(scope="module")
def training_views(tiny_capture: Path) -> GopViews:
    capture = open_capture(tiny_capture)
    frames = load_frames(capture.split("train"), range(FRAMES))
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopViews([v.camera for v in capture.split("train")], frames, masks, BACKGROUND, near=0.1)


@pytest.fixture(scope="module")
def medians(training_views: GopViews) -> list[TemporalMedian]:
    return [temporal_median(f, BackgroundConfig()) for f in training_views.frames]


# Drawing


def test_rasterize_several_cameras_with_gradients() -> None:
    cameras, gaussians = ring_cameras(3), stored(scene_at(0))
    gaussians.means.requires_grad_()
    pictures, alphas = rasterize(gaussians.activate(), cameras, SETTINGS)
    assert pictures.shape == (3, HEIGHT, WIDTH, 3)
    assert alphas.shape == (3, HEIGHT, WIDTH)
    pictures.sum().backward()
    assert gaussians.means.grad is not None
    assert gaussians.means.grad.abs().sum() > 0


def test_depth_map_of_a_wall() -> None:
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


def test_validation_measures_the_held_out_camera(tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    validation = Validation.of_frames(capture, range(2, 5), SETTINGS, CPU)
    assert [view.frame for view in validation.views] == [0, 1, 2]
    exact = validation.measure(lambda frame: scene_at(2 + frame))
    assert exact["PSNR"] > 50  # but for the rounding to 8 bit
    assert validation.measure(lambda frame: scene_at(frame))["PSNR"] < 35


def test_validation_measures_further_metrics_where_they_apply(tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    medians = capture_medians(capture, BackgroundConfig(), CPU)

    def moving_psnr(image: Tensor, view: ValidationView) -> Tensor:
        assert view.median is not None
        moves = motion_mask(view.image[None], view.median, 0.05)[0]
        return psnr(image[moves], view.target[moves]) if view.frame else image.new_tensor(torch.nan)

    frames = range(FRAMES)
    validation = Validation.of_frames(
        capture, frames, SETTINGS, CPU, medians, (PSNR, Metric("moving PSNR", "dB", moving_psnr))
    )
    figures = validation.measure(lambda _: scene_at(0)[torch.arange(5)])  # without what moves
    assert figures["moving PSNR"] < figures["PSNR"]
    said = validation.in_words(figures)
    assert said == (
        f"held-out {figures['PSNR']:.2f} dB, moving PSNR {figures['moving PSNR']:.2f} dB"
    )


def test_validation_without_held_out_cameras_uses_the_first(tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    training_only = replace(capture, views=capture.split("train"))
    validation = Validation.of_frames(training_only, range(1), SETTINGS, CPU)
    assert torch.equal(validation.views[0].camera.viewmat, capture.views[1].camera.viewmat)


# The static stage


def test_coarse_stage_fades_haze_before_a_background(
    training_views: GopViews, medians: list[TemporalMedian]
) -> None:
    """A faint cloud of the background's colour changes no picture; the weight removes it."""
    haze = CanonicalGaussians(
        torch.zeros(1, 3),
        torch.tensor([[1.0, 0, 0, 0]]),
        torch.full((1, 3), math.log(0.7)),
        torch.tensor([-1.0]),
        torch.tensor([BACKGROUND]),
    )
    empty = [replace(s, image=background_picture(s.image)) for s in medians]
    near = MedianViews(training_views.cameras, empty, 0.5, [], BACKGROUND)
    config = CoarseConfig(
        iterations=20,
        opacity_reg=0,
        scale_reg=0,
        dropout=0,
        density=McmcConfig(cap_max=1, noise_lr=0),
    )
    left = train_coarse(CoarseTraining(haze, near, SCENE, config, Rng(0, CPU)), lambda *_: None)
    rate = config.opacities_lr
    assert left.opacity_logits.item() == pytest.approx(-1.0 - 20 * rate, abs=3 * rate)


def background_picture(like: Tensor) -> Tensor:
    """[H, W, 3] uint8 of nothing but the background."""
    return (torch.tensor(BACKGROUND) * 255).round().to(torch.uint8).expand_as(like).contiguous()


def trained_static(
    medians: list[TemporalMedian],
    cameras: list[Camera],
    config: CoarseConfig,
    depths: list[SparseDepth] | None = None,
) -> tuple[CanonicalGaussians, list[tuple[int, float]]]:
    start = stored(scene_at(0)[torch.arange(5)])
    start.colors.mul_(0.5)
    told: list[tuple[int, float]] = []
    training_views = MedianViews(cameras, medians, config.reliable_share, depths or [])
    training = CoarseTraining(start, training_views, SCENE, config, Rng(0, CPU))
    static = train_coarse(training, lambda _, r: told.append((r.iteration, r.loss.item())))
    return static, told


def test_coarse_stage_learns_the_medians(
    training_views: GopViews, medians: list[TemporalMedian]
) -> None:
    config = CoarseConfig(iterations=25, colors_lr=0.03, density=McmcConfig(cap_max=5))
    static, told = trained_static(medians, training_views.cameras, config)
    assert [step for step, _ in told] == list(range(1, 26))
    early, late = (sum(loss for _, loss in part) / 7 for part in (told[:7], told[-7:]))
    assert late < 0.8 * early
    assert not static.means.requires_grad


def test_untrusted_pixels_have_no_gradient(
    training_views: GopViews, medians: list[TemporalMedian]
) -> None:
    doubtful = [replace(s, reliability=torch.zeros_like(s.reliability)) for s in medians]
    config = CoarseConfig(iterations=3, opacity_reg=0, scale_reg=0, density=McmcConfig(noise_lr=0))
    static, _ = trained_static(doubtful, training_views.cameras, config)
    start = stored(scene_at(0)[torch.arange(5)])
    assert torch.equal(static.colors, start.colors * 0.5)
    assert torch.equal(static.means, start.means)


def test_depth_loss_moves_the_surface(
    training_views: GopViews, medians: list[TemporalMedian]
) -> None:
    """All pictures are distrusted, so that depth alone moves what is drawn."""
    doubtful = [replace(s, reliability=torch.zeros_like(s.reliability)) for s in medians]
    drawn = [depth_map(scene_at(0)[torch.arange(5)], c, SETTINGS) for c in training_views.cameras]
    known = []
    for depth in drawn:
        place = depth.argmin()
        row, column = place // WIDTH, place % WIDTH
        known.append(SparseDepth(row[None], column[None], depth.min()[None] * 1.1))

    def error(weight: float) -> float:
        config = CoarseConfig(
            iterations=40, depth_lambda=weight, opacity_reg=0, scale_reg=0, dropout=0,
            means_lr=5e-3, density=McmcConfig(noise_lr=0, refine_stop=0),
        )  # fmt: skip
        static, _ = trained_static(doubtful, training_views.cameras, config, known)
        _, _, depths = rasterize_with_depth(static.activate(), training_views.cameras, SETTINGS)
        return sum(depth_loss(d, k, 0.1, 4.0).item() for d, k in zip(depths, known, strict=True))

    assert error(1.0) < 0.8 * error(0.0)


def test_dropout_keeps_the_mean_opacity() -> None:
    gaussians = random_canonical(4000).activate()
    gaussians = replace(gaussians, opacities=torch.full((4000,), 0.5))
    left = drop_out(gaussians, 0.2, Rng(0, CPU)).opacities
    assert set(left.unique().tolist()) == {0.0, 0.625}
    assert left.mean().item() == pytest.approx(0.5, abs=0.02)
    assert drop_out(gaussians, 0.0, Rng(0, CPU)) is gaussians


def test_cap_depends_on_the_image_size() -> None:
    config = McmcConfig(cap_max=1000, cap_per_pixel=0.1)
    assert config.for_images(64, 48).cap_max == 307
    assert config.for_images(640, 480).cap_max == 1000
    assert replace(config, cap_per_pixel=None).for_images(64, 48).cap_max == 1000
    coarse = CoarseConfig(density=config)
    assert coarse.for_images(64, 48).density.cap_max == 307


def test_mcmc_strategy_relocates_and_grows_to_the_cap() -> None:
    canonical = random_canonical(100)
    canonical.opacity_logits[:10] = -12
    parameters = GaussianParameters(canonical, LearningRates(), 1.0)
    config = McmcConfig(cap_max=110, growth=0.07)
    strategy = McmcStrategy(config, 100, Rng(0, CPU))
    strategy.refine(parameters)
    assert len(parameters) == 107
    assert (parameters["opacity_logits"].sigmoid() > config.min_opacity * 0.99).all()
    for _ in range(3):
        strategy.refine(parameters)
    assert len(parameters) == 110


def test_sgld_noise_moves_transparent_gaussians_only() -> None:
    canonical = random_canonical(100)
    canonical.opacity_logits[:50] = logits(torch.tensor(0.002))
    canonical.opacity_logits[50:] = logits(torch.tensor(0.5))
    parameters = GaussianParameters(canonical, LearningRates(), 1.0)
    add_sgld_noise(parameters, 5e5, Rng(0, CPU))
    moved = (parameters["means"] - canonical.means).norm(dim=1)
    assert moved[:50].min() > 0
    assert moved[50:].max() < 1e-6


def test_sgld_noise_follows_the_covariance() -> None:
    canonical = random_canonical(50)
    canonical.opacity_logits.fill_(-6.0)
    parameters = GaussianParameters(canonical, LearningRates(), 2.0)
    add_sgld_noise(parameters, 4e6, Rng(0, CPU))
    gaussians = canonical.activate()
    axes = rotation_matrices(gaussians.quats) * gaussians.scales[:, None]
    noise = Rng(0, CPU).normal(50, 3)
    gate = torch.sigmoid(100 * (0.005 - gaussians.opacities))[:, None]
    kick = noise * gate * 4e6 * parameters.rate("means") / 2.0**2
    expected = canonical.means + (axes @ axes.mT @ kick[..., None])[..., 0]
    assert (expected - canonical.means).norm(dim=1).min() > 0
    assert torch.allclose(parameters["means"], expected, rtol=1e-5, atol=1e-5)


def test_sgld_noise_is_independent_of_units() -> None:
    """Ten times as large in all, and seen from ten times as far."""
    moves = []
    for unit in (1.0, 10.0):
        canonical = random_canonical(50)
        canonical.opacity_logits.fill_(-6.0)
        canonical.means.mul_(unit)
        canonical.log_scales.add_(math.log(unit))
        parameters = GaussianParameters(canonical, LearningRates(), 2 * unit)
        add_sgld_noise(parameters, 4e6, Rng(0, CPU))
        moves.append((parameters["means"].detach() - canonical.means) / unit)
    assert moves[0].norm(dim=1).min() > 0
    assert torch.allclose(moves[0], moves[1], rtol=1e-3, atol=1e-7)


# The fine stage


def gop_training(training_views: GopViews, **changes: object) -> GopTraining:
    """The moving blob starts where it is in frame 2; the others are static."""
    config = GopConfig(
        **{
            "init_count": 64,
            "iterations": 40,
            "features": 4,
            "width": 16,
            "sample_frames": 2,
            "density": OpacityDensityConfig(cap_max=None),
            **changes,
        }
    )
    rng = Rng(0, CPU)
    scene = stored(scene_at(2))
    blob = scene[torch.full((64,), 5)]
    blob.means.add_(0.1 * rng.normal(64, 3))
    blob.log_scales.fill_(math.log(0.1))
    start = GopStart.sorted(blob, torch.full((64,), 2.0), torch.full((64,), 3.0), FRAMES, config)
    static = scene_at(0)[torch.arange(5)]
    return GopTraining(start, static, training_views, 4.0, config, rng)


def training_psnr(training: GopTraining) -> float:
    """Mean over all frames as the first training camera sees them."""
    training_views = training.training_views
    readings = []
    for frame, target in enumerate(training_views.frames[0]):
        picture, _ = rasterize(training.gaussians_at(frame), training_views.cameras[:1], SETTINGS)
        readings.append(psnr(picture[0], target.float() / 255))
    return torch.stack(readings).mean().item()


@pytest.mark.parametrize("window", [1, 3, 5])
def test_gop_learns_with_each_window(training_views: GopViews, window: int) -> None:
    training = gop_training(training_views, window=window)
    before = training_psnr(training)
    losses = [training.step().loss.item() for _ in range(24)]
    assert all(math.isfinite(loss) for loss in losses)
    assert training_psnr(training) > before + 1.5
    gop = training.trained()
    assert gop.features.shape == (FRAMES + window - 1, 64, 4)
    assert gop.features.abs().max() <= 1
    assert (len(gop.canonical), gop.frames) == (64, FRAMES)
    assert not gop.features.requires_grad


def test_fresh_field_changes_nothing(training_views: GopViews) -> None:
    training = gop_training(training_views)
    for frame in (0, FRAMES - 1):
        drawn = training.gaussians_at(frame)
        assert torch.equal(drawn.means[:5], training.static.means)
        assert torch.allclose(drawn.means[5:], training.parameters["means"])


def test_invisible_gaussians_are_relocated(training_views: GopViews) -> None:
    density = OpacityDensityConfig(relocate=True, cap_max=None, growth=1.0)
    training = gop_training(training_views, density=density)
    with torch.no_grad():
        training.parameters["opacity_logits"][:20] = -9
        training.parameters["features"][:20] = 0.77
    assert isinstance(training.density, OpacityStrategy)
    opacities = training.sampled_opacities()
    training.density.refine(training.parameters, opacities.amax(0), opacities.mean(0))
    assert len(training.parameters) == 64
    assert (training.parameters["opacity_logits"].sigmoid() > 0.005).all()
    assert (training.parameters["features"] != 0.77).all()  # features move along


class RecordingStrategy:
    """A strategy that changes nothing (`DensityStrategy`)."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, Tensor, Tensor]] = []

    def step(
        self, parameters: GaussianParameters, statistics: DensityStatistics, iteration: int
    ) -> None:
        assert statistics.means_gradient is not None
        self.seen.append((iteration, statistics.means_gradient, statistics.opacities()))

    def state_dict(self) -> dict[str, Any]:
        return {"steps": len(self.seen)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.loaded = state


def test_density_strategy_gets_statistics_and_is_kept_in_checkpoints(
    training_views: GopViews,
) -> None:
    training = gop_training(training_views)
    training.density = strategy = RecordingStrategy()
    for _ in range(2):
        training.step()
    assert [iteration for iteration, _, _ in strategy.seen] == [0, 1]
    _, gradient, opacities = strategy.seen[-1]
    assert gradient.shape == (64, 3)
    assert gradient.abs().sum() > 0
    assert opacities.shape == (FRAMES + 1, 64)  # the last ones are at the temporal centres
    training.load_state_dict(training.state_dict())
    assert strategy.loaded == {"steps": 2}


def test_learning_rates_decay_to_their_final_values(training_views: GopViews) -> None:
    training = gop_training(training_views)
    training.iteration = 40
    training.step()
    rates = {g["name"]: g["lr"] for g in training.parameters.optimizer.param_groups}
    assert rates["features"] == pytest.approx(5e-3 * 0.02)
    assert rates["means"] == pytest.approx(1.6e-6 * 4.0)
    assert training.field_optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 * 0.02)


# The start of a GOP


def start_config() -> GopStartConfig:
    gop = GopConfig(init_count=128, sample_frames=2, fast_share=0.0)
    hull = HullConfig(candidates=20_000)
    return GopStartConfig(True, gop, hull, BackgroundConfig().motion_threshold)


def static_room() -> Gaussians:
    """The five still blobs in the corners of a room: its walls bound what may move."""
    corners = torch.cartesian_prod(*[torch.tensor([-1.1, 1.1])] * 3)
    walls = CanonicalGaussians(
        corners, torch.ones(8, 4), torch.full((8, 3), -9.0), torch.ones(8), torch.zeros(8, 3)
    )
    return Gaussians.concatenate([scene_at(0)[torch.arange(5)], walls.activate()])


def test_moving_start_finds_the_moving_blob(
    training_views: GopViews, medians: list[TemporalMedian], tiny_capture: Path
) -> None:
    config, rng = start_config(), Rng(0, CPU)
    capture = open_capture(tiny_capture)
    found = moving_start(training_views, medians, static_room(), capture, config, rng)
    assert len(found) == 128
    assert found.centers.unique().tolist() == [1, 4]  # a quarter and three quarters of six frames
    assert found.extents.unique().tolist() == [3]
    for frame in (1, 4):
        middle = found[found.centers == frame].points.positions.median(dim=0).values
        assert (middle - scene_at(frame).means[5]).norm() < 0.2


def test_moving_start_finds_fast_things_between_sample_frames(
    training_views: GopViews, medians: list[TemporalMedian], tiny_capture: Path
) -> None:
    """The one moment, frame 3, sees the blob aside from where it is in all other frames."""
    shown = torch.tensor([1, 1, 1, 4, 1, 1])
    jumping = replace(training_views, frames=[f[shown] for f in training_views.frames])
    config = start_config()
    config = replace(
        config,
        gop=replace(config.gop, init_count=2048, sample_frames=1, fast_share=0.25, fast_every=1),
    )
    capture, rng = open_capture(tiny_capture), Rng(0, CPU)
    found = moving_start(jumping, medians, static_room(), capture, config, rng)
    at_frame = found.centers == 3
    at_once, between = found[at_frame], found[~at_frame]
    assert 100 < len(between) <= 0.25 * 2048
    assert len(found) <= 2048
    assert (at_once.points.positions.median(dim=0).values - scene_at(4).means[5]).norm() < 0.2
    assert (between.points.positions.median(dim=0).values - scene_at(1).means[5]).norm() < 0.3
    assert (between.extents == 1).all()
    left = at_once.points.positions[:, 0] > scene_at(4).means[5, 0]  # where it is in frame 3 alone
    assert (at_once.extents[left] == 1).float().mean() > 0.8
    assert (at_once.extents[~left] == 6).float().mean() > 0.8


def test_moving_start_adds_no_fast_points_where_little_moves(
    training_views: GopViews, medians: list[TemporalMedian], tiny_capture: Path
) -> None:
    shown = torch.full((6,), 1)
    standing = replace(training_views, frames=[f[shown] for f in training_views.frames])
    config = start_config()
    config = replace(
        config,
        gop=replace(config.gop, init_count=2048, sample_frames=1, fast_share=0.25, fast_every=1),
    )
    capture, rng = open_capture(tiny_capture), Rng(0, CPU)
    found = moving_start(standing, medians, static_room(), capture, config, rng)
    assert (found.centers == 3).float().mean() > 0.9
    assert (found.extents == 6).float().mean() > 0.9  # frames over moments


def test_moving_start_without_motion_has_few_points(
    training_views: GopViews, medians: list[TemporalMedian], tiny_capture: Path
) -> None:
    frozen = replace(training_views, frames=[s.image.expand(FRAMES, -1, -1, -1) for s in medians])
    static = random_canonical(100).activate()
    capture, config = open_capture(tiny_capture), start_config()
    found = moving_start(frozen, medians, static, capture, config, Rng(0, CPU))
    assert len(found) == FEWEST
    assert found.points.colors.amax() <= 1


# Trajectories


def test_field_rests_while_trajectories_learn(training_views: GopViews) -> None:
    training = gop_training(training_views, field_start=0.5)
    weights = [w.detach().clone() for w in training.field.parameters()]
    for _ in range(20):
        training.step()
    assert all(map(torch.equal, weights, training.field.parameters()))
    assert (training.parameters["features"] == 0).all()
    assert (training.parameters["velocities"] != 0).any()
    for _ in range(4):
        training.step()
    assert not all(map(torch.equal, weights, training.field.parameters()))
    assert (training.parameters["features"] != 0).any()


def test_trajectories_alone_learn_a_motion(training_views: GopViews) -> None:
    training = gop_training(training_views, field_start=0.99)
    before = training_psnr(training)
    for _ in range(30):
        training.step()
    assert training_psnr(training) > before + 1.0
    trained = training.trained()
    assert trained.canonical.trajectories is not None
    assert not trained.canonical.trajectories.velocities.requires_grad


def test_start_takes_turns_between_sample_frames() -> None:
    centers, extents = torch.tensor([10.0, 20.0, math.nan]), torch.tensor([10.0, 10.0, 1.0])
    paths = initial_trajectories(centers, extents, 40)
    assert paths.centers.tolist() == [0.25, 0.5, 0.5]
    assert (paths.velocities == 0).all()
    assert paths.log_extents.exp().tolist() == pytest.approx([0.125, 0.125, 4.0])
    assert paths.fading(0.375).tolist() == pytest.approx([0.5, 0.5, 0.0], abs=1e-3)


def test_moving_pixels_limit_the_gaussians() -> None:
    config = GopConfig(density=OpacityDensityConfig(cap_max=50_000, cap_per_pixel=2.0))
    few = config.for_motion(10_000)
    assert (few.init_count, few.density.cap_max) == (20_000, 20_000)
    assert config.for_motion(1e6).density.cap_max == 50_000
    assert config.for_motion(0).init_count == FEWEST_MOVING
    assert few.with_room_for(500).density.cap_max == 20_500
    without = replace(config, density=replace(config.density, cap_per_pixel=None))
    assert without.for_motion(0) is without
