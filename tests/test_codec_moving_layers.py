"""Keyframe layers of moving Gaussians: which come first, what each quality has, how it plays."""

import json
import math
from pathlib import Path

import pytest
import torch
from streamstgs.codec.encoder.config import EncoderConfig, MovingLayerSettings, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.moving_layers import divide_moving, plan_layers, rows_of
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.package.manifest_json import read_manifest
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.streaming.adaptive import ladder_of
from streamstgs.codec.video.tile_layout import TileLayout
from streamstgs.renderer import CanonicalGaussians

from tests.layered_scene import COUNT, QPS, BusySource, write_layered
from tests.synthetic import SyntheticSource

pytestmark = pytest.mark.timeout(600)  # compiles kernels where the cache has none


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layered(tmp_path_factory.mktemp("layers") / "scene")


@pytest.fixture
def scene(path: Path) -> Scene:
    return open_scene(path)


def test_worse_qualities_have_fewer_gaussians_and_bytes(scene: Scene) -> None:
    manifest = scene.manifest
    assert manifest.version == 3
    for gop in manifest.gops:
        counts = [gop.moving_count(place) for place in range(len(QPS))]
        assert counts[0] == COUNT
        assert counts[0] > counts[1] > counts[2] > 0
    rates = [quality.bitrate_bps for quality in scene.qualities]
    assert rates == sorted(rates)
    assert rates[0] < 0.8 * rates[-1]
    psnrs_db = [quality.psnr_db or 0.0 for quality in scene.qualities]
    assert psnrs_db == sorted(psnrs_db)


def test_a_decoded_gop_has_the_gaussians_of_its_quality(scene: Scene) -> None:
    manifest = scene.manifest
    best = scene.decode_gop(0, scene.qualities[-1])
    for place, quality in enumerate(reversed(scene.qualities)):
        gop, count = scene.decode_gop(0, quality), manifest.gops[0].moving_count(place)
        assert len(gop.canonical) == gop.features.shape[1] == count
        torch.testing.assert_close(gop.canonical.means, best.canonical.means[:count])
        assert len(gop.static) == sum(layer.count for layer in manifest.static_of(place))


def test_features_of_a_prefix_are_those_of_the_same_gaussians(scene: Scene) -> None:
    best, worst = (
        scene.decode_gop(0, q).features for q in (scene.qualities[-1], scene.qualities[0])
    )
    difference = best[:, : worst.shape[1]].float() - worst.float()
    assert difference.abs().mean() < 6
    shuffled = best[:, : worst.shape[1]].flip(1).float() - worst.float()
    assert shuffled.abs().mean() > 2 * difference.abs().mean()


def test_what_cannot_be_seen_comes_last() -> None:
    source = BusySource()
    settings = MovingLayerSettings(frames=2, presets=1, ring_views=1, height_px=60)
    static = source.static.activate()
    parts = divide_moving(source.gop(0), static, [400, 600], source.meta, settings)
    assert [len(part) for part in parts] == [400, 600]
    assert torch.cat(parts).sort().values.equal(torch.arange(COUNT))
    assert (parts[0] < COUNT // 2).float().mean() > 0.95


def test_layers_that_are_held_are_not_fetched_again(path: Path) -> None:
    scene = open_scene(path)
    worst, *_, best = scene.qualities
    everything = scene.fetch_features(0, best)
    again = scene.fetch_features(0, best, held=everything.layers)
    assert all(a is b for a, b in zip(again.layers, everything.layers, strict=True))
    assert scene.fetch_features(0, worst, held=everything.layers).layers == ()


def test_the_ladder_counts_added_layers_once(scene: Scene) -> None:
    gop = ladder_of(scene.manifest).gops[0]
    worst, best = 0, len(QPS) - 1
    assert gop.added_at(worst) == 0 < gop.added_at(best)
    assert gop.upgrade_bytes(worst, best) == gop.feature_bytes[best]
    assert gop.upgrade_bytes(1, best) == gop.feature_bytes[best] - gop.added_at(1)
    total = sum(layer.file.size_bytes for layer in scene.manifest.gops[0].layers)
    assert gop.keyframe_bytes + gop.added_at(best) == total


def test_a_scene_that_is_small_enough_stays_as_it_was(tmp_path: Path) -> None:
    config = EncoderConfig(qps=QPS, preset="ultrafast", quality=QualitySettings(cameras=0))
    encode_scene(SyntheticSource(20, 10, (3,)), tmp_path / "s", config)
    scene = open_scene(tmp_path / "s")
    assert scene.manifest.version == 1
    assert all(len(gop.layers) == 1 for gop in scene.manifest.gops)


@pytest.mark.parametrize("count", [1, 500, 4_000, 20_000])
def test_layers_are_whole_rows(count: int) -> None:
    side = max(8, -(-math.isqrt(count) // 8) * 8 + 8)
    tiles = TileLayout.of(side, side, 4)
    plan = plan_layers(count, (1.0, 0.4, 0.1), tiles)
    assert sum(plan.sizes) == count
    assert all(size % (8 * side) == 0 for size in plan.sizes[:-1])
    assert plan.layers_of(0) is None
    for place, taken in enumerate(plan.counts):
        layers = plan.layers_of(place)
        assert sum(plan.sizes[:layers]) == taken
        assert rows_of([taken], tiles) * side >= taken


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["rungs"][2].update(height=8000), "rungs"),
        (lambda d: d["rungs"][2].update(height=1), "fit 1 rows"),
        (lambda d: d["rungs"][0].update(static=99), "rungs"),
        (lambda d: d["gops"][0]["segments"][0].update(layers=0), "or less"),
        (lambda d: d["gops"][0]["segments"][2].update(layers=9), "or less"),
    ],
)
def test_impossible_layers_are_refused(path: Path, change: object, message: str) -> None:
    document = json.loads((path / "scene.json").read_bytes())
    change(document)  # type: ignore[operator]
    with pytest.raises(NotAScene, match=message):
        read_manifest(json.dumps(document).encode())


def test_gaussians_without_a_static_layer_are_divided_too() -> None:
    source = BusySource()
    settings = MovingLayerSettings(frames=1, presets=0, ring_views=1, height_px=40)
    empty = CanonicalGaussians.empty().activate()
    parts = divide_moving(source.gop(1), empty, [300, 700], source.meta, settings)
    assert len(parts[0]) == 300
