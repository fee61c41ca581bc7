"""Files that are unusual but right are read; those that are no scene are refused by name."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from streamstgs.codec.errors import CodecError
from streamstgs.codec.formats.gaussian_ply import write_gaussian_ply
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.ply import parse_header

from tests.exchange_samples import gltf_parts
from tests.splat_samples import (
    dynamic_arrays,
    made_up,
    npz,
    packed,
    ply_4d,
    spacetime_ply,
    splat_file,
)

COUNT = 60
RAW = made_up(COUNT, degree=0)
PLY = write_gaussian_ply(RAW)
COMMENT = b"comment %s\n"


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def count_of(path: Path) -> int:
    with open_reader(path) as reader:
        return len(reader.segment(0).gaussians_at(0.0))


def refused(path: Path, *words: str) -> None:
    with pytest.raises(CodecError) as refusal:
        open_reader(path).close()
    message = str(refusal.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message


# Headers of PLY files


@pytest.mark.parametrize(
    "remark",
    [b"the end_header follows", "m\u00b2".encode(), "m\u00b2".encode("latin-1"), b"\x0bend_header"],
)
@pytest.mark.parametrize("before", [b"format", b"element"])
def test_comment_of_a_ply_may_hold_any_text(remark: bytes, before: bytes, tmp_path: Path) -> None:
    data = PLY.replace(before, COMMENT % remark + before, 1)
    path = write(tmp_path, "a.ply", data)
    with open_reader(path) as reader:
        means = reader.segment(0).gaussians_at(0.0).means
    np.testing.assert_array_equal(means.numpy(), RAW.means)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("first", [b"\n", b"\r", b" ", b"x"])
def test_data_of_a_ply_may_begin_with_any_byte(line_end: bytes, first: bytes) -> None:
    header, end, _ = PLY.partition(b"end_header\n")
    header = (header + end).replace(b"\n", line_end)
    assert parse_header(header + first * 8).size_bytes == len(header)


def test_byte_order_that_a_ply_does_not_have_is_refused(tmp_path: Path) -> None:
    data = PLY.replace(b"little_endian", b"big_endian")
    refused(write(tmp_path, "a.ply", data), "a.ply", "of its 60 Gaussians")


# Kinds by content


@pytest.mark.parametrize("name", ["scene", "scene.ply", "scene.zip"])
def test_archive_of_any_name_is_known_by_its_files(name: str, tmp_path: Path) -> None:
    assert count_of(write(tmp_path, name, packed(made_up(COUNT), "sog"))) == COUNT
    assert count_of(write(tmp_path, name, npz(dynamic_arrays(count=COUNT)))) == COUNT
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("a1.ply", PLY)
    assert count_of(tmp_path / name) == COUNT


def test_archive_of_other_files_is_refused_by_name(tmp_path: Path) -> None:
    for name in ("report.docx", "report.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("word/document.xml", "<document/>")
        refused(tmp_path / name, name)


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><title>404</title>".ljust(320),
        bytes(320),
        bytes(range(256)) * 5,
        packed(made_up(COUNT), "ksplat")[: 32 * 200],
    ],
)
def test_other_content_named_splat_is_refused(content: bytes, tmp_path: Path) -> None:
    refused(write(tmp_path, "a.splat", content), "a.splat", "no .splat file")


# Scenes without Gaussians


def test_file_without_gaussians_is_refused(tmp_path: Path) -> None:
    none = RAW[np.zeros(0, np.int64)]
    files = {"a.ply": write_gaussian_ply(none), "a.glb": splat_file(none, "glb")}
    files |= {"4d.ply": ply_4d(0), "spacetime.ply": spacetime_ply(0)}
    files["params.npz"] = npz(dynamic_arrays(count=0))
    for name, content in files.items():
        refused(write(tmp_path, name, content), name, "without Gaussians")


def test_file_with_hardly_a_usable_gaussian_is_refused(tmp_path: Path) -> None:
    raw = made_up(COUNT, degree=0)
    raw.means[4:] = np.nan
    refused(write(tmp_path, "a.ply", write_gaussian_ply(raw)), "only 4 of its 60", "damaged")


def test_frame_without_gaussians_is_a_frame(tmp_path: Path) -> None:
    write(tmp_path, "a0.ply", PLY)
    write(tmp_path, "a1.ply", write_gaussian_ply(RAW[np.zeros(0, np.int64)]))
    with open_reader(tmp_path) as reader:
        assert [len(reader.segment(k).gaussians_at(0.0)) for k in range(2)] == [COUNT, 0]


@pytest.mark.parametrize("kind", ["ply", "compressed.ply", "spz", "sog", "ksplat", "splat", "glb"])
def test_file_of_one_gaussian_is_a_scene(kind: str, tmp_path: Path) -> None:
    assert count_of(write(tmp_path, f"a.{kind}", splat_file(made_up(1), kind))) == 1


# Files of a whole clip


@pytest.mark.parametrize("clip", [spacetime_ply(COUNT), ply_4d(COUNT)])
def test_folder_of_one_clip_plays_it(clip: bytes, tmp_path: Path) -> None:
    (tmp_path / "iteration_7000").mkdir()
    path = write(tmp_path / "iteration_7000", "point_cloud.ply", clip)
    with zipfile.ZipFile(tmp_path / "clip.zip", "w") as archive:
        archive.writestr("point_cloud.ply", clip)
    found = []
    for location in (path, path.parent, tmp_path / "clip.zip"):
        with open_reader(location) as reader:
            middle_s = reader.info.duration_s / 2
            means = reader.segment(0).gaussians_at(middle_s).means
            found.append((reader.info.format, reader.info.frame_count, means.tolist()))
    assert found[0][1] > 1
    assert found[1] == found[0] == found[2]


def test_folder_of_a_training_opens_its_newest_result(tmp_path: Path) -> None:
    run = tmp_path / "garden"
    for number, count in ((7_000, 20), (30_000, COUNT), (9_000, 30)):
        folder = run / "point_cloud" / f"iteration_{number}"
        folder.mkdir(parents=True)
        write(folder, "point_cloud.ply", write_gaussian_ply(made_up(count)))
    (run / "point_cloud" / "iteration_40000").mkdir()  # not written yet
    write(run, "input.ply", b"ply\nformat ascii 1.0\nelement vertex 0\nend_header\n")
    for location in (run, run / "point_cloud"):
        assert count_of(location) == COUNT
    with open_reader(run) as reader:
        assert reader.info.meta.title == "garden"
    shutil.rmtree(run / "point_cloud")
    (run / "input.ply").unlink()
    write(run, "params.npz", npz(dynamic_arrays(count=COUNT)))
    assert count_of(run) == COUNT


def trained(folder: Path, cameras: object) -> Path:
    """The folder of a training of 3D Gaussian Splatting."""
    (folder / "point_cloud" / "iteration_1").mkdir(parents=True)
    write(folder / "point_cloud" / "iteration_1", "point_cloud.ply", PLY)
    write(folder, "cameras.json", json.dumps(cameras).encode())
    return folder


def pose(turn_rad: float, tilt_rad: float) -> dict[str, object]:
    """A camera that is held level, turned around z and tilted; z is up."""
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    right, ahead = np.array([sin, -cos, 0]), np.array([cos, sin, 0])
    forward = np.cos(tilt_rad) * ahead - np.sin(tilt_rad) * np.array([0, 0, 1])
    columns = [right, np.cross(forward, right), forward]
    return {"id": 0, "position": [0, 0, 0], "rotation": np.stack(columns, axis=1).tolist()}


@pytest.mark.parametrize(
    ("turns", "tilt_rad"),
    [((0, 1, 2, 3, 4, 5, 6), 0.3), ((0, 0.4, 0.8), 0.6), ((0.1, 0.1), 0.05), ((0.5,), 0.05)],
)
def test_poses_of_a_training_tell_where_up_is(
    turns: tuple[float, ...], tilt_rad: float, tmp_path: Path
) -> None:
    poses = [pose(turn, tilt_rad) for turn in turns]
    with open_reader(trained(tmp_path / "run", poses)) as reader:
        assert reader.info.meta.up == (0.0, 0.0, 1.0)


def test_tilted_world_of_a_training_is_levelled(tmp_path: Path) -> None:
    angle = np.radians(20)
    tilt = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    poses = [pose(turn, 0.4) for turn in (0, 0.5, 1)]
    turned = [{"rotation": (tilt @ np.array(p["rotation"])).tolist()} for p in poses]
    with open_reader(trained(tmp_path / "run", turned)) as reader:
        assert reader.info.meta.up == pytest.approx(tilt[:, 2], abs=1e-6)


@pytest.mark.parametrize(
    "cameras",
    [
        [], {}, [{"id": 3}], [{"rotation": [[1, 0], [0, 1]]}], [{"rotation": [[0] * 3] * 3}],
        [{"rotation": [["a"] * 3] * 3}], [{"rotation": [[1e999] * 3] * 3}],
        [pose(0, 0), pose(0, np.pi)],
    ],
)  # fmt: skip
def test_poses_that_tell_nothing_are_left_out(cameras: object, tmp_path: Path) -> None:
    with open_reader(trained(tmp_path / "run", cameras)) as reader:
        assert reader.info.meta.up == (0.0, -1.0, 0.0)


def test_clips_are_no_frames_of_a_sequence(tmp_path: Path) -> None:
    for name in ("a0.ply", "a1.ply"):
        write(tmp_path, name, ply_4d(COUNT))
    refused(tmp_path, "a0.ply", "whole clip")


def test_first_frame_that_is_damaged_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a0.ply", PLY[:100])
    write(tmp_path, "a1.ply", PLY)
    refused(tmp_path, "a0.ply", "damaged header")


def test_count_of_0_is_a_file_without_gaussians(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(made_up(COUNT), "sog"))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    meta = json.loads(files["meta.json"])
    files["meta.json"] = json.dumps(meta | {"count": 0}).encode()
    for name, content in files.items():
        write(tmp_path, name, content)
    refused(tmp_path / "meta.json", "without Gaussians")


# Files that a .gltf names


def gltf(folder: Path, uri: str) -> Path:
    document, buffer = gltf_parts(RAW, uri=uri)
    write(folder, "buffer one.bin", buffer)
    return write(folder, "a.gltf", json.dumps(document).encode())


def test_buffer_beside_a_gltf_is_read(tmp_path: Path) -> None:
    assert count_of(gltf(tmp_path, "buffer%20one.bin")) == COUNT


@pytest.mark.parametrize("uri", ["loop.bin", "pipe.bin", "zero%00byte.bin", ".", "n" * 5000])
def test_name_that_is_no_file_is_refused(uri: str, tmp_path: Path) -> None:
    (tmp_path / "loop.bin").symlink_to("loop.bin")
    os.mkfifo(tmp_path / "pipe.bin")
    refused(gltf(tmp_path, uri), "a.gltf")
