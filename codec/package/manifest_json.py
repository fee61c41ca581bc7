"""scene.json <-> Manifest. Reading trusts nothing: types, ranges, paths and sums are checked."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, cast

import numpy as np
from streamstgs.codec.attributes.attribute_images import ATTRIBUTE_CHANNELS
from streamstgs.codec.attributes.quantisation import Quantiser, SinhCurve
from streamstgs.codec.errors import NotAScene, UnsupportedVersion
from streamstgs.codec.limits import Limits
from streamstgs.codec.package.checked_json import Node
from streamstgs.codec.package.file_entry import MANIFEST_NAME, read_file_entry
from streamstgs.codec.package.manifest import (
    FORMAT,
    VERSION,
    GopEntry,
    LayerEntry,
    Manifest,
    RepresentationEntry,
    SegmentEntry,
)
from streamstgs.codec.package.poster_entry import poster_object, read_poster_entry
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.codec.video.tile_layout import SAMPLE_ENTRIES, Codec, TileLayout
from streamstgs.renderer import FieldConfig

SINH_ARGUMENT = 60.0  # sinh of more leaves float32's comfortable range


def write_manifest(manifest: Manifest) -> bytes:
    """The content of scene.json."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "meta": asdict(manifest.meta),
        "features": asdict(manifest.tiles),
        "rungs": [asdict(entry) for entry in manifest.representations],
        "static": [_layer_object(layer) for layer in manifest.static],
        "gops": [_gop_object(gop) for gop in manifest.gops],
    }
    if manifest.poster is not None:
        document["poster"] = poster_object(manifest.poster)
    if manifest.no_static_db is not None:
        document["no_static_db"] = manifest.no_static_db
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def read_manifest(data: bytes, limits: Limits) -> Manifest:
    """Parse and check scene.json.

    Raises:
        NotAScene: not the manifest of a scene, with the place and what should be there.
        UnsupportedVersion: of another version.
    """
    root = Node.parse(data, MANIFEST_NAME)
    _check_version(root)
    tiles = _read_tiles(root.at("features"), limits)
    ladder = root.at("rungs")
    representations = tuple(
        _read_representation(node, limits) for node in ladder.items(limits.qualities)
    )
    qps = [entry.qp for entry in representations]
    if not qps or qps != sorted(set(qps)):
        ladder.refuse("a list of qualities of rising QP")
    static = tuple(_read_layer(node, limits) for node in root.at("static").items(limits.layers))
    gops = tuple(
        _read_gop(node, tiles, len(qps), limits) for node in root.at("gops").items(limits.gops)
    )
    _check_timeline(root.at("gops"), gops)
    meta, poster = _read_meta(root.at("meta"), limits), read_poster_entry(root, limits)
    return Manifest(
        meta, tiles, representations, static, gops, poster, _read_db(root, "no_static_db")
    )


def _check_version(root: Node) -> None:
    if not root.has("format") or root.at("format").value != FORMAT:
        raise NotAScene(f"{MANIFEST_NAME} is not the manifest of a StreamSTGS scene.")
    version = root.at("version").integer(0, 1 << 31)
    if version != VERSION:
        raise UnsupportedVersion(
            f"{MANIFEST_NAME} is of format version {version}; this program reads version "
            f"{VERSION}: update it, or encode the scene again."
        )


def _check_timeline(node: Node, gops: tuple[GopEntry, ...]) -> None:
    if not gops:
        node.refuse("a list of at least one GOP")
    expected = 0
    for k, gop in enumerate(gops):
        if gop.start_frame != expected:
            node.refuse(f"without gaps: GOP {k} should start at frame {expected}")
        expected += gop.frames


def _read_tiles(node: Node, limits: Limits) -> TileLayout:
    features = node.at("features").integer(1, limits.features)
    tiles = TileLayout(
        height=node.at("height").integer(1, limits.grid_side),
        width=node.at("width").integer(1, limits.grid_side),
        features=features,
        columns=node.at("columns").integer(1, features),
    )
    sides = (tiles.video_width, tiles.video_height)
    if max(sides) > limits.video_side_px or sides[0] * sides[1] > limits.video_pixels:
        node.refuse(f"of pictures smaller than {sides[0]} x {sides[1]}")
    return tiles


def _read_representation(node: Node, limits: Limits) -> RepresentationEntry:
    return RepresentationEntry(
        qp=node.at("qp").integer(0, 63),
        codec=cast(Codec, node.at("codec").choice(tuple(SAMPLE_ENTRIES))),
        codecs=node.at("codecs").text(100),
        init=read_file_entry(node.at("init"), limits.segment_bytes),
    )


def _read_gop(node: Node, tiles: TileLayout, qualities: int, limits: Limits) -> GopEntry:
    config = _read_config(node.at("field_config"), tiles, limits)
    gop = GopEntry(
        start_frame=node.at("start_frame").integer(0, limits.gops * limits.frames_per_gop),
        frames=node.at("frames").integer(1, limits.frames_per_gop),
        layers=tuple(_read_layer(n, limits) for n in node.at("layers").items(limits.layers)),
        features=_read_quantiser(node.at("features"), tiles.features, 8),
        field=read_file_entry(node.at("field"), limits.segment_bytes),
        field_config=config,
        segments=tuple(_read_segment(n, limits) for n in node.at("segments").items(qualities)),
    )
    if len(gop.segments) != qualities:
        node.at("segments").refuse(f"one segment for each of {qualities} qualities")
    if gop.dynamic_count > tiles.height * tiles.width:
        node.at("layers").refuse("no more Gaussians than the feature grid has cells")
    if gop.feature_frames * gop.dynamic_count * tiles.features > limits.feature_codes_bytes:
        node.refuse("a GOP whose features fit in memory")
    return gop


