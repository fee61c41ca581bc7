"""Keeps the numbers of the camera in the side panel up to date."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.ui.panel.side_panel import SidePanel

_PERIOD_MS = 80  # numbers that change faster cannot be read, and they cost time


class CameraDisplay(QObject):
    """Shows the first change at once and later ones at most once per period."""

    def __init__(self, camera: CameraController, panel: SidePanel) -> None:
        super().__init__(panel)
        self._camera, self._panel = camera, panel
        self._changed = False  # since the last time it was shown
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._show_again)
        camera.changed.connect(self._camera_changed)

    def _camera_changed(self) -> None:
        self._changed = self._timer.isActive()
        if not self._changed:
            self._panel.show_camera(self._camera)
            self._timer.start(_PERIOD_MS)

    def _show_again(self) -> None:
        if self._changed:
            self._camera_changed()
