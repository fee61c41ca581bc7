"""Rounding in training: it rounds as the encoder does, gradients pass, and training bears it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.codec.attributes.layers import attributes, decode_layer
from streamstgs.codec.attributes.quantisation import SinhCurve, fit_quantiser
from streamstgs.codec.encoder.config import MOVING_BITS
from streamstgs.codec.encoder.layer_encoding import encode_layer, quantisers_for
from streamstgs.trainer.coarse.temporal_median import dynamic_mask
from streamstgs.trainer.datasets import load_frames, open_capture
from streamstgs.trainer.errors import SettingError
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.quantisation import (
    QuantisationConfig,
    cosine_basis,
    quantised_canonical,
    quantised_window,
    quantiser_step,
    rounded_values,
)
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.rng import Rng

from tests.capture_scene import BACKGROUND, FRAMES, still_blobs
from tests.synthetic import random_canonical, trajectories

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


def test_attributes_are_rounded_as_the_encoder_rounds_them() -> None:
    canonical = replace(random_canonical(200), trajectories=trajectories(200))
    middle = tuple(canonical.means.mean(dim=0).tolist())
    values = attributes(canonical)
    quantisers = quantisers_for(values, MOVING_BITS, middle, 2.0)
    decoded = decode_layer(encode_layer(values, quantisers), quantisers).tensors()
    found = quantised_canonical(canonical, 2.0).tensors()
    for name, value in found.items():
        if name != "velocities":  # around 0 there, around their mean here
            torch.testing.assert_close(value, decoded[name], rtol=1e-3, atol=1e-4)


def test_gradients_pass_unchanged() -> None:
    canonical = random_canonical(20).map(lambda t: t.requires_grad_())
    quantised_canonical(canonical, 1.0).means.square().sum().backward()
    assert canonical.means.grad is not None
    expected = 2 * quantised_canonical(canonical, 1.0).means.detach()
    torch.testing.assert_close(canonical.means.grad, expected)
    features = torch.rand(5, 8, 3).requires_grad_()
    quantised_window(features, 2, 3, 28).sum().backward()
    assert features.grad is not None
    assert features.grad[:, 2:5].eq(1).all()
    assert features.grad[:, :2].eq(0).all()


def test_velocities_of_9_bits_move_pictures_less_than_a_pixel() -> None:
    """Most are slow and a few are fast. The curve keeps the slow ones exact, and even the fast ones
    are wrong by less than a thousandth of what they travel."""
    random = torch.Generator().manual_seed(0)
    slow = 0.02 * torch.randn(2000, 3, generator=random)
    fast = 6.0 * torch.randn(20, 3, generator=random)
    exact, radius = torch.cat([slow, fast]), 3.0
    curve = SinhCurve((0.0, 0.0, 0.0), 0.25 * radius)
    errors = {}
    for name, bend in (("sinh", curve), ("even", None)):
        quantiser = fit_quantiser(exact, MOVING_BITS.velocities, bend)
        error = quantiser.decode(quantiser.encode(exact)) - exact
        errors[name] = (
            error[:2000].norm(dim=1).mean().item(),
            error[2000:].norm(dim=1).mean().item(),
        )
    pixel = 2 * radius / 1000  # a picture 1000 px wide shows the scene once across
    life = 0.1  # a Gaussian of a sample frame is seen for about so much of the GOP
    assert errors["sinh"][0] * life < 0.2 * pixel
    assert errors["sinh"][0] < 0.4 * errors["even"][0]
    assert errors["sinh"][1] < 0.01 * fast.norm(dim=1).mean()


def test_the_cosine_basis_is_orthonormal() -> None:
    basis = cosine_basis(12, CPU)
    torch.testing.assert_close(basis @ basis.T, torch.eye(12), atol=1e-5, rtol=0)


def test_features_get_the_error_of_the_step_and_rest_where_they_hardly_change() -> None:
    random = torch.Generator().manual_seed(1)
    features = torch.rand(400, 16, 2, generator=random) * 2 - 1
    for qp in (16, 28):
        step = quantiser_step(qp) * 2 / 255
        error = quantised_window(features, 0, 16, qp) - features
        expected = step / math.sqrt(12)
        assert error.square().mean().sqrt().item() == pytest.approx(expected, rel=0.1)
    trembling = 0.5 + 0.01 * torch.randn(400, 16, 2, generator=random)
    trembling[0, :, 0], trembling[0, :, 1] = 1.0, -1.0  # the range of the channels
    trembling[1] = -trembling[0]
    coded = quantised_window(trembling, 0, 16, 28)[2:]
    assert coded.std(dim=1).max() < 1e-5
    torch.testing.assert_close(quantised_window(features, 3, 5, 0), features[:, 3:8])


def test_even_and_bent_steps_cover_the_range() -> None:
    values = torch.tensor([[-1.0, 0.0], [0.2, 100.0], [1.0, 3.0]])
    for curve in (None, 0.5):
        rounded = rounded_values(values, 8, curve)
        assert rounded[0, 0].item() == pytest.approx(-1.0, abs=1e-4)
        assert rounded[1, 1].item() == pytest.approx(100.0, rel=1e-3)
    assert rounded_values(values[:0], 8).shape == (0, 2)


@pytest.fixture(scope="module")
def training_views(tiny_capture: Path) -> GopViews:
    views = open_capture(tiny_capture).split("train")[:3]
    frames = load_frames(views, range(FRAMES))
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopViews([v.camera for v in views], frames, masks, BACKGROUND, near=0.1)


def training(views: GopViews, quantisation: QuantisationConfig) -> GopTraining:
    config = GopConfig(
        iterations=8, features=4, width=16, field_start=0.0, quantisation=quantisation,
        feature_noise=0.0,
    )  # fmt: skip
    canonical = replace(random_canonical(24, spread=0.5), trajectories=trajectories(24))
    features = 0.3 * torch.randn(24, FRAMES + 4, 4, generator=torch.Generator().manual_seed(2))
    static = still_blobs().activate()
    return GopTraining(GopStart(canonical, features), static, views, 4.0, config, Rng(0, CPU))


def test_a_training_that_rounds_learns_and_stores_unrounded_values(
    training_views: GopViews,
) -> None:
    made = training(training_views, QuantisationConfig(enabled=True, qp=28, start=0.5))
    exact = made.deformed(2)
    made.iteration = 4
    assert made.rounds
    coded = made.deformed(2)
    assert not torch.equal(coded.means, exact.means)
    assert (coded.means - exact.means).abs().max() < 0.2
    before = made.parameters["features"].detach().clone()
    losses = [made.step().loss.item() for _ in range(4)]
    assert all(map(math.isfinite, losses))
    assert not torch.equal(made.parameters["features"], before)
    torch.testing.assert_close(made.trained().canonical.means, made.parameters["means"].detach())


def test_without_it_nothing_changes(training_views: GopViews) -> None:
    plain = training(training_views, QuantisationConfig())
    late = training(training_views, QuantisationConfig(enabled=True, start=1.0))
    for _ in range(2):
        assert plain.step().loss.item() == late.step().loss.item()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(SettingError, match="quantisation"):
        QuantisationConfig(qp=52)
