"""Responses of cameras to colours: what they do, their gauge, and that they are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.renderer import Gaussians
from streamstgs.trainer.coarse.color_correction import (
    ColorCorrection,
    ColorCorrectionConfig,
    correct_colors,
)
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.coarse.stage import CoarseTraining, SceneGeometry, train_coarse
from streamstgs.trainer.coarse.temporal_median import (
    BackgroundConfig,
    TemporalMedian,
    temporal_median,
)
from streamstgs.trainer.coarse.training_views import MedianViews
from streamstgs.trainer.datasets import load_frames, open_capture
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.stage import image_loss
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.run_directory import RunDirectory
from torch import Tensor

from tests.capture_scene import BACKGROUND, FRAMES, scene_at
from tests.test_trainer_stages import stored

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
PLAIN = torch.eye(3, 4)


def test_correct_colors_equals_hand_computation() -> None:
    """The second camera swaps red and green, halves blue and adds a tenth to it."""
    swap = torch.tensor([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0.5, 0.1]])
    pictures = torch.tensor([0.2, 0.4, 0.6]).expand(2, 3, 5, 3)
    seen = correct_colors(pictures, torch.stack([PLAIN, swap]))
    assert torch.allclose(seen[0], pictures[0])
    assert seen[1, 2, 4].tolist() == pytest.approx([0.4, 0.2, 0.4])


def test_gradient_of_correct_colors() -> None:
    rng = torch.Generator().manual_seed(0)
    pictures = torch.rand(2, 2, 3, 3, generator=rng, dtype=torch.float64, requires_grad=True)
    matrices = torch.rand(2, 3, 4, generator=rng, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(correct_colors, (pictures, matrices))


def test_mean_color_correction_is_the_identity() -> None:
    correction = ColorCorrection(4, ColorCorrectionConfig(weight=2.0), CPU)
    assert torch.equal(correction.matrices(), PLAIN.expand(4, -1, -1))
    with torch.no_grad():
        correction.offsets.copy_(torch.randn(4, 3, 4) + 3)
    assert torch.allclose(correction.matrices().mean(dim=0), PLAIN, atol=1e-6)


def test_color_correction_loss_equals_hand_computation() -> None:
    """One of two cameras is off by 0.6 in one place: by the gauge both are off by 0.3."""
    correction = ColorCorrection(2, ColorCorrectionConfig(weight=2.0), CPU)
    with torch.no_grad():
        correction.offsets[0, 1, 2] = 0.6
    loss = correction.loss()
    assert loss.item() == pytest.approx(2 * 2 * 0.3**2 / 24)
    loss.backward()
    gradient = correction.offsets.grad
    assert gradient is not None
    assert gradient[0, 1, 2].item() == pytest.approx(2 * 2 * 0.3 / 24)
    assert gradient[1, 1, 2].item() == pytest.approx(-2 * 2 * 0.3 / 24)
    assert gradient.count_nonzero() == 2


def largest_tint(config: ColorCorrectionConfig) -> float:
    """What the responses of five cameras that agree do to grey, in 8-bit steps, after training in
    which the Gaussians draw a bit brighter in one step and darker in the next."""
    rng = torch.Generator().manual_seed(1)
    seen = torch.rand(5, 1, 100, 3, generator=rng)
    correction = ColorCorrection(5, config, CPU)
    for step in range(1000):
        view = step % 5
        correction.decay_rate(step / 1000)
        drawn = seen[view][None] * (1 + 0.02 * torch.randn(1, generator=rng))
        off = (correct_colors(drawn, correction.of([view])) - seen[view]).abs().mean()
        (off + correction.loss()).backward()
        correction.step()
    grey = torch.full((5, 1, 1, 3), 0.8)
    return float((correct_colors(grey, correction.matrices().detach()) - grey).abs().max() * 255)


def test_equal_cameras_get_no_tint() -> None:
    """At a constant rate the last step of each view stays in its response."""
    assert largest_tint(ColorCorrectionConfig()) < 0.5
    assert largest_tint(ColorCorrectionConfig(lr_final=1.0)) > 1


def test_color_correction_finds_a_dark_camera(tiny_capture: Path) -> None:
    """One of seven cameras records everything at 0.8; the scene as the mean camera sees it is
    known and kept."""
    capture = open_capture(tiny_capture)
    views = capture.split("train")
    medians = [temporal_median(f, BackgroundConfig()) for f in load_frames(views, range(FRAMES))]
    medians[2] = replace(medians[2], image=(medians[2].image.float() * 0.8).byte())
    mean_gain = 6.8 / 7
    scene = stored(scene_at(0)[torch.arange(5)])
    scene.colors.mul_(mean_gain)
    red, green, blue = (mean_gain * c for c in BACKGROUND)
    correction = ColorCorrection(7, ColorCorrectionConfig(lr=0.005, weight=0.001), CPU)
    config = CoarseConfig(
        iterations=200, dropout=0.0, depth_lambda=0.0, means_lr=0.0, means_lr_final=0.0,
        quats_lr=0.0, scales_lr=0.0, opacities_lr=0.0, colors_lr=0.0,
        density=McmcConfig(noise_lr=0.0, refine_stop=0.0),
    )  # fmt: skip
    geometry = SceneGeometry((red, green, blue), 0.1, 4.0)
    training = CoarseTraining(
        scene, median_views(views, medians), geometry, config, Rng(0, CPU), correction
    )
    train_coarse(training, lambda *_: None)
    found = correction.matrices().detach()
    white = correct_colors(torch.tensor(BACKGROUND).expand(7, 1, 1, 3), found)[:, 0, 0]
    others = white[[0, 1, 3, 4, 5, 6]].mean(dim=0)
    assert (white[2] / others).tolist() == pytest.approx([0.8] * 3, abs=0.04)


def median_views(views: tuple, medians: list[TemporalMedian]) -> MedianViews:
    return MedianViews([v.camera for v in views], medians, 0.5, [])


def test_image_loss_applies_color_correction(tiny_capture: Path) -> None:
    """Footage recorded by cameras with a response fits the scene only through that response."""
    capture = open_capture(tiny_capture)
    views = capture.split("train")[:2]
    frames = load_frames(views, range(2))
    corrections = torch.stack([PLAIN * 0.8, PLAIN * 1.2])
    recorded = [(f.float() * gain).round().clamp(0, 255).byte()
                for f, gain in zip(frames, (0.8, 1.2), strict=True)]  # fmt: skip
    masks = [torch.ones(f.shape[1:3], dtype=torch.bool) for f in frames]
    training_views = GopViews(
        [v.camera for v in views], recorded, masks, BACKGROUND, 0.1, corrections
    )

    def loss(of: GopViews) -> Tensor:
        batch = of.batch(1, [0, 1], Rng(0, CPU))
        config = GopConfig(background_alpha_reg=0.0)
        return image_loss(Gaussians.empty(), scene_at(1), batch, config).total

    assert loss(training_views) < 0.1 * loss(replace(training_views, corrections=None))


def test_run_keeps_color_corrections(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    assert run.read_color_corrections() is None
    run.write_color_corrections({"cam.3": PLAIN * 2, "4": PLAIN})
    found = run.read_color_corrections()
    assert found is not None
    assert torch.equal(found["cam.3"], PLAIN * 2)
    assert sorted(found) == ["4", "cam.3"]
