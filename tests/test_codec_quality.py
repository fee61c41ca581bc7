"""The encoder says of each quality and GOP how well it shows what was trained."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from streamstgs.codec.encoder.config import AttributeBits, EncoderConfig, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.quality_measurement import (
    QualityMeter,
    static_layer_errors,
    trained_gop,
)
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.scene import open_scene
from streamstgs.renderer.backends.cpu.backend import CpuBackend

from tests.synthetic import SyntheticSource

SMALL = QualitySettings(height_px=60, frames_per_gop=2)
SOURCE = SyntheticSource(frames_per_gop=(6, 4))


def encoded(folder: Path, **changes: object) -> list[tuple[float | None, ...]]:
    """quality_db of each quality of each GOP."""
    config = replace(EncoderConfig(qps=(8, 40), quality=SMALL), **changes)
    encode_scene(SOURCE, folder / "ball.stgs", config)
    with open_scene(folder / "ball.stgs") as scene:
        return [tuple(s.quality_db for s in gop.segments) for gop in scene.manifest.gops]


def test_each_segment_has_its_quality(tmp_path: Path) -> None:
    for fine, coarse in encoded(tmp_path):
        assert fine is not None
        assert coarse is not None
        assert 45 < fine < 90
        assert 20 < coarse < fine - 3


def test_coarser_attributes_cost_quality_at_every_qp(tmp_path: Path) -> None:
    default = encoded(tmp_path)
    coarse = encoded(tmp_path, static_bits=AttributeBits(means=7, colors=4))
    assert all(b[0] < a[0] - 6 for a, b in zip(default, coarse, strict=True))  # type: ignore[operator]


def test_quality_is_not_measured_without_cameras(tmp_path: Path) -> None:
    found = encoded(tmp_path, quality=QualitySettings(cameras=0))
    assert found == [(None, None), (None, None)]
    with open_scene(tmp_path / "ball.stgs") as scene:
        assert scene.manifest.no_static_db is None
        assert {layer.quality_db for layer in scene.manifest.static} == {None}


def test_trained_gop_equals_its_own_reference() -> None:
    gop = trained_gop(SOURCE, 0, torch.device("cpu"))
    meter = QualityMeter(gop, SOURCE.meta, CpuBackend(), SMALL)
    assert meter.quality_db(gop) == 100.0
    nudged = replace(gop, features=gop.features + 0.02)
    assert meter.quality_db(nudged) < 60
    assert gop.features.dtype == torch.float32
    assert gop.windowed_features(0)[:, 2].tolist() == pytest.approx(
        SOURCE.gop(0).features[0, :, 2].tolist()
    )


def test_each_static_layer_raises_psnr(tmp_path: Path) -> None:
    encode_scene(SOURCE, tmp_path / "ball.stgs", EncoderConfig(qps=(8,), quality=SMALL))
    with open_scene(tmp_path / "ball.stgs") as scene:
        manifest = scene.manifest
        shown = [manifest.no_static_db, *(layer.quality_db for layer in manifest.static)]
        assert len(shown) > 4
        assert None not in shown
        assert all(a < b for a, b in pairwise(shown))  # type: ignore[operator]
        assert shown[-1] == 100.0
        assert scene.ladder().static_quality_db == tuple(shown)
        best = scene.decode_gop(1, scene.quality(8))
        errors = static_layer_errors(scene, best, CpuBackend(), SMALL)
        meter = QualityMeter(best, scene.meta, CpuBackend(), replace(SMALL, frames_per_gop=1))
        first = replace(best, static=best.static[: manifest.static[0].count])
        assert errors[1] == meter.error(first)
        assert errors[-1] == 0.0


def test_manifest_that_a_player_would_refuse_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamstgs.codec.limits.MANIFEST_BYTES", 100)
    monkeypatch.setattr("streamstgs.codec.limits.MANIFEST_BYTES_PER_GOP", 100)
    source = SyntheticSource(static_count=10, dynamic_count=10, frames_per_gop=(2,))
    with pytest.raises(EncodeError, match="at most 200 bytes"):
        encode_scene(source, tmp_path / "ball.stgs", EncoderConfig(qps=(32,), preset="ultrafast"))
    assert list(tmp_path.iterdir()) == []
