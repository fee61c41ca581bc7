"""The viewport: the picture's place in the window, and the pointer upon it.

A surface (`drawing.raster_surface`, `drawing.texture_surface`) shows pictures and knows nothing
else; this
widget lies around it, turns the pointer into camera moves and carries what stands on the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.message_card import MessageCard
from streamstgs.app.ui.viewport.poster_view import PosterView
from streamstgs.app.ui.viewport.spinner import Spinner
from streamstgs.app.ui.viewport.statistics_overlay import StatisticsOverlay
from streamstgs.app.ui.viewport.toast import Toast

if TYPE_CHECKING:
    from streamstgs.app.ui.drawing.camera_glide import CameraGlide

_STEPS_PER_PINCH = 6.0  # a pinch to double size moves as many notches of the wheel


class Viewport(QWidget):
    """Owner: the GUI thread. `motion` is the camera to move, None while no scene is open."""

    camera_moved = Signal()
    pivot_wanted = Signal(float, float)  # logical px
    dropped = Signal(str)
    pointer_moved = Signal()
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.motion: CameraGlide | None = None
        self.surface: QWidget | None = None
        self._former: QWidget | None = None  # a surface whose picture is still to be seen
        self._last: QPointF | None = None
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 90)
        self.setAccessibleName("Picture")
        self.poster = PosterView(self)  # the lowest but for the surface
        self.card = MessageCard(self)
        self.toast = Toast(self)
        self.statistics = StatisticsOverlay(self)
        self.spinner = Spinner(36, self, glass_px=10)

    def expect_opengl(self) -> None:
        """Call before the window is shown: it is made for OpenGL then.

        Where the first widget with OpenGL comes later, Qt makes the whole window anew, and it is
        black meanwhile. Nobody ever sees this one.
        """
        from PySide6.QtOpenGLWidgets import QOpenGLWidget

        QOpenGLWidget(self).hide()

    def set_surface(self, surface: QWidget) -> None:
        """Show pictures with `surface` from now on. What is seen stays until `surface_painted`."""
        if self._former is None:
            self._former = self.surface
        elif self.surface is not None:
            _delete(self.surface)
        if self._former is not None:  # or Qt would never paint what lies below
            self._former.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, False)
        self.surface = surface
        surface.setParent(self)
        surface.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        surface.setGeometry(self.rect())
        surface.lower()
        surface.show()

    def surface_painted(self) -> None:
        """The surface has a picture: the former one is no longer needed."""
        if self._former is not None:
            _delete(self._former)
            self._former = None

    def size_px(self, scale: float = 1.0) -> tuple[int, int]:
        """(width, height) of a picture for this place in device pixels, times `scale`."""
        ratio = self.devicePixelRatioF() * scale
        return max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        for surface in (self.surface, self._former):
            if surface is not None:
                surface.setGeometry(self.rect())
        self.poster.setGeometry(self.rect())
        self.card.place()
        self.toast.place()
        middle = self.rect().center() - self.spinner.rect().center()
        self.spinner.move(middle)
        self.resized.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.STAGE)

    # pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._last = event.position()
        self.setFocus()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer_moved.emit()
        if self.motion is None or self._last is None or not event.buttons():
            return
        step = event.position() - self._last
        self._last = event.position()
        self._drag(event, step)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not event.buttons():
            self._last = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.motion is not None:
            self._last = None
            self.pivot_wanted.emit(event.position().x(), event.position().y())

    def _drag(self, event: QMouseEvent, step: QPointF) -> None:
        assert self.motion is not None
        pans = event.buttons() & (Qt.MouseButton.RightButton | Qt.MouseButton.MiddleButton)
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        move = self.motion.orbit.pan if pans or shifted else self.motion.orbit.orbit
        move(step.x(), step.y(), (self.width(), self.height()))
        self.motion.follow()
        self.camera_moved.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.motion is None:
            return
        fine = event.pixelDelta()
        zooms = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if not fine.isNull() and event.phase() != Qt.ScrollPhase.NoScrollPhase and not zooms:
            self._pan_by_fingers(fine)
        else:
            self._dolly(event.angleDelta().y() / 120, event.position())

    def event(self, event: QEvent) -> bool:
        if (
            self.motion is not None
            and isinstance(event, QNativeGestureEvent)
            and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture
        ):
            self._dolly(event.value() * _STEPS_PER_PINCH, event.position())
            return True
        return super().event(event)

    def _pan_by_fingers(self, step: QPoint) -> None:
        assert self.motion is not None
        self.motion.orbit.pan(step.x(), step.y(), (self.width(), self.height()))
        self.motion.follow()
        self.camera_moved.emit()

    def _dolly(self, steps: float, at: QPointF) -> None:
        assert self.motion is not None
        if steps:
            self.motion.orbit.dolly(steps, (at.x(), at.y()), (self.width(), self.height()))
            self.motion.glide()
            self.camera_moved.emit()

    # drag and drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasText():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if (location := dropped_location(event.mimeData())) is not None:
            event.acceptProposedAction()
            self.dropped.emit(location)


def _delete(surface: QWidget) -> None:
    surface.hide()
    surface.deleteLater()


def dropped_location(data: QMimeData) -> str | None:
    """Path or URL of what was dropped; the first one where there are several."""
    urls = data.urls()
    if urls:
        here = urls[0].isLocalFile() and not urls[0].host()
        encoded = QUrl.ComponentFormattingOption.FullyEncoded
        return urls[0].toLocalFile() if here else urls[0].toString(encoded)
    text = data.text().strip()
    return text if text and "\n" not in text else None
