"""The Triton kernels; imported only where Triton is installed.

Numbers that change from frame to frame are not specialised, so that each kernel is compiled once
for a shape of the field and not again for other frames or other numbers of Gaussians.
"""

# mypy: ignore-errors
# (Triton finds the types itself)

from __future__ import annotations

import triton
import triton.language as tl

LARGEST = tl.constexpr(3.4028234663852886e38)  # of the finite float32 numbers
PI = tl.constexpr(3.141592653589793)
OPACITY = tl.constexpr(3)  # its column in rows of attributes


@triton.jit(do_not_specialize=["frame", "share", "time", "moving", "static", "last"])
def deform(
    codes,
    base,
    paths,
    first,
    first_bias,
    on_time,
    second,
    second_bias,
    heads,
    heads_bias,
    ends,
    ends_bias,
    means,
    quats,
    scales,
    opacities,
    colors,
    frame,
    share,
    time,
    moving,
    static,
    last,
    FEATURES: tl.constexpr,
    CODES: tl.constexpr,
    INPUTS: tl.constexpr,
    WIDTH: tl.constexpr,
    OCTAVES: tl.constexpr,
    ABSENT: tl.constexpr,
    HAS_PATHS: tl.constexpr,
    PRECISION: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """`Gop.dynamic_at` without selection: BLOCK moving Gaussians through all layers, activated.

    The layout of the weights is that of `field.FusedField`. A row of attributes has 16 columns:
    mean 0-2, opacity 3, quaternion 4-7, scale 8-10, colour 12-14.

    Args:
        codes: [E, M, FEATURES] uint8.
        base: [M, 16] attributes before activation.
        paths: [M, 5] velocity, temporal centre, 1 / temporal extent; unused without HAS_PATHS.
        means, quats, scales, opacities, colors: out, the moving Gaussians after `static` others.
        frame, share: the window begins `share` of the way from this frame to the next one.
        time: position in the GOP, 0..1.
        last: E - 1.
    """
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    real = rows < moving
    neuron = tl.arange(0, WIDTH)
    column = tl.arange(0, 16)
    square = neuron[:, None] * WIDTH + neuron[None, :]

    window = _window(codes, rows, real, frame, share, moving, last, FEATURES, CODES, INPUTS)
    bias = tl.load(first_bias + neuron)
    for octave in tl.static_range(OCTAVES):
        angle = time * (PI * (1 << octave))
        bias += tl.sin(angle) * tl.load(on_time + octave * WIDTH + neuron)
        bias += tl.cos(angle) * tl.load(on_time + (OCTAVES + octave) * WIDTH + neuron)
    entry = tl.load(first + tl.arange(0, INPUTS)[:, None] * WIDTH + neuron[None, :])
    hidden = tl.dot(window, entry, input_precision=PRECISION) + bias[None, :]
    hidden = tl.maximum(hidden, 0.0)
    code = tl.dot(hidden, tl.load(second + square), input_precision=PRECISION)
    code = tl.maximum(code + tl.load(second_bias + neuron)[None, :], 0.0)

    delta = tl.zeros((BLOCK, 16), dtype=tl.float32) + tl.load(ends_bias + column)[None, :]
    for head in range(5):  # a loop: unrolled, it takes five times as long to compile
        weights = tl.load(heads + head * WIDTH * WIDTH + square)
        hidden = tl.dot(code, weights, input_precision=PRECISION)
        hidden += tl.load(heads_bias + head * WIDTH + neuron)[None, :]
        end = tl.load(ends + (head * WIDTH + neuron)[:, None] * 16 + column[None, :])
        delta += tl.dot(tl.maximum(hidden, 0.0), end, input_precision=PRECISION)

    is_opacity = column[None, :] == OPACITY
    value = tl.load(base + rows[:, None] * 16 + column[None, :], mask=real[:, None], other=0.0)
    if HAS_PATHS:
        since = time - tl.load(paths + rows * 5 + 3, mask=real, other=0.0)
        velocity_mask = real[:, None] & (column < 3)[None, :]
        at = paths + rows[:, None] * 5 + column[None, :]
        value += tl.load(at, mask=velocity_mask, other=0.0) * since[:, None]
        distance = since * tl.load(paths + rows * 5 + 4, mask=real, other=0.0)
        value -= tl.where(is_opacity, (0.5 * distance * distance)[:, None], 0.0)
        delta = tl.where(is_opacity & (value <= ABSENT), 0.0, delta)
    value = _activated(value + delta, column)
    _store(value, static + rows, real, column, means, quats, scales, opacities, colors)


@triton.jit
def _window(
    codes,
    rows,
    real,
    frame,
    share,
    moving,
    last,
    FEATURES: tl.constexpr,
    CODES: tl.constexpr,
    INPUTS: tl.constexpr,
):
    """[BLOCK, INPUTS] codes around a frame, oldest first, not dequantised; 0 beyond CODES."""
    slot = tl.arange(0, INPUTS)
    here = tl.minimum(frame + slot // FEATURES, last)
    following = tl.minimum(here + 1, last)
    frame_size = tl.cast(moving, tl.int64) * FEATURES
    inside = rows[:, None] * FEATURES + (slot % FEATURES)[None, :]
    mask = real[:, None] & (slot < CODES)[None, :]
    now = tl.load(codes + here[None, :] * frame_size + inside, mask=mask, other=0)
    then = tl.load(codes + following[None, :] * frame_size + inside, mask=mask, other=0)
    now = now.to(tl.float32)
    return now + share * (then.to(tl.float32) - now)


@triton.jit
def _activated(value, column):
    """`CanonicalGaussians.activate` of rows [BLOCK, 16]."""
    columns = column[None, :]
    is_quat = (columns >= 4) & (columns < 8)
    quat = tl.where(is_quat, value, 0.0)
    length = tl.maximum(tl.sqrt(tl.sum(quat * quat, axis=1)), 1e-12)
    result = tl.where(is_quat, value / length[:, None], value)
    result = tl.where(columns == OPACITY, 1.0 / (1.0 + tl.exp(-value)), result)
    result = tl.where((columns >= 8) & (columns < 11), tl.exp(value), result)
    return tl.where(columns >= 12, tl.maximum(value, 0.0), result)


@triton.jit
def _store(value, rows, real, column, means, quats, scales, opacities, colors):
    """Write rows [BLOCK, 16] into the tensors of the attributes."""
    row, columns, mask = rows[:, None], column[None, :], real[:, None]
    tl.store(means + row * 3 + columns, value, mask=mask & (columns < 3))
    tl.store(opacities + row + columns * 0, value, mask=mask & (columns == OPACITY))
    tl.store(quats + row * 4 + (columns - 4), value, mask=mask & (columns >= 4) & (columns < 8))
    tl.store(scales + row * 3 + (columns - 8), value, mask=mask & (columns >= 8) & (columns < 11))
    tl.store(colors + row * 3 + (columns - 12), value, mask=mask & (columns >= 12) & (columns < 15))


@triton.jit(do_not_specialize=["count", "x", "y", "z"])
def hide_broken(means, quats, scales, opacities, colors, out, count, x, y, z, BLOCK: tl.constexpr):
    """Means [N, 3]; (x, y, z) where a number is not finite or the quaternion is 0."""
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    real = rows < count
    mean_x = tl.load(means + rows * 3, mask=real, other=0.0)
    mean_y = tl.load(means + rows * 3 + 1, mask=real, other=0.0)
    mean_z = tl.load(means + rows * 3 + 2, mask=real, other=0.0)
    sound = (tl.abs(mean_x) <= LARGEST) & (tl.abs(mean_y) <= LARGEST) & (tl.abs(mean_z) <= LARGEST)
    length2 = tl.zeros((BLOCK,), dtype=tl.float32)
    for i in tl.static_range(4):
        part = tl.load(quats + rows * 4 + i, mask=real, other=1.0)
        length2 += part * part
    sound = sound & (length2 > 1e-24) & (length2 <= LARGEST)
    for i in tl.static_range(3):
        scale = tl.load(scales + rows * 3 + i, mask=real, other=1.0)
        color = tl.load(colors + rows * 3 + i, mask=real, other=0.0)
        sound = sound & (tl.abs(scale) <= LARGEST) & (tl.abs(color) <= LARGEST)
    sound = sound & (tl.abs(tl.load(opacities + rows, mask=real, other=0.0)) <= LARGEST)
    tl.store(out + rows * 3, tl.where(sound, mean_x, x), mask=real)
    tl.store(out + rows * 3 + 1, tl.where(sound, mean_y, y), mask=real)
    tl.store(out + rows * 3 + 2, tl.where(sound, mean_z, z), mask=real)


@triton.jit(do_not_specialize=["count"])
def rgba8(picture, out, count, BLOCK: tl.constexpr):
    """Pixels [count, 3] float32 to [count] int32, whose bytes are red, green, blue and 255."""
    pixels = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = pixels < count
    red = _byte(tl.load(picture + pixels * 3, mask=mask, other=0.0))
    green = _byte(tl.load(picture + pixels * 3 + 1, mask=mask, other=0.0))
    blue = _byte(tl.load(picture + pixels * 3 + 2, mask=mask, other=0.0))
    opaque = -16777216  # 255 in the highest byte
    tl.store(out + pixels, red | (green << 8) | (blue << 16) | opaque, mask=mask)


@triton.jit
def _byte(value):
    """0..1 to 0..255, rounded."""
    return (tl.minimum(tl.maximum(value, 0.0), 1.0) * 255.0 + 0.5).to(tl.int32)
