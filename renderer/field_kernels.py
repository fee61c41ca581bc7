"""Compiled loops of the deformation field for the CPU: vectors of 16 Gaussians.

Each group of 16 goes through all layers before the next group, so that the activations stay in the
first cache. All heads but that of the opacity run only for Gaussians that can be seen; these are
gathered into groups of 16. Neighbours are alike, so many activations are zero in a whole group
after the ReLU; the next layer passes over those inputs.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray
from streamstgs.renderer.backends.cpu.kernels import compiled, real, take
from streamstgs.renderer.backends.cpu.vectors import INDEX, INT, REAL, Lanes, never_inline, vector
from streamstgs.renderer.settings import ALPHA_MIN
from streamstgs.renderer.trajectories import ABSENT_LOGIT

GROUP = 16  # Gaussians in a vector
# Neurons computed at once. Their sums fit into the 16 registers of AVX2; with 8 neurons, AVX2 takes
# 15 to 20 % longer and AVX-512, which has 32 registers, as long.
OUTPUTS = 4
HEAD_OUTPUTS = 4  # outputs of each shape head, padded: means, quats, log_scales, colors
CHUNK_ROWS = 512  # Gaussians that a thread takes at a time
HIDDEN_LOGIT = math.log(ALPHA_MIN / (1 - ALPHA_MIN))  # below it no backend draws a Gaussian

_HIDDEN_LOGIT = real(HIDDEN_LOGIT)
_ABSENT_LOGIT = real(ABSENT_LOGIT)
_ZERO, _HALF, _ONE = real(0), real(0.5), real(1)
_QUAT_MIN = real(1e-12)
index = np.uint64


class Layer(NamedTuple):
    """A dense layer; its neurons are computed in tiles of T.

    Args:
        weights: [tiles * inputs * T] tile after tile, input after input.
        biases: [tiles * T].
    """

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]


class FieldLayers(NamedTuple):
    """The layers of a field.

    Args:
        first, second: the temporal layers; the input of the first are the codes of the window.
        opacity, opacity_last: the head of the opacity; T is 1 in its last layer.
        shape, shape_last: the other heads side by side; T is HEAD_OUTPUTS in their last layers.
    """

    first: Layer
    second: Layer
    opacity: Layer
    opacity_last: Layer
    shape: Layer
    shape_last: Layer


@intrinsic(prefer_literal=True)
def _neurons(
    typingctx: Any,
    x: Any,
    active: Any,
    actives: Any,
    weights: Any,
    at_weight: Any,
    biases: Any,
    at_bias: Any,
    out: Any,
    at_out: Any,
    count: Any,
) -> Any:
    """`count` (a constant) neurons for a group: out[at_out + neuron, GROUP] = w x + b.

    Only the inputs active[:actives] are read; the others are zero in the whole group.
    """
    tile = count.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        kind = ir.VectorType(REAL, GROUP)
        sums = [cgutils.alloca_once(builder, kind) for _ in range(tile)]
        for neuron, total in enumerate(sums):
            builder.store(lanes.broadcast(lanes.load_field(5, args[6], neuron), GROUP), total)
        with cgutils.for_range(builder, args[2]) as loop:
            i = builder.zext(lanes.load(1, loop.index, INT), INDEX)
            value = lanes.load(0, builder.mul(i, ir.Constant(INDEX, GROUP)), kind)
            at = builder.add(args[4], builder.mul(i, ir.Constant(INDEX, tile)))
            for neuron, total in enumerate(sums):
                weight = lanes.broadcast(lanes.load_field(3, at, neuron), GROUP)
                builder.store(lanes.multiply_add(value, weight, builder.load(total)), total)
        for neuron, total in enumerate(sums):
            at = builder.add(args[8], ir.Constant(INDEX, neuron * GROUP))
            lanes.store(builder.load(total), 7, at)
        return context.get_dummy_value()

    at = types.uint64
    return types.void(x, active, types.intp, weights, at, biases, at, out, at, count), codegen


@intrinsic
def _rectify(typingctx: Any, values: Any, at: Any) -> Any:
    """The ReLU of a group, in place; returns whether a value is not zero. NaN stays NaN."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        value = lanes.load(0, args[1], ir.VectorType(REAL, GROUP))
        zeros = vector(0, GROUP)
        value = builder.select(builder.fcmp_ordered("<", value, zeros), zeros, value)
        lanes.store(value, 0, args[1])
        return _any_nonzero(builder, value)

    return types.boolean(values, types.uint64), codegen


