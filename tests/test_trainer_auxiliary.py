"""The auxiliary transformer: what it sees, what it costs, and where its gradients go."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.renderer import DeformationField, FieldConfig, Gaussians
from streamstgs.trainer.coarse.temporal_median import dynamic_mask
from streamstgs.trainer.datasets import load_frames, open_capture
from streamstgs.trainer.fine.auxiliary import (
    AuxiliaryConfig,
    AuxiliaryPass,
    AuxiliaryTransformer,
    codes_of_all_times,
    distillation_loss,
    with_batch,
)
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.stage import GopTraining, image_loss
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.rng import Rng
from torch import Tensor

from tests.capture_scene import BACKGROUND, FRAMES
from tests.synthetic import random_canonical

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
SMALL = AuxiliaryConfig(batch_size=12, width=16, heads=2, two_way=False)


def woken(module: torch.nn.Module) -> None:
    """Give the layers that start at zero something to say."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)


@pytest.mark.parametrize("window", [1, 3, 5])
def test_codes_of_all_times_are_those_of_each_time(window: int) -> None:
    field = DeformationField(FieldConfig(features=4, window=window, width=16))
    features = torch.randn(7, 6 + window - 1, 4)
    codes = codes_of_all_times(field, features)
    assert codes.shape == (7, 6, 16)
    for frame in range(6):
        seen = features[:, frame : frame + window].flatten(1)
        assert torch.allclose(codes[:, frame], field.temporal_code(seen, frame / 6), atol=1e-6)


def test_fresh_transformer_returns_its_input() -> None:
    transformer = AuxiliaryTransformer(8, 2.0, SMALL)
    codes = torch.randn(5, 6, 8)
    assert torch.equal(transformer(codes, torch.randn(5, 3)), codes)


def test_transformer_attends_over_time_of_one_gaussian() -> None:
    transformer = AuxiliaryTransformer(8, 2.0, SMALL)
    woken(transformer)
    codes, means = torch.randn(5, 6, 8), torch.randn(5, 3)
    changed = codes.clone()
    changed[2, 5] += 1
    difference = (transformer(changed, means) - transformer(codes, means)).abs().amax(dim=-1)
    assert (difference[2] > 1e-6).all()  # the last time is felt at the first
    assert (difference[[0, 1, 3, 4]] < 1e-6).all()


def test_transformer_depends_on_time_and_place() -> None:
    transformer = AuxiliaryTransformer(8, 2.0, SMALL)
    woken(transformer)
    alike = torch.ones(2, 6, 8)
    found = transformer(alike, torch.tensor([[0.1, 0.2, 0.3], [0.5, -0.4, 0.9]]))
    assert not torch.allclose(found[0], found[1], atol=1e-4)
    assert not torch.allclose(found[0, 0], found[0, 3], atol=1e-4)


# L_sd


def test_distillation_loss_equals_hand_computation() -> None:
    student = torch.tensor([[[1.0, -2.0], [0.5, 0.0]]], requires_grad=True)
    teacher = torch.tensor([[[0.0, -2.0], [2.0, -1.0]]], requires_grad=True)
    loss = distillation_loss(student, teacher)
    assert loss.item() == pytest.approx((1 + 0 + 1.5 + 1) / 4)
    loss.backward()
    assert student.grad is not None
    assert student.grad.tolist() == [[[0.25, 0.0], [-0.25, 0.25]]]
    assert teacher.grad is None  # the teacher is not pulled to the student


# L_t


def picked_out(count: int) -> tuple[Gaussians, Gaussians]:
    everything = random_canonical(count).activate()
    everything = everything.map(lambda t: t.requires_grad_())
    batch = everything.map(lambda t: t.detach()[:2] + 0.25)
    return everything, batch.map(lambda t: t.requires_grad_())


def test_with_batch_replaces_the_batch_only() -> None:
    everything, guided = picked_out(6)
    mixed = with_batch(everything, torch.tensor([4, 1]), guided)
    assert torch.equal(mixed.means[[4, 1]], guided.means)
    assert torch.equal(mixed.means[[0, 2, 3, 5]], everything.means[[0, 2, 3, 5]])
    (mixed.means.sum() + 3 * mixed.opacities.sum()).backward()
    assert guided.means.grad is not None
    assert (guided.means.grad == 1).all()
    assert guided.opacities.grad is not None
    assert (guided.opacities.grad == 3).all()
    assert everything.means.grad is None  # L_t speaks of the batch alone


@pytest.fixture(scope="module")
def training_views(tiny_capture: Path) -> GopViews:
    capture = open_capture(tiny_capture)
    views = capture.split("train")[:3]
    frames = load_frames(views, range(FRAMES))
    masks = [dynamic_mask(f, 0.05) for f in frames]
    return GopViews([v.camera for v in views], frames, masks, BACKGROUND, near=0.1)


def training(training_views: GopViews, auxiliary: AuxiliaryConfig) -> GopTraining:
    config = GopConfig(
        features=4, width=16, iterations=20, auxiliary=auxiliary, feature_noise=0.0,
        temporal_reg=0.0, spatial_reg=0.0, opacity_reg=0.0,
    )  # fmt: skip
    rng = Rng(0, CPU)
    canonical = random_canonical(30)
    start = GopStart(canonical, 0.1 * rng.normal(30, FRAMES + 2, 4))
    return GopTraining(start, Gaussians.empty(), training_views, 2.0, config, rng)


