"""The reference backend against hand calculations, gsplat and finite differences."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends import reference
from streamstgs.renderer.backends.reference import (
    ReferenceBackend,
    project,
    rasterize,
    rasterize_channels,
)
from torch import Tensor

from tests.synthetic import random_canonical

BLACK = RenderSettings()


def camera(width: int = 24, height: int = 16) -> Camera:
    K = torch.tensor([[20.0, 0.0, 11.0], [0.0, 25.0, 7.5], [0.0, 0.0, 1.0]])
    viewmat = torch.eye(4)
    viewmat[2, 3] = 3.0
    return Camera(viewmat, K, width, height)


def stack(*splats: tuple[float, float, float, float]) -> Gaussians:
    """Broad discs on the axis, each (depth behind the camera, opacity, red, green)."""
    count = len(splats)
    values = torch.tensor(splats)
    means = torch.zeros(count, 3)
    means[:, 2] = values[:, 0] - 3.0
    colors = torch.cat([values[:, 2:], torch.zeros(count, 1)], dim=1)
    quats = torch.tensor([[1.0, 0.0, 0.0, 0.0]]).expand(count, 4)
    return Gaussians(means, quats, torch.full((count, 3), 50.0), values[:, 1], colors)


def pixel(gaussians: Gaussians, settings: RenderSettings = BLACK) -> tuple[list[float], float]:
    colors, alphas = rasterize(gaussians, camera(), settings)
    return colors[7, 11].tolist(), alphas[7, 11].item()


def test_front_to_back_blending_by_hand() -> None:
    color, alpha = pixel(stack((5, 0.5, 1, 0), (4, 0.25, 0, 1)), RenderSettings((0.0, 0.0, 1.0)))
    # green first: 0.25; red through 0.75: 0.375; background through 0.375
    assert color == pytest.approx([0.375, 0.25, 0.375], abs=2e-3)
    assert alpha == pytest.approx(0.625, abs=2e-3)


def test_alpha_is_capped() -> None:
    _, alpha = pixel(stack((4, 1.0, 1, 1)))
    assert alpha == pytest.approx(0.999, abs=1e-6)


def test_splat_that_finishes_a_pixel_is_not_drawn() -> None:
    """0.97 leaves 0.03, 0.999 would leave 3e-5 <= 1e-4: the pixel ends before it."""
    color, alpha = pixel(stack((4, 0.97, 1, 0), (5, 1.0, 0, 1), (6, 0.5, 0, 1)))
    assert color[1] == 0.0
    assert alpha == pytest.approx(0.97, abs=2e-3)


def test_finished_pixels_stay_finished_in_later_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "CHUNK", 1)
    color, _ = pixel(stack((4, 0.97, 1, 0), (5, 1.0, 0, 1), (6, 0.5, 0, 1)))
    assert color[1] == 0.0


def test_chunks_and_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = random_canonical(150).activate()
    whole, whole_alpha = rasterize(scene, camera(), BLACK)
    monkeypatch.setattr(reference, "CHUNK", 7)
    monkeypatch.setattr(reference, "TILE_PX", 5)
    parts, parts_alpha = rasterize(scene, camera(), BLACK)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(parts_alpha, whole_alpha, atol=1e-5, rtol=0)


def test_projection_equals_gsplats_torch_formulas() -> None:
    implementation = pytest.importorskip("gsplat.cuda._torch_impl")
    scene, view = random_canonical(500, spread=2.0).activate(), camera()
    covars, _ = implementation._quat_scale_to_covar_preci(scene.quats, scene.scales, True, False)
    _, means, depths, conics, compensations = implementation._fully_fused_projection(
        scene.means,
        covars,
        view.viewmat[None],
        view.K[None],
        view.width,
        view.height,
        calc_compensations=True,
    )
    seen = depths[0] > 0.05
    splats = project(scene, view)
    torch.testing.assert_close(splats.means[seen], means[0, seen], atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(splats.conics[seen], conics[0, seen], atol=1e-5, rtol=1e-3)
    expected = scene.opacities * compensations[0]
    torch.testing.assert_close(splats.opacities[seen], expected[seen], atol=1e-4, rtol=1e-3)


def attributes(gaussians: Gaussians) -> list[Tensor]:
    return list(gaussians.tensors().values())


def test_gradients_equal_finite_differences() -> None:
    """In double precision, for every attribute, through projection, sorting and blending."""
    scene = random_canonical(4, seed=3, spread=0.3).activate()
    scene = replace(scene, scales=scene.scales * 4, colors=scene.colors + 0.1)
    # The threshold ALPHA_MIN makes steps at the rim of a splat: weigh only the middle of it.
    weights = torch.rand(2, 2, 3, generator=torch.Generator().manual_seed(1)).double()

    def loss(*values: Tensor) -> Tensor:
        colors, alphas = rasterize(Gaussians(*values), camera(), RenderSettings((0.3, 0.2, 0.1)))
        return (colors[7:9, 10:12] * weights).sum() + alphas[7:9, 10:12].sum()

    inputs = [value.double().requires_grad_() for value in attributes(scene)]
    assert torch.autograd.gradcheck(loss, inputs, eps=1e-6, atol=1e-5)


def test_broken_gaussians_leave_gradients_finite() -> None:
    values = [value.clone() for value in attributes(random_canonical(6).activate())]
    values[0][0], values[1][1], values[2][2] = math.nan, 0.0, math.inf
    values[2][3] = 0.0
    inputs = [value.requires_grad_() for value in values]
    rasterize(Gaussians(*inputs), camera(), BLACK)[0].sum().backward()
    for value in inputs:
        assert value.grad is not None
        assert value.grad.isfinite().all()


def test_descent_recovers_a_picture() -> None:
    """What the trainer does on the CPU, in small."""
    target_scene = random_canonical(20, seed=1, spread=0.5).activate()
    target = ReferenceBackend().render(target_scene, camera(), BLACK)
    colors = torch.full((20, 3), 0.5, requires_grad=True)
    optimiser = torch.optim.Adam([colors], lr=0.05)
    errors = []
    for _ in range(40):
        picture, _ = rasterize(replace(target_scene, colors=colors), camera(), BLACK)
        error = (picture - target).square().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        errors.append(error.item())
    assert errors[-1] < 0.05 * errors[0]


def test_render_keeps_no_graph() -> None:
    scene = random_canonical(10).activate()
    scene.means.requires_grad_()
    assert not ReferenceBackend().render(scene, camera(), BLACK).requires_grad


def test_gradients_of_channels_and_spherical_harmonics() -> None:
    """In double precision, for every attribute, through colour, alpha and depth."""
    scene = random_canonical(3, seed=4, spread=0.3).activate()
    sh = 0.3 * torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(1))
    scene = replace(scene, scales=scene.scales * 4, sh=sh)
    names = list(scene.tensors())

    def loss(*values: Tensor) -> Tensor:
        drawn = rasterize_channels(
            Gaussians(**dict(zip(names, values, strict=True))), camera(), RenderSettings()
        )
        middle = (slice(7, 9), slice(10, 12))
        return drawn.color[middle].sum() + drawn.alpha[middle].sum() + drawn.depth[middle].sum()

    inputs = [value.double().requires_grad_() for value in attributes(scene)]
    assert torch.autograd.gradcheck(loss, inputs, eps=1e-6, atol=1e-5)
