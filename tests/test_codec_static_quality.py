"""What each static layer adds to the picture: measured, written, checked, believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamstgs.codec.encoder.config import EncoderConfig, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.streaming.adaptive import ladder_of

from tests.synthetic import SyntheticSource


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    out: Path = tmp_path_factory.mktemp("scene") / "ball.stgs"
    config = EncoderConfig(qps=(16,), quality=QualitySettings(cameras=0))
    encode_scene(SyntheticSource(frames_per_gop=(4,)), out, config)
    with open_scene(out) as opened:
        yield opened


def saying(manifest: Manifest, none_db: float | None, *layers_db: float | None) -> Manifest:
    pairs = zip(manifest.static, layers_db, strict=True)
    static = tuple(replace(layer, quality_db=value) for layer, value in pairs)
    return replace(manifest, static=static, no_static_db=none_db)


def rising(manifest: Manifest) -> Manifest:
    count = len(manifest.static)
    return saying(manifest, 12.5, *(20.25 + 5 * k for k in range(count - 1)), 100.0)


def test_package_holds_the_quality_of_layers(scene: Scene) -> None:
    written = rising(scene.manifest)
    found = read_manifest(write_manifest(written))
    assert found == written
    qualities = [layer.quality_db for layer in found.static]
    assert ladder_of(found).static_quality_db == (12.5, *qualities)


def test_missing_quality_of_layers_is_estimated(scene: Scene) -> None:
    old = scene.manifest
    assert b"static_db" not in write_manifest(old)
    guessed = ladder_of(old).static_quality_db
    assert len(guessed) == len(old.static) + 1
    known = rising(old)
    for partly in (
        replace(known, no_static_db=None),
        replace(known, static=(*known.static[:-1], old.static[-1])),
    ):
        assert ladder_of(partly).static_quality_db == guessed


def test_quality_of_layers_never_falls(scene: Scene) -> None:
    falling = [30.0 - k for k in range(len(scene.manifest.static))]
    believed = ladder_of(saying(scene.manifest, 31.0, *falling)).static_quality_db
    assert believed == (*[31.0] * len(falling), 100.0)


def no_static(document: dict[str, Any], value: object) -> None:
    document["no_static_db"] = value


def first_layer(document: dict[str, Any], value: object) -> None:
    document["static"][0]["quality_db"] = value


@pytest.mark.parametrize("place", [no_static, first_layer])
@pytest.mark.parametrize("value", [-1, 100.1, 1e300, "40", None, True, [40]])
def test_invalid_quality_values_are_refused(
    scene: Scene, place: Callable[[dict[str, Any], object], None], value: object
) -> None:
    document = json.loads(write_manifest(scene.manifest))
    place(document, 40)
    read_manifest(json.dumps(document).encode())
    place(document, value)
    with pytest.raises(NotAScene, match="static"):
        read_manifest(json.dumps(document).encode())
