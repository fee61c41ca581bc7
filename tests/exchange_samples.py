"""Small files of the exchange formats, made for the tests without the program's own writers."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
from typing import Any

import numpy as np
from PIL import Image
from streamstgs.codec.formats.raw_gaussians import RawGaussians, turned

PREFIX = "KHR_gaussian_splatting:"


def gltf_parts(
    raw: RawGaussians, node: dict[str, Any] | None = None, uri: str | None = None
) -> tuple[dict[str, Any], bytes]:
    """A document with KHR_gaussian_splatting and its buffer; glTF has y up and z back."""
    ours = turned(raw)
    opacities = (1 / (1 + np.exp(-ours.logits)))[:, None]
    columns = {
        "POSITION": ours.means,
        f"{PREFIX}ROTATION": ours.quats[:, [1, 2, 3, 0]],
        f"{PREFIX}SCALE": np.exp(ours.log_scales),
        f"{PREFIX}OPACITY": opacities,
    }
    index = 0
    for degree in range(int(np.sqrt(ours.sh.shape[1]))):
        for coefficient in range(2 * degree + 1):
            columns[f"{PREFIX}SH_DEGREE_{degree}_COEF_{coefficient}"] = ours.sh[:, index]
            index += 1
    buffer, views, accessors = b"", [], []
    for values in columns.values():
        content = np.ascontiguousarray(values, "<f4").tobytes()
        kind = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}[values.shape[1]]
        accessors.append(
            {"bufferView": len(views), "componentType": 5126, "count": len(raw), "type": kind}
        )
        views.append({"buffer": 0, "byteOffset": len(buffer), "byteLength": len(content)})
        buffer += content
    splatting = {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}
    primitive = {
        "mode": 0,
        "attributes": {name: number for number, name in enumerate(columns)},
        "extensions": {"KHR_gaussian_splatting": splatting},
    }
    declared: dict[str, Any] = {"byteLength": len(buffer)} | ({"uri": uri} if uri else {})
    document = {
        "asset": {"version": "2.0"},
        "extensionsUsed": ["KHR_gaussian_splatting"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, **(node or {})}],
        "meshes": [{"primitives": [primitive]}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [declared],
    }
    return document, buffer


def glb_file(document: dict[str, Any], buffer: bytes) -> bytes:
    """A .glb file."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    buffer += b"\0" * (-len(buffer) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(buffer), b"BIN\0") + buffer
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def glb(raw: RawGaussians) -> bytes:
    """The Gaussians as a .glb file."""
    return glb_file(*gltf_parts(raw))


def gltf(raw: RawGaussians) -> bytes:
    """The Gaussians as a .gltf file with all values in its JSON."""
    _, buffer = gltf_parts(raw)
    document, _ = gltf_parts(raw, uri=f"data:;base64,{base64.b64encode(buffer).decode()}")
    return json.dumps(document).encode()


def sog_v1_files(raw: RawGaussians) -> dict[str, bytes]:
    """The files of a .sog of the first version; harmonics are exact for up to 64 Gaussians."""
    side = int(np.ceil(np.sqrt(len(raw))))
    meta: dict[str, Any] = {}
    files: dict[str, bytes] = {}

    def put(name: str, codes: np.ndarray) -> str:
        filled = np.zeros((side * side, 4), np.uint8)
        filled[:, 3] = 255
        filled[: len(codes), : codes.shape[1]] = codes
        files[name] = _webp(filled.reshape(side, side, 4))
        return name

    def shares(values: np.ndarray, largest: int) -> tuple[np.ndarray, list[float], list[float]]:
        low, high = values.min(axis=0), values.max(axis=0)
        codes = np.rint((values - low) / np.maximum(high - low, 1e-9) * largest)
        return codes.astype(np.int64), low.tolist(), high.tolist()

    codes, low, high = shares(np.sign(raw.means) * np.log1p(np.abs(raw.means)), 65_535)
    names = [put("means_l.webp", codes & 255), put("means_u.webp", codes >> 8)]
    meta["means"] = {"shape": [len(raw), 3], "mins": low, "maxs": high, "files": names}
    codes, low, high = shares(raw.log_scales, 255)
    meta["scales"] = {"mins": low, "maxs": high, "files": [put("scales.webp", codes)]}
    meta["quats"] = {"files": [put("quats.webp", _packed_rotations(raw.quats))]}
    codes, low, high = shares(np.concatenate([raw.sh[:, 0], raw.logits[:, None]], axis=1), 255)
    meta["sh0"] = {"mins": low, "maxs": high, "files": [put("sh0.webp", codes)]}
    coefficients = raw.sh.shape[1] - 1
    palette = np.zeros((1, 64 * coefficients, 4), np.uint8)
    palette[..., 3] = 255
    low_high = float(raw.sh[:, 1:].min()), float(raw.sh[:, 1:].max())
    scaled = (raw.sh[:, 1:] - low_high[0]) / (low_high[1] - low_high[0]) * 255
    palette[0, : len(raw) * coefficients, :3] = np.rint(scaled).reshape(-1, 3)
    files["shN_centroids.webp"] = _webp(palette)
    labels = put("shN_labels.webp", np.arange(len(raw))[:, None])
    names = ["shN_centroids.webp", labels]
    meta["shN"] = {"mins": low_high[0], "maxs": low_high[1], "files": names}
    return files | {"meta.json": json.dumps(meta).encode()}


def sog_v1(raw: RawGaussians) -> bytes:
    """The same as a ZIP archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sog_v1_files(raw).items():
            archive.writestr(name, content)
    return packed.getvalue()


def _packed_rotations(quats: np.ndarray) -> np.ndarray:
    """[N, 4] bytes: the three smaller components, and 252 plus the index of the largest (wxyz)."""
    largest = np.abs(quats).argmax(axis=1)
    signs = np.sign(np.take_along_axis(quats, largest[:, None], axis=1))
    w, x, y, z = (quats * signs).T
    others = np.stack([np.stack(k) for k in ((x, y, z), (w, y, z), (w, x, z), (w, x, y))])
    # The decoder's places: mode 1 to 3 keep w in the first of the three components.
    small = np.take_along_axis(others, largest[None, None], axis=0)[0].T
    codes = np.rint((small / np.sqrt(2.0) + 0.5) * 255)
    return np.concatenate([codes, 252 + largest[:, None]], axis=1).astype(np.int64)


def _webp(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", lossless=True, exact=True)
    return file.getvalue()
