"""The measured picture quality, and how the package carries it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.codec.encoder.config import EncoderConfig, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.quality_measurement import (
    QUALITY_CAP_DB,
    QualityMeter,
    quality_cameras,
)
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.streaming.adaptive import ladder_of
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.synthetic import SyntheticSource


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    out: Path = tmp_path_factory.mktemp("scene") / "ball.stgs"
    config = EncoderConfig(qps=(16, 45), quality=QualitySettings(cameras=0))
    encode_scene(SyntheticSource(frames_per_gop=(8,)), out, config)
    with open_scene(out) as opened:
        yield opened


def with_quality(manifest: Manifest, quality_db: tuple[float, ...]) -> Manifest:
    gop = manifest.gops[0]
    pairs = zip(gop.segments, quality_db, strict=True)
    segments = tuple(replace(segment, quality_db=value) for segment, value in pairs)
    return replace(manifest, gops=(replace(gop, segments=segments),))


def test_quality_falls_with_coarser_features_and_missing_layers(scene: Scene) -> None:
    reference = scene.decode_gop(0, scene.quality(16))
    settings = QualitySettings(height_px=48, frames_per_gop=2)
    meter = QualityMeter(reference, scene.meta, ReferenceBackend(), settings)
    coarse = replace(reference, features=torch.full_like(reference.features, 128))
    assert meter.quality_db(reference) == QUALITY_CAP_DB
    assert meter.quality_db(coarse) < 40
    prefixes = (replace(reference, static=reference.static[:count]) for count in (0, 150, 300))
    none, half, full = (meter.quality_db(prefix) for prefix in prefixes)
    assert none < half < full == QUALITY_CAP_DB


def test_scene_without_presets_is_measured_from_its_orbit(scene: Scene) -> None:
    bare = replace(scene.meta, presets=(), radius=3.0)
    (camera,) = quality_cameras(bare, QualitySettings(height_px=48))
    distance = (camera.position - torch.tensor(bare.center)).norm().item()
    assert distance == pytest.approx(3.0, rel=1e-4)


def test_quality_in_the_manifest_is_optional(scene: Scene) -> None:
    old = scene.manifest
    assert b"quality_db" not in write_manifest(old)
    fallback = ladder_of(old).gops[0].quality_db
    assert fallback == tuple(segment.psnr_db for segment in reversed(old.gops[0].segments))
    data = write_manifest(with_quality(old, (50.5, 41.25)))
    assert ladder_of(read_manifest(data)).gops[0].quality_db == (41.25, 50.5)


def test_impossible_quality_is_refused(scene: Scene) -> None:
    data = write_manifest(with_quality(scene.manifest, (50.5, 1e6)))
    with pytest.raises((ValueError, NotAScene)):
        read_manifest(data)


def test_ladders_loop_and_scale(scene: Scene) -> None:
    ladder = ladder_of(scene.manifest)
    assert ladder.looped(10 * ladder.duration_s).duration_s == pytest.approx(10 * ladder.duration_s)
    assert ladder.scaled(2.0).bandwidth_bps(1) == pytest.approx(2 * ladder.bandwidth_bps(1))
    layers = len(ladder.static_bytes)
    shown = [ladder.shown_db(0, 0, count) for count in range(layers + 1)]
    assert shown == sorted(shown)
    assert shown[-1] == pytest.approx(ladder.gops[0].quality_db[0])
