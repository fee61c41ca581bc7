"""What is copied to a device beside its other work."""

from __future__ import annotations

import pytest
import torch
from streamstgs.renderer.upload import uploading

from tests.test_deformation import random_gop


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_uploaded_values_are_complete(device: str) -> None:
    gop = random_gop(moving=5000, still=0)
    expected = gop.dynamic_at(2.5)
    with uploading(torch.device(device)) as send:
        features, field = send(gop.features), send.move(gop.field)
        canonical, empty = gop.canonical.map(send), send(torch.zeros(0, 3))
    assert {features.device.type, empty.device.type} == {device}
    assert torch.equal(features.cpu(), gop.features)
    for name, value in canonical.tensors().items():
        assert torch.equal(value.cpu(), gop.canonical.tensors()[name])
    windowed = gop.windowed_features(2.5).to(device)
    found = field(canonical, windowed, 2.5 / gop.frames).activate()
    torch.testing.assert_close(found.means.cpu(), expected.means, atol=1e-4, rtol=1e-4)
