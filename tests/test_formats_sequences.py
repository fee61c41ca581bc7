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
from streamstgs.codec.formats.gaussians_4d_ply import clip_of, quaternions
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.formats.sequence import common_pattern, frame_names
from streamstgs.renderer.gaussians import rotation_matrices

from tests.splat_samples import (
    dynamic_arrays,
    made_up,
    npz,
    ply_4d,
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


def test_range_of_numbers_is_a_sequence(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "clip", frames=6)
    (folder / "frame_x.ply").write_bytes(b"broken")
    for pattern, frames in (("frame_{1..4}.ply", (1, 2, 3, 4)), ("frame_{1..5..2}.ply", (1, 3, 5))):
        with open_reader(folder / pattern) as reader:
            assert reader.info.frame_count == len(frames)
            for index, frame in enumerate(frames):
                found = reader.segment(index).gaussians_at(0.0).means.numpy()
                np.testing.assert_array_equal(found, made_up(40, degree=1, seed=frame).means)
    with pytest.raises(NotAScene, match="no frames"):
        open_reader(folder / "frame_{7..9}.ply")


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("f_2.ply", "f_1.ply", "f_3.ply"), "f_{1..3}.ply"),
        (("s2_008.spz", "s2_010.spz", "s2_012.spz"), "s2_{8..12..2}.spz"),
        (("f_1.ply", "f_2.ply", "f_5.ply"), "f_{1..5}.ply"),
        (("f_1.ply", "f_2.ply"), None),
        (("f_1.ply", "f_2.ply", "g_3.ply"), None),
        (("f1_1.ply", "f2_2.ply", "f3_3.ply"), None),
        (("a.ply", "b.ply", "c.ply"), None),
        (("f_1.stgs", "f_2.stgs", "f_3.stgs"), None),
        (("f_1.ply", "f_2.ply", "sub/f_3.ply"), None),
        (("f_1.ply", "f_2.ply", f"f_{10**12}.ply"), None),
    ],
)
def test_pattern_of_several_files(names: tuple[str, ...], pattern: str | None) -> None:
    wanted = None if pattern is None else str(Path("clip") / pattern)
    assert common_pattern([str(Path("clip") / name) for name in names]) == wanted


def test_files_of_a_server_have_no_pattern() -> None:
    assert common_pattern([f"https://example.org/f_{k}.ply" for k in range(3)]) is None


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


def columns_of(data: bytes) -> dict[str, np.ndarray]:
    """The properties of a binary PLY of float32, as float64."""
    header, _, body = data.partition(b"end_header\n")
    names = [line.split()[-1].decode() for line in header.split(b"\n") if b"property" in line]
    rows = np.frombuffer(body, "<f4").reshape(-1, len(names))
    return dict(zip(names, rows.T.astype(float), strict=True))


def product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Hamilton's product of quaternions, real parts first."""
    (a, *u), (b, *v) = p, q
    return np.array([a * b - np.dot(u, v), *(a * np.array(v) + b * np.array(u) + np.cross(u, v))])