def test_fresh_auxiliary_loss_equals_color_loss(
    training_views: GopViews,
) -> None:
    """Then L_t = L_c and L_sd = 0, so that the whole loss is (1 + 2) L_c."""
    with_it = training(training_views, replace(SMALL, color_weight=2.0))
    without = training(training_views, replace(SMALL, enabled=False))
    without.field.load_state_dict(with_it.field.state_dict())
    torch.manual_seed(0)
    without.rng.load_state_dict(with_it.rng.state_dict())
    assert with_it.step().loss.item() == pytest.approx(3 * without.step().loss.item(), rel=1e-4)


def gradients(made: GopTraining, color_weight: float, distillation_weight: float) -> set[str]:
    """What a loss of the auxiliary pass alone reaches."""
    auxiliary = made.auxiliary
    assert auxiliary is not None
    woken(made.field)
    woken(auxiliary.transformer)
    moving = made.deformed(2).activate()
    guided, distillation = made._guided(auxiliary, moving, 2)
    batch = made.training_views.batch(2, [0], Rng(0, CPU))
    image = image_loss(made.static.detach(), guided, batch, made.config).total
    (color_weight * image + distillation_weight * distillation).backward()
    owners = {
        "transformer": list(auxiliary.transformer.parameters()),
        "temporal": list(made.field.temporal.parameters()),
        "heads": list(made.field.heads.parameters()),
        "features": [made.parameters["features"]],
        "means": [made.parameters["means"]],
    }
    return {
        name
        for name, tensors in owners.items()
        if any(t.grad is not None and t.grad.abs().sum() > 0 for t in tensors)
    }


def test_auxiliary_color_loss_reaches_all_parameters(training_views: GopViews) -> None:
    reached = gradients(training(training_views, SMALL), color_weight=2.0, distillation_weight=0.0)
    assert reached == {"transformer", "temporal", "heads", "features", "means"}


def test_auxiliary_pass_has_no_gradient_for_static_gaussians(training_views: GopViews) -> None:
    """In joint training it has gradients; L_t speaks of the batch alone."""
    made = training(training_views, SMALL)
    made.static.colors.requires_grad_()
    made.static.means.requires_grad_()
    gradients(made, color_weight=2.0, distillation_weight=0.0)
    assert made.static.colors.grad is None
    assert made.static.means.grad is None


def test_distillation_reaches_temporal_mlp_and_features_only(
    training_views: GopViews,
) -> None:
    reached = gradients(training(training_views, SMALL), color_weight=0.0, distillation_weight=1.0)
    assert reached == {"temporal", "features"}


def features_with_gradient(made: GopTraining) -> Tensor:
    gradient = made.parameters["features"].grad
    assert gradient is not None
    return gradient.abs().sum(dim=(1, 2)) > 0


def test_auxiliary_pass_uses_the_batch_size(training_views: GopViews) -> None:
    made = training(training_views, SMALL)
    gradients(made, color_weight=0.0, distillation_weight=1.0)
    assert features_with_gradient(made).sum() == SMALL.batch_size


def test_auxiliary_pass_runs_at_its_period(training_views: GopViews) -> None:
    made = training(training_views, replace(SMALL, every=3))
    assert made.auxiliary is not None
    assert [step for step in range(7) if made.auxiliary.is_due(step, 7)] == [0, 3, 6]


def test_trained_gop_has_no_transformer(training_views: GopViews) -> None:
    made = training(training_views, SMALL)
    made.step()
    written = made.trained()
    assert set(written.field.state_dict()) == set(DeformationField(FieldConfig()).state_dict())
    assert "auxiliary" in made.state_dict()
    without = training(training_views, replace(SMALL, enabled=False))
    assert "auxiliary" not in without.state_dict()


def test_checkpoint_restores_the_transformer(training_views: GopViews) -> None:
    first = training(training_views, SMALL)
    first.step()
    second = training(training_views, SMALL)
    second.load_state_dict(deepcopy(first.state_dict()))
    losses = [made.step().loss.item() for made in (first, second)]
    assert losses[0] == losses[1]
    assert isinstance(first.auxiliary, AuxiliaryPass)
    assert isinstance(second.auxiliary, AuxiliaryPass)
    states = [made.auxiliary.transformer.state_dict() for made in (first, second)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_variants_bound_the_residual_freeze_the_heads_and_pull_both_ways(
    training_views: GopViews,
) -> None:
    codes, means = torch.randn(5, 6, 8), torch.randn(5, 3)
    bounded = AuxiliaryTransformer(8, 2.0, replace(SMALL, residual_bound=0.5))
    woken(bounded)
    with torch.no_grad():
        bounded.outlet.weight.mul_(100)
    change = (bounded(codes, means) - codes).abs()
    size = codes.square().mean().sqrt()
    assert 0.4 * size < change.max() <= 0.5 * size * (1 + 1e-5)
    frozen = training(training_views, replace(SMALL, trains_heads=False))
    assert "heads" not in gradients(frozen, color_weight=2.0, distillation_weight=0.0)
    assert all(p.requires_grad for p in frozen.field.heads.parameters())
    two_way = training(training_views, replace(SMALL, two_way=True))
    assert "transformer" in gradients(two_way, color_weight=0.0, distillation_weight=1.0)
    late = training(training_views, replace(SMALL, start=0.5))
    assert late.auxiliary is not None
    assert [late.auxiliary.is_due(step, 4) for step in range(4)] == [False, False, True, True]
