"""Spherical harmonics: the basis against formulas of others, and `Gaussians` that carry them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import Gaussians
from streamstgs.renderer.spherical_harmonics import (
    colors_of_sh,
    evaluate_sh,
    sh_basis,
    sh_degree,
    sh_of_colors,
)
from torch import Tensor

from tests.synthetic import random_canonical


def directions(count: int = 50) -> Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(2)).double()


def gaussians(count: int, degree: int | None, seed: int = 0) -> Gaussians:
    plain = random_canonical(count, seed).activate()
    if degree is None:
        return plain
    random = torch.Generator().manual_seed(seed)
    return replace(plain, sh=torch.randn(count, (degree + 1) ** 2, 3, generator=random))


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_evaluation_equals_gsplats_torch_formulas(degree: int) -> None:
    implementation = pytest.importorskip("gsplat.cuda._torch_impl")
    sh = torch.randn(50, (degree + 1) ** 2, 3).double()
    expected = implementation._spherical_harmonics(degree, directions(), sh) + 0.5
    found = evaluate_sh(sh, directions())
    torch.testing.assert_close(found, expected.clamp(min=0.0), atol=1e-6, rtol=0)


def test_basis_is_orthonormal() -> None:
    """The integral of the product of two basis functions over the sphere is 1 or 0."""
    theta = (torch.arange(400, dtype=torch.float64) + 0.5) * math.pi / 400
    phi = (torch.arange(400, dtype=torch.float64) + 0.5) * 2 * math.pi / 400
    t, p = torch.meshgrid(theta, phi, indexing="ij")
    sphere = torch.stack([t.sin() * p.cos(), t.sin() * p.sin(), t.cos()], dim=-1).reshape(-1, 3)
    area = t.sin().flatten() * (math.pi / 400) * (2 * math.pi / 400)
    basis = sh_basis(sphere, 3)
    torch.testing.assert_close(
        basis.T @ (area[:, None] * basis), torch.eye(16).double(), atol=1e-4, rtol=0
    )


def test_length_of_directions_does_not_matter() -> None:
    torch.testing.assert_close(sh_basis(7.0 * directions(), 3), sh_basis(directions(), 3))


def test_colors_below_zero_are_clamped() -> None:
    assert (evaluate_sh(torch.full((50, 1, 3), -9.0).double(), directions()) == 0).all()


def test_gradients_equal_finite_differences() -> None:
    sh = torch.randn(4, 16, 3, generator=torch.Generator().manual_seed(1)).double()
    inputs = (sh.requires_grad_(), directions(4).requires_grad_())
    assert torch.autograd.gradcheck(evaluate_sh, inputs)


@pytest.mark.parametrize("degree", [0, 2])
def test_colors_survive_as_spherical_harmonics(degree: int) -> None:
    colors = torch.rand(50, 3).double()
    sh = sh_of_colors(colors, degree)
    assert sh_degree(sh) == degree
    torch.testing.assert_close(evaluate_sh(sh, directions()), colors)
    torch.testing.assert_close(colors_of_sh(sh), colors)


@pytest.mark.parametrize("shape", [(5, 2, 3), (5, 25, 3), (5, 4), (5, 0, 3), (5, 4, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"K of 1, 4, 9 or 16"):
        replace(gaussians(5, None), sh=torch.zeros(shape))


def test_selection_moves_and_copies_keep_spherical_harmonics() -> None:
    scene = gaussians(9, 2)
    assert scene.sh is not None
    chosen = torch.tensor([3, 1])
    for changed, expected in (
        (scene[chosen], scene.sh[chosen]),
        (scene[2:5], scene.sh[2:5]),
        (scene.to("cpu"), scene.sh),
        (scene.detach(), scene.sh),
        (scene.clone(), scene.sh),
    ):
        assert changed.sh is not None
        assert torch.equal(changed.sh, expected)


def test_activated_gaussians_have_no_spherical_harmonics() -> None:
    assert random_canonical(3).activate().sh is None
    assert "sh" not in random_canonical(3).activate().tensors()


def test_concatenation_without_spherical_harmonics_makes_none() -> None:
    assert Gaussians.concatenate([gaussians(2, None), gaussians(3, None)]).sh is None


def test_concatenation_fills_up_degrees() -> None:
    plain, low, high = gaussians(2, None), gaussians(3, 1, seed=1), gaussians(4, 3, seed=2)
    joined = Gaussians.concatenate([plain, low, high])
    assert joined.sh is not None
    assert joined.sh.shape == (9, 16, 3)
    views = torch.randn(9, 3)
    seen = evaluate_sh(joined.sh, views)
    assert low.sh is not None
    assert high.sh is not None
    torch.testing.assert_close(seen[:2], plain.colors)
    torch.testing.assert_close(seen[2:5], evaluate_sh(low.sh, views[2:5]))
    torch.testing.assert_close(seen[5:], evaluate_sh(high.sh, views[5:]))


def test_painted_gaussians_have_their_new_colors_only() -> None:
    white = gaussians(4, 2).painted(torch.ones(4, 3))
    assert white.sh is None
    assert (white.colors == 1).all()
