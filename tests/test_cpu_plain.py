"""The cpu backend's fast path against its twin in plain NumPy loops, whole and step by step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from streamstgs.codec.scene import open_scene
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.cpu import plain
from streamstgs.renderer.backends.cpu.backend import CpuBackend
from streamstgs.renderer.backends.cpu.blend import UNSEEN_TRANSMITTANCE, transpose_bits
from streamstgs.renderer.backends.cpu.kernels import BLOCK
from streamstgs.renderer.backends.cpu.sort import bin_tiles, count_tiles, sort_list, splat_of

from tests.golden.make_golden import golden_scene
from tests.synthetic import random_canonical

SETTINGS = RenderSettings(background=(0.1, 0.2, 0.3))
UP = torch.tensor([0.0, -1.0, 0.0])


@pytest.fixture(scope="module")
def backend() -> CpuBackend:
    return CpuBackend()


def view(distance: float = 3.0, width: int = 97, height: int = 61) -> Camera:
    eye = torch.tensor([0.3, -0.4, -distance])
    return Camera.look_at(eye, torch.zeros(3), UP, 0.9, width, height)


def scene(count: int, seed: int = 0) -> Gaussians:
    return random_canonical(count, seed).activate()


def assert_same(backend: CpuBackend, gaussians: Gaussians, camera: Camera) -> None:
    """Equal to the twin within float32 and the approximated exponential, in all channels.

    A rounding error can decide whether a pixel on the rim of a splat has an alpha of 1/255 or 0, so
    one pixel in a thousand may differ by as much.
    """
    expected = plain.render(gaussians, camera, SETTINGS)
    found = backend.render_channels(gaussians, camera, SETTINGS)
    white = max(1.0, float(np.abs(expected.color).max()))
    covered = expected.alpha > 0.02
    depth_error = np.abs(found.depth.numpy() - expected.depth)
    for name, error in (
        ("color", np.abs(found.color.numpy() - expected.color) / white),
        ("alpha", np.abs(found.alpha.numpy() - expected.alpha)),
        ("depth", depth_error[covered] / expected.depth[covered]),
    ):
        if error.size:
            assert (error > 1e-3).mean() < 1e-3, name
            assert error.max() < 0.01, name


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("count", [0, 1, 15, 17, 3000])
def test_random_scenes(backend: CpuBackend, count: int, seed: int) -> None:
    assert_same(backend, scene(count, seed), view())


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_random_spherical_harmonics(backend: CpuBackend, degree: int) -> None:
    random = torch.Generator().manual_seed(degree)
    sh = torch.randn(1500, (degree + 1) ** 2, 3, generator=random)
    assert_same(backend, replace(scene(1500), sh=sh), view())


@pytest.mark.parametrize("camera", [view(0.3), view(3.0, 1, 1), view(3.0, 64, 16), view(60.0)])
def test_other_views(backend: CpuBackend, camera: Camera) -> None:
    assert_same(backend, scene(1000, 5), camera)


def opaque(count: int) -> Gaussians:
    return replace(scene(count), opacities=torch.ones(count))


def stretched(x: float, y: float, z: float) -> Gaussians:
    plain_scene = scene(600, 3)
    return replace(plain_scene, scales=plain_scene.scales * torch.tensor([x, y, z]))


def at_few_depths() -> Gaussians:
    """Of Gaussians at the same depth, the one with the lower index is nearer."""
    values = scene(500, 4)
    values.means[:, 2] = torch.arange(500) % 3 - 1.0
    return values


def broken() -> Gaussians:
    """Every attribute with NaN, infinities, zeros and huge values, between sound Gaussians."""
    values = {name: v.clone() for name, v in scene(400, 6).tensors().items()}
    bad = [math.nan, math.inf, -math.inf, 0.0, 1e15, -1e15, 1e-30]
    row = 0
    for name in values:
        for number in bad:
            if name != "opacities" or not number > 1:
                values[name][row, ...] = number
            row += 3
    return Gaussians(**values)


HOSTILE: dict[str, Callable[[], Gaussians]] = {
    "opaque": lambda: opaque(2000),
    "filling the picture": lambda: stretched(60.0, 60.0, 60.0),
    "long needles": lambda: stretched(500.0, 0.01, 0.01),
    "thin discs": lambda: stretched(20.0, 20.0, 1e-4),
    "dust": lambda: stretched(1e-3, 1e-3, 1e-3),
    "broken": broken,
    "bright": lambda: replace(scene(600), colors=scene(600).colors * 1e4),
    "faint": lambda: replace(scene(600), opacities=scene(600).opacities * 0.008),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_scenes(backend: CpuBackend, name: str) -> None:
    assert_same(backend, HOSTILE[name](), view())


def test_order_of_equal_depths(backend: CpuBackend) -> None:
    viewmat = torch.eye(4)
    viewmat[2, 3] = 3.0  # depths are exact
    assert_same(backend, at_few_depths(), replace(view(), viewmat=viewmat))


@pytest.mark.parametrize("codec", ["hevc", "h264"])
@pytest.mark.parametrize(("gop", "frame"), [(0, 0), (0, 3), (1, 7)])
def test_golden_scenes(backend: CpuBackend, codec: str, gop: int, frame: int) -> None:
    with open_scene(str(golden_scene(codec))) as opened:
        gaussians = opened.decode_gop(gop, opened.qualities[-1]).gaussians_at(frame)
    camera = Camera.look_at(torch.tensor([0.0, 0.0, -4.0]), torch.zeros(3), UP, 0.7, 160, 90)
    assert_same(backend, gaussians, camera)


def random_rects(count: int, columns: int, rows: int) -> np.ndarray:
    """[count, 4] rectangles of tiles, some of them empty."""
    random = np.random.default_rng(count)
    corners = random.integers(0, (columns + 1, rows + 1), (2, count, 2))
    return np.concatenate([corners.min(0), corners.max(0)], axis=1).astype(np.int32)


@pytest.mark.parametrize("count", [1, 700, BLOCK + 300])
@pytest.mark.parametrize("splits", [[0, 5], [0, 0, 2, 5], [0, 1, 2, 3, 4, 5]])
def test_tile_lists(count: int, splits: list[int]) -> None:
    """Counting, binning and sorting give each tile its splats, nearest first."""
    columns, rows = 7, 5
    depths = np.random.default_rng(1).uniform(2, 30, count).astype(np.float32)
    rects = random_rects(count, columns, rows)
    counts = np.array([min(BLOCK, count - first) for first in range(0, count, BLOCK)])
    starts = np.empty(columns * rows + 1, np.int64)
    longest = count_tiles(counts, rects, columns, starts)
    lists, ends = np.empty(starts[-1], np.uint64), np.empty(columns * rows, np.int64)
    row_splits, counter = np.array(splits, np.int64), np.zeros(1, np.int64)
    bin_tiles(depths, counts, rects, columns, row_splits, starts, ends, counter, lists)
    expected = plain.tile_lists(depths, rects, columns, rows)
    assert longest == max(map(len, expected))
    for tile, splats in enumerate(expected):
        entries = lists[starts[tile] : starts[tile + 1]]
        entries = sort_list(entries, np.empty_like(entries))
        assert [int(splat_of(entry)) for entry in entries] == splats


@pytest.mark.parametrize("count", [1, 2, 900, 5000])  # short lists and long ones
def test_equal_depths_are_sorted_by_index(count: int) -> None:
    depths = np.random.default_rng(2).integers(1, 9, count).astype(np.float32)
    entries = depths.view(np.uint32).astype(np.uint64) << np.uint64(32)
    entries |= np.arange(count, dtype=np.uint64)
    ordered = sort_list(entries, np.empty_like(entries))
    expected = np.argsort(depths, kind="stable")
    assert [int(splat_of(entry)) for entry in ordered] == expected.tolist()


def test_transposed_bits() -> None:
    bits = np.random.default_rng(3).integers(0, 2, (64, 64), dtype=np.uint8)
    rows = np.packbits(bits, axis=1, bitorder="little").view(np.uint64).ravel()
    transpose_bits(rows)
    found = np.unpackbits(rows.view(np.uint8).reshape(64, 8), axis=1, bitorder="little")
    np.testing.assert_array_equal(found, bits.T)


def layers(count: int, first_lit: int, opacity: float) -> Gaussians:
    """Black sheets one behind the other that fill the picture; white from `first_lit` on."""
    colors = torch.zeros(count, 3)
    colors[first_lit:] = 1.0
    return Gaussians(
        means=torch.tensor([0.0, 0.0, 1.0]) * torch.linspace(0, 1, count)[:, None],
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(count, 1),
        scales=torch.tensor([[1e3, 1e3, 1e-3]]).repeat(count, 1),
        opacities=torch.full((count,), opacity),
        colors=colors,
    )


def test_what_cannot_be_seen_is_left_out_of_pictures(backend: CpuBackend) -> None:
    """Behind 80 sheets, less light passes than changes a colour by a quarter of a step."""
    sheets, camera = 80, view()
    opacity = 1 - 0.0005 ** (1 / sheets)  # 5e-4 of the light passes all of them
    assert (1 - opacity) ** sheets < UNSEEN_TRANSMITTANCE
    lit = layers(sheets + 80, sheets + 48, opacity)  # the white ones begin with a batch
    dark = replace(lit, colors=torch.zeros_like(lit.colors))
    assert torch.equal(
        backend.render(lit, camera, SETTINGS), backend.render(dark, camera, SETTINGS)
    )
    seen, hidden = (
        backend.render_channels(s, camera, SETTINGS).alpha for s in (lit, dark[:sheets])
    )
    assert (seen > hidden + 1e-4).all()  # depth and alpha leave nothing out
    assert_same(backend, lit, camera)