@intrinsic
def _is_active(typingctx: Any, values: Any, at: Any) -> Any:
    """Whether a value of a group is not zero."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        return _any_nonzero(builder, lanes.load(0, args[1], ir.VectorType(REAL, GROUP)))

    return types.boolean(values, types.uint64), codegen


def _any_nonzero(builder: Any, value: ir.Value) -> ir.Value:
    nonzero = builder.fcmp_unordered("!=", value, vector(0, GROUP))  # true for NaN
    bits = ir.IntType(GROUP)
    return builder.icmp_unsigned("!=", builder.bitcast(nonzero, bits), bits(0))


@compiled
def deform(
    features,
    first,
    share,
    layers,
    rows,
    positions,
    opacity_logits,
    shapes,
    offsets,
    counter,
    means,
    quats,
    scales,
    opacities,
    colors,
):
    """Write the moving Gaussians at a frame, chunk after chunk.

    Args:
        features: [E, N, F] uint8 codes.
        first, share: the window begins `share` of the way from frame `first` to the next one.
        layers: `FieldLayers`, the time folded into the first one's biases.
        rows: [M] which of the N Gaussians are moved.
        positions: [N, P] gamma(X).
        opacity_logits: [M] before activation; the deltas are added to them.
        shapes: [N, 13] other attributes before activation; the deltas are added to them.
        offsets: [M, 3] added to the means.
        counter: [1] next chunk, shared by the threads.
        means, quats, scales, opacities, colors: out, activated. For Gaussians too transparent to
            be drawn only the opacity is written.
    """
    width, encoded = len(layers.second.biases), positions.shape[1]
    window = np.empty(len(layers.first.weights) // width * GROUP, np.float32)
    hidden = np.empty(max(width, len(layers.shape.biases)) * GROUP, np.float32)
    code = np.empty((width + encoded) * GROUP, np.float32)
    inputs = max(len(window) // GROUP, width + encoded, len(layers.shape.biases))
    active = np.empty(inputs, np.int32)
    logits = np.empty(GROUP, np.float32)
    seen_code = np.zeros((width + encoded) * GROUP, np.float32)
    seen, seen_count = np.empty(GROUP, np.int64), 0
    canonical = (rows, shapes, offsets)
    deltas = np.empty(4 * HEAD_OUTPUTS * GROUP, np.float32)
    outputs = (means, quats, scales, colors)
    while True:
        start = take(counter) * CHUNK_ROWS
        if start >= len(opacities):
            break
        for row in range(start, min(start + CHUNK_ROWS, len(opacities)), GROUP):
            count = min(GROUP, len(opacities) - row)
            group = rows[row : row + count]
            _fill_window(features, first, share, group, window)
            _write_code(layers, window, hidden, active, code)
            _append_positions(positions, group, width, code)
            _write_opacity(layers, code, hidden, active, logits)
            for lane in range(count):
                logit = logits[lane] + opacity_logits[row + lane]
                opacities[row + lane] = _ONE / (_ONE + math.exp(-logit))
                if logit >= _HIDDEN_LOGIT:
                    for neuron in range(width + encoded):
                        seen_code[neuron * GROUP + seen_count] = code[neuron * GROUP + lane]
                    seen[seen_count] = row + lane
                    seen_count += 1
                    if seen_count == GROUP:
                        _write_shapes(layers, seen_code, hidden, active, deltas)
                        _activate(canonical, deltas, seen, seen_count, outputs)
                        seen_count = 0
    _write_shapes(layers, seen_code, hidden, active, deltas)
    _activate(canonical, deltas, seen, seen_count, outputs)


@compiled
def list_present(time, centers, rates, velocities, opacity_logits, rows, logits, offsets):
    """List the Gaussians that are present at a time (`Trajectories`); returns their number.

    Args:
        time: 0..1 over the GOP.
        centers, rates, velocities: [N], [N] and [N, 3] of the trajectories; a rate is one over the
            temporal extent.
        opacity_logits: [N] at the temporal centres.
        rows, logits, offsets: [N], [N] and [N, 3] out; their first numbers are which Gaussians are
            present, their opacity logits, and what is added to their means.
    """
    count = index(0)
    for i in range(index(len(centers))):
        passed = time - centers[i]
        distance = passed * rates[i]
        logit = opacity_logits[i] - _HALF * distance * distance
        rows[count], logits[count] = i, logit  # overwritten by the next one if it is absent
        for axis in range(index(3)):
            offsets[count, axis] = velocities[i, axis] * passed
        count += index(logit > _ABSENT_LOGIT)
    return count


@compiled
def _write_code(layers, window, hidden, active, code):
    """The temporal MLP: [inputs, GROUP] -> [width, GROUP]."""
    width = len(layers.second.biases)
    _dense(window, active, _list_active(window, active), layers.first, hidden)
    actives = _relu(hidden, width, active)
    _dense(hidden, active, actives, layers.second, code)
    _relu(code, width, active)


@compiled
def _write_opacity(layers, code, hidden, active, logits):
    """The head of the opacity: [width + P, GROUP] -> [GROUP] deltas of the logits."""
    width, last = len(layers.second.biases), layers.opacity_last
    _dense(code, active, _list_active(code, active), layers.opacity, hidden)
    actives = _relu(hidden, width, active)
    weights, biases, zero = last.weights, last.biases, index(0)
    _neurons(hidden, active, actives, weights, zero, biases, zero, logits, zero, 1)


@compiled
def _dense(x, active, actives, layer, out):
    """A layer in tiles of OUTPUTS neurons: inputs active[:actives] -> [neurons, GROUP]."""
    never_inline()
    inputs = len(layer.weights) // len(layer.biases)
    for tile in range(len(layer.biases) // OUTPUTS):
        neuron = index(tile * OUTPUTS)
        _neurons(
            x,
            active,
            actives,
            layer.weights,
            neuron * index(inputs),
            layer.biases,
            neuron,
            out,
            neuron * index(GROUP),
            OUTPUTS,
        )


@compiled
def _relu(values, neurons, active):
    """The ReLU in place; lists the neurons that are not zero in `active`, returns their number."""
    actives = 0
    for neuron in range(neurons):
        active[index(actives)] = neuron
        actives += int(_rectify(values, index(neuron * GROUP)))
    return actives


@compiled
def _list_active(values, active):
    """List the rows of [inputs, GROUP] that are not zero; returns their number."""
    actives = 0
    for i in range(len(values) // GROUP):
        active[index(actives)] = i
        actives += int(_is_active(values, index(i * GROUP)))
    return actives


@compiled
def _fill_window(features, first, share, group, window):
    """[W * F, GROUP] codes around a frame, as in `Gop.windowed_features` before dequantising."""
    channels, count = features.shape[2], len(group)
    for i in range(len(window) // GROUP):
        frame, channel = first + i // channels, i % channels
        for lane in range(count):
            value = real(features[frame, group[lane], channel])
            if share > _ZERO:
                following = real(features[frame + 1, group[lane], channel])
                value += share * (following - value)
            window[i * GROUP + lane] = value
        for lane in range(count, GROUP):
            window[i * GROUP + lane] = _ZERO


@compiled
def _append_positions(positions, group, width, code):
    for i in range(positions.shape[1]):
        for lane in range(GROUP):
            code[(width + i) * GROUP + lane] = positions[group[min(lane, len(group) - 1)], i]


@compiled
def _write_shapes(layers, code, hidden, active, deltas):
    """The other heads: codes of a group -> [4 * HEAD_OUTPUTS, GROUP] deltas."""
    _dense(code, active, _list_active(code, active), layers.shape, hidden)
    inputs = len(layers.shape.biases) // 4
    for head in range(4):
        own = hidden[head * inputs * GROUP : (head + 1) * inputs * GROUP]
        neuron = index(head * HEAD_OUTPUTS)
        _neurons(
            own,
            active,
            _relu(own, inputs, active),
            layers.shape_last.weights,
            neuron * index(inputs),
            layers.shape_last.biases,
            neuron,
            deltas,
            neuron * index(GROUP),
            HEAD_OUTPUTS,
        )


@compiled
def _activate(canonical, deltas, seen, count, outputs):
    """`CanonicalGaussians.activate` of a group, into the rows `seen` of the outputs."""
    rows, shapes, offsets = canonical
    means, quats, scales, colors = outputs
    moved = np.empty(16, np.float32)
    for lane in range(count):
        row = seen[lane]
        shape = shapes[rows[row]]
        for i in range(16):
            moved[i] = deltas[i * GROUP + lane]
        norm2 = _ZERO
        for i in range(4):
            moved[4 + i] += shape[3 + i]
            norm2 += moved[4 + i] * moved[4 + i]
        shrink = _ONE / max(math.sqrt(norm2), _QUAT_MIN)
        for i in range(4):
            quats[row, i] = moved[4 + i] * shrink
        for i in range(3):
            means[row, i] = moved[i] + shape[i] + offsets[row, i]
            scales[row, i] = math.exp(moved[8 + i] + shape[7 + i])
            colors[row, i] = max(moved[12 + i] + shape[10 + i], _ZERO)
