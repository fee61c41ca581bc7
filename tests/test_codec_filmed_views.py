"""What the cameras saw, in scene.json: written, read, optional, and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from streamstgs.codec.encoder.config import EncoderConfig, PosterSettings, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.limits import FILMED_VIEWS
from streamstgs.codec.package.filmed_view import FilmedView
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.poster import local_poster

from tests.synthetic import SyntheticSource

VIEW = FilmedView((0.0, 0.0, -4.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0), 1.1, 0.7)


@dataclass(frozen=True)
class FilmedSource(SyntheticSource):
    """The synthetic scene with a camera that filmed it."""

    @property
    def meta(self) -> SceneMeta:
        return replace(super().meta, filmed=(VIEW,))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filmed") / "scene"
    config = EncoderConfig(
        qps=(24,), poster=PosterSettings(width_px=64), quality=QualitySettings(cameras=0)
    )
    encode_scene(FilmedSource(frames_per_gop=(4,)), path, config)
    return path


def document(scene: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((scene / "scene.json").read_text())
    return loaded


def test_encoder_stores_what_was_filmed(scene: Path) -> None:
    manifest = read_manifest((scene / "scene.json").read_bytes())
    assert manifest.meta.filmed == (VIEW,)
    assert manifest.meta.isolated is not None  # measured on the opening view
    assert manifest.version == 1
    assert read_manifest(write_manifest(manifest)) == manifest
    poster = local_poster(str(scene))
    assert poster is not None
    assert (poster.opening is None) == manifest.meta.isolated


def test_scenes_without_it_stay_readable(scene: Path) -> None:
    old = document(scene)
    del old["meta"]["filmed"], old["meta"]["isolated"]
    manifest = read_manifest(json.dumps(old).encode())
    assert manifest.meta.filmed == ()
    assert manifest.meta.isolated is None
    assert "filmed" not in json.loads(write_manifest(manifest))["meta"]


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("forward", [0.0, 0.0, 0.0], "unit vectors"),
        ("forward", [0.0, 0.0, 2.0], "forward"),
        ("up", [0.0, 0.0, 1.0], "right angle"),
        ("position", [1e12, 0.0, 0.0], "position"),
        ("position", [0.0, 0.0], "position"),
        ("fov_x_rad", 0.0, "fov_x_rad"),
        ("fov_y_rad", 4.0, "fov_y_rad"),
    ],
)
def test_wrong_views_are_refused(scene: Path, member: str, value: Any, message: str) -> None:
    broken = document(scene)
    broken["meta"]["filmed"][0][member] = value
    with pytest.raises(NotAScene, match=message):
        read_manifest(json.dumps(broken).encode())


def test_too_many_views_are_refused(scene: Path) -> None:
    broken = document(scene)
    broken["meta"]["filmed"] *= FILMED_VIEWS + 1
    with pytest.raises(NotAScene, match="filmed"):
        read_manifest(json.dumps(broken).encode())
