"""What the decoder returns is what the encoder says it wrote."""

from __future__ import annotations

import functools
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.codec.attributes.attribute_images import decode_attribute_images
from streamstgs.codec.encoder.config import EncoderConfig, EncodeReport, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import Cancelled, EncodeError, UnknownQuality, WriteError
from streamstgs.codec.info import describe
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.time_budget import TimeBudget
from streamstgs.renderer import DeformationField, FieldConfig, Gaussians
from streamstgs.renderer.gaussians import rotation_matrices

from tests.cancel_tokens import TokenOfChecks
from tests.synthetic import SyntheticSource

SOURCE = SyntheticSource(frames_per_gop=(6, 6, 4))
CONFIG = EncoderConfig(qps=(16, 32), keep_codes=True, quality=QualitySettings(cameras=0))


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EncodeReport]:
    out = tmp_path_factory.mktemp("scenes") / "ball"
    return out, encode_scene(SOURCE, out, CONFIG)


@functools.cache
def _single_file(directory: Path) -> Path:
    out = directory.with_suffix(".stgs")
    encode_scene(SOURCE, out, CONFIG)
    return out


@pytest.fixture(params=["directory", "archive"])
def scene(request: pytest.FixtureRequest, encoded: tuple[Path, EncodeReport]) -> Iterator[Scene]:
    path = encoded[0] if request.param == "directory" else _single_file(encoded[0])
    with open_scene(path) as opened:
        yield opened


def test_attribute_codes_round_trip_exactly(
    scene: Scene, encoded: tuple[Path, EncodeReport]
) -> None:
    written = encoded[1].static_codes + encoded[1].gop_codes
    layers = [*scene.manifest.static, *(layer for g in scene.manifest.gops for layer in g.layers)]
    static = CONFIG.static.layers + 1  # that of the far ones
    assert len(written) == len(layers) == static + SOURCE.gop_count
    for layer, codes in zip(layers, written, strict=True):
        data = scene._files.read(layer.file)
        name = layer.file.name
        read = decode_attribute_images(
            data, layer.bits, layer.count, layer.height, layer.width, name
        )
        for attribute, values in codes.items():
            np.testing.assert_array_equal(read[attribute], values)
            assert read[attribute].dtype == values.dtype


def test_decoded_features_have_the_declared_psnr(
    scene: Scene, encoded: tuple[Path, EncodeReport]
) -> None:
    for index, written in enumerate(encoded[1].feature_codes):
        errors = []
        for qp in sorted(quality.qp for quality in scene.qualities):
            decoded = scene.decode_gop(index, scene.quality(qp)).features.numpy()
            assert decoded.shape == written.shape
            errors.append(np.square(decoded.astype(float) - written.astype(float)).mean())
            psnr_db = 10 * np.log10(255**2 / errors[-1])
            assert psnr_db == pytest.approx(
                scene.feature_psnr_db(index, scene.quality(qp)), abs=0.01
            )
        assert errors[0] < 1.0
        assert errors[0] < errors[1]


def test_directory_and_archive_hold_the_same_scene(encoded: tuple[Path, EncodeReport]) -> None:
    with open_scene(encoded[0]) as one, open_scene(_single_file(encoded[0])) as other:
        assert one.manifest == other.manifest
        torch.testing.assert_close(one.read_static().means, other.read_static().means)


def test_decoded_motion_equals_trained_motion(scene: Scene) -> None:
    """The decoded GOP, in whatever order, is the trained one to within the quantisation."""
    for index in range(scene.gop_count):
        trained = SOURCE.gop(index)
        gop = scene.decode_gop(index, scene.quality(16))
        assert gop.frames == trained.frames
        for frame in (0, trained.frames - 1):
            windowed = trained.features[frame : frame + 3].permute(1, 0, 2).flatten(1)
            with torch.no_grad():
                wanted = trained.field(trained.canonical, windowed, frame / trained.frames)
            _assert_same_set(wanted.activate().means, gop.dynamic_at(frame).means, 0.02)


def test_static_gaussians_survive_quantisation(scene: Scene) -> None:
    wanted, found = SOURCE.static.activate(), scene.read_static()
    nearest = _assert_same_set(wanted.means, found.means, 1e-3)
    for name, tolerance in (("opacities", 5e-3), ("colors", 5e-3)):
        difference = getattr(wanted, name) - getattr(found, name)[nearest]
        assert difference.abs().max() < tolerance, name
    extent = wanted.scales.square().amax()
    assert (_covariances(wanted) - _covariances(found)[nearest]).abs().max() < 0.02 * extent


def _covariances(gaussians: Gaussians) -> torch.Tensor:
    """The axes of an ellipsoid may be named anew; its shape stays."""
    spread = rotation_matrices(gaussians.quats) * gaussians.scales[:, None, :]
    return spread @ spread.transpose(1, 2)


