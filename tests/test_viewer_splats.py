"""The viewer model on splat files: the axis and opening view that are kept, and exports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamstgs.app.player.camera.scene_view import OPENING, SceneView, ViewsInMemory
from streamstgs.app.player.errors import NoSceneError
from streamstgs.app.player.export.queue import ExportState, QueuedExport
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.formats.convert import ConvertSettings
from streamstgs.codec.formats.registry import open_reader

from tests.splat_samples import made_up, splat_file, write_sequence

WAIT_S = 60.0


def opening(location: str, clock: PlaybackClock) -> Playback:
    return Playback(location, PlaybackSettings(fps=10.0), clock=clock)


@pytest.fixture
def views() -> ViewsInMemory:
    return ViewsInMemory()


@pytest.fixture
def model(views: ViewsInMemory) -> Iterator[ViewerModel]:
    made = ViewerModel(opening, views=views)
    yield made
    made.close()


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    path = tmp_path / "ball.ply"
    path.write_bytes(splat_file(made_up(), "ply"))
    return path


def test_axis_turns_the_guessed_views_and_is_remembered(
    model: ViewerModel, views: ViewsInMemory, ball: Path
) -> None:
    model.open(str(ball), play=False)
    model.settle(WAIT_S)
    before, told = model.presets, []
    model.scene_view.changed.connect(lambda: told.append(model.camera.up))
    model.scene_view.up = (0.0, 0.0, 1.0)
    assert told == [model.camera.up]
    assert model.camera.up[2] > 0.9
    assert model.meta is not None
    assert model.meta.up == (0.0, 0.0, 1.0)
    assert [p.name for p in model.presets] == [p.name for p in before]
    assert model.presets[0].position[1] < model.presets[0].target[1]  # in front is -y
    again = ViewerModel(opening, views=views)
    try:
        again.open(str(ball), play=False)
        again.settle(WAIT_S)
        assert again.camera.up[2] > 0.9
        again.scene_view.forget()
        assert again.presets == before
    finally:
        again.close()
    assert views.load_view(str(ball)) == SceneView()


def test_opening_view_is_kept(model: ViewerModel, views: ViewsInMemory, ball: Path) -> None:
    model.scene_view.keep_opening()  # without a scene it does nothing
    model.open(str(ball), play=False)
    model.settle(WAIT_S)
    model.camera.position = (3.0, -1.0, 0.5)
    model.scene_view.keep_opening()
    assert model.presets[0].name == OPENING
    model.open(str(ball), play=False)
    model.settle(WAIT_S)
    assert model.camera.position == pytest.approx((3.0, -1.0, 0.5), abs=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"up": [0, 0], "opening": null}',
        '{"up": [0, 0, 9], "opening": null}',
        '{"up": ["x", 0, 1], "opening": null}',
        '{"up": null, "opening": {"position": [0, 0, 0], "target": [0, 0, 0], "fov_y_rad": 1}}',
        '{"up": null, "opening": {"position": [1e30, 0, 0], "target": [0, 0, 0], "fov_y_rad": 1}}',
        '{"up": null, "opening": {"position": [1, 0, 0], "target": [0, 0, 0], "fov_y_rad": NaN}}',
    ],
)
def test_damaged_view_changes_nothing(text: str) -> None:
    assert SceneView.of_json(text) == SceneView()


def test_view_survives_its_text(model: ViewerModel, ball: Path) -> None:
    model.open(str(ball), play=False)
    model.settle(WAIT_S)
    model.scene_view.up = (0.0, 1.0, 0.0)
    model.scene_view.keep_opening()
    view = model.scene_view.view
    assert SceneView.of_json(view.to_json()) == view


def done(export: QueuedExport) -> Path:
    assert export.wait(WAIT_S)
    assert export.state is ExportState.DONE, export.error
    return export.request.out


def test_exports_of_the_shown_scene(model: ViewerModel, tmp_path: Path) -> None:
    with pytest.raises(NoSceneError):
        model.exports.scene(tmp_path / "early.ply")
    model.open(str(write_sequence(tmp_path / "clip")), play=False)
    model.settle(WAIT_S)
    model.transport.seek(0.2)
    model.settle(WAIT_S)
    model.scene_view.up = (0.0, 0.0, 1.0)
    frame = done(model.exports.scene(tmp_path / "frame.ply", ConvertSettings(keep=0.5)))
    with open_reader(frame) as reader:
        assert reader.info.meta.up == (0.0, 0.0, 1.0)
        means = reader.segment(0).gaussians_at(0.0).means.numpy()
    wanted = made_up(40, degree=1, seed=2).means
    assert len(means) == 20
    assert np.linalg.norm(means[:, None] - wanted[None], axis=-1).min(axis=1).max() < 1e-6
    told: list[float] = []
    model.exports.changed.connect(lambda export: told.append(export.progress.share))
    folder = done(
        model.exports.scene(tmp_path / "out", ConvertSettings(suffix=".splat"), whole=True)
    )
    assert len(list(folder.glob("*.splat"))) == 3
    assert told[-1] == 1.0
    with open_reader(done(model.exports.scene(tmp_path / "a.4dgs", whole=True)), fps=10.0) as clip:
        assert clip.info.frame_count == 3
        assert clip.info.meta.up == (0.0, 0.0, 1.0)


def test_export_that_fails_or_is_cancelled_leaves_nothing(
    model: ViewerModel, ball: Path, tmp_path: Path
) -> None:
    model.open(str(ball), play=False)
    model.settle(WAIT_S)
    wrong = model.exports.scene(tmp_path / "a.obj")
    assert wrong.wait(WAIT_S)
    assert "no format that can be written" in wrong.error
    held = model.exports.scene(tmp_path / "b.sog")
    held.cancel()
    assert held.wait(WAIT_S)
    assert held.state in (ExportState.CANCELLED, ExportState.DONE)
    if held.state is ExportState.CANCELLED:
        assert not (tmp_path / "b.sog").exists()
    assert [path.name for path in tmp_path.glob(".partial*")] == []
