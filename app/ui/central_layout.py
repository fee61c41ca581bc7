"""Central layout: viewport, panel, film and bar, or the bar over a full screen image."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QEvent, QPropertyAnimation, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGraphicsOpacityEffect, QWidget
from streamstgs.app.ui.panel.side_panel import WIDTH_PX, SidePanel
from streamstgs.app.ui.transport.transport_bar import TransportBar
from streamstgs.app.ui.viewport.viewport import Viewport

HIDE_AFTER_MS = 2500
_FADE_MS = 200


class CentralLayout(QWidget):
    """Places viewport, panel, film panel and bar.

    In full screen the viewport has the whole screen and the bar lies over it. The bar fades when
    the pointer rests, if `may_fade` allows it (not while paused or dragging).
    """

    def __init__(self, viewport: Viewport, bar: TransportBar, panel: SidePanel) -> None:
        super().__init__()
        self.viewport, self.bar, self.panel = viewport, bar, panel
        for part in (viewport, panel, bar):
            part.setParent(self)
        self._film: QWidget | None = None
        self._film_open = False
        self.may_fade = False
        self.fades = True  # false hides the bar at once
        self.idle_ms = HIDE_AFTER_MS
        self._immersive = False
        self._panel_open = True
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.timeout.connect(self._fade_if_idle)
        self._fade: QPropertyAnimation | None = None
        viewport.pointer_moved.connect(self.wake)
        bar.installEventFilter(self)
        bar.setMouseTracking(True)

    @property
    def controls_shown(self) -> bool:
        return self.bar.isVisible()

    def set_immersive(self, on: bool) -> None:
        self._immersive = on
        self._show_controls()
        self.panel.setVisible(self._panel_open and not on)
        self.viewport.titles.set_lift(self.bar.sizeHint().height() if on else 0)
        if self._film is not None:
            self._film.setVisible(self._film_open and not on)
        self._place()
        if on:
            self._idle.start(self.idle_ms)

    def set_panel_open(self, on: bool) -> None:
        self._panel_open = on
        self.panel.setVisible(on)
        self._place()

    def set_film_panel(self, film: QWidget) -> None:
        """Take the widget that lies above the bar while the film is edited."""
        self._film = film
        film.setParent(self)
        film.hide()

    def set_film_open(self, on: bool) -> None:
        """Show or hide the film panel; full screen hides it."""
        self._film_open = on
        if self._film is not None:
            self._film.setVisible(on and not self._immersive)
        self._place()

    @property
    def panel_open(self) -> bool:
        return self.panel.isVisibleTo(self)

    def wake(self) -> None:
        """Show the controls, and start the time to fading again."""
        if self._immersive:
            self._show_controls()
            self._idle.start(self.idle_ms)

    def _show_controls(self) -> None:
        self._idle.stop()
        if self._fade is not None:
            self._fade.stop()
            self._fade = None
        self.bar.setGraphicsEffect(None)  # type: ignore[arg-type]
        self.bar.show()
        self.bar.raise_()
        self.viewport.unsetCursor()

    def hide_controls(self) -> None:
        """Let the bar of a full screen picture fade now."""
        if self._immersive and self._fade is None and self.bar.isVisible():
            self._idle.stop()
            self._begin_to_fade()

    def _fade_if_idle(self) -> None:
        if not self._immersive:
            return
        if not self.may_fade or self.bar.underMouse() or self.panel.isVisible():
            self._idle.start(self.idle_ms)
            return
        self._begin_to_fade()

    def _begin_to_fade(self) -> None:
        if not self.fades:
            self.bar.hide()
            self.viewport.setCursor(Qt.CursorShape.BlankCursor)
            return
        effect = QGraphicsOpacityEffect(self.bar)
        self.bar.setGraphicsEffect(effect)
        self._fade = QPropertyAnimation(effect, b"opacity", self)
        self._fade.setDuration(_FADE_MS)
        self._fade.setStartValue(1.0)
        self._fade.setEndValue(0.0)
        self._fade.setEasingCurve(QEasingCurve.Type.OutQuad)
        self._fade.finished.connect(self.bar.hide)
        self._fade.start()
        self.viewport.setCursor(Qt.CursorShape.BlankCursor)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseMove, QEvent.Type.Enter):
            self.wake()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        width, height = self.width(), self.height()
        bar_px = self.bar.sizeHint().height()
        self.bar.setGeometry(0, height - bar_px, width, bar_px)
        panel_px = WIDTH_PX if self.panel.isVisibleTo(self) else 0
        if self._film is not None and self._film.isVisibleTo(self):
            film_px = self._film.sizeHint().height()
            self._film.setGeometry(0, height - bar_px - film_px, width, film_px)
            bar_px += film_px
        self.panel.setGeometry(width - panel_px, 0, WIDTH_PX, height - bar_px)
        if self._immersive:
            self.viewport.setGeometry(0, 0, width, height)
        else:
            self.viewport.setGeometry(0, 0, width - panel_px, height - bar_px)
        self.panel.raise_()
        self.bar.raise_()
