"""GOPs and layers <-> their JSON objects in scene.json and in pages, with their checks."""

from __future__ import annotations

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
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.package import schema
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry
from streamstgs.codec.package.manifest import (
    GopEntry,
    LayerEntry,
    RepresentationEntry,
    SegmentEntry,
)
from streamstgs.codec.package.sound_entry import read_sound_file, sound_file_object
from streamstgs.codec.video.tile_layout import TileLayout
from streamstgs.renderer import FieldConfig

T = TypeVar("T")
SINH_ARGUMENT = 60.0  # sinh of more leaves float32's comfortable range


def require(holds: bool, place: str, wanted: str) -> None:
    """Raise NotAScene, which names a place in scene.json and what it should be, unless it holds."""
    if not holds:
        raise NotAScene(f"{MANIFEST_NAME}: {place} should be {wanted}.")


def rows_of(representations: tuple[RepresentationEntry, ...], tiles: TileLayout) -> tuple[int, ...]:
    """Return the rows of the tiles of each quality, best first."""
    return tuple(
        tiles.height if entry.height is None else entry.height for entry in representations
    )


def check_representations(
    representations: tuple[RepresentationEntry, ...], tiles: TileLayout, static_layers: int
) -> None:
    """Raise NotAScene unless qualities are parts of what the scene has."""
    for place, entry in enumerate(representations):
        rows, where = entry.height or tiles.height, f"rungs[{place}]"
        require(rows <= tiles.height, f"{where}.height", f"{tiles.height} or less")
        require((entry.static or 0) <= static_layers, f"{where}.static", "in the scene")


def read_gop(gop: schema.Gop, tiles: TileLayout, rows: tuple[int, ...], where: str) -> GopEntry:
    """Return a GOP after its checks; raises NotAScene, which names the place below `where`.

    Args:
        rows: of the tiles of each quality, best first.
    """
    qualities = len(rows)
    shape = gop.field_config
    require(shape.window % 2 == 1, f"{where}.field_config.window", "odd")
    same = shape.features == tiles.features
    require(same, f"{where}.field_config.features", f"{tiles.features}, as of the video")
    require(len(gop.segments) == qualities, f"{where}.segments", f"a list of {qualities}")
    require(gop.features.bits <= 8, f"{where}.features.bits", "at most 8")
    entry = GopEntry(
        start_frame=gop.start_frame,
        frames=gop.frames,
        layers=_moving_layers(gop.layers, f"{where}.layers"),
        features=_quantiser(gop.features, tiles.features, f"{where}.features"),
        field=read_file(gop.field),
        field_config=convert(shape, FieldConfig, from_attributes=True),
        segments=tuple(map(_segment, gop.segments)),
        shown=given(gop.shown),
        sound=None if gop.sound is UNSET else read_sound_file(gop.sound),
    )
    cells = tiles.height * tiles.width
    require(entry.dynamic_count <= cells, f"{where}.layers", f"of at most {cells} Gaussians")
    codes = entry.feature_frames * entry.dynamic_count * tiles.features
    require(codes <= limits.FEATURE_CODES_BYTES, where, "a GOP whose features fit in memory")
    _check_cost(entry, where)
    _check_parts(entry, tiles, rows, where)
    return entry


def _check_parts(gop: GopEntry, tiles: TileLayout, rows: tuple[int, ...], where: str) -> None:
    """A worse quality has a prefix of what a better one has, and its Gaussians fit its video."""
    before = len(gop.layers)
    for place, height in enumerate(rows):
        layers = f"{where}.segments[{place}].layers"
        require(gop.layer_count(place) <= before, layers, f"{before} or less")
        fits = gop.moving_count(place) <= height * tiles.width
        require(fits, layers, f"of Gaussians that fit {height} rows")
        before = gop.layer_count(place)


def read_representation(entry: schema.Representation) -> RepresentationEntry:
    """Return a quality; its members were checked by their types."""
    init, height, static = read_file(entry.init), given(entry.height), given(entry.static)
    return RepresentationEntry(entry.qp, entry.codec, entry.codecs, init, height, static)


def _segment(entry: schema.Segment) -> SegmentEntry:
    quality_db, layers = given(entry.quality_db), given(entry.layers)
    return SegmentEntry(read_file(entry.file), entry.psnr_db, quality_db, layers)


