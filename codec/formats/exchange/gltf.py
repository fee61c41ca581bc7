"""glTF 2.0 files with the extension KHR_gaussian_splatting: static Gaussians in a tree of nodes.

Attributes of a primitive (prefix KHR_gaussian_splatting:): ROTATION (xyzw), SCALE (standard
deviations), OPACITY (0..1), SH_DEGREE_l_COEF_n (RGB); drafts of the extension had _ROTATION, _SCALE
and COLOR_0. Primitives compressed as .spz are read as well. glTF has y up and z back; Gaussians are
turned to the axes of PLY files. Source: the extension's README in KhronosGroup/glTF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.formats.exchange.gltf_document import GltfFile, Node, Primitive
from streamstgs.codec.formats.file_sets import FileSet
from streamstgs.codec.formats.raw_gaussians import RawGaussians, moved, turned
from streamstgs.renderer.gaussians import rotation_matrices
from streamstgs.renderer.spherical_harmonics import C0

Matrix = NDArray[np.float64]
PREFIX = "KHR_gaussian_splatting:"
KNOWN_EXTENSIONS = {
    "KHR_gaussian_splatting",
    "KHR_gaussian_splatting_compression_spz",
    "KHR_gaussian_splatting_compression_spz_2",
    "KHR_mesh_quantization",
}
KERNELS, COLOR_SPACES = ("ellipse",), ("srgb_rec709_display", "")
SAME_SCALE = 1e-3  # relative difference of the scales of a node's axes


def read_gltf(
    data: bytes,
    name: str,
    read_spz: Callable[[bytes], RawGaussians],
    beside: FileSet | None = None,
    cancel: CancelToken = NEVER,
) -> RawGaussians:
    """The Gaussians of all nodes of a file, in the axes of PLY files.

    Args:
        data: content of the .glb or .gltf file.
        name: its name, for messages.
        read_spz: decodes an .spz file to the axes of PLY files.
        beside: reads buffers that are files of their own; None refuses these.

    Raises:
        CodecError: it is damaged, declares too much, holds no Gaussians, or needs what is not known
            here: another extension, kernel or colour space, or a node that scales unevenly.
    """
    file = GltfFile(data, name, beside, cancel)
    unknown = sorted(set(file.document.extensionsRequired) - KNOWN_EXTENSIONS)
    if unknown:
        raise NotAScene(f"{name} cannot be read: it needs the glTF extension {unknown[0][:80]}.")
    placed = list(_primitives(file))
    if not placed:
        raise NotAScene(f"{name} is a glTF model without Gaussians (KHR_gaussian_splatting).")
    plain = [p for p, _ in placed if _spz_view(p) is None]
    check_count(sum(file.count(_named(file, p, "POSITION")) for p in plain), name)
    parts, count = [], 0
    for primitive, matrix in placed:
        cancel.raise_if_cancelled(f"reading {name}")
        view = _spz_view(primitive)
        raw = _plain(file, primitive) if view is None else turned(read_spz(bytes(file.view(view))))
        count += len(raw)
        check_count(count, name)
        parts.append(_placed(raw, matrix, name))
    return turned(_joined(parts))


def _primitives(file: GltfFile) -> Iterator[tuple[Primitive, Matrix]]:
    """The primitives with Gaussians of the shown scene, and where each is placed."""
    document = file.document
    if document.scene is not None and 0 <= document.scene < len(document.scenes):
        roots = document.scenes[document.scene].nodes
    else:
        roots = [node for scene in document.scenes for node in scene.nodes]
    roots = roots or ([] if document.scenes else list(range(len(document.nodes))))
    waiting, seen = [(index, np.eye(4)) for index in reversed(roots)], set()
    while waiting:
        index, parent = waiting.pop()
        if index in seen or not 0 <= index < len(document.nodes):
            raise CorruptSegment(f"{file.name}: its nodes are no tree.")
        seen.add(index)
        node = document.nodes[index]
        matrix = parent @ _matrix(node, file.name)
        waiting += [(child, matrix) for child in reversed(node.children)]
        if node.mesh is None or not 0 <= node.mesh < len(document.meshes):
            continue
        for primitive in document.meshes[node.mesh].primitives:
            if primitive.extensions.splatting is not None:
                yield primitive, matrix


def _matrix(node: Node, name: str) -> Matrix:
    """From the node to its parent."""
    try:
        if node.matrix is not None:
            return np.array(node.matrix, np.float64).reshape(4, 4).T
        x, y, z, w = node.rotation or (0.0, 0.0, 0.0, 1.0)
        matrix = np.eye(4)
        matrix[:3, :3] = _rotation_matrix(np.array([w, x, y, z]))
        matrix[:3, :3] *= np.array(node.scale or (1.0, 1.0, 1.0)).reshape(1, 3)
        matrix[:3, 3] = np.array(node.translation or (0.0, 0.0, 0.0)).reshape(3)
    except ValueError as error:
        raise CorruptSegment(f"{name}: the placement of a node is damaged.") from error
    return matrix


def _rotation_matrix(quat: NDArray[np.float64]) -> Matrix:
    """[3, 3] of a quaternion wxyz of any length; no rotation for length 0."""
    length = np.linalg.norm(quat)
    unit = quat / length if length > 0 else np.array([1.0, 0.0, 0.0, 0.0])
    return rotation_matrices(torch.from_numpy(unit)).numpy()


def _placed(raw: RawGaussians, matrix: Matrix, name: str) -> RawGaussians:
    """The Gaussians of a node in the world."""
    if np.array_equal(matrix, np.eye(4)):
        return raw
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    scale = float(lengths.mean())
    even = np.isfinite(matrix).all() and scale > 0
    if not even or np.abs(lengths - scale).max() > SAME_SCALE * scale:
        raise NotAScene(f"{name} cannot be read: a node scales its Gaussians unevenly.")
    rotation = matrix[:3, :3] / scale
    if np.abs(rotation.T @ rotation - np.eye(3)).max() > SAME_SCALE or np.linalg.det(rotation) < 0:
        raise NotAScene(f"{name} cannot be read: a node shears or mirrors its Gaussians.")
    return moved(raw, rotation, scale, matrix[:3, 3])


def _plain(file: GltfFile, primitive: Primitive) -> RawGaussians:
    """The Gaussians of a primitive that is not compressed, in the axes of its node."""
    splatting = primitive.extensions.splatting
    assert splatting is not None
    if splatting.kernel not in KERNELS or splatting.colorSpace not in COLOR_SPACES:
        what = f"{splatting.kernel} and {splatting.colorSpace}"[:80]
        raise NotAScene(f"{file.name} cannot be read: its kernel and colour space are {what}.")
    means = file.values(_named(file, primitive, "POSITION"), (3,))
    xyzw = file.values(_named(file, primitive, f"{PREFIX}ROTATION", "_ROTATION"), (4,))
    scales = file.values(_named(file, primitive, f"{PREFIX}SCALE", "_SCALE"), (3,))
    sh, opacities = _colors(file, primitive)
    if {len(part) for part in (xyzw, scales, sh, opacities)} != {len(means)}:
        raise CorruptSegment(f"{file.name}: its attributes are not equally long.")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return RawGaussians(
            means=means,
            quats=xyzw[:, [3, 0, 1, 2]],
            log_scales=np.log(scales),
            logits=np.log(opacities / (1 - opacities)),
            sh=sh,
        )


def _colors(
    file: GltfFile, primitive: Primitive
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[N, K, 3] spherical harmonics and [N] opacities."""
    attributes = primitive.attributes
    if f"{PREFIX}SH_DEGREE_0_COEF_0" not in attributes:
        rgba = file.values(_named(file, primitive, "COLOR_0"), (3, 4))
        first = (rgba[:, :3] - np.float32(0.5)) / np.float32(C0)
        alone = rgba[:, 3] if rgba.shape[1] == 4 else np.ones(len(rgba), np.float32)
        given = attributes.get(f"{PREFIX}OPACITY")
        return first[:, None], alone if given is None else file.values(given, (1,))[:, 0]
    opacities = file.values(_named(file, primitive, f"{PREFIX}OPACITY"), (1,))[:, 0]
    coefficients = []
    for degree in range(4):
        keys = [f"{PREFIX}SH_DEGREE_{degree}_COEF_{n}" for n in range(2 * degree + 1)]
        if keys[0] not in attributes:
            break
        coefficients += [file.values(_named(file, primitive, key), (3,)) for key in keys]
    if len({len(part) for part in coefficients}) != 1:
        raise CorruptSegment(f"{file.name}: its attributes are not equally long.")
    return np.stack(coefficients, axis=1), np.clip(opacities, 0, 1)


def _named(file: GltfFile, primitive: Primitive, *names: str) -> int:
    for name in names:
        if name in primitive.attributes:
            return primitive.attributes[name]
    raise CorruptSegment(f"{file.name}: the attribute {names[0]} is missing.")


def _spz_view(primitive: Primitive) -> int | None:
    splatting = primitive.extensions.splatting
    assert splatting is not None
    packed = splatting.extensions.spz_2 or splatting.extensions.spz
    return None if packed is None else packed.bufferView


def _joined(parts: list[RawGaussians]) -> RawGaussians:
    """All parts together, with the highest degree of harmonics among them."""
    most = max(part.sh.shape[1] for part in parts)
    sh = [np.pad(part.sh, ((0, 0), (0, most - part.sh.shape[1]), (0, 0))) for part in parts]
    return RawGaussians(
        means=np.concatenate([part.means for part in parts]),
        quats=np.concatenate([part.quats for part in parts]),
        log_scales=np.concatenate([part.log_scales for part in parts]),
        logits=np.concatenate([part.logits for part in parts]),
        sh=np.concatenate(sh),
    )
