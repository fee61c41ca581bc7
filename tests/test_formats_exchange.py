"""glTF, .4dgs and the first version of .sog: read as written, written as others read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import fourdgs
import numpy as np
import pytest
import torch
from fourdgs import keyframe_delta_file, keyframe_delta_writer
from streamstgs.codec.errors import CodecError, EncodeError, NotAScene
from streamstgs.codec.formats.convert import ConvertSettings, convert_fourdgs, convert_scene
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.exchange import fourdgs_writer
from streamstgs.codec.formats.raw_gaussians import RawGaussians, activated, moved, raw_of
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.formats.splat_files import read_raw
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.cpu.backend import CpuBackend

from tests.exchange_samples import glb, glb_file, gltf_parts, sog_v1, sog_v1_files
from tests.splat_samples import dynamic_arrays, made_up, npz, packed, write_sequence

GOLDEN = Path(__file__).resolve().parent / "golden" / "synthetic-v1-hevc.stgs"
TURN = np.array([[0.0, -0.6, 0.8], [1.0, 0.0, 0.0], [0.0, 0.8, 0.6]])


def raw_from(data: bytes, name: str) -> RawGaussians:
    converter = Converter()
    try:
        return read_raw(data, name, converter)
    finally:
        converter.close()


def picture(gaussians: Gaussians) -> torch.Tensor:
    backend = CpuBackend()
    try:
        K = torch.tensor([[120.0, 0, 64], [0, 120, 48], [0, 0, 1]])
        camera = Camera(torch.eye(4), K, 128, 96)
        shifted = replace(gaussians, means=gaussians.means + torch.tensor([0.0, 0.0, 3.0]))
        return backend.render(shifted, camera, RenderSettings()).cpu()
    finally:
        backend.close()


def psnr_db(first: Gaussians, second: Gaussians) -> float:
    error = float((picture(first) - picture(second)).square().mean())
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# --- glTF ----------------------------------------------------------------------------------------


def test_glb_is_read_as_it_was_written(tmp_path: Path) -> None:
    wanted = made_up()
    found = raw_from(glb(wanted), "a.glb")
    for key, value in vars(wanted).items():
        np.testing.assert_allclose(vars(found)[key], value, atol=1e-5, err_msg=key)
    with open_reader(write(tmp_path / "a.glb", glb(wanted))) as reader:
        assert reader.info.format == "gltf"
        assert reader.info.meta.up == (0.0, -1.0, 0.0)
    with open_reader(write_sequence(tmp_path / "clip", kind="glb")) as reader:
        assert reader.info.frame_count == 3


@pytest.mark.parametrize("way", ["matrix", "parts"])
def test_placed_gaussians_keep_their_looks(way: str) -> None:
    """A node undoes what was done to its Gaussians; their harmonics turn with them."""
    wanted = made_up(degree=3)
    flip = np.diag([1.0, -1.0, -1.0])  # the node's axes are those of glTF
    turn = flip @ TURN @ flip
    placed = moved(wanted, TURN.T, 0.5, np.zeros(3))
    matrix = np.eye(4)
    matrix[:3, :3] = 2.0 * turn
    node: dict[str, Any] = {"matrix": matrix.T.ravel().tolist()}
    if way == "parts":
        quat = np.array([1.0, 0, 0, 0], np.float32)
        unit = replace(wanted, quats=np.broadcast_to(quat, (len(wanted), 4)))
        w, x, y, z = moved(unit, turn, 1.0, np.zeros(3)).quats[0].tolist()
        node = {"rotation": [x, y, z, w], "scale": [2.0, 2.0, 2.0]}
    found = raw_from(glb_file(*gltf_parts(placed, node)), "a.glb")
    np.testing.assert_allclose(found.means, wanted.means, atol=1e-5)
    np.testing.assert_allclose(found.sh, wanted.sh, atol=1e-4)
    assert psnr_db(activated(found, "a"), activated(wanted, "b")) > 60


def test_gltf_of_another_writer(tmp_path: Path) -> None:
    raw = made_up(degree=2)
    rgba = np.concatenate(
        [0.5 + 0.28209479 * raw.sh[:, 0], 1 / (1 + np.exp(-raw.logits))[:, None]], axis=1
    )
    n = len(raw)
    coefficients = raw.sh[:, 1:].transpose(0, 2, 1).reshape(n, -1)
    scene = fourdgs.GaussianSet(
        positions=raw.means, scales=np.exp(raw.log_scales), rotations=raw.quats[:, [1, 2, 3, 0]],
        colors=np.clip(rgba, 0, 1).astype(np.float32), motions=np.zeros((n, 3), np.float32),
        mu_t=np.zeros(n, np.float32), sigma_t=np.full(n, np.inf, np.float32),
        win_lo=np.zeros(n), win_hi=np.ones(n),
        sh=np.rint((coefficients + 4) / 8 * 255).astype(np.uint8), sh_degree=2,
    )  # fmt: skip
    for name in ("a.glb", "b.gltf"):  # the latter with a buffer in a file of its own
        path = tmp_path / name
        fourdgs.to_gltf(str(path), scene, 0.5, cutoff=0.05, coordinate_system="y-up-right-handed")
        with open_reader(path) as reader:
            found = raw_of(reader.segment(0).gaussians_at(0.0))
        flipped = raw.means * np.array([1, -1, -1])
        np.testing.assert_allclose(found.means, flipped, atol=1e-6)
        assert found.sh.shape[1] == 9


def test_gltf_with_packed_gaussians_inside() -> None:
    raw = made_up(degree=1)
    spz = packed(raw, "spz")
    document, _ = gltf_parts(raw)
    primitive = document["meshes"][0]["primitives"][0]
    name = "KHR_gaussian_splatting_compression_spz_2"
    primitive["extensions"]["KHR_gaussian_splatting"]["extensions"] = {name: {"bufferView": 0}}
    document["bufferViews"] = [{"buffer": 0, "byteLength": len(spz)}]
    document["buffers"] = [{"byteLength": len(spz)}]
    found = raw_from(glb_file(document, spz), "a.glb")
    assert psnr_db(activated(found, "a"), activated(raw_from(spz, "a.spz"), "b")) > 100


def changed(edit: Any) -> bytes:
    document, buffer = gltf_parts(made_up(20, degree=1))
    edit(document)
    return glb_file(document, buffer)


def _cycle(document: dict[str, Any]) -> None:
    document["nodes"][0]["children"] = [0]


def _copies(document: dict[str, Any]) -> None:
    document["nodes"] = [{"mesh": 0}] * 3
    document["scenes"] = [{"nodes": [0, 1, 2]}]
    document["accessors"][0]["count"] = 10_000_000


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (_cycle, "no tree"),
        (_copies, "declares 30000000 Gaussians"),
        (lambda d: d["accessors"][0].update(count=21), "beyond its buffer"),
        (lambda d: d["accessors"][1].update(count=19), "not equally long"),
        (lambda d: d["bufferViews"][0].update(byteLength=1 << 40), "beyond its buffer"),
        (lambda d: d["buffers"][0].update(uri="../../etc/passwd"), "leads out"),
        (lambda d: d["buffers"][0].update(uri="http://example.org/a.bin"), "leads out"),
        (lambda d: d["nodes"][0].update(scale=[1, 2, 1]), "unevenly"),
        (lambda d: d["nodes"][0].update(scale=[-1, -1, -1]), "mirrors"),
        (lambda d: d.update(extensionsRequired=["EXT_meshopt_compression"]), "EXT_meshopt"),
        (lambda d: d["meshes"][0]["primitives"][0].pop("extensions"), "without Gaussians"),
        (lambda d: d.update(accessors="none"), "accessors"),
    ],
)
def test_damaged_gltf_is_refused(edit: Any, why: str) -> None:
    with pytest.raises(CodecError, match=why):
        raw_from(changed(edit), "a.glb")


# --- the first version of .sog -------------------------------------------------------------------


def test_first_version_of_sog(tmp_path: Path) -> None:
    wanted = made_up(50)
    (tmp_path / "folder").mkdir()
    for name, content in sog_v1_files(wanted).items():
        (tmp_path / "folder" / name).write_bytes(content)
    for path in (write(tmp_path / "a.sog", sog_v1(wanted)), tmp_path / "folder" / "meta.json"):
        with open_reader(path) as reader:
            gaussians = reader.segment(0).gaussians_at(0.0)
        found = raw_of(gaussians)
        np.testing.assert_allclose(found.means, wanted.means, atol=1e-4)
        np.testing.assert_allclose(found.log_scales, wanted.log_scales, atol=0.01)
        np.testing.assert_allclose(found.logits, wanted.logits, atol=0.02)
        np.testing.assert_allclose(found.sh, wanted.sh, atol=0.01)
        assert np.abs((found.quats * wanted.quats).sum(axis=1)).min() > 0.9999
        assert psnr_db(gaussians, activated(wanted, "a")) > 45


# --- .4dgs ---------------------------------------------------------------------------------------


def test_scene_survives_a_4dgs_file(tmp_path: Path) -> None:
    out = tmp_path / "clip.4dgs"
    with open_reader(GOLDEN) as scene:
        fps = scene.info.meta.fps
        assert convert_scene(scene, out, range(4)) == 4
        with open_reader(out, fps=fps) as clip:
            assert clip.info.frame_count == 4
            assert clip.info.format == "4dgs"
            for frame in range(4):
                time_s = frame / fps
                wanted = scene.segment(scene.info.segment_at(time_s)).gaussians_at(time_s)
                assert psnr_db(clip.segment(0).gaussians_at(time_s), wanted) > 45


def test_another_reader_opens_our_4dgs(tmp_path: Path) -> None:
    out, clip = tmp_path / "a.4dgs", tmp_path / "params.npz"
    clip.write_bytes(npz(dynamic_arrays(4, 20)))
    with open_reader(clip, fps=10.0) as reader:
        convert_fourdgs(reader, range(4), out)
        scene = fourdgs.read(str(out))
        assert scene.duration_sec == pytest.approx(0.4)
        assert scene.provenance.frames[0].up_axis == 4  # -y
        for frame in (0, 3):
            state = scene.state_at(frame / 10 + 1e-6)
            wanted = reader.segment(0).gaussians_at(frame / 10)
            found = np.sort(state["centers"], axis=0)
            np.testing.assert_allclose(found, np.sort(wanted.means, axis=0), atol=0.02)


def test_what_stands_still_is_written_once(tmp_path: Path) -> None:
    arrays = dynamic_arrays(6, 30)
    for key in ("means3D", "unnorm_rotations", "rgb_colors"):
        arrays[key][:, :20] = arrays[key][:1, :20]
    out, clip = tmp_path / "a.4dgs", write(tmp_path / "params.npz", npz(arrays))
    with open_reader(clip) as reader:
        convert_fourdgs(reader, range(6), out)
    assert fourdgs.read(str(out)).header.gaussian_count == 20 + 6 * 10


def test_harmonics_and_frames_of_other_numbers(tmp_path: Path) -> None:
    clip, out = write_sequence(tmp_path / "clip", count=60), tmp_path / "a.4dgs"
    (clip / "frame_1.ply").write_bytes((clip / "frame_1.ply").read_bytes())
    with open_reader(clip) as reader:
        convert_fourdgs(reader, range(3), out, ConvertSettings(keep=0.5))
        with open_reader(out) as found:
            for frame in range(3):
                gaussians = found.segment(0).gaussians_at(frame / 30)
                assert len(gaussians) == 30
                assert gaussians.sh is not None


def test_keyframes_of_another_writer(tmp_path: Path) -> None:
    arrays = dynamic_arrays(5, 16)
    samples = []
    for frame in range(5):
        quats = arrays["unnorm_rotations"][0][:, [1, 2, 3, 0]]
        opacities = 1 / (1 + np.exp(-arrays["logit_opacities"]))
        scene = fourdgs.GaussianSet(
            positions=arrays["means3D"][frame], scales=np.exp(arrays["log_scales"]),
            rotations=quats / np.linalg.norm(quats, axis=1, keepdims=True),
            colors=np.concatenate([arrays["rgb_colors"][0], opacities], axis=1),
            motions=np.zeros((16, 3), np.float32), mu_t=np.full(16, frame / 10, np.float32),
            sigma_t=np.full(16, 1e3, np.float32), win_lo=np.zeros(16), win_hi=np.full(16, 0.5),
        )  # fmt: skip
        samples.append(keyframe_delta_writer.Sample(frame / 10, np.arange(16), scene))
    data = keyframe_delta_file.write_sequence(samples, 0.5)
    with open_reader(write(tmp_path / "a.4dgs", data), fps=10.0) as reader:
        assert reader.info.frame_count == 5
        for frame in range(5):
            means = reader.segment(0).gaussians_at(frame / 10).means.numpy()
            wanted = arrays["means3D"][frame]
            np.testing.assert_allclose(np.sort(means, 0), np.sort(wanted, 0), atol=0.02)


def test_damaged_4dgs_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "a.4dgs"
    with open_reader(write(tmp_path / "a.glb", glb(made_up(30)))) as reader:
        convert_fourdgs(reader, [0], out)
    data = out.read_bytes()
    count = data.index((30).to_bytes(8, "little"))
    write(out, data[:count] + (9 << 60).to_bytes(8, "little") + data[count + 8 :])
    with pytest.raises(NotAScene, match="declares 10376"):
        open_reader(out)
    for cut in (12, 200, len(data) - 9):
        with pytest.raises(NotAScene):
            open_reader(write(out, data[:cut]))


def test_too_many_gaussians_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fourdgs_writer, "GAUSSIANS_PER_FILE", 100)
    with (
        open_reader(write_sequence(tmp_path / "clip", count=60)) as reader,
        pytest.raises(EncodeError, match="fewer frames"),
    ):
        convert_fourdgs(reader, range(3), tmp_path / "a.4dgs")
    assert not (tmp_path / "a.4dgs").exists()