def _assert_same_set(wanted: torch.Tensor, found: torch.Tensor, tolerance: float) -> torch.Tensor:
    distance = torch.cdist(wanted.double(), found.double())
    nearest = distance.argmin(dim=1)
    assert len(nearest.unique()) == len(wanted) == len(found)
    assert distance.min(dim=1).values.max() < tolerance
    return nearest


def test_first_static_layer_holds_the_most_important_gaussians(scene: Scene) -> None:
    gaussians, first = scene.read_static(), scene.manifest.static[0].count
    weight = gaussians.opacities * gaussians.scales.topk(2, dim=-1).values.prod(dim=-1)
    assert weight[:first].mean() > 1.3 * weight[first:].mean()


def test_static_layers_are_named_in_their_order_and_the_farthest_come_second(scene: Scene) -> None:
    layers, means = scene.manifest.static, scene.read_static().means
    assert [layer.file.name for layer in layers] == [f"static/{k}.planes" for k in range(8)]
    assert [layer.count for layer in layers] == [17, 6, 21, 29, 36, 48, 62, 81]  # 2 % of 300 are 6
    first, far, *others = means.norm(dim=-1).split([layer.count for layer in layers])
    assert far.min() > max(part.max() for part in (first, *others))


def test_times_and_sizes(scene: Scene, encoded: tuple[Path, EncodeReport]) -> None:
    assert [scene.gop_frames(k) for k in range(3)] == [6, 6, 4]
    assert [scene.gop_start_frame(k) for k in range(3)] == [0, 6, 12]
    assert scene.duration_s == pytest.approx(16 / 24)
    assert scene.meta == SOURCE.meta
    report = encoded[1]
    parts = scene.bytes_per_frame(scene.quality(16))
    assert parts["total"] == pytest.approx(sum(v for k, v in parts.items() if k != "total"))
    on_disk = sum(p.stat().st_size for p in encoded[0].rglob("*") if p.is_file())
    assert report.total_bytes == on_disk
    assert (
        scene.bytes_per_frame(scene.quality(16))["features"]
        > scene.bytes_per_frame(scene.quality(32))["features"]
    )
    assert parts["features"] * 16 == pytest.approx(report.qp_bytes[16])


def test_describe_is_plain_json(scene: Scene) -> None:
    told = json.loads(json.dumps(describe(scene), allow_nan=False))
    assert told["frames"] == 16
    assert [quality["qp"] for quality in told["qualities"]] == [16, 32]
    assert sum(told["gaussians"]["static"]) == 300
    assert told["gaussians"]["dynamic"] == [200, 200, 200]


def test_same_input_gives_the_same_bytes(encoded: tuple[Path, EncodeReport]) -> None:
    again = encoded[0].with_name("again.stgs")
    encode_scene(SOURCE, again, CONFIG)
    assert again.read_bytes() == _single_file(encoded[0]).read_bytes()


def test_archive_is_a_plain_stored_zip(encoded: tuple[Path, EncodeReport]) -> None:
    with zipfile.ZipFile(_single_file(encoded[0])) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[:2] == ["scene.json", "scene.mpd"]
        assert {e.compress_type for e in archive.infolist()} == {zipfile.ZIP_STORED}


def test_static_is_read_once(scene: Scene) -> None:
    assert scene.read_static() is scene.read_static("cpu")
    assert scene.decode_gop(0, scene.quality(32)).static is scene.read_static()


