"""Scenes are hostile until checked: every lie ends in one CodecError that names the place."""

from __future__ import annotations

import contextlib
import json
import pickle
import random
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from streamstgs.codec.attributes.attribute_images import decode_attribute_images
from streamstgs.codec.attributes.field_weights import decode_field
from streamstgs.codec.errors import (
    CodecError,
    CorruptSegment,
    MissingSegment,
    NotAScene,
    UnsupportedVersion,
)
from streamstgs.codec.limits import Limits
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.scene import OpenSettings, Scene, open_scene
from streamstgs.codec.video.feature_video import decode_segment

from tests.golden.make_golden import golden_scene

HEVC = golden_scene("hevc")


def read_everything(location: Path) -> None:
    """All that a player could ask for."""
    with open_scene(location) as scene:
        scene.read_static()
        for index in range(scene.gop_count):
            for quality in scene.qualities:
                scene.decode_gop(index, quality).gaussians_at(1)


def unpacked(tmp_path: Path) -> Path:
    root = tmp_path / "scene"
    with zipfile.ZipFile(HEVC) as archive:
        archive.extractall(root)
    return root


def edited(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """A scene directory whose manifest was changed."""
    root = unpacked(tmp_path)
    document = json.loads((root / "scene.json").read_text())
    edit(document)
    (root / "scene.json").write_text(json.dumps(document))
    return root


def with_file(tmp_path: Path, entry: Callable[[dict[str, Any]], dict[str, Any]], data: bytes):
    """A scene directory with another file, declared with right length and checksum."""

    def edit(document: dict[str, Any]) -> None:
        file = entry(document)
        (tmp_path / "scene" / file["name"]).write_bytes(data)
        file.update(size_bytes=len(data), crc32=zlib.crc32(data))

    return edited(tmp_path, edit)


# What is not a scene at all


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_files_other_than_scenes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.stgs"
    path.write_bytes(content)
    with pytest.raises(NotAScene, match=r"x\.stgs"):
        open_scene(path)


def test_locations_without_a_scene_are_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere", Path("/dev/null")):
        with pytest.raises(NotAScene):
            open_scene(place)


def test_archives_truncated_at_any_length_are_refused(tmp_path: Path) -> None:
    whole = HEVC.read_bytes()
    path = tmp_path / "cut.stgs"
    for length in (1, 21, 22, 100, 5000, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(NotAScene):
            open_scene(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"format": "gltf", "version": 1}',
        '{"format": "streamstgs"}',
        '{"format": "streamstgs", "version": "1"}',
        '{"format": "streamstgs", "version": true}',
        "[" * 100_000,
        '{"format": "streamstgs", "version": NaN}',
        '{"format": "streamstgs", "version": ' + "9" * 5000 + "}",
        "\ud83d",
    ],
)
def test_documents_other_than_manifests_are_refused(tmp_path: Path, text: str) -> None:
    root = unpacked(tmp_path)
    (root / "scene.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(NotAScene, match=r"scene\.json"):
        open_scene(root)


def test_unknown_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedVersion, match="version 99"):
        open_scene(edited(tmp_path, lambda d: d.update(version=99, gops="from the future")))


def test_huge_manifest_is_not_read(tmp_path: Path) -> None:
    root = unpacked(tmp_path)
    size = (root / "scene.json").stat().st_size
    tight = OpenSettings(limits=Limits(manifest_bytes=size - 1))
    for place in (root, HEVC):
        with pytest.raises(NotAScene, match="longer"):
            open_scene(place, tight)


# Manifests that lie


def many_layers(layer: dict[str, Any]) -> list[dict[str, Any]]:
    """Layers of 4,000,000 Gaussians, each with a file of its own."""
    big = layer | {"count": 4_000_000, "height": 2000, "width": 2000}
    return [big | {"file": layer["file"] | {"name": f"static/{k}.planes"}} for k in range(64)]


def many_moving(document: dict[str, Any], count: int, width: int) -> None:
    """A first GOP of so many moving Gaussians with a field of this width; one feature each."""
    document["features"].update(height=2000, width=2000, features=1, columns=1)
    for gop in document["gops"]:
        gop["features"].update(
            offset=gop["features"]["offset"][:1], step=gop["features"]["step"][:1]
        )
        gop["field_config"].update(features=1)
    gop = document["gops"][0]
    gop["layers"] = [gop["layers"][0] | {"count": count, "height": 2000, "width": 2000}]
    gop["field_config"].update(width=width)


LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "zero-size image": lambda d: d["static"][0].update(height=0),
    "absurd grid": lambda d: d["static"][0].update(height=10**9, width=10**9),
    "grid beyond memory": lambda d: d["static"][0].update(height=4096, width=4096),
    "absurd count": lambda d: d["static"][0].update(count=10**9),
    "more Gaussians than cells": lambda d: d["static"][0].update(count=65),
    "no Gaussians": lambda d: d["static"][0].update(count=0),
    "absurd frame count": lambda d: d["gops"][1].update(frames=10**9),
    "no frames": lambda d: d["gops"][0].update(frames=0),
    "fractional frames": lambda d: d["gops"][0].update(frames=4.5),
    "gap in time": lambda d: d["gops"][1].update(start_frame=5),
    "no GOPs": lambda d: d.update(gops=[]),
    "GOPs of another type": lambda d: d.update(gops={"0": 1}),
    "absurd feature grid": lambda d: d["features"].update(height=4096, width=4096, columns=4),
    "feature grid too small": lambda d: d["features"].update(height=8, width=8),
    "no features": lambda d: d["features"].update(features=0),
    "no qualities": lambda d: d.update(rungs=[]),
    "equal qualities": lambda d: d["rungs"][1].update(qp=20),
    "unknown codec": lambda d: d["rungs"][0].update(codec="av7"),
    "a quality without segment": lambda d: d["gops"][0]["segments"].pop(),
    "absurd file": lambda d: d["gops"][0]["field"].update(size_bytes=10**15),
    "infinite number": lambda d: d["meta"].update(fps=1e999),
    "not a number": lambda d: d["meta"].update(radius=float("nan")),
    "no frame rate": lambda d: d["meta"].update(fps=0),
    "number as text": lambda d: d["meta"].update(fps="24"),
    "text as number": lambda d: d["meta"].update(title=7),
    "endless text": lambda d: d["meta"].update(title="x" * 10**6),
    "two coordinates": lambda d: d["meta"].update(up=[0, 1]),
    "missing attribute": lambda d: d["static"][0]["attributes"].pop("quats"),
    "too many bits": lambda d: d["static"][0]["attributes"]["means"].update(bits=40),
    "wrong channels": lambda d: d["static"][0]["attributes"]["means"].update(step=[1, 1]),
    "negative step": lambda d: d["static"][0]["attributes"]["quats"].update(step=[-1, 1, 1, 1]),
    "sinh overflow": lambda d: d["static"][0]["attributes"]["means"].update(step=[1e6] * 3),
    "absurd network": lambda d: d["gops"][0]["field_config"].update(width=10**8),
    "even window": lambda d: d["gops"][0]["field_config"].update(window=4),
    "backgrounds beyond white": lambda d: d["meta"].update(background=[0, 0, 1.5]),
    "static layers of one file": lambda d: d["static"].append(d["static"][0]),
    "static Gaussians beyond memory": lambda d: d.update(static=many_layers(d["static"][0])),
    "a checksum that is none": lambda d: d["gops"][0]["field"].update(sha256="x"),
    "a field of hours": lambda d: many_moving(d, count=900_000, width=1024),
    "moving Gaussians beyond memory": lambda d: many_moving(d, count=3_000_000, width=64),
    "other features": lambda d: d["gops"][0]["field_config"].update(features=5),
}


@pytest.mark.parametrize("lie", LIES)
def test_invalid_manifests_are_refused(tmp_path: Path, lie: str) -> None:
    with pytest.raises(NotAScene, match=r"scene\.json"):
        open_scene(edited(tmp_path, LIES[lie]))


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "static/../../outside",
        "/etc/passwd",
        "C:\\secret",
        "..\\outside",
        "https://example.org/x",
        "static//0.planes",
        "static/.hidden",
        "static/",
        "",
        "a?b",
        "a%2e%2e",
        "x" * 1000,
        7,
    ],
)
def test_paths_out_of_the_scene_are_refused(tmp_path: Path, name: object) -> None:
    with pytest.raises(NotAScene, match="name"):
        open_scene(edited(tmp_path, lambda d: d["static"][0]["file"].update(name=name)))


def test_links_out_of_the_scene_are_refused(tmp_path: Path) -> None:
    root = unpacked(tmp_path)
    planes = root / "static" / "0.planes"
    outside = tmp_path / "outside"
    planes.rename(outside)
    planes.symlink_to(outside)
    with open_scene(root) as scene, pytest.raises(MissingSegment, match="leads out"):
        scene.read_static()


# Archives that lie


def rezipped(tmp_path: Path, change: Callable[[zipfile.ZipInfo], None]) -> Path:
    """The golden archive with every entry's record changed."""
    path = tmp_path / "changed.stgs"
    with zipfile.ZipFile(HEVC) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            change(entry)
            new.writestr(entry, data)
    return path


def test_compressed_archives_are_refused(tmp_path: Path) -> None:
    def deflate(entry: zipfile.ZipInfo) -> None:
        entry.compress_type = zipfile.ZIP_DEFLATED

    with pytest.raises(NotAScene, match="compressed"):
        open_scene(rezipped(tmp_path, deflate))


