"""Density control: copies draw what the original drew, and Adam's state follows."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.renderer.backends import reference
from streamstgs.trainer.fine.config import OpacityDensityConfig
from streamstgs.trainer.fine.density import OpacityStrategy, part
from streamstgs.trainer.optimization.density import DensityStatistics
from streamstgs.trainer.optimization.gaussian_parameters import (
    ATTRIBUTES,
    GaussianParameters,
    LearningRates,
)
from streamstgs.trainer.optimization.losses import psnr
from streamstgs.trainer.optimization.relocation import choose_targets, split_opacity_and_scale
from streamstgs.trainer.rng import Rng
from torch import Tensor

from tests.synthetic import random_canonical

pytestmark = pytest.mark.usefixtures("one_thread")


def scale_by_hand(opacity: float, copies: int) -> tuple[float, float]:
    """Eq. 9 of 3DGS-MCMC for one Gaussian: the new opacity and the factor of the scale."""
    shared = 1 - (1 - opacity) ** (1 / copies)
    total = 0.0
    for i in range(1, copies + 1):
        for k in range(i):
            total += math.comb(i - 1, k) * (-1) ** k * shared ** (k + 1) / math.sqrt(k + 1)
    return shared, opacity / total


@pytest.mark.parametrize("copies", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("opacity", [0.02, 0.5, 0.98])
def test_split_equals_equation_9(copies: int, opacity: float) -> None:
    shared, scale = split_opacity_and_scale(
        torch.tensor([opacity]), torch.tensor([[0.1, 0.2, 0.3]]), torch.tensor([copies])
    )
    expected_opacity, factor = scale_by_hand(opacity, copies)
    assert shared.item() == pytest.approx(expected_opacity, rel=1e-5)
    assert scale[0].tolist() == pytest.approx([0.1 * factor, 0.2 * factor, 0.3 * factor], rel=1e-5)


def test_split_into_one_keeps_the_gaussian() -> None:
    opacity, scale = split_opacity_and_scale(
        torch.tensor([0.7]), torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([1])
    )
    assert opacity.item() == pytest.approx(0.7)
    assert scale[0].tolist() == pytest.approx([1, 2, 3])


def test_split_into_many_stays_finite() -> None:
    opacity, scale = split_opacity_and_scale(
        torch.tensor([0.999, 0.999]), torch.ones(2, 3), torch.tensor([51, 400])
    )
    assert ((opacity > 0) & (opacity < 1)).all()
    assert scale.isfinite().all()
    assert (scale > 0).all()


def picture_of(gaussians: Gaussians) -> Tensor:
    eye, up = torch.tensor([0.0, 0.0, -4.0]), torch.tensor([0.0, -1.0, 0.0])
    camera = Camera.look_at(eye, torch.zeros(3), up, 0.7, 65, 49)
    return reference.rasterize(gaussians, camera, RenderSettings())[0].detach()


@pytest.mark.parametrize("copies", [2, 3, 5])
def test_split_keeps_the_image(copies: int) -> None:
    one = CanonicalGaussians(
        means=torch.zeros(1, 3),
        quats=torch.tensor([[1.0, 0, 0, 0]]),
        log_scales=torch.full((1, 3), math.log(0.3)),
        opacity_logits=torch.tensor([1.5]),
        colors=torch.tensor([[1.0, 0.5, 0.2]]),
    ).activate()
    opacity, scale = split_opacity_and_scale(one.opacities, one.scales, torch.tensor([copies]))
    split = Gaussians(
        one.means.repeat(copies, 1), one.quats.repeat(copies, 1), scale.repeat(copies, 1),
        opacity.repeat(copies), one.colors.repeat(copies, 1),
    )  # fmt: skip
    before, after = picture_of(one), picture_of(split)
    assert torch.allclose(before[24, 32], after[24, 32], atol=5e-3)  # the middle of the splat
    assert before.sum().item() == pytest.approx(after.sum().item(), rel=0.1)


@pytest.fixture
def parameters() -> GaussianParameters:
    """40 Gaussians after a step of Adam, the last 10 of them transparent."""
    canonical = random_canonical(40)
    canonical.log_scales.add_(1.0)
    canonical.opacity_logits[30:] = -12.0
    extra = {"features": (torch.randn(40, 5, 2), 1e-3)}
    made = GaussianParameters(canonical, LearningRates(), 1.0, extra)
    loss = sum(made[name].square().sum() for name in (*ATTRIBUTES, "features"))
    loss.backward()
    made.optimizer.step()
    made.optimizer.zero_grad(set_to_none=True)
    return made


def check_adam(parameters: GaussianParameters, count: int) -> None:
    for group in parameters.optimizer.param_groups:
        parameter = group["params"][0]
        state = parameters.optimizer.state[parameter]
        assert parameter.shape == state["exp_avg"].shape == state["exp_avg_sq"].shape
        assert len(parameter) == count
        assert parameter.requires_grad
        assert parameter.is_leaf
    assert len(parameters.optimizer.state) == len(parameters.optimizer.param_groups)


def test_relocation_keeps_image_and_adam_state(parameters: GaussianParameters) -> None:
    before = picture_of(parameters.canonical().activate())
    opacities = torch.sigmoid(parameters["opacity_logits"])
    dead = opacities < 0.005
    moved, originals = parameters.relocate(dead, opacities, torch.Generator().manual_seed(0))
    assert torch.equal(moved, dead.nonzero()[:, 0])
    assert len(moved) == 10
    assert torch.equal(parameters["means"][moved], parameters["means"][originals])
    assert (torch.sigmoid(parameters["opacity_logits"]) > 0.005).all()
    check_adam(parameters, 40)
    assert psnr(picture_of(parameters.canonical().activate()), before) > 30


def test_relocation_resets_adam_state(parameters: GaussianParameters) -> None:
    opacities = torch.sigmoid(parameters["opacity_logits"])
    parameters.relocate(opacities < 0.005, opacities, torch.Generator().manual_seed(0))
    state = parameters.optimizer.state[parameters["means"]]
    assert (state["exp_avg"][30:] == 0).all()
    assert (state["exp_avg"][:30] != 0).any()
    sources = (state["exp_avg"][:30] == 0).all(dim=1).nonzero()[:, 0]
    places = parameters["means"][30:]
    assert (torch.cdist(places, parameters["means"][:30][sources]).amin(dim=1) == 0).all()


def test_growth_keeps_image_and_adam_state(parameters: GaussianParameters) -> None:
    before = picture_of(parameters.canonical().activate())
    opacities = torch.sigmoid(parameters["opacity_logits"])
    parameters.grow(15, opacities, torch.Generator().manual_seed(0))
    check_adam(parameters, 55)
    assert psnr(picture_of(parameters.canonical().activate()), before) > 30
    sum(parameters[name].sum() for name in ATTRIBUTES).backward()
    parameters.optimizer.step()  # the new tensors are those that Adam moves
    check_adam(parameters, 55)


def test_relocation_without_dead_or_living_does_nothing(
    parameters: GaussianParameters,
) -> None:
    opacities = torch.sigmoid(parameters["opacity_logits"])
    for dead in (torch.zeros(40, dtype=torch.bool), torch.ones(40, dtype=torch.bool)):
        moved, originals = parameters.relocate(dead, opacities)
        assert len(moved) == len(originals) == 0


def test_pruning_drops_gaussians_and_adam_state(parameters: GaussianParameters) -> None:
    kept = parameters["means"][:30].detach().clone()
    state = parameters.optimizer.state[parameters["means"]]["exp_avg"][:30].clone()
    parameters.prune(torch.sigmoid(parameters["opacity_logits"]) < 0.005)
    check_adam(parameters, 30)
    assert torch.equal(parameters["means"], kept)
    assert torch.equal(parameters.optimizer.state[parameters["means"]]["exp_avg"], state)
    parameters.prune(torch.ones(30, dtype=torch.bool))
    assert len(parameters) == 30  # never all of them


def test_reorder_moves_parameters_and_adam_state(parameters: GaussianParameters) -> None:
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    before = {name: parameters[name].detach().clone() for name in (*ATTRIBUTES, "features")}
    parameters.reorder(order)
    check_adam(parameters, 40)
    assert all(torch.equal(parameters[name], old[order]) for name, old in before.items())


# Density control of a GOP


def gop_opacity(dead: int) -> Tensor:
    """[40] highest opacities over a GOP; the last few are dead."""
    opacity = torch.linspace(0.2, 0.8, 40)
    opacity[40 - dead :] = 0.001
    return opacity


def controlled(parameters: GaussianParameters, dead: int, **settings: object) -> Tensor:
    """Density control once; -> the means before it."""
    before = parameters["means"].detach().clone()
    plain = OpacityDensityConfig(relocate=True, cap_max=None, growth=1.0, split_jitter=0.0)
    config = replace(plain, **settings)  # type: ignore[arg-type]
    strategy = OpacityStrategy(config, 100, Rng(0, torch.device("cpu")))
    strategy.refine(parameters, gop_opacity(dead), gop_opacity(dead))
    return before


def test_opacity_strategy_relocates_at_the_cap(parameters: GaussianParameters) -> None:
    before = controlled(parameters, dead=10, cap_max=40)
    check_adam(parameters, 40)
    nearest = torch.cdist(parameters["means"][30:], before[:30]).amin(dim=1)
    assert (nearest < 1e-3).all()  # but for the rounding of cdist
    assert torch.equal(parameters["means"][:30], before[:30])


def test_opacity_strategy_without_cap_keeps_the_number(parameters: GaussianParameters) -> None:
    controlled(parameters, dead=10)
    check_adam(parameters, 40)


def test_opacity_strategy_prunes_and_grows_below_the_cap(
    parameters: GaussianParameters,
) -> None:
    before = controlled(parameters, dead=10, cap_max=100, growth=0.1)
    check_adam(parameters, 33)
    assert (torch.cdist(before[30:], parameters["means"]).amin(dim=1) > 0).all()
    for _ in range(20):
        opacity = torch.full((len(parameters),), 0.5)
        config = OpacityDensityConfig(cap_max=37, growth=0.1, relocate=True)
        strategy = OpacityStrategy(config, 100, Rng(0, torch.device("cpu")))
        strategy.refine(parameters, opacity, opacity)
    check_adam(parameters, 37)


def test_opacity_strategy_without_relocation_prunes(parameters: GaussianParameters) -> None:
    controlled(parameters, dead=10, relocate=False)
    check_adam(parameters, 30)


def test_opacity_strategy_sorts_a_changed_number(parameters: GaussianParameters) -> None:
    """Neighbours on the grid are more alike than in an order of chance."""
    controlled(parameters, dead=4, relocate=False)
    means = parameters["means"].detach()
    beside = (means[1:] - means[:-1]).norm(dim=1).mean()
    chance = means[torch.randperm(36, generator=torch.Generator().manual_seed(0))]
    assert beside < (chance[1:] - chance[:-1]).norm(dim=1).mean()


def test_parameters_load_the_state_of_others(parameters: GaussianParameters) -> None:
    parameters.grow(3, torch.ones(40), torch.Generator().manual_seed(0))
    extra = {"features": (torch.zeros(2, 5, 2), 1e-3)}
    other = GaussianParameters(random_canonical(2), LearningRates(), 1.0, extra)
    other.load_state_dict(parameters.state_dict())
    check_adam(other, 43)
    for name in (*ATTRIBUTES, "features"):
        assert torch.equal(other[name], parameters[name])


def test_choose_targets_draws_by_weight() -> None:
    weights = torch.tensor([0.0, 1.0, 0.0, 3.0])
    targets, times = choose_targets(weights, 400, torch.Generator().manual_seed(0))
    assert times.tolist()[0] == times.tolist()[2] == 0
    assert times.sum() == len(targets) == 400
    assert 250 < times[3] < 350


def test_opacity_strategy_relocates_a_few_at_a_time(parameters: GaussianParameters) -> None:
    """All of the dead at once would take the opacity of the few that live."""
    before = controlled(parameters, dead=30, cap_max=40, growth=0.1)
    moved = (parameters["means"] != before).any(dim=1)
    assert int(moved.sum()) == 4
    assert moved.nonzero().min() >= 10


def test_opacity_strategy_copies_no_more_than_there_are_living_ones(
    parameters: GaussianParameters,
) -> None:
    before = controlled(parameters, dead=37, cap_max=40, growth=1.0)
    assert int((parameters["means"] != before).any(dim=1).sum()) == 3


def test_opacity_strategy_never_ends_with_everything_dead(parameters: GaussianParameters) -> None:
    """Each relocation halves the opacity of an original; the dead of before were copied on and on
    until all were equal and invisible."""
    config = OpacityDensityConfig(relocate=True, cap_max=40, growth=0.5)
    strategy = OpacityStrategy(config, 10_000, Rng(0, torch.device("cpu")))
    with torch.no_grad():
        parameters["opacity_logits"][:] = torch.logit(torch.tensor(0.002))
        parameters["opacity_logits"][:3] = torch.logit(torch.tensor(0.06))
    for _ in range(50):
        opacity = parameters["opacity_logits"].detach().sigmoid()
        strategy.refine(parameters, opacity, opacity)
    assert parameters["opacity_logits"].sigmoid().max() > 2 * config.min_opacity
    assert len(parameters["means"].detach().unique(dim=0)) == 40


def test_opacity_strategy_copies_where_the_error_pulls(parameters: GaussianParameters) -> None:
    config = OpacityDensityConfig(cap_max=44, growth=0.1, refine_every=1, split_jitter=0.0)
    strategy = OpacityStrategy(config, 100, Rng(0, torch.device("cpu")))
    gradient = torch.zeros(40, 3)
    gradient[7] = 1.0
    with torch.no_grad():
        parameters["opacity_logits"][:] = 1.0
    opacities = parameters["opacity_logits"].detach().sigmoid()[None]
    place = parameters["means"][7].detach().clone()
    strategy.step(parameters, DensityStatistics(lambda: opacities, gradient), 0)
    assert len(parameters) == 41  # only one is worth a copy
    assert int((parameters["means"] == place).all(dim=1).sum()) == 2


def test_copies_part_in_space_and_time() -> None:
    canonical, rng = random_canonical(20), Rng(0, torch.device("cpu"))
    paths = {
        "velocities": (torch.ones(20, 3), 0.1),
        "centers": (torch.full((20,), 0.5), 0.1),
        "log_extents": (torch.full((20,), 0.05).log(), 0.1),
    }
    parameters = GaussianParameters(canonical, LearningRates(), 1.0, extra=paths)
    originals, places = torch.arange(10), torch.arange(10, 20)
    with torch.no_grad():
        parameters["means"][places] = parameters["means"][originals]
    part(parameters, places, originals, 0.5, rng)
    later = parameters["centers"][places] - 0.5
    assert 0.005 < later.abs().mean() < 0.05
    apart = parameters["means"][places] - parameters["means"][originals] - later[:, None]
    reach = parameters["log_scales"][originals].exp().amax(dim=1)
    assert (apart.norm(dim=1) > 0).all()
    assert (apart.norm(dim=1) < 3 * reach).all()
