"""Says over the picture that the camera is at the edge of what was filmed; offers a way back."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.overlay_style import OVERLAY_STYLE, paint_card
from streamstgs.app.ui.viewport.viewport import Viewport

SHOWN_MS = 5000  # after the last move that was stopped


class EdgeNotice(QWidget):
    """Lies at the upper edge of its parent while moves are stopped. Owner: the GUI thread.

    Args:
        camera: Its moves are followed.
        host: Shows the picture.
    """

    def __init__(self, camera: CameraController, host: Viewport) -> None:
        super().__init__(host)
        self._camera, self._host = camera, host
        self.setStyleSheet(OVERLAY_STYLE)
        self._text = QLabel(tr("The cameras saw nothing beyond this edge."))
        self.back = QPushButton(tr("Back to the filmed side"))
        self.free = QPushButton(tr("Fly freely"))
        self.free.setToolTip(tr("Move beyond the edge; the picture may be wrong there"))
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.GRID_PX, theme.GRID_PX, theme.GRID_PX, theme.GRID_PX)
        row.setSpacing(theme.GRID_PX)
        row.addWidget(self._text)
        for button in (self.back, self.free):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys go on moving the camera
            row.addWidget(button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        self.back.clicked.connect(camera.go_to_filmed_side)
        self.free.clicked.connect(self._unlock)
        host.top_edge.add(self)
        camera.stopped.connect(self._stopped)
        camera.changed.connect(self._moved)
        host.installEventFilter(self)
        self.hide()

    def _stopped(self) -> None:
        self._timer.start()
        if not self.isVisible():
            self.show()
            self._place()
            self.raise_()

    def _moved(self) -> None:
        if self.isVisible() and not self._camera.at_edge:
            self._timer.stop()
            self.hide()

    def _unlock(self) -> None:
        self._camera.free_flight = True
        self.hide()

    def _place(self) -> None:
        self._text.show()
        self.adjustSize()
        if self.width() > self._host.width():  # the buttons alone say enough
            self._text.hide()
            self.adjustSize()
        self._host.top_edge.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the picture."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)
