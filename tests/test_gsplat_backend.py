"""The gsplat backend beyond the contract of all backends, on a CUDA device."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends import gsplat_cuda, reference

from tests.synthetic import random_canonical

pytestmark = pytest.mark.gpu
SETTINGS = RenderSettings(background=(0.1, 0.2, 0.3))


def view(x: float) -> Camera:
    up = torch.tensor([0.0, -1.0, 0.0])
    return Camera.look_at(torch.tensor([x, -0.4, -3.0]), torch.zeros(3), up, 0.9, 64, 48)


def scene(degree: int | None, count: int = 300) -> Gaussians:
    plain = random_canonical(count, seed=21).activate()
    if degree is None:
        return plain
    random = torch.Generator().manual_seed(degree)
    return replace(plain, sh=0.4 * torch.randn(count, (degree + 1) ** 2, 3, generator=random))


@pytest.mark.parametrize("degree", [None, 0, 1, 2, 3])
def test_several_cameras_see_their_own_colors(degree: int | None) -> None:
    cameras, gaussians = [view(-1.0), view(0.3), view(1.5)], scene(degree)
    colors, alphas, _ = gsplat_cuda.rasterize(gaussians.to("cuda"), cameras, SETTINGS, depth=True)
    assert colors.shape == (3, 48, 64, 4)
    for found, alpha, camera in zip(colors.cpu(), alphas.cpu(), cameras, strict=True):
        expected = reference.rasterize_channels(gaussians, camera, SETTINGS)
        assert (found[..., :3] - expected.color).square().mean() < 1e-5
        assert (alpha[..., 0] - expected.alpha).abs().mean() < 1e-3
        covered = expected.alpha > 0.1
        assert (found[..., 3] - expected.depth).abs()[covered].mean() < 1e-2


def test_gradients_reach_spherical_harmonics() -> None:
    gaussians = scene(3)
    grads = []
    for device in ("cuda", "cpu"):
        leaf = gaussians.map(lambda t, device=device: t.detach().to(device).requires_grad_())
        if device == "cuda":
            picture = gsplat_cuda.rasterize(leaf, [view(0.3)], SETTINGS)[0][0]
        else:
            picture = reference.rasterize(leaf, view(0.3), SETTINGS)[0]
        picture.square().sum().backward()
        assert leaf.sh is not None
        assert leaf.sh.grad is not None
        grads.append(leaf.sh.grad.cpu())
    assert torch.nn.functional.cosine_similarity(*(g.flatten() for g in grads), dim=0) > 0.999


def test_channels_beyond_rgb_are_refused_beside_spherical_harmonics() -> None:
    gaussians = scene(1)
    told = replace(gaussians, colors=torch.cat([gaussians.colors, gaussians.colors], dim=1))
    with pytest.raises(ValueError, match="no channels beyond RGB"):
        gsplat_cuda.rasterize(told.to("cuda"), [view(0.3)], SETTINGS)
