"""Which frames steps take, opacity that is held back early, and the loss of moving pixels."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import Gaussians
from streamstgs.trainer.errors import SettingError
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.frame_sampling import READ_EVERY, FrameSampler, SamplingConfig
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.optimization.losses import masked_l1
from streamstgs.trainer.rng import Rng

from tests.capture_scene import BACKGROUND, ring_cameras
from tests.synthetic import random_canonical, trajectories

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


def drawn(sampler: FrameSampler, count: int = 2000) -> Counter[int]:
    rng = Rng(0, CPU)
    return Counter(sampler.draw(rng) for _ in range(count))


def test_without_settings_frames_are_those_of_before() -> None:
    sampler, rng, same = FrameSampler(7, SamplingConfig(), CPU), Rng(3, CPU), Rng(3, CPU)
    assert [sampler.draw(rng) for _ in range(20)] == [same.integer(7) for _ in range(20)]


def test_frames_of_large_error_are_drawn_more_often() -> None:
    sampler = FrameSampler(10, SamplingConfig(error_share=0.5), CPU)
    for step in range(READ_EVERY):
        frame = step % 10
        sampler.add(frame, torch.tensor(0.9 if frame == 4 else 0.1))
    counts = drawn(sampler)
    # half evenly, half in proportion: 0.5 / 10 + 0.5 * 0.9 / 1.8
    assert counts[4] / 2000 == pytest.approx(0.3, abs=0.04)
    assert counts[0] / 2000 == pytest.approx(0.05 + 0.5 / 18, abs=0.03)


def test_frames_that_were_never_drawn_count_as_the_worst() -> None:
    sampler = FrameSampler(4, SamplingConfig(error_share=1.0), CPU)
    for _ in range(READ_EVERY):
        sampler.add(0, torch.tensor(0.2))
        sampler.add(1, torch.tensor(0.8))
    counts = drawn(sampler)
    assert counts[3] > 2 * counts[0]


def test_boundaries_have_their_share_and_a_checkpoint_keeps_the_errors() -> None:
    sampler = FrameSampler(20, SamplingConfig(boundary_share=0.4), CPU)
    counts = drawn(sampler)
    # of the two draws of 4 frames the smaller: 7, 5, 3 and 1 sixteenths
    for inward, share in enumerate((7, 5, 3, 1)):
        found = (counts[inward] + counts[19 - inward]) / 2000
        assert found == pytest.approx(0.4 * share / 16 + 0.6 / 10, abs=0.03)
    short = FrameSampler(1, SamplingConfig(boundary_share=1.0), CPU)
    assert set(drawn(short, 10)) == {0}
    first = FrameSampler(5, SamplingConfig(error_share=0.9), CPU)
    for _ in range(READ_EVERY):
        first.add(2, torch.tensor(1.0))
    second = FrameSampler(5, SamplingConfig(error_share=0.9), CPU)
    second.load_state_dict(first.state_dict())
    assert drawn(second) == drawn(first)


def test_shares_above_one_are_refused() -> None:
    with pytest.raises(SettingError, match="sampling"):
        SamplingConfig(0.7, 0.4)


def test_masked_l1_is_the_mean_over_the_mask() -> None:
    target = torch.zeros(1, 2, 2, 3)
    picture = target.clone()
    picture[0, 0, 0] = 0.3
    picture[0, 1, 1] = 1.0
    mask = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]])
    assert masked_l1(picture, target, mask).item() == pytest.approx(0.15)
    assert masked_l1(picture, target, torch.zeros(1, 2, 2)).item() == 0.0


def grey_views() -> GopViews:
    cameras = ring_cameras(3)
    frames = [torch.full((4, c.height, c.width, 3), 90, dtype=torch.uint8) for c in cameras]
    for f in frames:
        f[3, :8, :8] = 200  # moves in the last frame
    medians = [f.median(dim=0).values for f in frames]
    masks = [torch.ones(f.shape[1:3], dtype=torch.bool) for f in frames]
    return GopViews(cameras, frames, masks, BACKGROUND, 0.1, None, medians)


def training(**changes: float) -> GopTraining:
    config = replace(GopConfig(iterations=10, features=4, width=16, opacity_reg=0.0), **changes)
    canonical = replace(random_canonical(12), trajectories=trajectories(12))
    start = GopStart(canonical, torch.zeros(12, 8, 4))
    return GopTraining(start, Gaussians.empty(), grey_views(), 4.0, config, Rng(0, CPU))


def test_opacity_is_held_back_early_and_by_presence_alone() -> None:
    made = training(early_opacity_reg=1.0, early_opacity_until=0.3)
    made._early_opacity_loss(1).backward()
    pressed = made.parameters["opacity_logits"].grad
    assert pressed is not None
    assert (pressed >= 0).all()
    paths = made.canonical().trajectories
    assert paths is not None
    presence = torch.exp(-paths.fading(0.25)).detach()
    assert pressed[presence.argmax()] > 10 * pressed[presence.argmin()]
    for name in ("centers", "log_extents"):  # lives are not shortened instead
        assert made.parameters[name].grad is None
    assert "L_early" in made.step().losses
    made.iteration = 3
    assert not made.holds_opacity_back


def test_moving_pixels_have_a_loss_of_their_own() -> None:
    batch = grey_views().batch(3, [0, 1], Rng(0, CPU))
    assert batch.moving_pixels is not None
    assert batch.moving_pixels[:, :7, :7].eq(1).all()
    assert batch.moving_pixels[:, 12:].eq(0).all()
    assert grey_views().batch(0, [0], Rng(0, CPU)).moving_pixels.sum() == 0  # type: ignore[union-attr]
    made = training(moving_l1=0.5)
    assert "L_moving" in made.step().losses


def test_squared_error_has_its_weight_in_the_loss() -> None:
    once, twice = (training(mse_lambda=w).step().losses["L_mse"] for w in (1.0, 2.0))
    assert once > 0
    assert torch.isclose(twice, 2 * once)
    assert "L_mse" not in training(mse_lambda=0.0).step().losses


def test_learning_rates_of_attributes_fall() -> None:
    made = training(attributes_lr_final=0.01)
    first = made.config.colors_lr
    made.iteration = made.iterations // 2
    made.step()
    assert made.learning_rates()["colors"] == pytest.approx(0.1 * first)
    assert made.learning_rates()["opacity_logits"] == pytest.approx(0.1 * made.config.opacities_lr)
    constant = training()
    constant.iteration = constant.iterations // 2
    constant.step()
    assert constant.learning_rates()["colors"] == first


def test_gaussians_of_the_whole_gop_are_known_by_their_extent() -> None:
    made = training()
    with torch.no_grad():
        made.parameters["log_extents"].fill_(-1.0)
        made.parameters["log_extents"][0] = 0.5
    standing = made.always_there()
    assert standing is not None
    assert standing.nonzero().flatten().tolist() == [0]


@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_geometry_of_the_whole_gop_is_held_back(rate: float) -> None:
    moved = {}
    for share in (1.0, rate):
        made = training(standing_rate=share)
        with torch.no_grad():
            made.parameters["log_extents"].fill_(-1.0)
            made.parameters["log_extents"][:8] = 0.5
        before = made.parameters["means"].detach().clone()
        made.step()
        moved[share] = (made.parameters["means"] - before).detach()
    assert moved[1.0][:8].abs().max() > 0
    assert torch.allclose(moved[rate][:8], rate * moved[1.0][:8], atol=1e-7)
    assert torch.equal(moved[rate][8:], moved[1.0][8:])