@pytest.mark.parametrize("form", ["rot_r", "rot_4"])
def test_4d_gaussians_are_slices_of_space_and_time(form: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(ply_4d(form=form))
    v = columns_of(path.read_bytes())
    right = "rot_r_{}" if form == "rot_r" else "rot_{}"
    first = 0 if form == "rot_r" else 4
    with open_reader(path) as reader:
        assert (reader.info.format, reader.info.frame_count) == ("4d ply", 300)
        found = reader.segment(0).gaussians_at(4.0)
    rotations = rotation_matrices(found.quats).double()
    squares = torch.diag_embed(found.scales.double() ** 2)
    covariances = (rotations @ squares @ rotations.transpose(1, 2)).numpy()
    for n in range(50):
        before, after = (
            np.array([v[name.format(i + k)][n] for k in range(4)])
            for name, i in (("rot_{}", 0), (right, first))
        )
        before, after = before / np.linalg.norm(before), after / np.linalg.norm(after)
        after *= [1, -1, -1, -1]
        turn = np.stack([product(product(before, axis), after) for axis in np.eye(4)], axis=1)
        scale_t = v["scale_t_0" if form == "rot_r" else "scale_3"][n]
        deviations = np.exp([*(v[f"scale_{i}"][n] for i in range(3)), scale_t])
        precision = turn @ np.diag(deviations**-2) @ turn.T
        inner = np.linalg.inv(precision[:3, :3])  # of the slice, by the precision
        d = 4.0 - v["t"][n]
        place = np.array([v[axis][n] for axis in "xyz"]) - inner @ precision[:3, 3] * d
        np.testing.assert_allclose(covariances[n], inner, atol=1e-4 * inner.max())
        fading = np.exp(-0.5 * d * d / np.linalg.inv(precision)[3, 3])
        opacity = fading / (1 + np.exp(-v["opacity"][n])) if fading > 0.05 else 0.0
        assert float(found.opacities[n]) == pytest.approx(opacity, abs=1e-5)
        np.testing.assert_allclose(found.means[n], place, atol=1e-4)


def test_4d_gaussians_without_a_second_rotation_stand_still(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(ply_4d(form=""))
    v = columns_of(path.read_bytes())
    with open_reader(path) as reader:
        found = reader.segment(0).gaussians_at(4.0)
    np.testing.assert_allclose(found.means, np.stack([v[k] for k in "xyz"], axis=1), atol=1e-6)
    np.testing.assert_allclose(
        found.scales, np.exp(np.stack([v[f"scale_{i}"] for i in range(3)], axis=1)), rtol=1e-5
    )
    fading = np.exp(-0.5 * (4.0 - v["t"]) ** 2 / np.exp(v["scale_t"]))
    wanted = np.where(fading > 0.05, fading, 0.0) / (1 + np.exp(-v["opacity"]))
    np.testing.assert_allclose(found.opacities, wanted, atol=1e-5)


def test_colours_of_4d_gaussians_change_with_time(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(ply_4d(coefficients=48))
    v = columns_of(path.read_bytes())
    with open_reader(path) as reader:
        found = reader.segment(0).gaussians_at(2.5)
    assert found.sh is not None
    assert found.sh.shape == (50, 16, 3)
    cycle = 2 * np.pi * (2.5 - v["t"]) / 10
    for channel in range(3):
        rest = [v[f"f_rest_{47 * channel + k}"] for k in range(47)]
        parts = np.stack([v[f"f_dc_{channel}"], *rest]).reshape(3, 16, 50)
        wanted = parts[0] + np.cos(cycle) * parts[1] + np.cos(2 * cycle) * parts[2]
        np.testing.assert_allclose(found.sh[:, :, channel], wanted.T, atol=1e-5)


def test_incomplete_4d_gaussians_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    for before, after, message in (
        (b"float t\n", b"float u\n", "no property t"),
        (b"rot_r_3", b"rot_q_3", "no property rot_r_3"),
        (b"scale_t_0", b"scale_u_0", "no property scale_t"),
    ):
        path.write_bytes(ply_4d().replace(before, after))
        with pytest.raises(NotAScene, match=message):
            open_reader(path)


@pytest.mark.parametrize(
    ("times", "clip"),
    [((-1.0, 11.0), (0.0, 10.0)), ((-0.1, 1.1), (0.0, 1.0)), ((-0.6, 0.6), (-0.5, 1.0))],
)
def test_clip_of_4d_gaussians(times: tuple[float, float], clip: tuple[float, float]) -> None:
    assert clip_of(np.linspace(*times, 1000, dtype=np.float32)) == clip
    begin, length = clip_of(np.linspace(20, 24, 1000, dtype=np.float32))
    assert (begin, length) == pytest.approx((20.2, 3.6), abs=0.01)
    assert clip_of(np.full(3, 7, np.float32)) == (7.0, 1.0)


def test_rotations_become_quaternions() -> None:
    quats = np.random.default_rng(0).normal(size=(200, 4))
    quats[:8] = np.repeat(np.eye(4), 2, axis=0)  # half turns, and none
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    found = quaternions(rotation_matrices(torch.from_numpy(quats)).numpy())
    np.testing.assert_allclose(np.abs((found * quats).sum(axis=1)), 1.0, atol=1e-9)


def test_spacetime_gaussians_follow_their_formulas(tmp_path: Path) -> None:
    path = tmp_path / "point_cloud.ply"
    data = spacetime_ply()
    path.write_bytes(data)
    v = columns_of(data)
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
