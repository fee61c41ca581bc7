"""Puts the pivot of the camera on the point under a double click."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.viewport.viewport import Viewport


class PivotPicker(QObject):
    """Owner: the GUI thread; picking itself runs in a thread per double click."""

    taken = Signal()  # the camera turns around the point from now on
    _found = Signal(int, tuple)  # from a picking thread: number of the double click, point

    def __init__(self, model: ViewerModel, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._model, self._camera, self._viewport = model, model.camera, viewport
        self._number = 0  # of the newest double click; older answers are ignored
        viewport.pivot_wanted.connect(self._look)
        self._found.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def _look(self, x: float, y: float) -> None:
        from streamstgs.app.player.camera.picking import pick_in_thread

        frame, camera = self._model.frame, self._camera
        if frame is None or not camera.available:
            return
        self._number += 1
        number, size = self._number, (self._viewport.width(), self._viewport.height())
        x, y = self._model.options.mono_point(x, y, *size)
        pick_in_thread(
            frame, camera.to_camera(*size), (x, y), lambda point: self._found.emit(number, point)
        )

    def _take(self, number: int, point: tuple[float, float, float]) -> None:
        if number == self._number:
            self._camera.set_pivot(point)
            self.taken.emit()
