"""Splat files of other programs: every kind is read as it was written, and wrong files refused."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, CodecError, CorruptSegment, NotAScene
from streamstgs.codec.formats import converter as converter_module
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.gaussian_ply import read_gaussian_ply, write_gaussian_ply
from streamstgs.codec.formats.guessed_up import guessed_up
from streamstgs.codec.formats.raw_gaussians import (
    RawGaussians,
    activated,
    moved,
    raw_of,
    turned,
    unit_rotations,
)
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.formats.splat_files import read_raw
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.cpu.backend import CpuBackend

from tests.splat_samples import PACKED, made_up, packed, splat_file

# Largest error of the values that each format keeps: positions, logarithms of scales, opacities,
# first coefficients, higher coefficients. None: the format does not keep them.
ERRORS: dict[str, tuple[float, float, float, float, float | None]] = {
    "ply": (0.0, 0.0, 1e-6, 0.0, 0.0),
    "compressed.ply": (0.004, 0.003, 0.003, 0.01, 0.02),
    "spz": (0.0003, 0.04, 0.003, 0.02, 0.07),
    "sog": (0.001, 0.05, 0.003, 0.05, 0.08),
    "ksplat": (1e-6, 1e-5, 0.004, 0.015, 1e-6),
    "splat": (0.0, 1e-5, 0.003, 0.01, None),
}


@pytest.fixture(scope="module")
def converter() -> Iterator[Converter]:
    converter = Converter()
    yield converter
    converter.close()


def matched(found: RawGaussians, wanted: RawGaussians) -> RawGaussians:
    """The Gaussians found in the order of the wanted ones: formats sort them."""
    distance = np.linalg.norm(found.means[None] - wanted.means[:, None], axis=-1)
    return found[distance.argmin(axis=1)]


@pytest.mark.parametrize("kind", ERRORS)
def test_file_is_read_within_the_error_of_its_format(kind: str, converter: Converter) -> None:
    wanted = made_up()
    data = splat_file(wanted, kind)
    found = matched(read_raw(data, f"a.{kind}", converter), wanted)
    means, scales, opacities, dc, rest = ERRORS[kind]
    np.testing.assert_allclose(found.means, wanted.means, atol=means)
    np.testing.assert_allclose(found.log_scales, wanted.log_scales, atol=scales)
    sigmoids = [1 / (1 + np.exp(-raw.logits)) for raw in (found, wanted)]
    np.testing.assert_allclose(*sigmoids, atol=opacities)
    np.testing.assert_allclose(found.sh[:, 0], wanted.sh[:, 0], atol=dc)
    if rest is None:
        assert found.sh.shape[1] == 1
    else:
        assert np.abs(found.sh[:, 1:] - wanted.sh[:, 1:]).max() <= rest
    first, second = (activated(raw, "a").quats for raw in (found, wanted))
    assert float((first * second).sum(dim=-1).abs().min()) > 0.999


def image(gaussians: Gaussians) -> torch.Tensor:
    backend = CpuBackend()
    try:
        K = torch.tensor([[120.0, 0, 64], [0, 120, 48], [0, 0, 1]])
        camera = Camera(torch.eye(4), K, 128, 96)
        moved = replace(gaussians, means=gaussians.means + torch.tensor([0.0, 0.0, 3.0]))
        return backend.render(moved, camera, RenderSettings()).cpu()
    finally:
        backend.close()


def psnr_db(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(-10 * torch.log10(((a - b) ** 2).mean().clamp(min=1e-12)))


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("ply", ".ply"), ("compressed.ply", ".ply"), ("spz", ".spz"), ("sog", ".sog")],
)
def test_colours_agree_with_an_independent_reader(
    kind: str, suffix: str, tmp_path: Path, converter: Converter
) -> None:
    import gsply

    path = tmp_path / f"file{suffix}"
    path.write_bytes(splat_file(made_up(), kind))
    ours = read_raw(path.read_bytes(), path.name, converter)
    read: Any = {".ply": gsply.plyread, ".spz": gsply.read_spz, ".sog": gsply.sogread}[suffix]
    other = read(str(path))
    sh = np.concatenate([other.sh0[:, None], other.shN], axis=1)
    theirs = RawGaussians(other.means, other.quats, other.scales, other.opacities, sh)
    theirs = turned(theirs) if kind == "spz" else theirs
    images = [image(activated(raw, path.name)) for raw in (ours, theirs)]
    assert psnr_db(*images) >= 45.0
    assert float(images[0].std()) > 0.05


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_ply_of_any_order_type_and_encoding_is_the_same(degree: int) -> None:
    wanted = made_up(20, degree)
    columns = read_columns_of(write_gaussian_ply(wanted))
    names = list(columns)[::-1]
    kinds = {name: "double" if i % 3 == 0 else "float" for i, name in enumerate(names)}
    for form, order in (("ascii", "<"), ("binary_little_endian", "<"), ("binary_big_endian", ">")):
        header = f"ply\nformat {form} 1.0\ncomment made\nelement before 2\nproperty uchar a\n"
        header += "element vertex 20\nproperty uchar extra\n"
        header += "".join(f"property {kinds[n]} {n}\n" for n in names) + "end_header\n"
        types = {name: order + ("f8" if kinds[name] == "double" else "f4") for name in names}
        records = np.zeros(20, [("extra", "u1"), *types.items()])
        for name in names:
            records[name] = columns[name]
        body = b"\1\2" + records.tobytes()
        if form == "ascii":
            rows = [" ".join(repr(float(value)) for value in record) for record in records.tolist()]
            body = ("1\n2\n" + "\n".join(rows)).encode()
        found = read_gaussian_ply(header.encode() + body, "a.ply")
        for key, value in vars(wanted).items():
            np.testing.assert_allclose(vars(found)[key], value, rtol=1e-6)


def read_columns_of(data: bytes) -> dict[str, np.ndarray]:
    from streamstgs.codec.formats.gaussian_ply import read_columns

    return read_columns(data, "a.ply")


def test_activation_and_its_inverse_agree() -> None:
    wanted = made_up(50)
    found = raw_of(activated(wanted, "a"))
    for key, value in vars(wanted).items():
        np.testing.assert_allclose(vars(found)[key], value, atol=2e-5)


def test_gaussians_without_usable_numbers_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    raw = made_up(10)
    raw.means[0, 0] = np.nan
    raw.means[1, 2] = 1e30
    raw.log_scales[2, 1] = np.inf
    raw.quats[3, 0] = np.nan
    raw.sh[4, 7, 1] = np.inf
    raw.logits[5] = np.nan
    raw.logits[6] = np.inf  # an opacity of 1
    raw.quats[7] = 0.0  # the identity
    found = activated(raw, "a.ply")
    assert len(found) == 4
    assert "6 Gaussians without usable numbers are left out" in caplog.text
    assert float(found.opacities[0]) == 1.0
    assert found.quats[1].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_file_without_any_usable_gaussian_is_refused() -> None:
    raw = made_up(3)
    raw.means[:] = np.nan
    with pytest.raises(CorruptSegment, match="none of its 3 Gaussians"):
        activated(raw, "a.ply")


def test_kind_is_chosen_by_content(tmp_path: Path) -> None:
    raw = made_up(60)
    for kind in ("ply", "compressed.ply", "spz"):
        path = tmp_path / f"{kind}-without-suffix"
        path.write_bytes(splat_file(raw, kind))
        with open_reader(path) as reader:
            assert reader.info.format == kind
            assert len(reader.segment(0).gaussians_at(0.0)) == 60


def test_sog_opens_as_archive_and_as_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.sog"
    path.write_bytes(packed(made_up(60), "sog"))
    folder = tmp_path / "folder"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    for location in (path, folder, folder / "meta.json"):
        with open_reader(location) as reader:
            assert reader.info.format == "sog"
            assert len(reader.segment(0).gaussians_at(0.0)) == 60


def test_opening_view_ignores_floaters(tmp_path: Path) -> None:
    raw = made_up(500)
    raw.means[:10] = 1e6
    path = tmp_path / "ball.ply"
    path.write_bytes(write_gaussian_ply(raw))
    with open_reader(path) as reader:
        meta = reader.info.meta
    assert np.abs(meta.center).max() < 0.2
    assert 1.5 < meta.radius < 4.0
    assert meta.up == (0.0, -1.0, 0.0)
    assert [preset.name for preset in meta.presets] == ["Front", "Right", "Back", "Left", "Top"]
    assert meta.presets[0].position[2] < -1.0
    assert meta.title == "ball"


def standing_scene(ceiling: bool = False) -> Gaussians:
    """Objects on a floor of flat Gaussians, and two walls; z is up."""
    rng = np.random.default_rng(0)
    floor = np.column_stack([rng.uniform(-2, 2, (3000, 2)), rng.normal(0, 0.01, 3000)])
    wall = np.column_stack([np.full(800, 2), rng.uniform(-2, 2, 800), rng.uniform(0, 2, 800)])
    places = [floor, wall, wall[:, [1, 0, 2]], rng.normal((0, 0, 0.5), 0.3, (1500, 3))]
    half = np.sqrt(0.5)
    turns = [(1, 0, 0, 0)] * 3000 + [(half, 0, half, 0)] * 800 + [(half, half, 0, 0)] * 800
    quats = [np.array(turns, float), rng.normal(size=(1500, 4))]
    if ceiling:
        places.append(floor + np.array([0, 0, 2]))
        quats.append(np.array(turns[:3000], float))
    means = torch.from_numpy(np.concatenate(places)).float()
    scales = torch.tensor([0.05, 0.05, 0.002]).expand(len(means), 3).clone()
    quaternions = unit_rotations(torch.from_numpy(np.concatenate(quats)).float())
    return Gaussians(means, quaternions, scales, torch.ones(len(means)), torch.ones(len(means), 3))


def turned_to(gaussians: Gaussians, rotation: np.ndarray) -> Gaussians:
    return activated(moved(raw_of(gaussians), rotation, 3.0, np.array([5.0, 6.0, 7.0])), "a")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_up_is_opposite_to_the_floor(axis: int, sign: int) -> None:
    up = sign * np.eye(3)[axis]
    other = np.roll(up, 1)
    rotation = np.stack([other, np.cross(up, other), up], axis=1).astype(float)
    assert guessed_up(turned_to(standing_scene(), rotation)) == tuple(up)


def test_tilted_floor_is_levelled() -> None:
    angle = np.radians(20)
    rotation = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    found = guessed_up(turned_to(standing_scene(), rotation))
    assert found == pytest.approx(rotation[:, 2], abs=0.02)


@pytest.mark.parametrize(("axis", "up"), [(1, (0, -1, 0)), (2, (0, 0, 1))])
def test_floor_and_ceiling_tell_the_axis_only(axis: int, up: tuple[int, int, int]) -> None:
    rotation = np.roll(np.eye(3), axis - 2, axis=0)
    for sign in (1, -1):
        turn = rotation * np.array([sign, 1, sign])
        assert guessed_up(turned_to(standing_scene(ceiling=True), turn)) == up


def test_up_is_minus_y_where_no_floor_is_found() -> None:
    ball = activated(made_up(2000), "ball")
    none = ball[torch.zeros(2000, dtype=torch.bool)]
    flat = replace(ball, scales=ball.scales * torch.tensor([1.0, 1.0, 0.01]))
    for gaussians in (ball, none, flat, standing_scene()[torch.arange(100)]):
        assert guessed_up(gaussians) == (0.0, -1.0, 0.0)


@pytest.mark.parametrize(
    ("name", "up"), [("z", (0.0, 0.0, 1.0)), ("-y", (0.0, -1.0, 0.0)), ("x", (1.0, 0.0, 0.0))]
)
def test_vertical_axis_of_a_ply_is_read_and_written(
    name: str, up: tuple[float, float, float], tmp_path: Path
) -> None:
    path = tmp_path / "ball.ply"
    path.write_bytes(write_gaussian_ply(made_up(300), up))
    assert f"comment Vertical Axis: {name}\n".encode() in path.read_bytes()
    with open_reader(path) as reader:
        meta = reader.info.meta
    assert meta.up == up
    for preset in meta.presets:
        away = np.subtract(preset.position, meta.center)
        assert np.linalg.norm(away) == pytest.approx(meta.radius)
        height = 80 if preset.name == "Top" else 10
        assert away @ up == pytest.approx(meta.radius * np.sin(np.radians(height)))


def refused(data: bytes, name: str, converter: Converter, match: str | None = None) -> None:
    with pytest.raises(CodecError, match=match):
        read_raw(data, name, converter)


@pytest.mark.parametrize("kind", ERRORS)
def test_files_that_are_cut_off_are_refused(kind: str, converter: Converter) -> None:
    data = splat_file(made_up(50), kind)
    for share in (0.3, 0.9):
        refused(data[: int(len(data) * share) - 1], f"a.{kind}", converter)


def test_declared_counts_are_checked_before_memory_is_taken(converter: Converter) -> None:
    huge = 2**31
    header = write_gaussian_ply(made_up(4)).replace(b"vertex 4", b"vertex %d" % huge)
    refused(header, "a.ply", converter, "declares")
    spz = bytearray(gzip.decompress(packed(made_up(4), "spz")))
    struct.pack_into("<I", spz, 8, huge)
    refused(gzip.compress(bytes(spz)), "a.spz", converter, "declares")
    struct.pack_into("<I", spz, 8, 5)
    refused(gzip.compress(bytes(spz)), "a.spz", converter, "too short")
    ksplat = bytearray(packed(made_up(4), "ksplat"))
    struct.pack_into("<I", ksplat, 16, 100_000)
    refused(bytes(ksplat), "a.ksplat", converter, "too short")


def test_bombs_are_refused(converter: Converter) -> None:
    spz = gzip.decompress(packed(made_up(4), "spz"))
    refused(gzip.compress(spz + bytes(64 << 20)), "a.spz", converter, "more than it declares")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.json", bytes(64 << 20))
        archive.writestr("a.webp", b"")
    refused(bomb.getvalue(), "a.sog", converter, "longer than")


def test_sog_that_names_files_outside_of_it_is_refused(converter: Converter) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(made_up(60), "sog"))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["meta.json"] = files["meta.json"].replace(b"quats.webp", b"../../etc/passwd")
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    refused(changed.getvalue(), "a.sog", converter, "no plain file name")


def spz_of_version(version: int) -> bytes:
    """An .spz file of version 1, 2 or 3 with harmonics of degree 3."""
    count, rng = 300, np.random.default_rng(0)
    third = gzip.decompress(packed(made_up(count), "spz"))
    if version == 3:
        return gzip.compress(third)
    sizes = (16, 9 * count, 7 * count, 4 * count)  # header, centres, others, rotations
    parts = np.split(np.frombuffer(third, np.uint8), np.cumsum(sizes))
    header, centers, others, _, harmonics = (bytearray(part.tobytes()) for part in parts)
    struct.pack_into("<I", header, 4, version)
    if version == 1:
        centers = bytearray(rng.normal(size=(count, 3)).astype("<f2").tobytes())
    rotations = rng.integers(60, 190, 3 * count).astype(np.uint8).tobytes()
    return gzip.compress(bytes(header + centers + others + rotations + harmonics))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_spz_of_each_version_is_read_as_by_gaussforge(version: int) -> None:
    gaussforge = pytest.importorskip("gaussforge")
    data = spz_of_version(version)
    ply = gaussforge.GaussForge().convert(data, "spz", "ply")["data"]
    wanted = turned(read_gaussian_ply(ply, "a.ply"))
    found = read_raw(data, "a.spz", Converter())
    for name, values in vars(wanted).items():
        np.testing.assert_allclose(getattr(found, name), values, atol=1e-6)


def test_points_without_gaussians_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "points.ply"
    header = "ply\nformat ascii 1.0\nelement vertex 1\n"
    header += "".join(f"property float {k}\n" for k in "xyz") + "end_header\n1 2 3\n"
    path.write_text(header)
    with pytest.raises(NotAScene, match="PLY point cloud without Gaussians"):
        open_reader(path)


@pytest.mark.parametrize("kind", [kind for kind in PACKED if kind != "spz"])
def test_decoder_that_takes_too_long_is_ended(kind: str) -> None:
    late = Converter(limit_s=0.0)
    with pytest.raises(CorruptSegment, match="took longer"):
        read_raw(packed(made_up(10), kind), f"a.{kind}", late)
    assert late._process is None


def test_decoder_that_crashes_costs_one_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = packed(made_up(10), "ksplat")
    script = tmp_path / "crash.py"
    script.write_text("import os, sys\nsys.stdin.buffer.readline()\nos.abort()\n")
    converter = Converter()
    with monkeypatch.context() as patched:
        patched.setattr(converter_module, "SCRIPT", script)
        with pytest.raises(CorruptSegment, match="failed"):
            read_raw(data, "a.ksplat", converter)
    assert len(read_raw(data, "a.ksplat", converter)) == 10
    converter.close()


def test_missing_decoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converter_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CodecError, match="pip install gaussforge"):
        read_raw(packed(made_up(10), "ksplat"), "a.ksplat", Converter())


def test_reading_is_cancelled(converter: Converter) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        read_raw(packed(made_up(10), "ksplat"), "a.ksplat", converter, cancel)
