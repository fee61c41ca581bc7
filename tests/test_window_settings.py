"""Settings: the list of renderers, motion, size, and where scenes were left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QLabel
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.panel.display_section import DisplaySection
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.scene_positions import EDGE_S, SCENES_MAX, ScenePositions
from streamstgs.renderer.backends import available_backends

from tests.window_driver import OpenWindow, wait_for

pytest_plugins = ["tests.window_fixtures"]
GOLDEN = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"


@pytest.fixture
def window(open_window: OpenWindow) -> MainWindow:
    return open_window(GOLDEN)


@pytest.fixture
def positions(tmp_path: Path) -> ScenePositions:
    return ScenePositions(QSettings(str(tmp_path / "a.ini"), QSettings.Format.IniFormat))


def choose(box: QComboBox, value: str) -> None:
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def enabled(box: QComboBox, value: str) -> bool:
    model = box.model()
    assert isinstance(model, QStandardItemModel)
    return model.item(box.findData(value)).isEnabled()


@pytest.mark.window
def test_renderer_list_shows_what_can_run_here_and_why_not(window: MainWindow) -> None:
    box = window.panel.display.boxes["backend"]
    obstacles = {name: reason for name, reason in available_backends() if reason}
    if window.renderer.window_gl.renderer:
        obstacles.pop("opengl", None)
    wait_for(lambda: all(not enabled(box, name) for name in obstacles), "the list")
    for name, reason in obstacles.items():
        place = box.findData(name)
        assert box.itemData(place, Qt.ItemDataRole.ToolTipRole) == reason
        assert "not on this computer" in box.itemText(place)
    assert enabled(box, "cpu")
    assert enabled(box, "auto")


@pytest.mark.window
def test_list_and_line_agree_after_a_refused_renderer(window: MainWindow) -> None:
    if ("gsplat", None) in available_backends():
        pytest.skip("gsplat runs here")
    box = window.panel.display.boxes["backend"]
    choose(box, "gsplat")
    wait_for(lambda: box.currentData() == "cpu", "the renderer that draws instead")
    line = [
        label for label in window.panel.display.findChildren(QLabel) if "Drawing" in label.text()
    ]
    assert all(label.isHidden() or "CPU" in label.text() for label in line)


@pytest.mark.window
def test_automatic_choice_names_the_renderer_below(qt: object) -> None:
    section = DisplaySection()
    section.show_backend("cpu", "cpu: there is no GPU")
    lines = [label for label in section.findChildren(QLabel) if "Drawing" in label.text()]
    assert "Processor (CPU)" in lines[0].text()
    assert not lines[0].isHidden()


@pytest.mark.window
def test_reduced_motion_shows_steps_at_once(window: MainWindow) -> None:
    choose(window.panel.appearance.boxes["motion"], "reduced")
    window.model.camera.dolly(2.0)
    assert not window.model.camera.gliding
    assert not window.central.fades
    choose(window.panel.appearance.boxes["motion"], "full")
    window.model.camera.dolly(-2.0)
    assert window.model.camera.gliding


def test_size_of_controls_is_that_of_the_preferences(tmp_path: Path) -> None:
    code = (
        "from streamstgs.app.ui.application import make_application\n"
        "print(make_application(['a'], 1.5).primaryScreen().devicePixelRatio())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=250, env={"QT_QPA_PLATFORM": "offscreen"},
        cwd=Path(__file__).parent.parent, check=True,
    )  # fmt: skip
    assert float(done.stdout) == 1.5
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    store.setValue("ui_scale", "1.25")
    assert Preferences(store).ui_scale == 1.25
    store.setValue("ui_scale", "900")
    assert Preferences(store).ui_scale == 1.0


def test_long_scenes_open_where_they_were_left(positions: ScenePositions) -> None:
    positions.remember("https://u:secret@host/a", 70.0, 120.0)
    assert positions.of("https://u:other@host/a") == 70.0
    assert positions.of("https://host/b") == 0.0
    positions.remember("https://u@host/a", 119.0, 120.0)  # at its end
    assert positions.of("https://u@host/a") == 0.0
    positions.remember("short", 20.0, 40.0)
    assert positions.of("short") == 0.0
    positions.remember("long", EDGE_S - 1.0, 120.0)
    assert positions.of("long") == 0.0


def test_positions_are_bounded_and_survive_damage(
    positions: ScenePositions, tmp_path: Path
) -> None:
    for number in range(2 * SCENES_MAX):
        positions.remember(f"scene{number}", 70.0, 120.0)
    assert positions.of("scene0") == 0.0
    assert positions.of(f"scene{2 * SCENES_MAX - 1}") == 70.0
    for damaged in ("", "{", "[1]", '[["a", "b"]]', '[["a", -1]]', '[["a", 1e999]]'):
        store = QSettings(str(tmp_path / "b.ini"), QSettings.Format.IniFormat)
        store.setValue("positions", damaged)
        assert ScenePositions(store).of("a") == 0.0
