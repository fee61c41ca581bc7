"""The card above the timeline: time, frame, marker and a small image of what the pointer is at."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.transport.timecode import format_time
from streamstgs.app.ui.transport.timeline_bar import TimelineBar

_WIDTH_PX = 176
_MARGIN_PX = 8
_RADIUS_PX = 8
_ABOVE_PX = 8  # between the card and the timeline


class HoverPreview(QWidget):
    """Lies over the window, above the pointer on a timeline. Owner: the GUI thread.

    Args:
        model: Renders the image, in a thread of its own.
        timeline: Tells where the pointer is.
        parent: The window's central widget.
    """

    _ready = Signal()  # crosses from the thread of the images

    def __init__(self, model: ViewerModel, timeline: TimelineBar, parent: QWidget) -> None:
        super().__init__(parent)
        self._model, self._timeline, self._host = model, timeline, parent
        self._time_s: float | None = None
        self._image: QImage | None = None
        self.text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        timeline.hovered.connect(self._show_at)
        timeline.installEventFilter(self)
        model.thumbnail_ready.connect(self._ready.emit)
        self._ready.connect(self._refresh, Qt.ConnectionType.QueuedConnection)

    @property
    def image(self) -> QImage | None:
        """The image that is shown; None while there is none."""
        return self._image

    def _show_at(self, time_s: float | None) -> None:
        self._time_s = time_s
        if time_s is None or self._model.scene is None:
            self._image = None
            self.hide()
            return
        frame = self._timeline.frame_at(time_s)
        self.text = tr("{time}  ·  frame {frame}", time=format_time(time_s), frame=frame)
        marker = self._timeline.marker_at(self._timeline.x_of(time_s))
        if marker is not None and marker < len(self._model.markers):
            self.text = f"{self._model.markers[marker].name}  ·  {self.text}"
        self._refresh()
        self._place()
        self.show()
        self.raise_()

    def _refresh(self) -> None:
        """Take the image of the frame under the pointer, once it is rendered."""
        if self._time_s is None or self._timeline.dragging:  # the viewport shows it already
            return
        width, height = self._image_size()
        frame = self._timeline.frame_at(self._time_s)
        pixels = self._model.thumbnail(frame, width, height)
        if pixels is not None:
            rows = pixels.tobytes()
            self._image = QImage(rows, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
            self._place()
        self.update()

    def _image_size(self) -> tuple[int, int]:
        meta = self._model.meta
        wide = meta is not None and meta.width > 0 and meta.height > 0
        shape = meta.height / meta.width if meta is not None and wide else 9 / 16
        return _WIDTH_PX, max(round(_WIDTH_PX * min(shape, 1.5)), 1)

    def _place(self) -> None:
        """Put the card above the timeline, its middle over the pointer, inside the window."""
        if self._time_s is None:
            return
        line_px = self.fontMetrics().height()
        text_px = self.fontMetrics().horizontalAdvance(self.text)
        image_px = self._image.height() + _MARGIN_PX if self._image is not None else 0
        width = max(_WIDTH_PX if self._image is not None else 0, text_px) + 2 * _MARGIN_PX
        height = image_px + line_px + 2 * _MARGIN_PX
        host = self._host
        above = QPoint(round(self._timeline.x_of(self._time_s)), 0)
        at = self._timeline.mapTo(host, above)
        left = min(max(at.x() - width // 2, 0), host.width() - width)
        self.setGeometry(QRect(left, at.y() - height - _ABOVE_PX, width, height))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hide the card together with the timeline."""
        if event.type() == QEvent.Type.Hide:
            self.hide()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.DARK.border)
        painter.setBrush(QColor(theme.DARK.window))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), _RADIUS_PX, _RADIUS_PX)
        top = _MARGIN_PX
        if self._image is not None:
            left = (self.width() - self._image.width()) // 2
            painter.drawImage(left, top, self._image)
            top += self._image.height() + _MARGIN_PX
        painter.setPen(theme.OVERLAY_TEXT)
        place = QRect(0, top, self.width(), self.height() - top - _MARGIN_PX)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self.text)
