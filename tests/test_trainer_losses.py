"""Each loss term: its value on a case worked by hand, and its gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from streamstgs.renderer import CanonicalGaussians
from streamstgs.trainer.optimization.losses import (
    alpha_penalty,
    attribute_loss,
    color_loss,
    opacity_loss,
    psnr,
    spatial_loss,
    ssim,
    temporal_loss,
)
from streamstgs.trainer.optimization.structural_similarity import blur, gaussian_kernel
from torch import Tensor

pytestmark = pytest.mark.usefixtures("one_thread")


def noise(*shape: int, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=rng, dtype=torch.float64)


def slow_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """SSIM of one [H, W] plane, written from the paper's formula, pixel by pixel."""
    weights = np.array(
        [math.exp(-(i * i + j * j) / 4.5) for i in range(-5, 6) for j in range(-5, 6)]
    )
    weights = (weights / weights.sum()).reshape(11, 11)
    total = 0.0
    px, py = np.pad(x, 5), np.pad(y, 5)
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            a, b = (
                px[row : row + 11, column : column + 11],
                py[row : row + 11, column : column + 11],
            )
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a = (weights * a * a).sum() - mean_a**2
            var_b = (weights * b * b).sum() - mean_b**2
            cov = (weights * a * b).sum() - mean_a * mean_b
            total += ((2 * mean_a * mean_b + 1e-4) * (2 * cov + 9e-4)) / (
                (mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4)
            )
    return total / x.size


def test_ssim_is_the_formula_of_the_paper() -> None:
    picture, target = noise(1, 14, 17, 3), noise(1, 14, 17, 3, seed=1)
    by_hand = [slow_ssim(picture[0, ..., c].numpy(), target[0, ..., c].numpy()) for c in range(3)]
    assert ssim(picture, target).item() == pytest.approx(np.mean(by_hand), abs=1e-6)