def test_links_in_archives_are_refused(tmp_path: Path) -> None:
    def link(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = 0o120777 << 16

    with pytest.raises(NotAScene, match="link"):
        open_scene(rezipped(tmp_path, link))


@pytest.mark.parametrize("name", ["../evil", "/evil", "static/../../evil"])
def test_archive_paths_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    def rename(entry: zipfile.ZipInfo) -> None:
        if entry.filename == "scene.mpd":
            entry.filename = name

    with pytest.raises(NotAScene, match="leads out"):
        open_scene(rezipped(tmp_path, rename))


def test_archives_packed_by_other_tools_are_read(tmp_path: Path) -> None:
    """Extra fields in local headers, directory entries, an archive comment."""

    def extra(entry: zipfile.ZipInfo) -> None:
        entry.extra = b"UT\x60\x00" + bytes(96)

    path = rezipped(tmp_path, extra)
    with zipfile.ZipFile(path, "a") as archive:
        archive.mkdir("static")
        archive.comment = b"packed elsewhere"
    read_everything(path)


def test_archives_with_too_many_entries_are_refused() -> None:
    with pytest.raises(NotAScene, match="entries"):
        open_scene(HEVC, OpenSettings(limits=Limits(archive_entries=5)))


# Segments that lie


def test_missing_segments_are_named(tmp_path: Path) -> None:
    root = unpacked(tmp_path)
    for name in ("keyframes/0000.planes", "features/qp20/0001.m4s", "fields/0001.safetensors"):
        (root / name).unlink()
    with open_scene(root) as scene:
        with pytest.raises(MissingSegment, match=r"keyframes/0000\.planes"):
            scene.decode_gop(0, scene.quality(20))
        with pytest.raises(MissingSegment, match=r"fields/0001\.safetensors"):
            scene.decode_gop(1, scene.quality(20))


def test_truncated_longer_and_damaged_segments_are_refused(tmp_path: Path) -> None:
    root = unpacked(tmp_path)
    path = root / "keyframes" / "0000.planes"
    whole = path.read_bytes()
    flipped = whole[:900] + bytes([whole[900] ^ 1]) + whole[901:]
    for content, word in (
        (whole[:-1], "bytes"),
        (b"", "bytes"),
        (whole + b"x", "longer"),
        (flipped, "damaged"),
    ):
        path.write_bytes(content)
        with open_scene(root) as scene:
            with pytest.raises(CorruptSegment, match=word):
                scene.decode_gop(0, scene.quality(20))
            scene.decode_gop(1, scene.quality(20))  # the next GOP plays on


def planes_of(shape: tuple[int, ...], **other: np.ndarray) -> bytes:
    """A planes file whose images all have one shape."""

    def image(size: tuple[int, ...], kind: type) -> np.ndarray:
        stream = imagecodecs.jpegxl_encode(np.zeros(size, kind), lossless=True)
        return np.frombuffer(stream, np.uint8)

    images = {"means": image((*shape, 3), np.uint16), "opacity_logits": image(shape, np.uint8)}
    images |= {f"quats.{k}": image(shape, np.uint8) for k in range(4)}
    images |= {name: image((*shape, 3), np.uint8) for name in ("log_scales", "colors")}
    return safetensors.numpy.save({**images, **other})


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 8,
        b"\xff" * 64,
        planes_of((512, 512)),  # small file, large images
        planes_of((8, 9)),
        planes_of((8, 8), colors=np.frombuffer(b"\xff\x0a not an image", np.uint8)),
        planes_of((8, 8), colors=np.zeros(4, np.float32)),
        safetensors.numpy.save({"means": np.zeros(3, np.uint8)}),
    ],
)
def test_attribute_images_other_than_declared_are_refused(tmp_path: Path, data: bytes) -> None:
    root = with_file(tmp_path, lambda d: d["static"][0]["file"], data)
    with open_scene(root) as scene, pytest.raises(CorruptSegment, match=r"static/0\.planes"):
        scene.read_static()


