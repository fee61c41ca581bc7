"""Marks the point that the camera turns around, for a moment after a double click."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from streamstgs.app.player.camera.controller import CameraController

SHOWN_MS = 1200
_SIZE_PX = 36
_RING_PX = 11.0


class PivotMark(QWidget):
    """A ring that follows the pivot over the picture. Owner: the GUI thread.

    Args:
        camera: Its pivot is marked.
        host: The widget that shows the picture.
    """

    def __init__(self, camera: CameraController, host: QWidget) -> None:
        super().__init__(host)
        self._camera, self._host = camera, host
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(_SIZE_PX, _SIZE_PX)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self._put_away)
        self.hide()

    def show_pivot(self) -> None:
        """Mark the pivot for `SHOWN_MS`."""
        if not self._timer.isActive():
            self._camera.changed.connect(self._follow)
        self._timer.start()
        self._follow()
        self.raise_()

    def _follow(self) -> None:
        place = self._place()
        self.setVisible(place is not None)
        if place is not None:
            self.move(round(place.x() - _SIZE_PX / 2), round(place.y() - _SIZE_PX / 2))

    def _put_away(self) -> None:
        self._camera.changed.disconnect(self._follow)
        self.hide()

    def _place(self) -> QPointF | None:
        """The pivot in the picture; None if it is behind the camera."""
        if not self._camera.available:
            return None
        camera = self._camera.to_camera(self._host.width(), self._host.height())
        x, y, z = (
            float(sum(camera.viewmat[row, k] * p for k, p in enumerate(self._camera.look_at)))
            + float(camera.viewmat[row, 3])
            for row in range(3)
        )
        if z <= 0.0:
            return None
        focal = float(camera.K[0, 0])
        return QPointF(
            x / z * focal + self._host.width() / 2, y / z * focal + self._host.height() / 2
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = QPointF(_SIZE_PX / 2, _SIZE_PX / 2)
        for color, width in ((QColor(0, 0, 0, 160), 4.0), (QColor(255, 255, 255, 235), 2.0)):
            painter.setPen(QPen(color, width))
            painter.drawEllipse(middle, _RING_PX, _RING_PX)
            painter.drawPoint(middle)
