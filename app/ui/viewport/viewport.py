"""The viewport: shows the image of the scene and turns the pointer into camera moves.

A surface (`drawing.raster_surface`, `drawing.texture_surface`) shows images and does nothing else;
this widget contains it and what lies over the image: poster, card, toast, statistics, spinner.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.message_card import MessageCard
from streamstgs.app.ui.viewport.poster_view import PosterView
from streamstgs.app.ui.viewport.spinner import Spinner
from streamstgs.app.ui.viewport.statistics_overlay import StatisticsOverlay
from streamstgs.app.ui.viewport.title_overlay import TitleOverlay
from streamstgs.app.ui.viewport.toast import Toast
from streamstgs.app.ui.viewport.top_edge import TopEdge

_STEPS_PER_PINCH = 6.0  # a pinch to double size moves as many notches of the wheel


class Viewport(QWidget):
    """Owner: the GUI thread.

    Args:
        camera: Moved by the pointer.
    """

    pivot_wanted = Signal(float, float)  # logical px
    dropped = Signal(str)
    menu_wanted = Signal(QPoint)  # place on the screen of a right click without a drag
    dropped_several = Signal(list)  # paths and URLs, when more than one was dropped
    drag_hovers = Signal(list)  # paths and URLs that are dragged over it; empty: nothing is
    dragged = Signal()  # the camera was moved with the pointer
    pointer_moved = Signal()
    resized = Signal()

    def __init__(self, camera: CameraController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._camera = camera
        self.surface: QWidget | None = None
        self._former: QWidget | None = None  # shown until the new one has painted
        self._last: QPointF | None = None
        self._pressed: QPointF | None = None  # where the right button went down
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 90)
        self.setAccessibleName(tr("Picture"))
        self.poster = PosterView(self)  # directly above the surface
        self.titles = TitleOverlay(self)
        self.card = MessageCard(self)
        self.toast = Toast(self, avoids=self.titles)
        self.statistics = StatisticsOverlay(self)
        self.top_edge = TopEdge(self, self.statistics)
        self.spinner = Spinner(36, self, glass_px=10)

    def expect_opengl(self) -> None:
        """Make the window for OpenGL; call before it is shown.

        If its first widget with OpenGL comes later, Qt makes the whole window again, and it is
        black meanwhile. The widget made here stays hidden.
        """
        from PySide6.QtOpenGLWidgets import QOpenGLWidget

        QOpenGLWidget(self).hide()

    def set_surface(self, surface: QWidget) -> None:
        """Show images with `surface`; the former surface stays until `surface_painted`."""
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
        """Delete the former surface, as the new one has an image."""
        if self._former is not None:
            _delete(self._former)
            self._former = None

    def size_px(self, scale: float = 1.0) -> tuple[int, int]:
        """(width, height) of an image for this widget in device pixels, times `scale`."""
        ratio = self.devicePixelRatioF() * scale
        return max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        for surface in (self.surface, self._former):
            if surface is not None:
                surface.setGeometry(self.rect())
        self.poster.setGeometry(self.rect())
        self.card.place()
        self.toast.place()
        self.titles.place()
        middle = self.rect().center() - self.spinner.rect().center()
        self.spinner.move(middle)
        self._camera.set_viewport(self.width(), self.height())
        self.resized.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.VIEWPORT_BACKGROUND)

    # pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._last = event.position()
        if event.button() is Qt.MouseButton.RightButton:
            self._pressed = event.position()
        self.setFocus()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer_moved.emit()
        if self._last is None or not event.buttons():
            return
        step = event.position() - self._last
        self._last = event.position()
        self._drag(event, step)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not event.buttons():
            self._last = None
        if event.button() is Qt.MouseButton.RightButton and self._pressed is not None:
            moved, self._pressed = event.position() - self._pressed, None
            if moved.manhattanLength() < QApplication.startDragDistance():
                self.menu_wanted.emit(event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._last = None
            self.pivot_wanted.emit(event.position().x(), event.position().y())

    def _drag(self, event: QMouseEvent, step: QPointF) -> None:
        pans = event.buttons() & (Qt.MouseButton.RightButton | Qt.MouseButton.MiddleButton)
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not self._camera.flies
        move = self._camera.drag_pan if pans or shifted else self._camera.drag_orbit
        move(step.x(), step.y(), (self.width(), self.height()))
        self.dragged.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        fine = event.pixelDelta()
        zooms = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if not fine.isNull() and event.phase() != Qt.ScrollPhase.NoScrollPhase and not zooms:
            self._pan_by_fingers(fine)
        else:
            self._dolly(event.angleDelta().y() / 120, event.position())

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture
        ):
            self._dolly(event.value() * _STEPS_PER_PINCH, event.position())
            return True
        return super().event(event)

    def _pan_by_fingers(self, step: QPoint) -> None:
        self._camera.drag_pan(step.x(), step.y(), (self.width(), self.height()))

    def _dolly(self, steps: float, at: QPointF) -> None:
        if steps:
            self._camera.dolly(steps, (at.x(), at.y()), (self.width(), self.height()))

    # drag and drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasText():
            event.acceptProposedAction()
            self.drag_hovers.emit(dropped_locations(event.mimeData()) or [""])

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drag_hovers.emit([])

    def dropEvent(self, event: QDropEvent) -> None:
        self.drag_hovers.emit([])
        locations = dropped_locations(event.mimeData())
        if locations:
            event.acceptProposedAction()
        if len(locations) > 1:
            self.dropped_several.emit(locations)
        elif locations:
            self.dropped.emit(locations[0])


def _delete(surface: QWidget) -> None:
    surface.hide()
    surface.deleteLater()


def dropped_location(data: QMimeData) -> str | None:
    """The path or URL of dropped data, the first of several; None if there is none."""
    return next(iter(dropped_locations(data)), None)


def dropped_locations(data: QMimeData) -> list[str]:
    """The paths and URLs of dropped data."""
    if data.urls():
        return [_location(url) for url in data.urls()]
    text = data.text().strip()
    return [text] if text and "\n" not in text else []


def _location(url: QUrl) -> str:
    if url.isLocalFile() and not url.host():
        return url.toLocalFile()
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
