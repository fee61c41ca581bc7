"""Projection of the cpu backend: `reference.project` written out for one Gaussian at a time."""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import math

import numpy as np

from renderer.backends.cpu_kernels import (
    BLOCK,
    BLUE,
    FALL,
    GREEN,
    LOG,
    MEAN_X,
    MEAN_Y,
    RED,
    SLOPE,
    SPREAD,
    SQUARE,
    TILE_HEIGHT,
    TILE_WIDTH,
    TURN,
    bits_of,
    compiled,
    inlined,
    real,
    real_of,
    take,
)
from renderer.settings import ALPHA_MIN, DILATION_PX2, EXTENT_SIGMA

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
    """Project Gaussians block by block; block b writes its visible splats from b * BLOCK on.

    Args:
        view: [16] R row by row, t, fx, fy, cx, cy of the camera.
        size: [2] width, height in px.
        counter: [1] next block, shared by the threads.
        splats: [N, SPLAT_FIELDS] out.
        rects: [N, 4] out, tiles touched: first column and row, one past the last ones.
        depths: [N] out.
        counts: [blocks] out, visible splats of each block.
    """
    while True:
        block = take(counter)
        if block >= len(counts):
            return
        start = block * BLOCK
        out = start
        for i in range(start, min(start + BLOCK, len(opacities))):
            z = view[6] * means[i, 0] + view[7] * means[i, 1] + view[8] * means[i, 2] + view[11]
            # Comparisons are put so that NaN ends in "not drawn", here and below.
            if (
                z >= near
                and z <= _FAR
                and opacities[i] >= _ALPHA_MIN
                and _project_one(
                    means, quats, scales, opacities, i, view, size, z, splats, rects, out
                )
                and _copy_color(colors, i, splats, out)
            ):
                depths[out] = z
                out += 1
        counts[block] = out - start


@inlined
def _project_one(means, quats, scales, opacities, i, view, size, z, splats, rects, out):
    """Write shape and place of Gaussian i to row `out`; returns whether it can be seen."""
    rz = _ONE / z
    x = view[0] * means[i, 0] + view[1] * means[i, 1] + view[2] * means[i, 2] + view[9]
    y = view[3] * means[i, 0] + view[4] * means[i, 1] + view[5] * means[i, 2] + view[10]
    x, y = view[12] * x * rz, view[13] * y * rz  # px from the principal point
    quat_norm2 = (
        quats[i, 0] * quats[i, 0]
        + quats[i, 1] * quats[i, 1]
        + quats[i, 2] * quats[i, 2]
        + quats[i, 3] * quats[i, 3]
    )
    m0, m1, m2, n0, n1, n2 = _axes_in_picture(quats, scales, i, view, size, x, y, rz, quat_norm2)
    c0, c1, c2 = m1 * n2 - m2 * n1, m2 * n0 - m0 * n2, m0 * n1 - m1 * n0
    det = c0 * c0 + c1 * c1 + c2 * c2
    xx = m0 * m0 + m1 * m1 + m2 * m2
    xy = m0 * n0 + m1 * n1 + m2 * n2
    yy = n0 * n0 + n1 * n1 + n2 * n2
    dilated = det + _DILATION * (xx + yy) + _DILATION * _DILATION
    xx += _DILATION
    yy += _DILATION
    scale = _ONE / dilated
    opacity2 = opacities[i] * opacities[i] * det * scale
    if not (opacity2 >= _ALPHA_MIN2 and opacity2 < _INFINITY and dilated < _INFINITY):
        return False
    if not quat_norm2 > _QUAT_MIN2:
        return False
    log_opacity2 = _log(opacity2)
    u, v = x + view[14], y + view[15]
    extent = min(_EXTENT_SIGMA, math.sqrt(max(log_opacity2 - _LOG_ALPHA_MIN2, _ZERO)))
    reach_x, reach_y = extent * math.sqrt(xx), extent * math.sqrt(yy)
    splats[out, MEAN_X], splats[out, MEAN_Y] = u, v
    splats[out, SLOPE], splats[out, FALL] = xy / yy, _SIXTEENTH / yy
    splats[out, SQUARE], splats[out, SPREAD] = _SIXTEENTH * yy * scale, real(16) * dilated / yy
    splats[out, LOG] = real(0.0625) * log_opacity2
    splats[out, TURN] = reach_x * xy / xx
    return _write_rect(rects, out, u, v, reach_x, reach_y, size)


