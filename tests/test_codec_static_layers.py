"""Static Gaussians become parts that look the same and cost less."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from streamstgs.codec.encoder.config import StaticLayerSettings
from streamstgs.codec.encoder.layer_encoding import split_sizes
from streamstgs.codec.encoder.static_layers import (
    axis_turns,
    divide_static,
    drawable,
    quaternion_product,
    upright,
)
from streamstgs.renderer import CanonicalGaussians
from streamstgs.renderer.gaussians import rotation_matrices

from tests.synthetic import SyntheticSource, random_canonical

META = SyntheticSource().meta


def covariances(gaussians: CanonicalGaussians) -> torch.Tensor:
    drawn = gaussians.activate()
    spread = rotation_matrices(drawn.quats) * drawn.scales[:, None, :]
    return spread @ spread.transpose(1, 2)


def test_axis_turns_are_the_24_rotations_of_a_cube() -> None:
    turns, names = axis_turns()
    assert turns.shape == (24, 4)
    matrices = rotation_matrices(turns)
    assert torch.allclose(matrices, matrices.round(), atol=1e-6)
    assert len({tuple(m.round().flatten().tolist()) for m in matrices}) == 24
    assert torch.allclose(torch.linalg.det(matrices), torch.ones(24))
    assert names.sort(dim=-1).values.equal(torch.arange(3).expand(24, 3))


def test_quaternion_product_composes_rotations() -> None:
    a, b = torch.nn.functional.normalize(torch.randn(2, 5, 4), dim=-1)
    found = rotation_matrices(quaternion_product(a, b))
    assert torch.allclose(found, rotation_matrices(a) @ rotation_matrices(b), atol=1e-5)


def test_upright_gaussians_keep_their_shape_with_small_rotations() -> None:
    gaussians = random_canonical(500)
    found = upright(replace(gaussians, quats=3 * gaussians.quats))
    assert torch.allclose(covariances(found), covariances(gaussians), atol=1e-7)
    assert torch.allclose(found.quats.norm(dim=-1), torch.ones(500))
    assert found.quats[:, 0].min() > 0.85  # half of at most 62.8 degrees
    assert found.quats[:, 1:].abs().max() < 0.53


def test_invisible_gaussians_are_dropped_and_extremes_clamped() -> None:
    gaussians = random_canonical(4)
    logits, scales = torch.tensor([-6.0, -5.0, 0.0, 20.0]), torch.full((4, 3), -30.0)
    found = drawable(replace(gaussians, opacity_logits=logits, log_scales=scales), thinnest=1e-4)
    assert found.means.equal(gaussians.means[1:])
    assert found.opacity_logits[:2].tolist() == [-5.0, 0.0]
    assert 0.99 <= found.opacity_logits[2].sigmoid() < 1
    assert torch.allclose(found.log_scales.exp(), torch.full((3, 3), 1e-4))


def with_four_far_away(count: int) -> CanonicalGaussians:
    gaussians = random_canonical(count)
    means = gaussians.means.clone()
    means[:4] *= 1000
    return replace(gaussians, means=means)


def test_farthest_gaussians_are_the_second_layer() -> None:
    gaussians = with_four_far_away(200)
    first, far, last = divide_static(gaussians, META, StaticLayerSettings(layers=2, growth=2))
    assert [len(p.gaussians) for p in (first, far, last)] == [65, 4, 131]
    assert far.gaussians.means.norm(dim=-1).min() > 100
    assert max(first.unit, last.unit) < far.unit == META.radius


@pytest.mark.parametrize("layers", [1, 2, 3, 5])
def test_layers_hold_all_gaussians_in_any_order(layers: int) -> None:
    gaussians = with_four_far_away(200)
    parts = divide_static(gaussians, META, StaticLayerSettings(layers=layers))
    assert len(parts) == layers + 1
    everything = torch.cat([p.gaussians.means for p in parts])
    wanted = gaussians.means.sort(dim=0).values
    assert everything.sort(dim=0).values.equal(wanted)


def test_layer_sizes_grow_by_the_given_factor() -> None:
    assert split_sizes(700, 3, 2.0) == [100, 200, 400]
    assert split_sizes(100, 4, 1.0) == [25, 25, 25, 25]
    assert split_sizes(2, 5, 1.4) == [1, 1]
    assert split_sizes(0, 5, 1.4) == []


def test_scenes_of_few_gaussians_have_no_far_layer() -> None:
    gaussians = random_canonical(3)
    assert divide_static(gaussians[:0], META, StaticLayerSettings()) == []
    (alone,) = divide_static(gaussians, META, StaticLayerSettings(layers=1))
    assert len(alone.gaussians) == 3
    (far,) = divide_static(gaussians, META, StaticLayerSettings(far_share=1.0))
    assert len(far.gaussians) == 3
