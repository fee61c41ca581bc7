"""Draws the camera path and the frusta of its keyframes over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLineF, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.viewport import Viewport

if TYPE_CHECKING:  # it loads torch
    from streamstgs.app.player.film.path_overlay import PathLines

_OUTLINE = QColor(0, 0, 0, 150)  # keeps lines visible over bright and dark pictures
_DOT_PX = 5.0


class TrackOverlay(QWidget):
    """Lies over the surface of a viewport. It draws nothing while the film is previewed.

    While it is hidden it listens to nothing and costs nothing. Owner: the GUI thread.

    Args:
        model: Its camera track is drawn, from its camera.
        viewport: The parent.
    """

    def __init__(self, model: ViewerModel, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._model, self._viewport = model, viewport
        self._lines: tuple[object, PathLines] | None = None
        self.selected: int | None = None  # the keyframe that is drawn in the accent colour
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.stackUnder(viewport.poster)  # above the surface
        viewport.installEventFilter(self)
        self.hide()

    def set_shown(self, shown: bool) -> None:
        """Show or hide the path."""
        if shown == self.isVisibleTo(self._viewport):
            return
        signals = (self._model.camera.changed, self._model.track.changed, self._model.film.changed)
        for signal in signals:
            if shown:
                signal.connect(self._refresh)
            else:
                signal.disconnect(self._refresh)
        self.setVisible(shown)
        self._fit()

    def select(self, index: int | None) -> None:
        """Draw a keyframe in the accent colour; None draws none so."""
        if index != self.selected:
            self.selected = index
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the viewport."""
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return False

    def _fit(self) -> None:
        self.setGeometry(self._viewport.rect())

    def _refresh(self) -> None:
        self.update()

    def _path_lines(self) -> PathLines | None:
        """The lines in the world, made again when the track has changed."""
        from streamstgs.app.player.camera.framing import natural_aspect
        from streamstgs.app.player.film.path_overlay import PathLines

        track, meta = self._model.track, self._model.meta
        if meta is None or not len(track):
            return None
        state = track.snapshot()
        if self._lines is None or self._lines[0] is not state:
            self._lines = state, PathLines.of(track.path(natural_aspect(meta)))
        return self._lines[1]

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._model.film.playing or not self._model.camera.available:
            return
        lines = self._path_lines()
        if lines is None:
            return
        from streamstgs.app.player.film.path_overlay import on_screen

        meta = self._model.meta
        assert meta is not None
        camera = self._model.camera.to_camera(self.width(), self.height())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        light, accent = QColor(theme.OVERLAY_TEXT), QColor(theme.DARK.accent)
        _draw(painter, on_screen(lines.curve, camera, meta.near), accent, 2.0)
        for index, frustum in enumerate(lines.frusta):
            colour = accent if index == self.selected else light
            _draw(painter, on_screen(frustum, camera, meta.near), colour, 1.25)


def _draw(painter: QPainter, lines, colour: QColor, width: float) -> None:  # type: ignore[no-untyped-def]
    shown = [QLineF(QPointF(*one), QPointF(*other)) for one, other in lines.tolist()]
    for pen in (QPen(_OUTLINE, width + 1.5), QPen(colour, width)):
        painter.setPen(pen)
        painter.drawLines(shown)
