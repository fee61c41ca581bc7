"""Writes the golden scenes and what they decode to."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from streamstgs.codec.attributes.attribute_images import decode_attribute_images
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.package.archive_writer import pack
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.manifest import LayerEntry
from streamstgs.codec.package.manifest_json import read_manifest
from streamstgs.codec.package.page_writer import PageSettings, write_scene_json
from streamstgs.codec.poster import local_poster
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.scene_totals import totals_of
from streamstgs.codec.streaming.container import Container
from streamstgs.codec.video.codecs import Codec

from benchmarks.long_scenes.make import repeated
from tests.layered_scene import write_layered
from tests.synthetic import PathSource, SyntheticSource

GOLDEN = Path(__file__).parent
EXPECTED = GOLDEN / "expected.json"
CODECS: tuple[Codec, ...] = ("hevc", "h264")
PATHS = GOLDEN / "synthetic-v2-trajectories.stgs"
LAYERS = GOLDEN / "synthetic-v3-layers.stgs"
PAGES = GOLDEN / "synthetic-v4-pages.stgs"
POSTER = GOLDEN / "synthetic-v1-poster.stgs"


def golden_scene(codec: str) -> Path:
    """The golden `.stgs` of a codec."""
    return GOLDEN / f"synthetic-v1-{codec}.stgs"


def decoded_digests(scene: Scene, container: Container) -> dict[str, Any]:
    """What must never change: hashes of all codes, and some values with their tolerance."""
    layers = [*scene.manifest.static, *(layer for g in scene.manifest.gops for layer in g.layers)]
    gop = scene.decode_gop(0, scene.qualities[-1])
    return {
        "planes": {layer.file.name: _layer_digest(layer, container) for layer in layers},
        "features": {
            f"{index}@{qp}": _digest(scene.decode_gop(index, scene.quality(qp)).features.numpy())
            for index in range(scene.gop_count)
            for qp in sorted(quality.qp for quality in scene.qualities)
        },
        "last_mean_of_frame_3": gop.gaussians_at(min(3, gop.frames - 1)).means[-1].tolist(),
        "first_static_mean": gop.static.means[0].tolist(),
        "first_static_quat": gop.static.quats[0].tolist(),
        "first_static_scale": gop.static.scales[0].tolist(),
        "first_static_color": gop.static.colors[0].tolist(),
    }


def _layer_digest(layer: LayerEntry, container: Container) -> dict[str, str]:
    data = container.read(layer.file.name, layer.file.size_bytes)
    codes = decode_attribute_images(
        data, layer.bits, layer.count, layer.height, layer.width, layer.file.name
    )
    return {name: _digest(values) for name, values in codes.items()}


def _digest(codes: np.ndarray) -> str:
    little = codes.astype(codes.dtype.newbyteorder("<"))
    return hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest()


def poster_facts() -> dict[str, Any]:
    """What a reader of the golden poster must find."""
    poster = local_poster(str(POSTER))
    assert poster is not None
    jpeg, background = hashlib.sha256(poster.jpeg).hexdigest(), list(poster.background)
    facts = {**asdict(poster), "jpeg": jpeg, "background": background}
    if poster.opening is None:  # as in scenes that do not tell what was filmed
        del facts["opening"]
    return facts


def write_paged(path: Path) -> None:
    """The GOP of the golden poster again and again, listed in pages; without the poster."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with zipfile.ZipFile(POSTER) as archive:
            archive.extractall(root)
        (root / "poster.jpg").unlink()
        (root / "scene.mpd").unlink()

        def write(name: str, data: bytes) -> FileEntry:
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(data)
            return FileEntry.of(name, data)

        short = read_manifest((root / "scene.json").read_bytes())
        long = replace(short, gops=repeated(short.gops, 6), poster=None)
        listed = PageSettings(paged_from=1, inline=2, per_page=3)
        write("scene.json", write_scene_json(long, write, totals_of(long), listed))
        pack(root, path)


def main() -> None:
    """Encode and write down."""
    source = SyntheticSource(static_count=300, dynamic_count=200, frames_per_gop=(4, 3))
    expected: dict[str, Any] = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    for codec in CODECS:
        path = golden_scene(codec)
        if path.exists():
            continue
        encode_scene(source, path, EncoderConfig(qps=(20, 32), codec=codec))
        with open_scene(path) as scene:
            expected[codec] = decoded_digests(scene, scene._files._container)
    if not POSTER.exists():
        small = SyntheticSource(static_count=30, dynamic_count=20, frames_per_gop=(2,))
        encode_scene(small, POSTER, EncoderConfig(qps=(32,)))
        expected["poster"] = poster_facts()
    if not PATHS.exists():
        moving = PathSource(static_count=60, dynamic_count=200, frames_per_gop=(4, 3))
        encode_scene(moving, PATHS, EncoderConfig(qps=(20, 32)))
        with open_scene(PATHS) as scene:
            expected["trajectories"] = decoded_digests(scene, scene._files._container)
    if not LAYERS.exists():
        write_layered(LAYERS)
        with open_scene(LAYERS) as scene:
            expected["layers"] = decoded_digests(scene, scene._files._container)
    if not PAGES.exists():
        write_paged(PAGES)
        with open_scene(PAGES) as scene:
            expected["pages"] = decoded_digests(scene, scene._files._container)
    EXPECTED.write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
