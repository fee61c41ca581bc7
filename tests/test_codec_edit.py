"""`streamstgs edit`: what a scene tells of itself changes, its Gaussians and videos do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamstgs.cli.command_line import main
from streamstgs.codec.encoder.config import EncoderConfig, PosterSettings, QualitySettings
from streamstgs.codec.encoder.edit import SceneChanges, edit_scene
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.package.filmed_view import FilmedView
from streamstgs.codec.package.live_entry import LiveEntry
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.scene import open_scene

from tests.sound_samples import tone_with_claps, write_wav
from tests.synthetic import SyntheticSource

VIEW = FilmedView((0.0, 0.0, -4.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0), 1.1, 0.7)
QUICK = EncoderConfig(
    qps=(24, 32),
    sort=False,
    preset="ultrafast",
    poster=PosterSettings(width_px=64),
    quality=QualitySettings(cameras=0),
)


@pytest.fixture(scope="module", params=["listed", "paged"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("edit") / "scene.stgs"
    config = replace(QUICK, paged_from=2) if request.param == "paged" else QUICK
    encode_scene(
        SyntheticSource(static_count=60, dynamic_count=40, frames_per_gop=(3,) * 6), path, config
    )
    return path


def parts(path: Path) -> dict[str, object]:
    """All that is decoded from a scene."""
    found: dict[str, object] = {}
    with open_scene(path) as scene:
        for gop in range(scene.gop_count):
            for quality in scene.qualities:
                decoded = scene.decode_gop(gop, quality).gaussians_at(1)
                found[f"{gop} {quality.qp}"] = decoded.means.numpy().tobytes()
    return found


@pytest.mark.parametrize("name", ["changed.stgs", "changed"])
def test_texts_and_cameras_change_and_nothing_else(scene: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    edit_scene(scene, out, SceneChanges(title="Ball", licence="CC0", filmed=(VIEW,)))
    with open_scene(scene) as before, open_scene(out) as after:
        meta = before.meta
        assert after.meta.isolated is not None  # measured on the opening view
        expected = replace(
            meta, title="Ball", licence="CC0", filmed=(VIEW,), isolated=after.meta.isolated
        )
        assert after.meta == expected
        assert after.manifest.version == before.manifest.version
    assert parts(out) == parts(scene)


def test_scene_may_replace_itself(scene: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.stgs"
    own.write_bytes(scene.read_bytes())
    edit_scene(own, own, SceneChanges(attribution="A. Person"))
    with open_scene(own) as changed:
        assert changed.meta.attribution == "A. Person"
    assert parts(own) == parts(scene)


def test_sound_is_added_and_replaced(scene: Path, tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "clap.wav", tone_with_claps(1.0, (0.1,)))
    once, twice = tmp_path / "once.stgs", tmp_path / "twice"
    edit_scene(scene, once, SceneChanges(audio=wav))
    edit_scene(once, twice, SceneChanges(audio=wav))
    with open_scene(twice) as changed:
        assert changed.sound is not None
        assert changed.read_sound(0).any()
        declared = {part.file.name for part in changed.sound.segments} | {changed.sound.init.name}
    assert {f"sound/{path.name}" for path in (twice / "sound").iterdir()} == declared


def test_impossible_changes_leave_nothing(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.stgs"
    with pytest.raises(EncodeError, match=r"meta\.title"):
        edit_scene(scene, out, SceneChanges(title="x" * 100_000))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scene", ["paged"], indirect=True)
def test_live_scene_is_refused(scene: Path, tmp_path: Path) -> None:
    live, out = tmp_path / "live", tmp_path / "out.stgs"
    edit_scene(scene, live, SceneChanges(title="Live"))
    manifest = read_manifest((live / "scene.json").read_bytes())
    begun = LiveEntry(start_s=1.0, anchor_frame=0, anchor_s=1.0, edge_s=2.0, update_s=1.0)
    (live / "scene.json").write_bytes(write_manifest(replace(manifest, live=begun)))
    with pytest.raises(EncodeError, match="live"):
        edit_scene(live, out, SceneChanges(title="Ended"))
    assert not out.exists()


def test_command(
    tiny_capture: Path, scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.stgs"
    assert main(["edit", str(scene), "-o", str(out)]) == 2
    assert "nothing to change" in capsys.readouterr().err
    assert main(["edit", str(scene), "-o", str(out), "--capture", str(tiny_capture)]) == 0
    with open_scene(out) as changed:
        assert changed.meta.filmed
