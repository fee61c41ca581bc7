"""Projection of the cpu backend: `reference.project` written out for groups of 16 Gaussians.

The values of a group lie in one array, `scratch`: row after row, each with one number of every
Gaussian. The loop over a group has no branch, so the compiler makes vector instructions of it.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import math

import numpy as np
from streamstgs.renderer.backends.cpu.kernels import (
    BLOCK,
    BLUE,
    FALL,
    GREEN,
    LOG,
    MEAN_X,
    MEAN_Y,
    RED,
    SLOPE,
    SPLAT_FIELDS,
    SPREAD,
    SQUARE,
    TILE_HEIGHT,
    TILE_WIDTH,
    TURN,
    aligned,
    bits_of,
    compiled,
    inlined,
    real,
    real_of,
    take,
)
from streamstgs.renderer.backends.cpu.lanes import copy_splat
from streamstgs.renderer.backends.cpu.transpose import GROUP, copy_as_int, to_columns, to_rows
from streamstgs.renderer.backends.cpu.vectors import never_inline
from streamstgs.renderer.settings import ALPHA_MIN, DILATION_PX2, EXTENT_SIGMA

# Rows of `scratch`: the fields of the splat, with its depth and tiles in the spare ones, then the
# attributes of the Gaussian.
_DEPTH, _LEFT, _TOP, _RIGHT, _BOTTOM = range(BLUE + 1, SPLAT_FIELDS)
_VISIBLE, _OPACITY = SPLAT_FIELDS, SPLAT_FIELDS + 1
_MEAN, _QUAT, _SCALE = SPLAT_FIELDS + 2, SPLAT_FIELDS + 5, SPLAT_FIELDS + 9
_ROWS = _SCALE + 3

_ZERO, _HALF, _ONE, _TWO = real(0), real(0.5), real(1), real(2)
_INFINITY = real(np.inf)
_FAR = real(1e10)
_QUAT_MIN2 = real(1e-24)
_ALPHA_MIN, _ALPHA_MIN2 = real(ALPHA_MIN), real(ALPHA_MIN**2)
_LOG_ALPHA_MIN2 = real(2 * math.log(ALPHA_MIN))
_SIXTEENTH = real(-0.0625)
_DILATION = real(DILATION_PX2)
_EXTENT_SIGMA = real(EXTENT_SIGMA)
_LOG_2 = real(math.log(2))
_L0, _L1, _L2, _L3, _L4, _L5, _L6 = (
    real(c)
    for c in np.polynomial.Chebyshev.interpolate(np.log, 6, [1.0, 2.0])
    .convert(kind=np.polynomial.Polynomial)
    .coef
)
_MARGIN = real(0.15)  # 0.3 of half the picture, see reference.FRUSTUM_MARGIN
_PER_TILE_X, _PER_TILE_Y = real(1 / TILE_WIDTH), real(1 / TILE_HEIGHT)
_LAST_X, _LAST_Y = real(TILE_WIDTH - 1), real(TILE_HEIGHT - 1)
index = np.uint64  # signed ones could count from the end, which costs instructions


@compiled
def project(
    means,
    quats,
    scales,
    opacities,
    colors,
    view,
    size,
    near,
    counter,
    splats,
    rects,
    depths,
    counts,
):
    """Project Gaussians block by block; block b writes its visible splats from row b * BLOCK on.

    Args:
        means, quats, scales, opacities, colors: attributes of the N Gaussians, flat.
        view: [16] R row by row, t, fx, fy, cx, cy of the camera.
        size: [2] width, height in px.
        counter: [1] next block, shared by the threads.
        splats: [N, SPLAT_FIELDS] out.
        rects: [N, 4] out, tiles touched: first column and row, one past the last ones.
        depths: [N] out.
        counts: [blocks] out, visible splats of each block.
    """
    scratch, rows = aligned(_ROWS * GROUP), aligned(GROUP * SPLAT_FIELDS)
    whole = len(opacities) - len(opacities) % GROUP
    rest = (
        _padded(means[whole * 3 :], 3),
        _padded(quats[whole * 4 :], 4),
        _padded(scales[whole * 3 :], 3),
        _padded(opacities[whole:], 1),
        _padded(colors[whole * 3 :], 3),
    )
    while True:
        block = take(counter)
        if block >= len(counts):
            return
        out, stop = index(block * BLOCK), min(block * BLOCK + BLOCK, len(opacities))
        for first in range(block * BLOCK, stop, GROUP):
            if first < whole:
                _fetch(means, quats, scales, opacities, colors, first, scratch)
            else:
                _fetch(*rest, 0, scratch)
            _project_group(scratch, view, size, near)
            to_rows(scratch, rows)
            for lane in range(index(min(GROUP, stop - first))):
                copy_splat(rows, lane, splats, out)
                copy_as_int(rows, lane * index(SPLAT_FIELDS) + index(_LEFT), rects, out)
                depths[out] = scratch[_at(_DEPTH, lane)]
                out += index(scratch[_at(_VISIBLE, lane)])
        counts[block] = np.int64(out) - block * BLOCK


@inlined
def _minimum(a, b):
    """The smaller number; NaN if a is NaN. The builtin `min` would keep loops from vectors."""
    return b if b < a else a


@inlined
def _maximum(a, b):
    """The larger number; NaN if a is NaN."""
    return b if b > a else a


@inlined
def _at(row, lane):
    return index(row * GROUP) + lane


@compiled
def _padded(values, width):
    """An attribute of the last, incomplete group, filled up with zeros."""
    padded = np.zeros(GROUP * width, np.float32)
    padded[: len(values)] = values
    return padded


@compiled
def _fetch(means, quats, scales, opacities, colors, first, scratch):
    """Copy the attributes of Gaussian `first` and the following ones to `scratch`."""
    to_columns(means, index(first * 3), 3, scratch, index(_MEAN * GROUP))
    to_columns(quats, index(first * 4), 4, scratch, index(_QUAT * GROUP))
    to_columns(scales, index(first * 3), 3, scratch, index(_SCALE * GROUP))
    to_columns(opacities, index(first), 1, scratch, index(_OPACITY * GROUP))
    to_columns(colors, index(first * 3), 3, scratch, index(RED * GROUP))


@compiled
def _project_group(scratch, view, size, near):
    never_inline()
    for lane in range(GROUP):
        _project_one(scratch, index(lane), view, size, near)


@inlined
def _project_one(scratch, lane, view, size, near):
    """Turn the attributes of a Gaussian into its splat, and tell whether it can be seen.

    Comparisons are written such that NaN means not seen.
    """
    mx, my, mz = (
        scratch[_at(_MEAN, lane)],
        scratch[_at(_MEAN + 1, lane)],
        scratch[_at(_MEAN + 2, lane)],
    )
    z = view[6] * mx + view[7] * my + view[8] * mz + view[11]
    rz = _ONE / z
    x = view[12] * (view[0] * mx + view[1] * my + view[2] * mz + view[9]) * rz
    y = view[13] * (view[3] * mx + view[4] * my + view[5] * mz + view[10]) * rz
    u, v = x + view[14], y + view[15]  # x, y: px from the principal point

    m0, m1, m2, n0, n1, n2, quat_norm2 = _axes_in_picture(scratch, lane, view, size, x, y, rz)
    c0, c1, c2 = m1 * n2 - m2 * n1, m2 * n0 - m0 * n2, m0 * n1 - m1 * n0
    det = c0 * c0 + c1 * c1 + c2 * c2
    xx = m0 * m0 + m1 * m1 + m2 * m2
    xy = m0 * n0 + m1 * n1 + m2 * n2
    yy = n0 * n0 + n1 * n1 + n2 * n2
    dilated = det + _DILATION * (xx + yy) + _DILATION * _DILATION
    xx += _DILATION
    yy += _DILATION
    scale = _ONE / dilated
    opacity = scratch[_at(_OPACITY, lane)]
    opacity2 = opacity * opacity * det * scale
    log_opacity2 = _log(opacity2)
    extent = _minimum(_EXTENT_SIGMA, math.sqrt(_maximum(log_opacity2 - _LOG_ALPHA_MIN2, _ZERO)))
    reach_x, reach_y = extent * math.sqrt(xx), extent * math.sqrt(yy)

    ryy = _ONE / yy
    scratch[_at(MEAN_X, lane)], scratch[_at(MEAN_Y, lane)] = u, v
    scratch[_at(SLOPE, lane)], scratch[_at(FALL, lane)] = xy * ryy, _SIXTEENTH * ryy
    scratch[_at(SQUARE, lane)] = _SIXTEENTH * yy * scale
    scratch[_at(SPREAD, lane)] = real(16) * dilated * ryy
    scratch[_at(LOG, lane)] = real(0.0625) * log_opacity2
    scratch[_at(TURN, lane)] = reach_x * xy / xx
    scratch[_at(_DEPTH, lane)] = z
    light = (
        abs(scratch[_at(RED, lane)])
        + abs(scratch[_at(GREEN, lane)])
        + abs(scratch[_at(BLUE, lane)])
    )
    seen = (
        (z >= near)
        & (z <= _FAR)
        & (opacity >= _ALPHA_MIN)
        & (opacity2 >= _ALPHA_MIN2)
        & (opacity2 < _INFINITY)
        & (dilated < _INFINITY)
        & (quat_norm2 > _QUAT_MIN2)
        & (light < _INFINITY)
        & _find_tiles(scratch, lane, u, v, reach_x, reach_y, size)
    )
    scratch[_at(_VISIBLE, lane)] = _ONE if seen else _ZERO


@inlined
def _log(x):
    """Natural logarithm of a finite positive number, absolute error 3e-6; logf() takes longer."""
    bits = bits_of(x)
    exponent = real(np.int32(np.int32(bits >> np.int32(23)) - np.int32(127)))
    m = real_of(np.int32(np.int32(bits & np.int32(0x007FFFFF)) | np.int32(0x3F800000)))  # 1 .. 2
    log_m = _L0 + m * (_L1 + m * (_L2 + m * (_L3 + m * (_L4 + m * (_L5 + m * _L6)))))
    return exponent * _LOG_2 + log_m


@inlined
def _axes_in_picture(scratch, lane, view, size, x, y, rz):
    """M = J R_camera R_quat S, 2 x 3 row by row: cov2d = M M^T. Then the quaternion's norm^2."""
    sx = _minimum(
        _maximum(x, -view[14] - _MARGIN * size[0]), size[0] - view[14] + _MARGIN * size[0]
    )
    sy = _minimum(
        _maximum(y, -view[15] - _MARGIN * size[1]), size[1] - view[15] + _MARGIN * size[1]
    )
    a0 = (view[12] * view[0] - sx * view[6]) * rz  # J R_camera
    a1 = (view[12] * view[1] - sx * view[7]) * rz
    a2 = (view[12] * view[2] - sx * view[8]) * rz
    b0 = (view[13] * view[3] - sy * view[6]) * rz
    b1 = (view[13] * view[4] - sy * view[7]) * rz
    b2 = (view[13] * view[5] - sy * view[8]) * rz
    w, qx = scratch[_at(_QUAT, lane)], scratch[_at(_QUAT + 1, lane)]
    qy, qz = scratch[_at(_QUAT + 2, lane)], scratch[_at(_QUAT + 3, lane)]
    norm2 = w * w + qx * qx + qy * qy + qz * qz
    s = _TWO / norm2
    r00, r01, r02 = _ONE - s * (qy * qy + qz * qz), s * (qx * qy - w * qz), s * (qx * qz + w * qy)
    r10, r11, r12 = s * (qx * qy + w * qz), _ONE - s * (qx * qx + qz * qz), s * (qy * qz - w * qx)
    r20, r21, r22 = s * (qx * qz - w * qy), s * (qy * qz + w * qx), _ONE - s * (qx * qx + qy * qy)
    s0, s1 = scratch[_at(_SCALE, lane)], scratch[_at(_SCALE + 1, lane)]
    s2 = scratch[_at(_SCALE + 2, lane)]
    return (
        (a0 * r00 + a1 * r10 + a2 * r20) * s0,
        (a0 * r01 + a1 * r11 + a2 * r21) * s1,
        (a0 * r02 + a1 * r12 + a2 * r22) * s2,
        (b0 * r00 + b1 * r10 + b2 * r20) * s0,
        (b0 * r01 + b1 * r11 + b2 * r21) * s1,
        (b0 * r02 + b1 * r12 + b2 * r22) * s2,
        norm2,
    )


@inlined
def _find_tiles(scratch, lane, u, v, reach_x, reach_y, size):
    """Write the tiles of the pixels whose centres lie in the splat's box; false if none do."""
    left = _maximum(np.ceil(u - reach_x - _HALF), _ZERO)
    top = _maximum(np.ceil(v - reach_y - _HALF), _ZERO)
    right = _minimum(np.floor(u + reach_x + _HALF), size[0])
    bottom = _minimum(np.floor(v + reach_y + _HALF), size[1])
    scratch[_at(_LEFT, lane)], scratch[_at(_TOP, lane)] = left * _PER_TILE_X, top * _PER_TILE_Y
    scratch[_at(_RIGHT, lane)] = (right + _LAST_X) * _PER_TILE_X
    scratch[_at(_BOTTOM, lane)] = (bottom + _LAST_Y) * _PER_TILE_Y
    return (left < right) & (top < bottom)
