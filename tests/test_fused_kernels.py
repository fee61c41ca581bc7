"""The Triton kernels against the torch code that they replace.

They run on a CUDA device, or on the CPU where Triton interprets them (TRITON_INTERPRET=1).
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import Gaussians, Gop
from streamstgs.renderer.field_inference import GopDeformer
from streamstgs.renderer.settings import ALPHA_MIN
from streamstgs.renderer.thread_pool import ThreadPool
from streamstgs.renderer.trajectories import Trajectories, present

from tests.synthetic import random_canonical
from tests.test_deformation import random_gop

pytest.importorskip("triton", reason="Triton is not installed")

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICES = ["cpu"] if INTERPRETED else [pytest.param("cuda", marks=pytest.mark.gpu)]
each_device = pytest.mark.parametrize("device", DEVICES)


def on(gop: Gop, device: str) -> Gop:
    return replace(
        gop,
        static=gop.static.to(device),
        canonical=gop.canonical.to(device),
        features=gop.features.to(device),
        feature_offset=gop.feature_offset.to(device),
        feature_step=gop.feature_step.to(device),
        field=gop.field.to(device),
    )


def with_paths(gop: Gop) -> Gop:
    """Moving Gaussians with trajectories, a part of them absent at any time."""
    count = len(gop.canonical)
    random = torch.Generator().manual_seed(8)
    paths = Trajectories(
        velocities=torch.randn(count, 3, generator=random),
        centers=torch.rand(count, generator=random),
        log_extents=torch.full((count,), -2.5),
    )
    return replace(gop, canonical=replace(gop.canonical, trajectories=paths))


def moved(gop: Gop, frame: float) -> Gaussians:
    from streamstgs.renderer.fused.field import FusedField

    field = FusedField(gop)
    field.gaussians_at(gop.frames - 1.0 - frame)[len(gop.static) :].map(
        lambda t: t.fill_(torch.nan)
    )
    return field.gaussians_at(frame)


@each_device
@pytest.mark.parametrize("frame", [0, 3, 5, 2.25, 4.999])
@pytest.mark.parametrize(
    "config",
    [{}, {"width": 64}, {"window": 5, "width": 20, "extent": 3.0}, {"window": 1, "width": 1}],
    ids=str,
)
def test_field_equals_the_module(device: str, config: dict[str, float], frame: float) -> None:
    gop = on(random_gop(moving=150, **config), device)
    expected = gop.gaussians_at(frame)
    for name, values in moved(gop, frame).tensors().items():
        torch.testing.assert_close(values, expected.tensors()[name], atol=1e-4, rtol=1e-4)


@each_device
@pytest.mark.parametrize("frame", [0, 3.5])
def test_field_equals_the_module_on_trajectories(device: str, frame: float) -> None:
    gop = on(with_paths(random_gop(width=24)), device)
    there = present(gop.canonical.at(frame / gop.frames).opacity_logits)
    assert 0 < len(there) < len(gop.canonical)
    found, expected = moved(gop, frame)[len(gop.static) :], gop.dynamic_at(frame)
    for name, values in found.tensors().items():
        torch.testing.assert_close(values[there], expected.tensors()[name], atol=1e-4, rtol=1e-4)
    absent = torch.ones(len(gop.canonical), dtype=torch.bool, device=device)
    absent[there] = False
    assert found.opacities[absent].max() < ALPHA_MIN


@each_device
def test_bytes_equal_those_of_torch(device: str) -> None:
    from streamstgs.renderer.fused.pixels import rgb8

    picture = (1.4 * torch.rand(37, 53, 3) - 0.2).to(device)
    expected = picture.clamp(0.0, 1.0).mul(255.0).add(0.5).to(torch.uint8)
    assert torch.equal(rgb8(picture), expected)
    assert rgb8(picture).stride() == (4 * 53, 4, 1)


@each_device
def test_broken_gaussians_are_hidden(device: str) -> None:
    from streamstgs.renderer.fused.pixels import sound_means

    gaussians = random_canonical(600, seed=4).activate()
    broken = torch.zeros(600, dtype=torch.bool)
    for place, (name, number) in enumerate(
        (name, number)
        for name in ("means", "quats", "scales", "opacities", "colors")
        for number in (torch.nan, torch.inf, -torch.inf)
    ):
        gaussians.tensors()[name].reshape(600, -1)[7 * place, -1] = number
        broken[7 * place] = True
    gaussians.quats[599] = 0.0
    broken[599] = True
    hidden = torch.tensor([1.0, -2.0, 3.0])
    expected = torch.where(broken[:, None], hidden, gaussians.means)
    assert torch.equal(sound_means(gaussians.to(device), (1.0, -2.0, 3.0)).cpu(), expected)


def wait_for_kernel(deformer: GopDeformer) -> None:
    field = deformer._fused
    assert field is not None
    end_s = time.monotonic() + 60
    while not field.is_compiled():
        assert time.monotonic() < end_s, "the kernel did not compile"
        time.sleep(0.01)


@pytest.mark.gpu
@pytest.mark.parametrize("static", [0, 50])
def test_player_moves_gaussians_with_the_kernel(static: int) -> None:
    gop = on(random_gop(still=static), "cuda")
    deformer = GopDeformer(gop, ThreadPool(1, "deform"))
    before = gop.static.means.clone()
    deformer.gaussians_at(1)
    wait_for_kernel(deformer)
    for frame in (0, 4.5, 2):
        found, expected = deformer.gaussians_at(frame), gop.gaussians_at(frame)
        for name, values in found.tensors().items():
            torch.testing.assert_close(values, expected.tensors()[name], atol=1e-4, rtol=1e-4)
    assert deformer.gaussians_at(0).means.data_ptr() == deformer.gaussians_at(3).means.data_ptr()
    assert torch.equal(gop.static.means, before)
