"""Parts of the window that need no window."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QMimeData, QSettings, QUrl
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.files.path_files import read_camera_path
from streamstgs.app.player.camera.orbit import OrbitView
from streamstgs.app.player.camera.picking import point_under
from streamstgs.app.player.viewer.open_scene import SceneState
from streamstgs.app.player.viewer.statistics import RateMeter
from streamstgs.app.ui.commands import COMMANDS, MENUS, markdown, shortcut_rows
from streamstgs.app.ui.panel.camera_clipboard import camera_from_json, camera_json
from streamstgs.app.ui.panel.camera_section import parse_angle, parse_fov, parse_vector
from streamstgs.app.ui.panel.quality_names import (
    bitrate_text,
    quality_names,
    quality_tooltip,
    quality_words,
    short_bitrate_text,
)
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.theme import (
    OVERLAY_MUTED,
    OVERLAY_TEXT,
    THEMES,
    VIEWPORT_BACKGROUND,
    Theme,
)
from streamstgs.app.ui.transport.timecode import format_time, parse_time
from streamstgs.app.ui.viewport.loading_overlay import Overlay, overlay_of
from streamstgs.app.ui.viewport.viewport import dropped_location
from streamstgs.codec.quality import Quality
from streamstgs.renderer import Camera, Gaussians

from tests.synthetic import SyntheticSource


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", THEMES)
def test_text_has_enough_contrast(look: Theme) -> None:
    for surface in (look.window, look.surface, look.raised, look.hover):
        assert contrast(look.text, surface) >= 4.5
    for surface in (look.surface, look.raised):
        for text in (look.muted, look.accent, look.danger):
            assert contrast(text, surface) >= 4.5
    assert contrast(look.on_accent, look.accent) >= 4.5


@pytest.mark.parametrize("look", THEMES)
def test_controls_and_focus_have_visible_borders(look: Theme) -> None:
    for surface in (look.surface, look.raised):
        assert contrast(look.outline, surface) >= 3.0
        assert contrast(look.accent, surface) >= 3.0
    assert all(len(v) == 7 for v in dataclasses.asdict(look).values() if isinstance(v, str))


def test_overlay_text_has_enough_contrast() -> None:
    over_white = "#2c2e31"  # what the glass leaves of a white picture
    for surface in (VIEWPORT_BACKGROUND, over_white):
        assert contrast(OVERLAY_TEXT, surface) >= 4.5
        assert contrast(OVERLAY_MUTED, surface) >= 4.5


def test_shortcuts_are_unique() -> None:
    keys = [key for command in COMMANDS for key in command.keys]
    assert len(keys) == len(set(keys))
    names = [command.name for command in COMMANDS]
    assert len(names) == len(set(names))
    assert {command.menu for command in COMMANDS} == set(MENUS)


def test_shortcut_table_lists_every_key() -> None:
    listed = " ".join(keys for _, keys, _ in shortcut_rows())
    for command in COMMANDS:
        if not command.name.startswith("preset_"):
            assert all(key in listed for key in command.keys)
    assert markdown().count("\n") > len(shortcut_rows())


def test_times_are_formatted_and_parsed() -> None:
    assert format_time(3.12) == "00:03.12"
    assert format_time(59.999) == "01:00.00"
    assert format_time(3725.5) == "1:02:05.50"
    for text, seconds in (("00:03.12", 3.12), ("1:02:05.5", 3725.5), ("62,5", 62.5), ("87f", 2.9)):
        assert parse_time(text, 30.0) == pytest.approx(seconds)
    for text in ("", "soon", "1:2:3:4", "-3", "nan", "1e400", "f"):
        with pytest.raises(ValueError, match="not a time"):
            parse_time(text, 30.0)


def test_bitrate_texts() -> None:
    assert bitrate_text(640_400) == "640 kbit/s"
    assert bitrate_text(3_200_000) == "3.2 Mbit/s"
    assert short_bitrate_text(3_200_000) == "3.2"
    assert short_bitrate_text(640_400) == "0.64"
    assert short_bitrate_text(120_000_000) == "120"


def test_quality_names_for_every_count() -> None:
    assert quality_names(4) == ("Low", "Medium", "High", "Best")
    for count in range(1, 20):
        names = quality_names(count)
        assert len(set(names)) == len(names) == count
    assert quality_names(0) == ()


def test_qualities_are_told_in_words() -> None:
    best = Quality(3, 16, 4_000_000.0, 40.0)
    words = [quality_words(Quality(0, 30, 1e6, 40.0 - loss), best) for loss in (0.2, 1.0, 3.0, 9.0)]
    assert [text.split()[0] for text in words] == ["Looks", "A", "Visibly", "Much"]
    assert all("25%" in text for text in words)
    assert quality_words(best, best) == ""
    assert quality_words(Quality(0, 30, 1e6), best) == ""


def test_quality_tooltip_has_the_quantiser() -> None:
    text = quality_tooltip(Quality(3, 24, 3_200_000.0, 38.25), 4)
    assert text == "Best: 3.2 Mbit/s\nQuantiser (QP) 24, PSNR 38.2 dB"
    assert "PSNR" not in quality_tooltip(Quality(0, 40, 1e6), 4)


@pytest.mark.parametrize(
    ("state", "state_s", "poster_s", "moved", "overlay"),
    [
        (SceneState.REQUESTED, 0.01, None, False, Overlay.NONE),
        (SceneState.REQUESTED, 0.10, None, False, Overlay.CARD),
        (SceneState.OPENING, 0.50, 0.4, False, Overlay.POSTER),
        (SceneState.OPENING, 5.00, 4.1, False, Overlay.CARD),
        (SceneState.DECODED, 0.50, 0.4, True, Overlay.POSTER),
        (SceneState.PREVIEW, 0.50, 1.0, False, Overlay.POSTER),
        (SceneState.PREVIEW, 0.50, 1.0, True, Overlay.NONE),
        (SceneState.PREVIEW, 2.10, 3.0, False, Overlay.NONE),
        (SceneState.PREVIEW, 0.50, None, False, Overlay.NONE),
        (SceneState.READY, 0.00, 1.0, False, Overlay.NONE),
        (SceneState.FAILED, 0.00, 1.0, False, Overlay.NONE),
        (SceneState.CLOSED, 0.00, 1.0, False, Overlay.NONE),
    ],
)
def test_overlay_follows_the_state_of_the_scene(
    state: SceneState, state_s: float, poster_s: float | None, moved: bool, overlay: Overlay
) -> None:
    assert overlay_of(state, state_s, poster_s, moved) is overlay


def test_typed_vectors_and_angles_are_parsed() -> None:
    assert parse_vector("1, 2 -3") == (1, 2, -3)
    assert parse_vector("1, 2") is None
    assert parse_vector("1, 2, nan") is None
    assert parse_vector("1e300 0 0") is None
    assert parse_angle("-40°") == pytest.approx(-0.698, abs=1e-3)
    assert parse_angle("20,5°") == pytest.approx(math.radians(20.5))
    assert parse_fov("40°") == pytest.approx(0.698, abs=1e-3)
    assert parse_fov("1") == pytest.approx(math.radians(5.0))
    assert parse_angle("wide") is None
    assert parse_fov("wide") is None


def test_copied_camera_is_a_camera_path(tmp_path: Path) -> None:
    path = tmp_path / "path.json"
    path.write_text(camera_json(camera_at(OrbitView((1.0, 2.0, 3.0), 0.4, 0.2, 5.0, 0.8))))
    assert len(read_camera_path(path, SyntheticSource().meta).keyframes) == 1


def camera_at(view: OrbitView) -> CameraController:
    camera = CameraController(glides=False)
    camera.enter_scene(SyntheticSource().meta)
    camera.view = view
    return camera


def test_camera_json_round_trip() -> None:
    camera = camera_at(OrbitView((1.0, 2.0, 3.0), 0.4, 0.2, 5.0, 0.8, roll_rad=0.3))
    position, target, up, fov = camera_from_json(camera_json(camera))
    assert up is not None
    assert position == pytest.approx(camera.position, abs=1e-5)
    other = camera_at(OrbitView((0.0, 0.0, 0.0), 0.0, 0.0, 1.0))
    other.look_from_up(position, target, up, fov)
    assert other.roll_rad == pytest.approx(0.3, abs=1e-5)
    assert target == pytest.approx((1, 2, 3))
    assert fov == pytest.approx(0.8, abs=1e-5)
    half = '{"keyframes":[{"position":[1,2],"target":[0,0,0],"fov_y_rad":1}]}'
    for text in ("", "[]", "{}", "[" * 5000, '{"keyframes":[]}', half):
        with pytest.raises(ValueError, match="no camera"):
            camera_from_json(text)


def test_glide_ends_at_the_asked_pose() -> None:
    camera = CameraController()
    camera.enter_scene(SyntheticSource().meta)
    camera.view = OrbitView((0.0, 0.0, 0.0), 0.0, 0.0, 4.0)
    camera.finish_glide()
    assert not camera.advance(0.02)
    camera.dolly(3)
    assert camera.advance(0.01)
    assert 2.0 < camera.shown.distance < 4.0
    for _ in range(100):
        camera.advance(0.05)
    assert camera.shown == camera.view
    assert not camera.gliding


def test_rate_meter_counts_one_second() -> None:
    meter = RateMeter()
    for frame in range(30):
        meter.count(10.0 + frame / 30)
    assert meter.per_second(10.98) == 30
    assert meter.per_second(11.5) == pytest.approx(15, abs=1)
    assert meter.per_second(13.0) == 0


def test_picking_finds_the_nearest_surface() -> None:
    def ball(z: float, opacity: float) -> Gaussians:
        return Gaussians(
            torch.tensor([[0.0, 0.0, z]]),
            torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
            torch.full((1, 3), 0.2),
            torch.tensor([opacity]),
            torch.ones(1, 3),
        )

    up = torch.tensor([0.0, -1.0, 0.0])
    camera = Camera.look_at(torch.tensor([0.0, 0.0, -4.0]), torch.zeros(3), up, 0.8, 200, 100)
    both = Gaussians.concatenate([ball(1.0, 0.9), ball(-1.0, 0.9)])
    assert point_under(both, camera, 100, 50) == pytest.approx((0, 0, -1), abs=0.05)
    thin = Gaussians.concatenate([ball(1.0, 0.9), ball(-1.0, 0.1)])
    assert point_under(thin, camera, 100, 50) == pytest.approx((0, 0, 1), abs=0.05)
    assert point_under(both, camera, 104, 50) == pytest.approx((0.1, 0, -1), abs=0.02)
    assert point_under(both, camera, 2, 2) is None
    assert point_under(Gaussians.empty(), camera, 2, 2) is None


@pytest.mark.parametrize("qp", [0, 1, 16, 63, None])
def test_chosen_quality_is_remembered(tmp_path: Path, qp: int | None) -> None:
    path, form = str(tmp_path / "settings.ini"), QSettings.Format.IniFormat
    chosen = Preferences(QSettings(path, form))
    assert chosen.quality_qp is None
    chosen.quality_qp = 24
    chosen.quality_qp = qp
    chosen.flush()
    assert Preferences(QSettings(path, form)).quality_qp == qp


@pytest.mark.parametrize("damaged", ["", "best", "nan", "-3", "64"])
def test_damaged_quality_setting_is_automatic(tmp_path: Path, damaged: str) -> None:
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    store.setValue("quality_qp", damaged)
    assert Preferences(store).quality_qp is None


@pytest.mark.parametrize(
    ("dropped", "location"),
    [
        ("file:///a%20b.stgs", "/a b.stgs"),
        ("file://localhost/a%20b.stgs", "file://localhost/a%20b.stgs"),
        ("https://u:p@host/a%20b", "https://u:p@host/a%20b"),
    ],
)
def test_location_of_dropped_data(dropped: str, location: str) -> None:
    data = QMimeData()
    data.setUrls([QUrl(dropped)])
    assert dropped_location(data) == location


def test_recent_scenes_hold_no_password(tmp_path: Path) -> None:
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    store.setValue("recent", ["https://old:secret@host/a"])
    preferences = Preferences(store)
    assert preferences.recent == ["https://old@host/a"]
    preferences.remember("https://user:s3cr%3At@host/scene/scene.mpd?x=1")
    preferences.flush()
    assert preferences.recent[0] == "https://user@host/scene/scene.mpd?x=1"
    assert "s3cr" not in (tmp_path / "settings.ini").read_text()
    assert "secret" not in (tmp_path / "settings.ini").read_text()