def _read_segment(node: Node, limits: Limits) -> SegmentEntry:
    return SegmentEntry(
        file=read_file_entry(node.at("file"), limits.segment_bytes),
        psnr_db=node.at("psnr_db").number(0, 100),
        quality_db=_read_db(node, "quality_db"),
    )


def _read_db(node: Node, name: str) -> float | None:
    """A PSNR that may be left out."""
    return node.at(name).number(0, 100) if node.has(name) else None


def _read_layer(node: Node, limits: Limits) -> LayerEntry:
    layer = LayerEntry(
        file=read_file_entry(node.at("file"), limits.segment_bytes),
        count=node.at("count").integer(1, limits.gaussians_per_layer),
        height=node.at("height").integer(1, limits.grid_side),
        width=node.at("width").integer(1, limits.grid_side),
        quantisers={
            name: _read_quantiser(node.at("attributes").at(name), channels, 16)
            for name, channels in ATTRIBUTE_CHANNELS.items()
        },
        quality_db=_read_db(node, "quality_db"),
    )
    cells = layer.height * layer.width
    if not layer.count <= cells <= limits.gaussians_per_layer:
        node.refuse(f"a layer whose Gaussians fit its grid of {layer.height} x {layer.width}")
    return layer


def _read_quantiser(node: Node, channels: int, most_bits: int) -> Quantiser:
    curve = None
    if node.has("curve"):
        curve = SinhCurve(
            center=node.at("curve").at("center").numbers(channels),
            unit=node.at("curve").at("unit").number(1e-9, 1e9),
        )
    reach = SINH_ARGUMENT if curve else 1e9
    return Quantiser(
        bits=node.at("bits").integer(1, most_bits),
        offset=node.at("offset").numbers(channels, -reach, reach),
        step=node.at("step").numbers(channels, 0.0, reach),
        curve=curve,
    )


def _read_config(node: Node, tiles: TileLayout, limits: Limits) -> FieldConfig:
    window = node.at("window").integer(1, limits.window)
    if window % 2 == 0:
        node.at("window").refuse("odd")
    features = node.at("features").integer(tiles.features, tiles.features)
    return FieldConfig(
        features=features,
        window=window,
        width=node.at("width").integer(1, limits.field_width),
        time_frequencies=node.at("time_frequencies").integer(0, limits.field_frequencies),
        position_frequencies=node.at("position_frequencies").integer(0, limits.field_frequencies),
        extent=node.at("extent").number(1e-9, 1e9),
    )


def _read_meta(node: Node, limits: Limits) -> SceneMeta:
    presets = node.at("presets").items(limits.presets)
    return SceneMeta(
        title=node.at("title").text(limits.text_length),
        fps=node.at("fps").number(0.01, 1000.0),
        up=_triple(node.at("up")),
        center=_triple(node.at("center")),
        radius=node.at("radius").number(0.0, 1e9),
        background=_triple(node.at("background")),
        width=node.at("width").integer(1, limits.video_side_px),
        height=node.at("height").integer(1, limits.video_side_px),
        near=node.at("near").number(1e-9, 1e9),
        licence=node.at("licence").text(limits.text_length),
        attribution=node.at("attribution").text(limits.text_length),
        presets=tuple(_read_preset(preset, limits) for preset in presets),
    )


def _read_preset(node: Node, limits: Limits) -> CameraPreset:
    return CameraPreset(
        name=node.at("name").text(limits.text_length),
        position=_triple(node.at("position")),
        target=_triple(node.at("target")),
        fov_y_rad=node.at("fov_y_rad").number(1e-3, 3.14),
    )


def _triple(node: Node) -> tuple[float, float, float]:
    x, y, z = node.numbers(3)
    return x, y, z


def _gop_object(gop: GopEntry) -> dict[str, Any]:
    return {
        "start_frame": gop.start_frame,
        "frames": gop.frames,
        "layers": [_layer_object(layer) for layer in gop.layers],
        "features": _quantiser_object(gop.features),
        "field": asdict(gop.field),
        "field_config": asdict(gop.field_config),
        "segments": [_segment_object(segment) for segment in gop.segments],
    }


def _segment_object(segment: SegmentEntry) -> dict[str, Any]:
    content = asdict(segment)
    if segment.quality_db is None:
        del content["quality_db"]
    return content


def _layer_object(layer: LayerEntry) -> dict[str, Any]:
    quality = {} if layer.quality_db is None else {"quality_db": layer.quality_db}
    return {
        "file": asdict(layer.file),
        "count": layer.count,
        "height": layer.height,
        "width": layer.width,
        "attributes": {name: _quantiser_object(q) for name, q in layer.quantisers.items()},
        **quality,
    }


def _quantiser_object(quantiser: Quantiser) -> dict[str, Any]:
    content: dict[str, Any] = {
        "bits": quantiser.bits,
        "offset": [_shortest(value) for value in quantiser.offset],
        "step": [_shortest(value) for value in quantiser.step],
    }
    if quantiser.curve is not None:
        content["curve"] = asdict(quantiser.curve)
    return content


def _shortest(value: float) -> float:
    """The double with the fewest digits that is the same float32."""
    return float(str(np.float32(value)))
