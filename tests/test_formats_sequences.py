"""Scenes of other programs that have several frames: numbered files, arrays, functions of time."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.codec.errors import CodecError, CorruptSegment, MissingSegment, NotAScene
from streamstgs.codec.formats.dynamic_npz import DynamicGaussians
from streamstgs.codec.formats.frames_reader import AnimatedReader, FramesReader
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.formats.sequence import frame_names

from tests.splat_samples import (
    dynamic_arrays,
    made_up,
    npz,
    spacetime_ply,
    splat_file,
    write_sequence,
)


def test_frames_are_in_the_order_of_their_numbers() -> None:
    names = ["f_10.ply", "f_2.ply", "f_1.ply", "notes.txt", "preview.spz", "._f_1.ply"]
    assert frame_names(names) == ("f_1.ply", "f_2.ply", "f_10.ply")
    names = ["a/cam1_frame2.ply", "a/cam1_frame1.ply"]
    assert frame_names(names) == ("a/cam1_frame1.ply", "a/cam1_frame2.ply")
    with pytest.raises(CorruptSegment, match="no frames"):
        frame_names(["notes.txt"])


@pytest.mark.parametrize("kind", ["ply", "spz", "splat", "sog"])
def test_folder_is_a_sequence(kind: str, tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "clip", frames=3, kind=kind)
    with open_reader(folder) as reader:
        assert isinstance(reader, FramesReader)
        assert (reader.info.frame_count, reader.info.meta.fps) == (3, 30.0)
        assert reader.info.meta.title == "clip"
        means = [reader.segment(index).gaussians_at(0.0).means for index in (0, 1, 2)]
        assert not torch.equal(means[0], means[1])
        for index, found in enumerate(means):
            wanted = torch.from_numpy(made_up(40, degree=1, seed=index).means)
            assert torch.cdist(found, wanted).min(dim=1).values.max() < 0.01


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archive_is_a_sequence(method: int, tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "clip")
    path = tmp_path / "clip.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.iterdir(), reverse=True):
            archive.write(file, f"clip/{file.name}")
    with open_reader(path, fps=24.0) as reader, open_reader(folder) as other:
        assert reader.info.meta.fps == 24.0
        for index in range(3):
            found, wanted = (r.segment(index).gaussians_at(0.0) for r in (reader, other))
            assert torch.equal(found.means, wanted.means)
            assert found.sh is not None


@pytest.mark.parametrize("pattern", ["frame_*.ply", "frame_%d.ply"])
def test_pattern_is_a_sequence(pattern: str, tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "clip")
    (folder / "other_1.ply").write_bytes(b"broken")
    with open_reader(folder / pattern) as reader:
        assert reader.info.frame_count == 3


def test_frame_rate_of_our_scenes_cannot_be_set() -> None:
    golden = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"
    with pytest.raises(NotAScene, match="own frame rate"):
        open_reader(golden, fps=24.0)


def test_folder_with_a_manifest_stays_a_scene_of_ours(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "clip")
    (folder / "scene.json").write_text("{}")
    with pytest.raises(CodecError, match=r"scene\.json|version"):
        open_reader(folder)


def test_broken_frame_costs_that_frame(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "clip")
    (folder / "frame_1.ply").write_bytes(b"ply\nbroken")
    with open_reader(folder) as reader:
        with pytest.raises(CorruptSegment, match="damaged header"):
            reader.segment(1)
        assert len(reader.segment(2).gaussians_at(0.0)) == 40
        (folder / "frame_2.ply").unlink()
        with pytest.raises(MissingSegment):
            reader.segment(2)
        with pytest.raises(IndexError):
            reader.segment(3)


def test_archive_with_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.zip"
    data = splat_file(made_up(40), "ply")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a_0.ply", data)
    changed = bytearray(path.read_bytes())
    changed[len(data) // 2] ^= 1
    path.write_bytes(changed)
    with pytest.raises(CodecError, match="checksum"):
        open_reader(path)


def test_dynamic_gaussians_are_read_at_any_time(tmp_path: Path) -> None:
    arrays = dynamic_arrays()
    path = tmp_path / "params.npz"
    path.write_bytes(npz(arrays))
    with open_reader(path) as reader:
        assert isinstance(reader, AnimatedReader)
        assert reader.info.segment_frames == (4,)
        segment = reader.segment(0)
        for frame in range(4):
            found = segment.gaussians_at(frame / 30)
            np.testing.assert_allclose(found.means, arrays["means3D"][frame])
            np.testing.assert_allclose(found.colors, arrays["rgb_colors"][frame])
            np.testing.assert_allclose(found.quats.norm(dim=1), 1.0, atol=1e-6)
        between = segment.gaussians_at(1.5 / 30)
        np.testing.assert_allclose(between.means, arrays["means3D"][1:3].mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(found.scales, np.exp(arrays["log_scales"]), rtol=1e-6)
        assert torch.equal(segment.gaussians_at(99.0).means, found.means)


def test_dynamic_rotations_go_the_shorter_way() -> None:
    quats = torch.tensor([[[1.0, 0, 0, 0]], [[-1.0, 0, 0, 0.001]]])
    moving = DynamicGaussians(
        torch.zeros(2, 1, 3), quats, torch.ones(1, 3), torch.ones(1), torch.ones(2, 1, 3)
    )
    assert abs(float(moving.at(0.5).quats[0, 0])) > 0.999


def test_arrays_with_pickled_objects_are_refused(tmp_path: Path) -> None:
    arrays = dynamic_arrays()
    arrays["means3D"] = np.array([{"a": 1}], dtype=object)
    path = tmp_path / "params.npz"
    path.write_bytes(npz(arrays))
    with pytest.raises(NotAScene, match="means3D is damaged"):
        open_reader(path)


@pytest.mark.parametrize(
    ("key", "shape"),
    [("means3D", (4, 20)), ("log_scales", (19, 3)), ("logit_opacities", (4, 20))],
)
def test_arrays_of_other_shapes_are_refused(
    key: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    arrays = dynamic_arrays()
    arrays[key] = np.zeros(shape, np.float32)
    path = tmp_path / "params.npz"
    path.write_bytes(npz(arrays))
    with pytest.raises(NotAScene, match=key):
        open_reader(path)


def test_array_that_declares_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    file, source = io.BytesIO(), zipfile.ZipFile(io.BytesIO(npz(dynamic_arrays())))
    with source, zipfile.ZipFile(file, "w") as archive:
        for name in source.namelist():
            content = source.read(name).replace(b"(4, 20, 3)", b"(4, 99, 3)")
            archive.writestr(name, content)
    path = tmp_path / "params.npz"
    path.write_bytes(file.getvalue())
    with pytest.raises(NotAScene, match="does not fit"):
        open_reader(path)


def test_other_arrays_are_no_scene(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(npz({"a": np.zeros(3)}))
    with pytest.raises(NotAScene, match="none of the arrays"):
        open_reader(path)


def test_spacetime_gaussians_follow_their_formulas(tmp_path: Path) -> None:
    path = tmp_path / "point_cloud.ply"
    data = spacetime_ply()
    path.write_bytes(data)
    header, _, body = data.partition(b"end_header\n")
    names = [line.split()[-1].decode() for line in header.split(b"\n") if b"property" in line]
    v = dict(zip(names, np.frombuffer(body, "<f4").reshape(50, -1).T.astype(float), strict=True))
    with open_reader(path) as reader:
        assert (reader.info.format, reader.info.frame_count) == ("spacetime", 50)
        segment = reader.segment(0)
        for frame in (0, 10, 31.5):
            found = segment.gaussians_at(frame / 30)
            d = frame / 50 - v["trbf_center"]
            x = v["x"] + v["motion_0"] * d + v["motion_3"] * d**2 + v["motion_6"] * d**3
            z = v["z"] + v["motion_2"] * d + v["motion_5"] * d**2 + v["motion_8"] * d**3
            np.testing.assert_allclose(found.means[:, 0], x, atol=1e-5)
            np.testing.assert_allclose(found.means[:, 2], z, atol=1e-5)
            fading = np.exp(-((d / np.exp(v["trbf_scale"])) ** 2))
            opacities = fading / (1 + np.exp(-v["opacity"]))
            np.testing.assert_allclose(found.opacities, opacities, atol=1e-5)
            quats = np.stack([v[f"rot_{i}"] + v[f"omega_{i}"] * d for i in range(4)], axis=1)
            quats /= np.linalg.norm(quats, axis=1, keepdims=True)
            np.testing.assert_allclose(found.quats, quats, atol=1e-4)
        np.testing.assert_allclose(found.colors[:, 1], v["f_dc_1"].clip(min=0), atol=1e-6)


def test_full_model_of_spacetime_gaussians_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "point_cloud.ply"
    path.write_bytes(spacetime_ply().replace(b"property float nx", b"property float f_t_0"))
    with pytest.raises(NotAScene, match="full model"):
        open_reader(path)
