"""scene.json <-> Manifest. Reading trusts nothing: types, ranges, paths and sums are checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
from msgspec import UNSET, UnsetType, convert
from streamstgs.codec import limits
from streamstgs.codec.attributes.attribute_images import (
    ATTRIBUTE_CHANNELS,
    CHANNELS,
    TRAJECTORY_CHANNELS,
)
from streamstgs.codec.attributes.quantisation import Quantiser, SinhCurve
from streamstgs.codec.errors import NotAScene, UnsupportedVersion
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry
from streamstgs.codec.package.manifest import (
    FORMAT,
    VERSIONS,
    GopEntry,
    LayerEntry,
    Manifest,
    RepresentationEntry,
    SegmentEntry,
)
from streamstgs.codec.package.poster_entry import poster_object, read_poster_entry
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.video.tile_layout import TileLayout
from streamstgs.renderer import FieldConfig

T = TypeVar("T")
GOP_MARK = b'"start_frame"'
SINH_ARGUMENT = 60.0  # sinh of more leaves float32's comfortable range


def write_manifest(manifest: Manifest) -> bytes:
    """The content of scene.json."""
    document = {
        "format": FORMAT,
        "version": manifest.version,
        "meta": asdict(manifest.meta),
        "features": asdict(manifest.tiles),
        "rungs": [_object(entry) for entry in manifest.representations],
        "static": [_layer_object(layer) for layer in manifest.static],
        "gops": [_gop_object(gop) for gop in manifest.gops],
    }
    if manifest.poster is not None:
        document["poster"] = poster_object(manifest.poster)
    if manifest.no_static_db is not None:
        document["no_static_db"] = manifest.no_static_db
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def read_manifest(data: bytes) -> Manifest:
    """Parse and check scene.json.

    Raises:
        NotAScene: not the manifest of a scene; the message names the place and what it should be.
        UnsupportedVersion: of another version.
    """
    _check_length(data)
    _check_version(data)
    document = decode_json(data, schema.Document, MANIFEST_NAME)
    qps = [entry.qp for entry in document.representations]
    _require(qps == sorted(set(qps)), "rungs", "of rising QP")
    tiles = convert(document.tiles, TileLayout, from_attributes=True)
    _check_tiles(tiles)
    _check_times(document.gops)
    manifest = Manifest(
        meta=convert(document.meta, SceneMeta, from_attributes=True),
        tiles=tiles,
        representations=tuple(map(_representation, document.representations)),
        static=_layers(document.static, "static"),
        gops=tuple(_gop(gop, tiles, len(qps), f"gops[{k}]") for k, gop in enumerate(document.gops)),
        poster=read_poster_entry(document.poster),
        no_static_db=_given(document.no_static_db),
    )
    _check_totals(manifest)
    _check_qualities(manifest)
    return manifest


def _check_length(data: bytes) -> None:
    """A short scene has a short manifest: parsing takes ten times the memory of its text."""
    gops = data.count(GOP_MARK)
    most = limits.MANIFEST_BYTES + gops * limits.MANIFEST_BYTES_PER_GOP
    _require(len(data) <= most, "the document", f"at most {most} bytes long for {gops} GOPs")


def _check_totals(manifest: Manifest) -> None:
    """Many parts that are each within their limits may together exhaust memory or time."""
    static = sum(layer.count for layer in manifest.static)
    _require(
        static <= limits.STATIC_GAUSSIANS,
        "static",
        f"of at most {limits.STATIC_GAUSSIANS} Gaussians in all",
    )
    names = [layer.file.name for layer in manifest.static]
    _require(len(set(names)) == len(names), "static", "of layers with files of their own")
    for k, gop in enumerate(manifest.gops):
        count = gop.dynamic_count
        wanted = f"of at most {limits.MOVING_GAUSSIANS} Gaussians"
        _require(count <= limits.MOVING_GAUSSIANS, f"gops[{k}].layers", wanted)
        products = count * gop.field_config.multiplications
        wanted = f"a field of at most {limits.FIELD_MULTIPLICATIONS:.0e} products a frame"
        _require(products <= limits.FIELD_MULTIPLICATIONS, f"gops[{k}].field_config", wanted)


def _check_qualities(manifest: Manifest) -> None:
    """A worse quality has a prefix of what a better one has, and its Gaussians fit its video."""
    for place, entry in enumerate(manifest.representations):
        where = f"rungs[{place}]"
        rows = manifest.tiles_of(place).height
        most = manifest.tiles.height
        _require(rows <= most, f"{where}.height", f"{most} or less")
        _require((entry.static or 0) <= len(manifest.static), f"{where}.static", "in the scene")
        for k, gop in enumerate(manifest.gops):
            where = f"gops[{k}].segments[{place}].layers"
            before = gop.layer_count(place - 1) if place else len(gop.layers)
            _require(gop.layer_count(place) <= before, where, f"{before} or less")
            fits = gop.moving_count(place) <= rows * manifest.tiles.width
            _require(fits, where, f"of Gaussians that fit {rows} rows")


def _check_version(data: bytes) -> None:
    header = decode_json(data, schema.AnyHeader, MANIFEST_NAME)
    if header.format != FORMAT:
        raise NotAScene(f"{MANIFEST_NAME} is not the manifest of a StreamSTGS scene.")
    version = decode_json(data, schema.Header, MANIFEST_NAME).version
    if version not in VERSIONS:
        raise UnsupportedVersion(
            f"{MANIFEST_NAME} is of format version {version}; this program reads versions "
            f"1 to {VERSIONS[-1]}: update it, or encode the scene again."
        )


def _require(holds: bool, place: str, wanted: str) -> None:
    if not holds:
        raise NotAScene(f"{MANIFEST_NAME}: {place} should be {wanted}.")


def _check_times(gops: tuple[schema.Gop, ...]) -> None:
    expected = 0
    for k, gop in enumerate(gops):
        where = f"gops[{k}].start_frame"
        _require(gop.start_frame == expected, where, f"{expected}, without a gap in time")
        expected += gop.frames


def _check_tiles(tiles: TileLayout) -> None:
    width, height = tiles.video_width, tiles.video_height
    small = max(width, height) <= limits.VIDEO_SIDE_PX and width * height <= limits.VIDEO_PIXELS
    _require(small, "features", f"of pictures smaller than {width} x {height}")
    _require(tiles.columns <= tiles.features, "features.columns", f"at most {tiles.features}")


def _gop(gop: schema.Gop, tiles: TileLayout, qualities: int, where: str) -> GopEntry:
    shape = gop.field_config
    _require(shape.window % 2 == 1, f"{where}.field_config.window", "odd")
    same = shape.features == tiles.features
    _require(same, f"{where}.field_config.features", f"{tiles.features}, as of the video")
    _require(len(gop.segments) == qualities, f"{where}.segments", f"a list of {qualities}")
    _require(gop.features.bits <= 8, f"{where}.features.bits", "at most 8")
    entry = GopEntry(
        start_frame=gop.start_frame,
        frames=gop.frames,
        layers=_moving_layers(gop.layers, f"{where}.layers"),
        features=_quantiser(gop.features, tiles.features, f"{where}.features"),
        field=_file(gop.field),
        field_config=convert(shape, FieldConfig, from_attributes=True),
        segments=tuple(map(_segment, gop.segments)),
        shown=_given(gop.shown),
    )
    cells = tiles.height * tiles.width
    _require(entry.dynamic_count <= cells, f"{where}.layers", f"of at most {cells} Gaussians")
    codes = entry.feature_frames * entry.dynamic_count * tiles.features
    _require(codes <= limits.FEATURE_CODES_BYTES, where, "a GOP whose features fit in memory")
    return entry


def _representation(entry: schema.Representation) -> RepresentationEntry:
    init, height, static = _file(entry.init), _given(entry.height), _given(entry.static)
    return RepresentationEntry(entry.qp, entry.codec, entry.codecs, init, height, static)


def _segment(entry: schema.Segment) -> SegmentEntry:
    quality_db, layers = _given(entry.quality_db), _given(entry.layers)
    return SegmentEntry(_file(entry.file), entry.psnr_db, quality_db, layers)


def _layers(layers: tuple[schema.Layer, ...], where: str) -> tuple[LayerEntry, ...]:
    return tuple(_layer(layer, f"{where}[{k}]") for k, layer in enumerate(layers))


def _moving_layers(layers: tuple[schema.Layer, ...], where: str) -> tuple[LayerEntry, ...]:
    """The layers of a GOP: all of them have trajectories, or none has."""
    have = {
        getattr(layer.attributes, name) is not UNSET
        for layer in layers
        for name in TRAJECTORY_CHANNELS
    }
    _require(len(have) <= 1, where, "layers that all have all of the trajectories, or none")
    channels = CHANNELS if True in have else ATTRIBUTE_CHANNELS
    return tuple(_layer(layer, f"{where}[{k}]", channels) for k, layer in enumerate(layers))


def _layer(
    layer: schema.Layer, where: str, attributes: Mapping[str, int] = ATTRIBUTE_CHANNELS
) -> LayerEntry:
    cells = layer.height * layer.width
    fits = layer.count <= cells <= limits.GAUSSIANS_PER_LAYER
    _require(fits, where, f"a layer whose Gaussians fit its grid of {layer.height} x {layer.width}")
    quantisers = {
        name: _quantiser(getattr(layer.attributes, name), channels, f"{where}.attributes.{name}")
        for name, channels in attributes.items()
    }
    return LayerEntry(
        _file(layer.file),
        layer.count,
        layer.height,
        layer.width,
        quantisers,
        _given(layer.quality_db),
    )


def _quantiser(quantiser: schema.Quantiser, channels: int, where: str) -> Quantiser:
    curve = None
    if quantiser.curve is not UNSET:
        center = quantiser.curve.center
        _require(len(center) == channels, f"{where}.curve.center", f"{channels} numbers")
        curve = SinhCurve(center, quantiser.curve.unit)
    reach = SINH_ARGUMENT if curve else 1e9
    for name, values in (("offset", quantiser.offset), ("step", quantiser.step)):
        good = len(values) == channels and all(abs(value) <= reach for value in values)
        _require(good, f"{where}.{name}", f"{channels} numbers up to {reach:g}")
    return Quantiser(quantiser.bits, quantiser.offset, quantiser.step, curve)


def _file(file: schema.File) -> FileEntry:
    return FileEntry(file.name, file.size_bytes, file.crc32, file.sha256)


def _given(value: T | UnsetType) -> T | None:
    """None for a member that is left out."""
    return None if value is UNSET else value


def _gop_object(gop: GopEntry) -> dict[str, Any]:
    shown = {} if gop.shown is None else {"shown": gop.shown}
    return {
        "start_frame": gop.start_frame,
        "frames": gop.frames,
        "layers": [_layer_object(layer) for layer in gop.layers],
        "features": _quantiser_object(gop.features),
        "field": _object(gop.field),
        "field_config": asdict(gop.field_config),
        "segments": [_object(segment) for segment in gop.segments],
        **shown,
    }


def _object(entry: FileEntry | RepresentationEntry | SegmentEntry) -> dict[str, Any]:
    """The members of an entry; those that are None are left out."""
    return asdict(entry, dict_factory=lambda items: {k: v for k, v in items if v is not None})


def _layer_object(layer: LayerEntry) -> dict[str, Any]:
    quality = {} if layer.quality_db is None else {"quality_db": layer.quality_db}
    return {
        "file": _object(layer.file),
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
