"""Blending of the cpu backend: each tile's splats front to back over its pixels."""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import numpy as np

from renderer.backends.cpu_kernels import (
    BLUE,
    BOTTOM,
    GREEN,
    LEFT,
    LOG,
    MEAN_X,
    MEAN_Y,
    RED,
    RIGHT,
    TILE_HEIGHT,
    TILE_WIDTH,
    TOP,
    XX,
    XY,
    YY,
    compiled,
    inlined,
    real,
    take,
)
from renderer.settings import ALPHA_MAX, ALPHA_MIN, TRANSMITTANCE_MIN

LANES = 8  # pixels blended at once: the width of a vector register
PLANE = TILE_WIDTH * TILE_HEIGHT
CHECK_EVERY = 16  # splats after which a tile is tested for being finished

_ZERO, _HALF, _ONE = real(0), real(0.5), real(1)
_ALPHA_MIN, _ALPHA_MAX = real(ALPHA_MIN), real(ALPHA_MAX)
_TRANSMITTANCE_MIN = real(TRANSMITTANCE_MIN)
_EXPONENT_MIN = real(-0.7)  # exp(8 * -0.7) < ALPHA_MIN
# exp(t) for t in -0.7..0 by the polynomial through its values at the Chebyshev points, degree 4:
# relative error 4e-6. alpha is its eighth power.
_E0, _E1, _E2, _E3, _E4 = (
    real(c)
    for c in np.polynomial.Chebyshev.interpolate(np.exp, 4, [-0.7, 0.0])
    .convert(kind=np.polynomial.Polynomial)
    .coef
)


@compiled
def blend(splats, starts, lists, columns, first, last, background, counter, out, out_rgb8):
    """Blend tiles first .. last - 1 into `out` or, where that is empty, into `out_rgb8`.

    Args:
        splats: [N, SPLAT_FIELDS] of `project`.
        starts: [tiles + 1], and lists, of `bin_tiles`.
        counter: [1] next tile after `first`, shared by the threads.
        out: [height, width, 3] float32, not clipped.
        out_rgb8: [height, width, 3] uint8, clipped and rounded.
    """
    # Transmittance, red, green and blue of a tile, one plane after the other. A negative
    # transmittance marks a finished pixel.
    planes = np.empty(4 * PLANE, np.float32)
    while True:
        tile = first + take(counter)
        if tile >= last:
            return
        planes[:PLANE] = _ONE
        planes[PLANE:] = _ZERO
        left, top = (tile % columns) * TILE_WIDTH, (tile // columns) * TILE_HEIGHT
        begin, end = starts[tile] - starts[first], starts[tile + 1] - starts[first]
        _blend_tile(splats, lists[begin:end], left, top, planes)
        _blend_background(planes, background)
        if len(out):
            _write_float(planes, left, top, out)
        else:
            _write_rgb8(planes, left, top, out_rgb8)


@compiled
def _blend_tile(splats, indices, left, top, planes):
    for n in range(len(indices)):
        if n % CHECK_EVERY == 0 and _is_finished(planes):
            return
        s = indices[n]
        begin = max(int(splats[s, LEFT]) - left, 0)
        groups = (min(int(splats[s, RIGHT]) - left, TILE_WIDTH) - begin + LANES - 1) // LANES
        begin = min(begin, TILE_WIDTH - groups * LANES)
        low = max(int(splats[s, TOP]) - top, 0)
        high = min(int(splats[s, BOTTOM]) - top, TILE_HEIGHT)
        dx = real(left + begin) + _HALF - splats[s, MEAN_X]
        dy = real(top + low) + _HALF - splats[s, MEAN_Y]
        square, red, green, blue = splats[s, XX], splats[s, RED], splats[s, GREEN], splats[s, BLUE]
        for row in range(low, high):
            linear = splats[s, XY] * dy
            constant = splats[s, LOG] + splats[s, YY] * dy * dy
            at = np.uint64(row * TILE_WIDTH + begin)
            x = dx
            for _ in range(groups):
                _blend_lanes(square, linear, constant, red, green, blue, x, planes, at)
                at += np.uint64(LANES)
                x += real(LANES)
            dy += _ONE


@inlined
def _blend_lanes(square, linear, constant, red, green, blue, dx, planes, at):
    """One splat over LANES pixels of a row.

    Vectorises because it has no branches, reads only locals and `planes`, and counts unsigned.
    """
    for lane in range(np.uint64(LANES)):
        i = at + lane
        x = dx + real(lane)
        t = max(constant + x * (linear + x * square), _EXPONENT_MIN)
        root = _E0 + t * (_E1 + t * (_E2 + t * (_E3 + t * _E4)))
        root *= root
        root *= root
        root *= root
        alpha = min(root, _ALPHA_MAX) if root >= _ALPHA_MIN else _ZERO
        before = planes[i]
        after = before - alpha * before
        ends = after <= _TRANSMITTANCE_MIN
        weight = _ZERO if ends else alpha * before
        planes[i] = -abs(before) if ends else after
        planes[i + np.uint64(PLANE)] += weight * red
        planes[i + np.uint64(2 * PLANE)] += weight * green
        planes[i + np.uint64(3 * PLANE)] += weight * blue


@compiled
def _is_finished(planes):
    """Whether every transmittance is negative: their sign bits together, which vectorises."""
    bits = planes.view(np.int32)
    signs = np.int32(-1)
    for i in range(PLANE):
        signs &= bits[i]
    return signs < 0


@compiled
def _blend_background(planes, background):
    for i in range(PLANE):
        passed = abs(planes[i])
        for c in range(3):
            planes[(c + 1) * PLANE + i] += passed * background[c]


@compiled
def _write_float(planes, left, top, out):
    for row in range(min(TILE_HEIGHT, out.shape[0] - top)):
        for column in range(min(TILE_WIDTH, out.shape[1] - left)):
            at = PLANE + row * TILE_WIDTH + column
            for c in range(3):
                out[top + row, left + column, c] = planes[at + c * PLANE]


@compiled
def _write_rgb8(planes, left, top, out):
    for row in range(min(TILE_HEIGHT, out.shape[0] - top)):
        for column in range(min(TILE_WIDTH, out.shape[1] - left)):
            at = PLANE + row * TILE_WIDTH + column
            for c in range(3):
                value = min(max(planes[at + c * PLANE], _ZERO), _ONE)
                out[top + row, left + column, c] = np.uint8(value * real(255) + _HALF)
