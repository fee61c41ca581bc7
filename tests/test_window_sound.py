"""Volume and mute in the real window, and a machine that has no sound device."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from streamstgs.app.player.sound import sound_player
from streamstgs.app.player.sound.device import MiniaudioDevice, SoundUnavailable
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.preferences import Preferences

from tests.sound_samples import scene_with_sound, tone_with_claps
from tests.window_driver import OpenWindow, key, screenshot, state, status, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def sounding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scene_with_sound(tmp_path_factory.mktemp("sound"), tone_with_claps(2.0, (0.1,)))


def use_device(monkeypatch: pytest.MonkeyPatch, opens: object) -> None:
    """Let scenes play into a device of the test."""
    made = sound_player.SoundPlayer.__init__
    assert made.__defaults__ is not None
    monkeypatch.setattr(made, "__defaults__", (opens, *made.__defaults__[1:]))


def playing(window: MainWindow) -> bool:
    return state(window) is PlaybackState.PLAYING


def test_volume_and_mute_are_in_the_bar_and_remembered(
    open_window: OpenWindow,
    sounding: Path,
    scene_path: Path,
    preferences: Preferences,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("miniaudio")
    use_device(monkeypatch, lambda: MiniaudioDevice(null=True))
    window = open_window(sounding)
    control = window.bar.volume
    wait_for(control.isVisible, "the volume control")
    wait_for(lambda: playing(window), "the scene to play")
    sound = window.model.sound
    screenshot(window, "sound-bar")
    control.slider.setValue(50)
    assert sound.volume == 0.5
    key(window, Qt.Key.Key_Up, SHIFT)
    assert sound.volume == pytest.approx(0.6)
    assert control.slider.value() == 60
    QTest.mouseClick(control.mute, Qt.MouseButton.LeftButton)
    assert sound.muted
    key(window, Qt.Key.Key_M, CONTROL)
    assert not sound.muted
    assert preferences.number("volume", 1.0, 0.0, 1.0) == pytest.approx(0.6)
    window.open(str(scene_path))
    wait_for(lambda: not window.model.has_sound, "a scene without sound")
    wait_for(lambda: not control.isVisible(), "the control to go")


def test_without_a_device_the_scene_plays_silently(
    open_window: OpenWindow, sounding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> MiniaudioDevice:
        raise SoundUnavailable("This machine has no sound device.")

    use_device(monkeypatch, none)
    window = open_window(sounding)
    wait_for(lambda: playing(window), "the scene to play")
    position_s = status(window).position_s
    wait_for(lambda: status(window).position_s != position_s, "time to go on")
    assert window.model.sound.problem == "This machine has no sound device."
    wait_for(lambda: "no sound device" in window.bar.volume.mute.toolTip(), "the tooltip")
    assert not window.viewport.card.isVisible()
    assert not window.viewport.toast.isVisible()
