"""Importance scores of Gaussians, and the order of static layers that follows from them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from streamstgs.codec.attributes.layers import concatenate
from streamstgs.codec.encoder.config import StaticLayerSettings
from streamstgs.codec.encoder.importance_order import by_importance, order_cameras
from streamstgs.codec.encoder.layer_encoding import split_sizes
from streamstgs.codec.encoder.quality_measurement import psnr_of_error
from streamstgs.codec.encoder.view_cameras import orbit_cameras, preset_cameras
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.renderer.backends.reference import rasterize
from streamstgs.renderer.importance import importance_score

from tests.synthetic import SyntheticSource, random_canonical

META = SyntheticSource().meta
DRAWING = RenderSettings(META.background, META.near)
SMALL = StaticLayerSettings(height_px=40)
NOTHING = CanonicalGaussians.empty()


def front(height_px: int = 40) -> Camera:
    return preset_cameras(META, height_px, 1)[0]


def picture(gaussians: Gaussians, camera: Camera) -> torch.Tensor:
    return rasterize(gaussians, camera, DRAWING)[0]


def discs(*depths_and_colors: tuple[float, float]) -> CanonicalGaussians:
    """Opaque grey discs on the axis of view, each wide enough to fill the picture."""
    depths, colors = (torch.tensor(v) for v in zip(*depths_and_colors, strict=True))
    count = len(depths)
    return CanonicalGaussians(
        means=torch.stack([torch.zeros(count), torch.zeros(count), depths], dim=-1),
        quats=torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(count, 4),
        log_scales=torch.tensor([30.0, 30.0, 0.001]).log().expand(count, 3),
        opacity_logits=torch.full((count,), 3.0),
        colors=colors[:, None].expand(count, 3),
    )


def test_importance_is_the_change_of_the_picture_without_a_gaussian() -> None:
    gaussians = random_canonical(150).activate()
    found = importance_score(gaussians, front(), DRAWING)
    whole = picture(gaussians, front())
    for k in range(0, 150, 15):
        others = gaussians[torch.arange(150) != k]
        change = (picture(others, front()) - whole).abs().sum().item()
        assert found[k].item() == pytest.approx(change, rel=1e-3, abs=1e-4)


def test_invisible_gaussians_have_no_importance() -> None:
    gaussians = random_canonical(20).activate()
    behind = replace(gaussians, means=gaussians.means - torch.tensor([0.0, 0.0, 50.0]))
    assert importance_score(behind, front(), DRAWING).tolist() == [0.0] * 20
    assert importance_score(gaussians[:0], front(), DRAWING).shape == (0,)


def test_gaussian_before_others_of_its_colour_is_unimportant() -> None:
    same, other = discs((0.0, 0.8), (1.0, 0.8)), discs((0.0, 0.8), (1.0, 0.2))
    spared = importance_score(same.activate(), front(), DRAWING)[0]
    needed = importance_score(other.activate(), front(), DRAWING)[0]
    assert spared < 0.1 * needed


def test_one_of_two_equivalent_gaussians_is_kept() -> None:
    """Each alone can be spared, so asking once would send both of them last."""
    twins = discs((0.0, 0.8), (0.001, 0.8))
    twins = replace(twins, opacity_logits=torch.full((2,), 6.0))
    spot = replace(discs((-1.0, 0.3)), log_scales=torch.full((1, 3), 0.3).log())
    settings = replace(SMALL, ring_views=0)
    three = concatenate([twins, spot])
    alone = importance_score(three.activate(), front(), DRAWING)
    assert alone[2] > 2 * alone[:2].max()
    first, second, last = by_importance(three, NOTHING, [1, 1, 1], META, settings)
    assert second.item() == 2
    assert {first.item(), last.item()} == {0, 1}


def test_prefixes_have_higher_psnr_than_other_orders() -> None:
    gaussians = random_canonical(400)
    sizes = split_sizes(400, 4, 1.5)
    parts = by_importance(gaussians, NOTHING, sizes, META, SMALL)
    assert [len(part) for part in parts] == sizes
    order = torch.cat(parts)
    assert order.sort().values.equal(torch.arange(400))
    views = [*orbit_cameras(META, 40, 3, elevation_rad=0.3), front()]

    def quality_db(chosen: torch.Tensor) -> float:
        drawn = gaussians[chosen].activate()
        pairs = [(picture(drawn, v), picture(gaussians.activate(), v)) for v in views]
        return psnr_of_error(sum((a - b).square().mean().item() for a, b in pairs) / len(pairs))

    rising = [quality_db(order[:count]) for count in (0, *torch.tensor(sizes).cumsum(0).tolist())]
    assert rising == sorted(rising)
    for count in (sizes[0], sizes[0] + sizes[1]):
        chance = quality_db(torch.arange(400)[:count])
        assert quality_db(order[:count]) > chance + 1.0
        assert chance > quality_db(order[-count:])


def test_always_sent_gaussians_are_rendered_with_the_rest() -> None:
    """Behind a wall that comes early, nothing is worth anything."""
    wall, hidden = discs((-1.0, 0.9), (-1.01, 0.9), (-1.02, 0.9)), discs((0.5, 0.1))
    shown = replace(hidden, means=torch.tensor([[0.0, 0.0, -1.5]]), colors=torch.full((1, 3), 0.5))
    settings = replace(SMALL, ring_views=0)
    pair = concatenate([hidden, shown])
    first, last = by_importance(pair, wall, [1, 1], META, settings)
    assert (first.item(), last.item()) == (1, 0)


def test_importance_order_is_deterministic_and_needs_no_presets() -> None:
    gaussians, bare = random_canonical(100), replace(META, presets=())
    once, again = (by_importance(gaussians, NOTHING, [30, 70], bare, SMALL) for _ in range(2))
    assert once[0].equal(again[0])
    presets, ring = order_cameras(bare, SMALL)
    assert presets == ()
    assert len(ring) == 10
    away = torch.stack([camera.position - torch.tensor(META.center) for camera in ring])
    assert torch.allclose(away.norm(dim=-1), torch.full((10,), META.radius), rtol=1e-4)
    assert (away @ torch.tensor(META.up)).min() > 0