@inlined
def _log(x):
    """Natural logarithm of a finite positive number, absolute error 3e-6; logf() takes longer."""
    bits = bits_of(x)
    exponent = real(np.int32(np.int32(bits >> np.int32(23)) - np.int32(127)))
    m = real_of(np.int32(np.int32(bits & np.int32(0x007FFFFF)) | np.int32(0x3F800000)))  # 1 .. 2
    log_m = _L0 + m * (_L1 + m * (_L2 + m * (_L3 + m * (_L4 + m * (_L5 + m * _L6)))))
    return exponent * _LOG_2 + log_m


@inlined
def _axes_in_picture(quats, scales, i, view, size, x, y, rz, quat_norm2):
    """M = J R_camera R_quat S, 2 x 3 row by row: cov2d = M M^T."""
    sx = min(max(x, -view[14] - _MARGIN * size[0]), size[0] - view[14] + _MARGIN * size[0])
    sy = min(max(y, -view[15] - _MARGIN * size[1]), size[1] - view[15] + _MARGIN * size[1])
    a0 = (view[12] * view[0] - sx * view[6]) * rz  # J R_camera
    a1 = (view[12] * view[1] - sx * view[7]) * rz
    a2 = (view[12] * view[2] - sx * view[8]) * rz
    b0 = (view[13] * view[3] - sy * view[6]) * rz
    b1 = (view[13] * view[4] - sy * view[7]) * rz
    b2 = (view[13] * view[5] - sy * view[8]) * rz
    w, qx, qy, qz = quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]
    s = _TWO / quat_norm2
    r00, r01, r02 = _ONE - s * (qy * qy + qz * qz), s * (qx * qy - w * qz), s * (qx * qz + w * qy)
    r10, r11, r12 = s * (qx * qy + w * qz), _ONE - s * (qx * qx + qz * qz), s * (qy * qz - w * qx)
    r20, r21, r22 = s * (qx * qz - w * qy), s * (qy * qz + w * qx), _ONE - s * (qx * qx + qy * qy)
    s0, s1, s2 = scales[i, 0], scales[i, 1], scales[i, 2]
    return (
        (a0 * r00 + a1 * r10 + a2 * r20) * s0,
        (a0 * r01 + a1 * r11 + a2 * r21) * s1,
        (a0 * r02 + a1 * r12 + a2 * r22) * s2,
        (b0 * r00 + b1 * r10 + b2 * r20) * s0,
        (b0 * r01 + b1 * r11 + b2 * r21) * s1,
        (b0 * r02 + b1 * r12 + b2 * r22) * s2,
    )


@inlined
def _write_rect(rects, out, u, v, reach_x, reach_y, size):
    """Tiles of the pixels whose centres lie in the splat's box; are there any?"""
    left = max(np.ceil(u - reach_x - _HALF), _ZERO)
    top = max(np.ceil(v - reach_y - _HALF), _ZERO)
    right = min(np.floor(u + reach_x + _HALF), size[0])
    bottom = min(np.floor(v + reach_y + _HALF), size[1])
    if not (left < right and top < bottom):
        return False
    rects[out, 0] = np.int32(left) // TILE_WIDTH
    rects[out, 1] = np.int32(top) // TILE_HEIGHT
    rects[out, 2] = (np.int32(right) + TILE_WIDTH - 1) // TILE_WIDTH
    rects[out, 3] = (np.int32(bottom) + TILE_HEIGHT - 1) // TILE_HEIGHT
    return True


@inlined
def _copy_color(colors, i, splats, out):
    """Returns whether the colour is finite."""
    red, green, blue = colors[i, 0], colors[i, 1], colors[i, 2]
    splats[out, RED], splats[out, GREEN], splats[out, BLUE] = red, green, blue
    return abs(red) + abs(green) + abs(blue) < _INFINITY
