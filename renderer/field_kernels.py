"""Compiled loops of the deformation field for the CPU: vectors of 16 Gaussians.

Each group of 16 goes through all layers before the next group, so that the activations stay in the
first cache. All heads but that of the opacity run only for Gaussians that can be seen; these are
gathered into groups of 16.
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
from streamstgs.renderer.backends.cpu.vectors import INDEX, REAL, Lanes, never_inline
from streamstgs.renderer.settings import ALPHA_MIN

GROUP = 16  # Gaussians in a vector
OUTPUTS = 8  # neurons computed at once: their sums fit into the registers
HEAD_OUTPUTS = 4  # outputs of each shape head, padded: means, quats, log_scales, colors
CHUNK_ROWS = 512  # Gaussians that a thread takes at a time
HIDDEN_LOGIT = math.log(ALPHA_MIN / (1 - ALPHA_MIN))  # below it no backend draws a Gaussian

_HIDDEN_LOGIT = real(HIDDEN_LOGIT)
_ZERO, _ONE = real(0), real(1)
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
    inputs: Any,
    weights: Any,
    at_weight: Any,
    biases: Any,
    at_bias: Any,
    out: Any,
    at_out: Any,
    count: Any,
) -> Any:
    """`count` (a constant) neurons for a group: out[at_out + neuron, GROUP] = w x + b."""
    tile = count.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        kind = ir.VectorType(REAL, GROUP)
        sums = [cgutils.alloca_once(builder, kind) for _ in range(tile)]
        for neuron, total in enumerate(sums):
            builder.store(lanes.broadcast(lanes.load_field(4, args[5], neuron), GROUP), total)
        with cgutils.for_range(builder, args[1]) as loop:
            value = lanes.load(0, builder.mul(loop.index, ir.Constant(INDEX, GROUP)), kind)
            at = builder.add(args[3], builder.mul(loop.index, ir.Constant(INDEX, tile)))
            for neuron, total in enumerate(sums):
                weight = lanes.broadcast(lanes.load_field(2, at, neuron), GROUP)
                builder.store(lanes.multiply_add(value, weight, builder.load(total)), total)
        for neuron, total in enumerate(sums):
            at = builder.add(args[7], ir.Constant(INDEX, neuron * GROUP))
            lanes.store(builder.load(total), 6, at)
        return context.get_dummy_value()

    at = types.uint64
    return types.void(x, types.intp, weights, at, biases, at, out, at, count), codegen


@compiled
def deform(
    features,
    first,
    share,
    layers,
    positions,
    opacity_logits,
    shapes,
    counter,
    means,
    quats,
    scales,
    opacities,
    colors,
):
    """Write the moving Gaussians at a frame, chunk after chunk.

    Args:
        features: [E, M, F] uint8 codes.
        first, share: the window begins `share` of the way from frame `first` to the next one.
        layers: `FieldLayers`, the time folded into the first one's biases.
        positions: [M, P] gamma(X).
        opacity_logits: [M] before activation; the deltas are added to them.
        shapes: [M, 13] other attributes before activation; the deltas are added to them.
        counter: [1] next chunk, shared by the threads.
        means, quats, scales, opacities, colors: out, activated. For Gaussians too transparent to
            be drawn only the opacity is written.
    """
    width, encoded = len(layers.second.biases), positions.shape[1]
    window = np.empty(len(layers.first.weights) // width * GROUP, np.float32)
    hidden = np.empty(max(width, len(layers.shape.biases)) * GROUP, np.float32)
    code = np.empty((width + encoded) * GROUP, np.float32)
    logits = np.empty(GROUP, np.float32)
    seen_code = np.zeros((width + encoded) * GROUP, np.float32)
    seen, seen_count = np.empty(GROUP, np.int64), 0
    deltas = np.empty(4 * HEAD_OUTPUTS * GROUP, np.float32)
    outputs = (means, quats, scales, colors)
    while True:
        start = take(counter) * CHUNK_ROWS
        if start >= len(opacities):
            break
        for row in range(start, min(start + CHUNK_ROWS, len(opacities)), GROUP):
            count = min(GROUP, len(opacities) - row)
            _fill_window(features, first, share, row, count, window)
            _write_code(layers, window, hidden, code)
            _append_positions(positions, row, count, width, code)
            _write_opacity(layers, code, hidden, logits)
            for lane in range(count):
                logit = logits[lane] + opacity_logits[row + lane]
                opacities[row + lane] = _ONE / (_ONE + math.exp(-logit))
                if logit >= _HIDDEN_LOGIT:
                    for neuron in range(width + encoded):
                        seen_code[neuron * GROUP + seen_count] = code[neuron * GROUP + lane]
                    seen[seen_count] = row + lane
                    seen_count += 1
                    if seen_count == GROUP:
                        _write_shapes(layers, seen_code, hidden, deltas)
                        _activate(shapes, deltas, seen, seen_count, outputs)
                        seen_count = 0
    _write_shapes(layers, seen_code, hidden, deltas)
    _activate(shapes, deltas, seen, seen_count, outputs)


@compiled
def _write_code(layers, window, hidden, code):
    """The temporal MLP: [inputs, GROUP] -> [width, GROUP]."""
    width = len(layers.second.biases)
    _dense(window, layers.first, hidden)
    _relu(hidden, width)
    _dense(hidden, layers.second, code)
    _relu(code, width)


@compiled
def _write_opacity(layers, code, hidden, logits):
    """The head of the opacity: [width + P, GROUP] -> [GROUP] deltas of the logits."""
    width, last = len(layers.second.biases), layers.opacity_last
    _dense(code, layers.opacity, hidden)
    _relu(hidden, width)
    _neurons(hidden, width, last.weights, index(0), last.biases, index(0), logits, index(0), 1)


@compiled
def _dense(x, layer, out):
    """A layer in tiles of OUTPUTS neurons: [inputs, GROUP] -> [neurons, GROUP]."""
    never_inline()
    inputs = len(layer.weights) // len(layer.biases)
    for tile in range(len(layer.biases) // OUTPUTS):
        neuron = index(tile * OUTPUTS)
        at_weight = neuron * index(inputs)
        _neurons(
            x,
            inputs,
            layer.weights,
            at_weight,
            layer.biases,
            neuron,
            out,
            neuron * index(GROUP),
            OUTPUTS,
        )


@compiled
def _relu(values, neurons):
    for i in range(index(neurons * GROUP)):
        values[i] = max(values[i], _ZERO)


@compiled
def _fill_window(features, first, share, row, count, window):
    """[W * F, GROUP] codes around a frame, as in `Gop.windowed_features` before dequantising."""
    channels = features.shape[2]
    for i in range(len(window) // GROUP):
        frame, channel = first + i // channels, i % channels
        for lane in range(count):
            value = real(features[frame, row + lane, channel])
            if share > _ZERO:
                following = real(features[frame + 1, row + lane, channel])
                value += share * (following - value)
            window[i * GROUP + lane] = value
        for lane in range(count, GROUP):
            window[i * GROUP + lane] = _ZERO


@compiled
def _append_positions(positions, row, count, width, code):
    for i in range(positions.shape[1]):
        for lane in range(GROUP):
            code[(width + i) * GROUP + lane] = positions[row + min(lane, count - 1), i]


@compiled
def _write_shapes(layers, code, hidden, deltas):
    """The other heads: codes of a group -> [4 * HEAD_OUTPUTS, GROUP] deltas."""
    _dense(code, layers.shape, hidden)
    _relu(hidden, len(layers.shape.biases))
    inputs = len(layers.shape.biases) // 4
    for head in range(4):
        neuron = index(head * HEAD_OUTPUTS)
        _neurons(
            hidden[head * inputs * GROUP :],
            inputs,
            layers.shape_last.weights,
            neuron * index(inputs),
            layers.shape_last.biases,
            neuron,
            deltas,
            neuron * index(GROUP),
            HEAD_OUTPUTS,
        )


@compiled
def _activate(shapes, deltas, rows, count, outputs):
    """`CanonicalGaussians.activate` of a group, into the rows of the outputs."""
    means, quats, scales, colors = outputs
    moved = np.empty(16, np.float32)
    for lane in range(count):
        row = rows[lane]
        for i in range(16):
            moved[i] = deltas[i * GROUP + lane]
        norm2 = _ZERO
        for i in range(4):
            moved[4 + i] += shapes[row, 3 + i]
            norm2 += moved[4 + i] * moved[4 + i]
        shrink = _ONE / max(math.sqrt(norm2), _QUAT_MIN)
        for i in range(4):
            quats[row, i] = moved[4 + i] * shrink
        for i in range(3):
            means[row, i] = moved[i] + shapes[row, i]
            scales[row, i] = math.exp(moved[8 + i] + shapes[row, 7 + i])
            colors[row, i] = max(moved[12 + i] + shapes[row, 10 + i], _ZERO)