@pytest.mark.parametrize(("size", "sigma"), [(11, 1.5), (5, 1.0)])
def test_the_kernel_is_a_gaussian_made_once(size: int, sigma: float) -> None:
    kernel = gaussian_kernel(size, sigma, torch.device("cpu"))
    weights = [math.exp(-((i - size // 2) ** 2) / (2 * sigma**2)) for i in range(size)]
    assert kernel.tolist() == pytest.approx([w / sum(weights) for w in weights], abs=1e-6)
    assert gaussian_kernel(size, sigma, torch.device("cpu")) is kernel


def plain_ssim(picture: Tensor, target: Tensor) -> Tensor:
    """The same by one convolution for each plane, its gradient left to autograd."""
    weights = gaussian_kernel(11, 1.5, picture.device).to(picture.dtype)
    kernel = torch.outer(weights, weights)[None, None]

    def blurred(planes: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(planes[:, None], kernel, padding=5)[:, 0]

    x, y = (p.permute(0, 3, 1, 2).flatten(0, 1) for p in (picture, target))
    mean_x, mean_y = blurred(x), blurred(y)
    covariance = blurred(x * y) - mean_x * mean_y
    variances = blurred(x * x) - mean_x**2 + blurred(y * y) - mean_y**2
    above = (2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)
    return (above / ((mean_x**2 + mean_y**2 + 1e-4) * (variances + 9e-4))).mean()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ssim_and_its_gradient_are_those_of_plain_convolutions(dtype: torch.dtype) -> None:
    target = noise(2, 23, 31, 3).to(dtype)
    picture = (target + 0.2 * noise(2, 23, 31, 3, seed=1).to(dtype)).requires_grad_()
    fast, plain = ssim(picture, target), plain_ssim(picture, target)
    (fast_slope,) = torch.autograd.grad(fast, picture)
    (plain_slope,) = torch.autograd.grad(plain, picture)
    exact = 1e-5 if dtype == torch.float32 else 1e-12
    assert fast.item() == pytest.approx(plain.item(), rel=exact)
    assert torch.allclose(fast_slope, plain_slope, atol=exact * plain_slope.abs().max().item())


def test_blur_spreads_a_spike_as_the_kernel_says() -> None:
    planes = torch.zeros(2, 9, 9)
    planes[1, 4, 4] = 1
    kernel = torch.tensor([0.25, 0.5, 0.25])
    spread = blur(planes, kernel)
    assert spread[0].abs().sum() == 0
    assert torch.allclose(spread[1, 3:6, 3:6], torch.outer(kernel, kernel))
    assert spread[1].sum().item() == pytest.approx(1)


def test_ssim_of_equal_pictures_is_one() -> None:
    picture = noise(2, 12, 9, 3).float()
    assert ssim(picture, picture).item() == pytest.approx(1.0, abs=1e-6)


def test_color_loss_is_l1_alone_where_nothing_moves() -> None:
    picture, target = torch.full((1, 8, 8, 3), 0.5), torch.full((1, 8, 8, 3), 0.7)
    nothing_moves = torch.zeros(1, 8, 8, dtype=torch.bool)
    assert color_loss(picture, target, nothing_moves, 0.2).item() == pytest.approx(0.8 * 0.2)


def test_color_loss_mixes_l1_and_the_structure_of_what_moves() -> None:
    picture, target = noise(1, 12, 13, 3), noise(1, 12, 13, 3, seed=1)
    mask = torch.zeros(1, 12, 13, dtype=torch.bool)
    mask[:, 3:9, 2:10] = True
    shown = mask[0, ..., None].double()
    seen, wanted = (picture[0] * shown).numpy(), (target[0] * shown).numpy()
    structure = 1 - np.mean([slow_ssim(seen[..., c], wanted[..., c]) for c in range(3)])
    expected = 0.7 * (picture - target).abs().mean().item() + 0.3 * structure
    assert color_loss(picture, target, mask, 0.3).item() == pytest.approx(expected, abs=1e-6)


def test_the_gradient_of_color_loss_and_ssim() -> None:
    picture, target = noise(1, 4, 3, 3).requires_grad_(), noise(1, 4, 3, 3, seed=1)
    mask = noise(1, 4, 3, seed=2) > 0.5
    assert torch.autograd.gradcheck(lambda p: ssim(p, target), picture)
    assert torch.autograd.gradcheck(lambda p: color_loss(p, target, mask, 0.2), picture)


def test_temporal_loss_is_quadratic_below_delta_and_linear_above() -> None:
    features = torch.tensor([9.0, 0.0, 0.01, 0.5, 9.0]).reshape(5, 1, 1)
    small = 0.5 * 0.01**2  # |0.01 - 0| is below delta 0.02
    large = 0.02 * (0.49 - 0.01)  # |0.5 - 0.01| is above
    loss = temporal_loss(features, frame=1, window=3, delta=0.02)
    assert loss.item() == pytest.approx((small + large) / 2 / 0.02, rel=1e-5)


def test_temporal_loss_is_zero_for_features_that_never_change() -> None:
    assert temporal_loss(noise(1, 4, 2).expand(5, -1, -1), 1, 3, 0.02).item() == 0


@pytest.mark.parametrize("frame", [0, 3])
def test_temporal_loss_of_a_window_of_one_looks_at_a_neighbour(frame: int) -> None:
    features = torch.tensor([0.0, 1.0, 2.0, 3.0]).reshape(4, 1, 1)
    assert temporal_loss(features, frame, 1, 0.02).item() == pytest.approx(1 - 0.01)


def test_temporal_loss_of_a_lone_frame_is_zero() -> None:
    assert temporal_loss(noise(1, 4, 2), 0, 1, 0.02).item() == 0


def test_the_gradient_of_temporal_loss() -> None:
    features = noise(5, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: temporal_loss(f, 1, 3, 0.3), features)


def test_spatial_loss_of_a_lone_spike() -> None:
    """A spike of 1 keeps its centre weight; what it loses is spread on the 24 cells around it."""
    plane = torch.zeros(9, 9)
    plane[4, 4] = 1
    weights = np.exp(-(np.arange(-2, 3) ** 2) / 2)
    centre = (weights[2] / weights.sum()) ** 2
    loss = spatial_loss(plane.reshape(81, 1), 9, 9)
    assert loss.item() == pytest.approx(2 * (1 - centre) / 81, rel=1e-5)


def test_spatial_loss_lets_a_flat_plane_be_also_at_its_border() -> None:
    assert spatial_loss(torch.full((35, 2), 0.3), 5, 7).item() == pytest.approx(0, abs=1e-7)


def test_the_gradient_of_spatial_loss_pulls_each_cell_to_its_surroundings() -> None:
    planes = noise(30, 2).requires_grad_()
    spatial_loss(planes, 5, 6).backward()
    before = planes.detach().T.reshape(2, 5, 6)
    padded = torch.nn.functional.pad(before[None], (2, 2, 2, 2), mode="replicate")[0]
    weights = torch.exp(-(torch.arange(-2.0, 3.0) ** 2) / 2).double()
    weights = torch.outer(weights, weights) / weights.sum() ** 2
    blurred = (padded.unfold(1, 5, 1).unfold(2, 5, 1) * weights).sum((-1, -2))
    expected = (before - blurred).sign().reshape(2, 30).T / 60
    assert torch.allclose(planes.grad, expected)


def test_attribute_loss_weighs_attributes_and_repeats_the_last_one() -> None:
    """Five Gaussians on a grid of 2 x 3, alike but for the place of the last one."""
    gaussians = CanonicalGaussians(
        torch.zeros(5, 3), torch.ones(5, 4), torch.zeros(5, 3), torch.zeros(5), torch.zeros(5, 3)
    )
    assert attribute_loss(gaussians, 2.0, 2, 3).item() == 0
    gaussians.means[4, 0] = 3.0  # 1.5 of the extent; the sixth cell repeats it
    plane = torch.tensor([[0.0, 0, 0], [0, 1.5, 1.5]])
    expected = spatial_loss(plane.reshape(6, 1), 2, 3).item() / 10  # one of ten planes
    assert attribute_loss(gaussians, 2.0, 2, 3).item() == pytest.approx(expected)


def test_alpha_penalty_is_the_mean_over_penalised_pixels() -> None:
    shares = torch.tensor([[[0.5, 1.0], [0.25, 0.0]]], dtype=torch.float64, requires_grad=True)
    penalised = torch.tensor([[[1.0, 0.0], [1.0, 1.0]]], dtype=torch.float64)
    loss = alpha_penalty(shares, penalised)
    assert loss.item() == pytest.approx((0.5 + 0.25) / 4)
    loss.backward()
    assert shares.grad is not None
    assert torch.equal(shares.grad, penalised / 4)


def test_opacity_loss_is_the_mean_and_pulls_all_alike() -> None:
    opacities = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64, requires_grad=True)
    assert opacity_loss(opacities).item() == pytest.approx(0.5)
    assert torch.autograd.gradcheck(opacity_loss, opacities)


def test_psnr_of_known_errors() -> None:
    black = torch.zeros(4, 4, 3)
    assert psnr(black, torch.full((4, 4, 3), 0.1)).item() == pytest.approx(20, abs=1e-4)
    assert psnr(black, torch.ones(4, 4, 3)).item() == pytest.approx(0, abs=1e-6)


def test_psnr_of_equal_pictures_is_finite() -> None:
    assert psnr(torch.ones(2, 2, 3), torch.ones(2, 2, 3)).item() == pytest.approx(100)
