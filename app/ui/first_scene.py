"""What the command line asks of the first scene: where it starts, how it plays, which camera."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject
from streamstgs.app.player.errors import CameraPathError
from streamstgs.app.player.kiosk.attract import AttractCamera
from streamstgs.app.player.viewer.open_scene import OpenScene, SceneState
from streamstgs.app.ui.main_window import MainWindow

TURN_S = 48.0  # of `--camera orbit`
_TAKES_OVER = (QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.ShortcutOverride)


@dataclass(frozen=True)
class FirstSceneSettings:
    """How the first scene is shown; None leaves what is remembered.

    Args:
        full_screen: Whether the picture has the whole screen.
        start_s: Content time to start at; None for where the scene was left.
        speed: Content seconds per second.
        loop: Whether it starts again at its end.
        camera: As of `camera.path.camera_path`: it moves until somebody takes the camera.
    """

    full_screen: bool = False
    start_s: float | None = None
    speed: float | None = None
    loop: bool | None = None
    camera: str | None = None


class FirstScene(QObject):
    """Applies the settings once the first scene is decoded. Owner: the GUI thread."""

    def __init__(self, window: MainWindow, settings: FirstSceneSettings) -> None:
        super().__init__(window)
        self._window, self._model, self._settings = window, window.model, settings
        self._attract = AttractCamera(self._model.camera, TURN_S)
        self._model.scene_changed.connect(self._scene_changed)

    def open(self, location: str) -> None:
        """Show the window and open the scene."""
        if self._settings.full_screen:
            self._window.set_full_screen(True)
        self._window.open(location, self._settings.start_s)

    def _scene_changed(self, scene: OpenScene) -> None:
        if scene.state is not SceneState.DECODED or scene is not self._model.scene:
            return
        self._model.scene_changed.disconnect(self._scene_changed)
        transport, settings = self._model.transport, self._settings
        if settings.speed is not None:
            transport.set_speed(settings.speed)
        if settings.loop is not None:
            transport.set_loop(settings.loop)
        if settings.camera is not None and scene.meta is not None:
            try:
                self._attract.enter(settings.camera, scene.meta)
            except CameraPathError as error:
                self._model.warn(str(error))
            else:
                self._model.ticked.connect(self._attract.advance)
                self._window.viewport.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the camera to the first person who presses something."""
        if event.type() in _TAKES_OVER:
            self._window.viewport.removeEventFilter(self)
            self._model.ticked.disconnect(self._attract.advance)
        return False