def _check_cost(gop: GopEntry, where: str) -> None:
    """Many layers that are each within their limits may together exhaust memory or time."""
    count = gop.dynamic_count
    wanted = f"of at most {limits.MOVING_GAUSSIANS} Gaussians"
    require(count <= limits.MOVING_GAUSSIANS, f"{where}.layers", wanted)
    products = count * gop.field_config.multiplications
    wanted = f"a field of at most {limits.FIELD_MULTIPLICATIONS:.0e} products a frame"
    require(products <= limits.FIELD_MULTIPLICATIONS, f"{where}.field_config", wanted)


def read_static(layers: tuple[schema.Layer, ...], where: str) -> tuple[LayerEntry, ...]:
    """Return static layers after their checks; raises NotAScene, which names the place."""
    entries = _layers(layers, where)
    wanted = f"of at most {limits.STATIC_GAUSSIANS} Gaussians in all"
    require(sum(e.count for e in entries) <= limits.STATIC_GAUSSIANS, where, wanted)
    names = {entry.file.name for entry in entries}
    require(len(names) == len(entries), where, "of layers with files of their own")
    return entries


def _layers(layers: tuple[schema.Layer, ...], where: str) -> tuple[LayerEntry, ...]:
    return tuple(_layer(layer, f"{where}[{k}]") for k, layer in enumerate(layers))


def _moving_layers(layers: tuple[schema.Layer, ...], where: str) -> tuple[LayerEntry, ...]:
    """The layers of a GOP: all of them have trajectories, or none has."""
    have = {
        getattr(layer.attributes, name) is not UNSET
        for layer in layers
        for name in TRAJECTORY_CHANNELS
    }
    require(len(have) <= 1, where, "layers that all have all of the trajectories, or none")
    channels = CHANNELS if True in have else ATTRIBUTE_CHANNELS
    return tuple(_layer(layer, f"{where}[{k}]", channels) for k, layer in enumerate(layers))


def _layer(
    layer: schema.Layer, where: str, attributes: Mapping[str, int] = ATTRIBUTE_CHANNELS
) -> LayerEntry:
    cells = layer.height * layer.width
    fits = layer.count <= cells <= limits.GAUSSIANS_PER_LAYER
    require(fits, where, f"a layer whose Gaussians fit its grid of {layer.height} x {layer.width}")
    quantisers = {
        name: _quantiser(getattr(layer.attributes, name), channels, f"{where}.attributes.{name}")
        for name, channels in attributes.items()
    }
    return LayerEntry(
        read_file(layer.file),
        layer.count,
        layer.height,
        layer.width,
        quantisers,
        given(layer.quality_db),
    )


def _quantiser(quantiser: schema.Quantiser, channels: int, where: str) -> Quantiser:
    curve = None
    if quantiser.curve is not UNSET:
        center = quantiser.curve.center
        require(len(center) == channels, f"{where}.curve.center", f"{channels} numbers")
        curve = SinhCurve(center, quantiser.curve.unit)
    reach = SINH_ARGUMENT if curve else 1e9
    for name, values in (("offset", quantiser.offset), ("step", quantiser.step)):
        good = len(values) == channels and all(abs(value) <= reach for value in values)
        require(good, f"{where}.{name}", f"{channels} numbers up to {reach:g}")
    return Quantiser(quantiser.bits, quantiser.offset, quantiser.step, curve)


def read_file(file: schema.File) -> FileEntry:
    """Return the entry of a file; its members were checked by their types."""
    return FileEntry(file.name, file.size_bytes, file.crc32, file.sha256, file.at)


def given(value: T | UnsetType) -> T | None:
    """None for a member that is left out."""
    return None if value is UNSET else value


def gop_object(gop: GopEntry) -> dict[str, Any]:
    """Return a GOP as its JSON object."""
    shown = {} if gop.shown is None else {"shown": gop.shown}
    sound = {} if gop.sound is None else {"sound": sound_file_object(gop.sound)}
    return {
        "start_frame": gop.start_frame,
        "frames": gop.frames,
        "layers": [layer_object(layer) for layer in gop.layers],
        "features": _quantiser_object(gop.features),
        "field": entry_object(gop.field),
        "field_config": asdict(gop.field_config),
        "segments": [entry_object(segment) for segment in gop.segments],
        **shown,
        **sound,
    }


def entry_object(entry: FileEntry | RepresentationEntry | SegmentEntry) -> dict[str, Any]:
    """The members of an entry; those that are None are left out."""
    return asdict(entry, dict_factory=lambda items: {k: v for k, v in items if v is not None})


def layer_object(layer: LayerEntry) -> dict[str, Any]:
    """Return a layer as its JSON object."""
    quality = {} if layer.quality_db is None else {"quality_db": layer.quality_db}
    return {
        "file": entry_object(layer.file),
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