def test_codes_beyond_their_bits_are_refused(tmp_path: Path) -> None:
    stream = imagecodecs.jpegxl_encode(np.full((8, 8, 3), 1 << 15, np.uint16), lossless=True)
    codes = planes_of((8, 8), means=np.frombuffer(stream, np.uint8))
    root = with_file(tmp_path, lambda d: d["static"][0]["file"], codes)
    with open_scene(root) as scene, pytest.raises(CorruptSegment, match="beyond"):
        scene.read_static()


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.pop("temporal.0.bias"),
        lambda w: w.update({"evil": np.zeros(3, np.float16)}),
        lambda w: w.update({"temporal.0.bias": np.zeros(99, np.float16)}),
        lambda w: w.update({"temporal.0.bias": np.zeros(16, np.float32)}),
        lambda w: w.update({"temporal.0.bias": np.full(16, np.nan, np.float16)}),
        lambda w: w.clear(),
    ],
)
def test_weights_other_than_declared_are_refused(
    tmp_path: Path, change: Callable[[dict[str, np.ndarray]], object]
) -> None:
    with zipfile.ZipFile(HEVC) as archive:
        weights = safetensors.numpy.load(archive.read("fields/0000.safetensors"))
    change(weights)
    data = safetensors.numpy.save(weights)
    root = with_file(tmp_path, lambda d: d["gops"][0]["field"], data)
    with open_scene(root) as scene, pytest.raises(CorruptSegment, match="fields/0000"):
        scene.decode_gop(0, scene.quality(20))


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    root = with_file(tmp_path, lambda d: d["gops"][0]["field"], pickle.dumps({"a": 1}))
    with open_scene(root) as scene, pytest.raises(CorruptSegment):
        scene.decode_gop(0, scene.quality(20))


# Random damage: nothing but CodecError may escape


def damaged(data: bytes, seed: int) -> bytes:
    """Some bytes flipped, or a piece cut out, or the end cut off."""
    chance = random.Random(seed)
    broken = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    if chance.random() < 0.3:
        at = chance.randrange(len(broken))
        del broken[at : at + chance.randint(1, 200)]
    return bytes(broken) if chance.random() < 0.8 else bytes(broken[: chance.randrange(len(data))])


def test_damaged_archives_raise_only_codec_errors(tmp_path: Path) -> None:
    whole = HEVC.read_bytes()
    path = tmp_path / "damaged.stgs"
    for seed in range(60):
        path.write_bytes(damaged(whole, seed))
        with contextlib.suppress(CodecError):
            read_everything(path)


@pytest.fixture(scope="module")
def golden() -> Iterator[Scene]:
    with open_scene(HEVC) as scene:
        yield scene


def _file(scene: Scene, name: str) -> bytes:
    return scene._files._container.read(name, 1 << 20)


@pytest.mark.parametrize("seed", range(40))
def test_damage_with_valid_checksums_raises_only_codec_errors(golden: Scene, seed: int) -> None:
    """Checksums keep out accidents, not attackers: the parsers themselves must hold."""
    gop, tiles = golden.manifest.gops[0], golden.manifest.tiles
    layer, representation = gop.layers[0], golden.manifest.representations[0]
    planes, weights = _file(golden, layer.file.name), _file(golden, gop.field.name)
    init = _file(golden, representation.init.name)
    media = _file(golden, gop.segments[0].file.name)
    shape = (gop.feature_frames, gop.dynamic_count, tiles.features)
    grid = (layer.count, layer.height, layer.width)
    for attempt in (
        lambda: decode_attribute_images(damaged(planes, seed), layer.bits, *grid, "x"),
        lambda: decode_field(damaged(weights, seed), gop.field_config, "x"),
        lambda: decode_segment(init, damaged(media, seed), tiles, shape, "hevc", "x"),
        lambda: decode_segment(damaged(init, seed), media, tiles, shape, "hevc", "x"),
        lambda: read_manifest(damaged(_file(golden, "scene.json"), seed)),
    ):
        with contextlib.suppress(CodecError):
            attempt()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_json_value_in_the_manifest_raises_only_not_a_scene(
    golden: Scene, data: st.DataObject
) -> None:
    document = json.loads(write_manifest(golden.manifest))
    holder: Any = document
    key: Any = data.draw(st.sampled_from(sorted(document)))
    while holder[key] and isinstance(holder[key], dict | list) and data.draw(st.booleans()):
        holder = holder[key]
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        key = data.draw(st.sampled_from(keys))
    holder[key] = data.draw(JSON)
    with contextlib.suppress(NotAScene):
        read_manifest(json.dumps(document).encode())


def test_manifest_survives_writing_and_reading(golden: Scene) -> None:
    assert read_manifest(write_manifest(golden.manifest)) == golden.manifest


def test_forged_file_is_found_by_its_digest(tmp_path: Path) -> None:
    """CRC-32 finds damage, not forgeries: other content of the same checksum can be made."""
    from streamstgs.codec.package.file_entry import FileEntry

    entry = FileEntry.of("a", b"content")
    assert entry.describes(b"content")
    assert not replace(entry, sha256="A" * 43).describes(b"content")
    assert replace(entry, sha256=None).describes(b"content")
    assert not replace(entry, sha256=None).describes(b"conten+")


def test_long_manifest_of_a_short_scene_is_not_parsed(tmp_path: Path) -> None:
    root = edited(tmp_path, lambda d: d.update(other=["x" * 100] * 20_000))
    with pytest.raises(NotAScene, match="bytes long for 2 GOPs"):
        open_scene(root)
