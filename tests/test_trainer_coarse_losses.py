"""What keeps Gaussians small, few and alike their neighbours: value and gradient, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import CanonicalGaussians, Gaussians
from streamstgs.trainer.optimization.losses import (
    attribute_loss,
    opacity_loss,
    scale_loss,
    spatial_loss,
)
from torch import Tensor

from tests.synthetic import random_canonical

pytestmark = pytest.mark.usefixtures("one_thread")


def shrinking_loss(gaussians: Gaussians, scene_scale: float) -> Tensor:
    """Both terms of the coarse stage that shrink Gaussians, with weights 0.5 and 3."""
    return 0.5 * opacity_loss(gaussians.opacities) + 3 * scale_loss(gaussians.scales, scene_scale)


def two() -> CanonicalGaussians:
    """Opacities 0.5 and 0.75, scales 1, 2, 3 and 4, 5, 6."""
    return CanonicalGaussians(
        means=torch.zeros(2, 3),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(2, 1),
        log_scales=torch.arange(1.0, 7.0).reshape(2, 3).log().requires_grad_(),
        opacity_logits=torch.tensor([0.5, 0.75]).logit().requires_grad_(),
        colors=torch.zeros(2, 3),
    )


def test_opacity_and_scale_loss_equal_hand_computation() -> None:
    loss = shrinking_loss(two().activate(), 7.0)
    assert loss.item() == pytest.approx(0.5 * 0.625 + 3.0 * 3.5 / 7.0)


def test_gradient_of_opacity_and_scale_loss() -> None:
    stored = two()
    shrinking_loss(stored.activate(), 7.0).backward()
    assert stored.opacity_logits.grad is not None
    assert stored.log_scales.grad is not None
    # d sigmoid = o (1 - o); d exp = s; means over 2 opacities and 6 scales
    by_hand = [0.5 * 0.25 / 2, 0.5 * 0.1875 / 2]
    assert stored.opacity_logits.grad.tolist() == pytest.approx(by_hand)
    expected = 3.0 / 7.0 * torch.arange(1.0, 7.0).reshape(2, 3) / 6
    assert torch.allclose(stored.log_scales.grad, expected)


def test_scale_loss_is_independent_of_units() -> None:
    large = replace(two(), log_scales=two().log_scales + torch.tensor(1000.0).log())
    in_metres = shrinking_loss(two().activate(), 7.0)
    in_millimetres = shrinking_loss(large.activate(), 7000.0)
    assert in_millimetres.item() == pytest.approx(in_metres.item())


def test_gradient_of_attribute_loss() -> None:
    """That of the planes, divided by what one unit of each attribute's plane stands for."""
    tensors = {n: t.requires_grad_() for n, t in random_canonical(11).tensors().items()}
    attribute_loss(CanonicalGaussians(**tensors), 2.0, 3, 4).backward()
    units = {"means": 2.0, "log_scales": 10.0, "opacity_logits": 10.0, "colors": 1.0}
    columns = [tensors[name].detach().reshape(11, -1) / unit for name, unit in units.items()]
    planes = torch.cat(columns, dim=1)
    planes = torch.cat([planes, planes[-1:]]).requires_grad_()  # the twelfth cell
    spatial_loss(planes, 3, 4).backward()
    assert planes.grad is not None
    slopes = planes.grad[:11].split([3, 3, 1, 3], dim=1)
    for (name, unit), slope in zip(units.items(), slopes, strict=True):
        gradient = tensors[name].grad
        assert gradient is not None
        assert torch.allclose(gradient.reshape(11, -1), slope / unit)
    assert tensors["quats"].grad is None  # q and -q are one rotation: their mean is none
