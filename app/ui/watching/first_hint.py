"""Tells a first-time viewer over the picture how to move; goes away at the first drag."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from streamstgs.app.player.viewer.open_scene import PAINTED, OpenScene
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.viewport.overlay_style import OVERLAY_STYLE, paint_card
from streamstgs.app.ui.viewport.viewport import Viewport

SEEN_KEY = "hint_seen"
ABOVE_EDGE_PX = 12 * theme.GRID_PX  # messages appear below the hint


class FirstHint(QWidget):
    """Lies at the lower edge of the viewport until a person has dragged once, ever.

    Owner: the GUI thread.

    Args:
        model: The hint waits for a picture of its scene.
        viewport: Carries the hint and reports drags.
        preferences: Remember that the hint was heeded.
    """

    def __init__(self, model: ViewerModel, viewport: Viewport, preferences: Preferences) -> None:
        super().__init__(viewport)
        self._model, self._viewport, self._preferences = model, viewport, preferences
        self.setStyleSheet(OVERLAY_STYLE)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        grid = QGridLayout(self)
        grid.setContentsMargins(2 * theme.GRID_PX, 12, 2 * theme.GRID_PX, 12)
        grid.setHorizontalSpacing(2 * theme.GRID_PX)
        grid.setVerticalSpacing(4)
        rows = (
            (tr("Drag"), tr("look from another side")),
            (tr("Wheel"), tr("move closer")),
            (tr("Double click"), tr("turn around this point")),
            (tr("Space"), tr("pause and play")),
        )
        for line, (gesture, meaning) in enumerate(rows):
            left, right = QLabel(gesture), QLabel(meaning)
            right.setObjectName("muted")
            grid.addWidget(left, line, 0)
            grid.addWidget(right, line, 1)
        self.hide()
        if not preferences.flag(SEEN_KEY, False):
            viewport.dragged.connect(self._heeded)
            viewport.installEventFilter(self)
            model.scene_changed.connect(self._scene_changed)

    def _scene_changed(self, scene: OpenScene) -> None:
        if scene is self._model.scene:
            wanted = scene.state in PAINTED and not self._preferences.flag(SEEN_KEY, False)
            self.setVisible(wanted and not self.window().isFullScreen())
            self._place()

    def _heeded(self) -> None:
        self._preferences.set(SEEN_KEY, True)
        self._viewport.dragged.disconnect(self._heeded)
        self._viewport.removeEventFilter(self)
        self.hide()

    def _place(self) -> None:
        self.adjustSize()
        room = self._viewport.size()
        y = room.height() - self.height() - ABOVE_EDGE_PX
        self.move((room.width() - self.width()) // 2, max(y, 0))
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the picture; full screen shows no hint."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            if self.window().isFullScreen():
                self.hide()
            self._place()
        return False

    def event(self, event: QEvent) -> bool:
        """Follow the length of the texts, which another language changes."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._place()
        return done

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)
