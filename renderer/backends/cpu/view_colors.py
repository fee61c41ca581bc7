"""Spherical harmonics on the CPU: one colour per Gaussian, as the camera sees it."""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import math

import numpy as np
from streamstgs.renderer.backends.cpu.kernels import BLOCK, compiled, real, take
from streamstgs.renderer.spherical_harmonics import C0, C1, C2, C3

_ZERO, _HALF, _ONE, _THREE, _FIVE = real(0), real(0.5), real(1), real(3), real(5)
_INFINITY, _NAN = real(np.inf), real(np.nan)
_C0, _C1 = real(C0), real(C1)
_C20, _C21, _C22 = (real(c) for c in C2)
_C30, _C31, _C32, _C33, _C34 = (real(c) for c in C3)
index = np.uint64


@compiled
def view_colors(means, sh, size, eye, counter, colors):
    """Write `evaluate_sh` of all Gaussians as seen from a position, block after block.

    Args:
        means: [N * 3].
        sh: [N * size * 3] coefficients, `size` (1, 4, 9 or 16) for each Gaussian.
        eye: [3] position of the camera.
        counter: [1] next block, shared by the threads.
        colors: [N * 3] out; NaN for Gaussians with a coefficient that is not finite.
    """
    basis = np.empty(16, np.float32)
    count = len(means) // 3
    while True:
        start = take(counter) * BLOCK
        if start >= count:
            return
        for i in range(index(start), index(min(start + BLOCK, count))):
            at = i * index(3)
            x, y, z = means[at] - eye[0], means[at + 1] - eye[1], means[at + 2] - eye[2]
            _write_basis(x, y, z, size, basis)
            red, green, blue = _HALF, _HALF, _HALF
            magnitude = _ZERO
            place = i * index(size * 3)
            for k in range(index(size)):
                r, g, b = sh[place], sh[place + index(1)], sh[place + index(2)]
                magnitude += abs(r) + abs(g) + abs(b)
                red += basis[k] * r
                green += basis[k] * g
                blue += basis[k] * b
                place += index(3)
            if magnitude < _INFINITY:
                red, green, blue = max(red, _ZERO), max(green, _ZERO), max(blue, _ZERO)
            else:
                red, green, blue = _NAN, _NAN, _NAN
            colors[at], colors[at + 1], colors[at + 2] = red, green, blue


@compiled
def _write_basis(x, y, z, size, basis):
    """The basis functions in a direction of any length, in the order of `sh_basis`."""
    scale = _ONE / math.sqrt(x * x + y * y + z * z)
    x, y, z = x * scale, y * scale, z * scale
    basis[0] = _C0
    if size > 1:
        basis[1], basis[2], basis[3] = -_C1 * y, _C1 * z, -_C1 * x
    if size > 4:
        basis[4], basis[5] = _C20 * x * y, -_C20 * y * z
        basis[6] = _C21 * (_THREE * z * z - _ONE)
        basis[7], basis[8] = -_C20 * x * z, _C22 * (x * x - y * y)
    if size > 9:
        xx, yy, zz = x * x, y * y, z * z
        basis[9] = -_C30 * y * (_THREE * xx - yy)
        basis[10] = _C31 * x * y * z
        basis[11] = -_C32 * y * (_FIVE * zz - _ONE)
        basis[12] = _C33 * z * (_FIVE * zz - _THREE)
        basis[13] = -_C32 * x * (_FIVE * zz - _ONE)
        basis[14] = _C34 * z * (xx - yy)
        basis[15] = -_C30 * x * (xx - _THREE * yy)
