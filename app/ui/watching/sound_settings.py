"""Connects volume and mute in the window with the sound of the model, and remembers them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from streamstgs.app.player.viewer.open_scene import PAINTED, OpenScene, SceneState
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.transport.volume_control import VolumeControl

VOLUME_KEY, MUTED_KEY = "volume", "muted"
STEP = 0.1


class SoundSettings(QObject):
    """Owner: the GUI thread. Nothing of sound is loaded before a scene that has it.

    Args:
        model: Plays the sound.
        control: Shows and changes volume and mute.
        preferences: Remember them.
    """

    def __init__(
        self, model: ViewerModel, control: VolumeControl, preferences: Preferences
    ) -> None:
        super().__init__(control)
        self._model, self._control, self._preferences = model, control, preferences
        self._known = False  # the sound of the model has the remembered settings
        control.volume_chosen.connect(self._set_volume)
        control.mute_toggled.connect(self.toggle_mute)
        model.scene_changed.connect(self._scene_changed)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {
            "mute": self.toggle_mute,
            "louder": lambda: self._step(STEP),
            "quieter": lambda: self._step(-STEP),
        }

    def toggle_mute(self) -> None:
        """Mute, or let hear again."""
        if self._model.has_sound:
            self._model.sound.muted = not self._model.sound.muted
            self._preferences.set(MUTED_KEY, self._model.sound.muted)

    def _step(self, change: float) -> None:
        if self._model.has_sound:
            self._set_volume(min(max(self._model.sound.volume + change, 0.0), 1.0))

    def _set_volume(self, volume: float) -> None:
        if self._model.has_sound:
            self._model.sound.volume = volume
            self._preferences.set(VOLUME_KEY, volume)

    def _scene_changed(self, scene: OpenScene) -> None:
        if scene is not self._model.scene:
            return
        if scene.state is SceneState.DECODED:
            if self._model.has_sound and not self._known:
                self._begin()
            self._control.setVisible(self._model.has_sound)
        elif scene.state in PAINTED and self._model.has_sound:
            self._show()  # by now it is known whether there is a device

    def _begin(self) -> None:
        self._known = True
        sound = self._model.sound
        sound.volume = self._preferences.number(VOLUME_KEY, 1.0, 0.0, 1.0)
        sound.muted = self._preferences.flag(MUTED_KEY, False)
        sound.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        sound = self._model.sound
        self._control.show_sound(sound.volume, sound.muted, sound.problem)