def test_decoding_can_be_cancelled_at_any_check(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.read_static()
    for checks in range(1, 7):
        counted = TokenOfChecks(checks)
        monkeypatch.setattr(TimeBudget, "cancelled", property(lambda _, c=counted: c.cancelled))
        with pytest.raises(Cancelled):
            scene.decode_gop(0, scene.quality(16))


def test_unknown_gop_and_quality_are_refused(scene: Scene) -> None:
    with pytest.raises(IndexError):
        scene.decode_gop(3, scene.quality(16))
    with pytest.raises(IndexError):
        scene.decode_gop(-1, scene.quality(16))
    with pytest.raises(UnknownQuality, match="it has 16, 32"):
        scene.quality(17)
    with pytest.raises(UnknownQuality):
        scene.decode_gop(0, Quality(0, 16, 0.0))


@pytest.mark.parametrize(("static_count", "dynamic_count"), [(0, 50), (50, 0), (1, 1)])
def test_tiny_scenes_round_trip(tmp_path: Path, static_count: int, dynamic_count: int) -> None:
    source = SyntheticSource(static_count, dynamic_count, (2, 3))
    encode_scene(source, tmp_path / "s", replace(CONFIG, qps=(24,), sort=False))
    with open_scene(tmp_path / "s") as scene:
        gop = scene.decode_gop(1, scene.quality(24))
        assert len(gop.static) == static_count
        assert gop.features.shape == (5, dynamic_count, 4)
        assert len(gop.gaussians_at(1.5)) == static_count + dynamic_count


class VaryingSource(SyntheticSource):
    """GOPs of different numbers of Gaussians."""

    def gop(self, index: int):
        whole = super().gop(index)
        count = (40, 200, 77)[index]
        return replace(whole, canonical=whole.canonical[:count], features=whole.features[:, :count])


@pytest.mark.parametrize("codec", ["hevc", "h264"])
def test_gops_may_differ_in_size(tmp_path: Path, codec: str) -> None:
    source = VaryingSource(frames_per_gop=(3, 4, 2))
    encode_scene(source, tmp_path / "s.stgs", EncoderConfig(qps=(16,), codec=codec, sort=False))
    with open_scene(tmp_path / "s.stgs") as scene:
        for index, count in enumerate((40, 200, 77)):
            gop = scene.decode_gop(index, scene.quality(16))
            assert len(gop.canonical) == count
            low, high = gop.features[..., 2].amin(), gop.features[..., 2].amax()
            assert (low, high) >= (0, 200)  # the whole code range is used in spite of padding


class BrokenSource(SyntheticSource):
    def gop(self, index: int):
        whole = super().gop(index)
        if index == 1:
            whole.canonical.means[3, 1] = float("nan")
        return whole


class WrongFeatures(SyntheticSource):
    def gop(self, index: int):
        whole = super().gop(index)
        return replace(whole, features=whole.features[:-1])


class HugeWeights(SyntheticSource):
    def gop(self, index: int):
        whole = super().gop(index)
        torch.nn.init.constant_(whole.field.temporal[0].weight, 1e6)
        return whole


@pytest.mark.parametrize("source", [BrokenSource(), WrongFeatures(), HugeWeights()])
def test_failed_encoding_leaves_no_files(tmp_path: Path, source: SyntheticSource) -> None:
    with pytest.raises(EncodeError):
        encode_scene(source, tmp_path / "s.stgs", EncoderConfig(qps=(32,), sort=False))
    assert list(tmp_path.iterdir()) == []


def test_encoder_replaces_scenes_but_nothing_else(
    tmp_path: Path, encoded: tuple[Path, EncodeReport]
) -> None:
    mine = tmp_path / "precious"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    with pytest.raises(WriteError):
        encode_scene(SOURCE, mine, CONFIG)
    assert (mine / "letter.txt").read_text() == "dear"
    copy = tmp_path / "copy"
    shutil.copytree(encoded[0], copy)
    encode_scene(SyntheticSource(10, 10, (2,)), copy, replace(CONFIG, qps=(32,)))
    with open_scene(copy) as scene:
        assert [quality.qp for quality in scene.qualities] == [32]
        assert scene.gop_count == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "precious"]


def test_moving_quaternions_keep_sign_and_length(tmp_path: Path) -> None:
    """A field adds to the stored quaternion: flipping or normalising it would change the sum."""
    source = ConstantQuaternions()
    encode_scene(source, tmp_path / "s", EncoderConfig(qps=(24,), sort=False))
    with open_scene(tmp_path / "s") as scene:
        quats = scene.decode_gop(0, scene.quality(24)).canonical.quats
        torch.testing.assert_close(quats, torch.tensor([[-3.0, 0.5, 0.25, 2.0]]).expand(20, -1))
        static = scene.read_static().quats
    assert (static[:, 0] > 0).all()


class ConstantQuaternions(SyntheticSource):
    def gop(self, index: int):
        whole = super().gop(index)
        quats = torch.tensor([[-3.0, 0.5, 0.25, 2.0]]).expand(20, 4)
        canonical = replace(whole.canonical[:20], quats=quats)
        return replace(whole, canonical=canonical, features=whole.features[:, :20])


def test_progress_rises_to_one(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    source = SyntheticSource(20, 20, (2, 2))
    config = EncoderConfig(qps=(32,), sort=False)
    encode_scene(source, tmp_path / "s", config, lambda what, share: told.append((what, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0


def test_field_weights_are_half_precision(scene: Scene) -> None:
    trained = SOURCE.gop(1).field.state_dict()
    for name, weight in scene.decode_gop(1, scene.quality(32)).field.state_dict().items():
        torch.testing.assert_close(weight, trained[name].half().float(), rtol=0, atol=0)


def test_fields_of_any_shape_round_trip(tmp_path: Path) -> None:
    class Deep(SyntheticSource):
        def gop(self, index: int):
            whole = super().gop(index)
            config = FieldConfig(features=4, width=8, time_frequencies=0, position_frequencies=3)
            return replace(whole, field=DeformationField(config).eval())

    encode_scene(Deep(10, 10, (2,)), tmp_path / "s", EncoderConfig(qps=(32,), sort=False))
    with open_scene(tmp_path / "s") as scene:
        assert scene.decode_gop(0, scene.quality(32)).field.config.position_frequencies == 3
