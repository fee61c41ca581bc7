"""The quality slider: one stop per quality of the scene, the worst left, the best right."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.focus_ring import draw_focus_ring
from streamstgs.app.ui.panel.quality_names import (
    quality_names,
    quality_tooltip,
    short_bitrate_text,
)
from streamstgs.codec.quality import Quality

_MARGIN_PX = 26
_TRACK_Y = 16
_KNOB_PX = 8
_LABEL_PX = 56
_LINE_PX = 18


class QualitySlider(QAbstractSlider):
    """Stops carry a name and a bitrate in Mbit/s; `chosen` fires with the chosen `Quality`."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._qualities: tuple[Quality, ...] = ()
        self._shown: Quality | None = None
        self._auto = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr("Quality"))
        self.valueChanged.connect(self._choose_value)  # of screen readers

    def sizeHint(self) -> QSize:
        return QSize(220, _TRACK_Y + 3 * _LINE_PX + 12)

    def show_qualities(
        self, qualities: tuple[Quality, ...], shown: Quality | None, auto: bool
    ) -> None:
        """Show the qualities of a scene (worst first), and the one on the screen.

        Args:
            auto: Whether the shown one was chosen automatically.
        """
        if (qualities, shown, auto) != (self._qualities, self._shown, self._auto):
            self._qualities, self._shown, self._auto = qualities, shown, auto
            self._tell_value()
            self.update()

    def _tell_value(self) -> None:
        """Tell screen readers the quality."""
        self.blockSignals(True)
        self.setRange(0, max(len(self._qualities) - 1, 0))
        if self._shown is not None:
            self.setValue(self._shown.index)
            text = quality_tooltip(self._shown, len(self._qualities))
            self.setAccessibleDescription(text.partition("\n")[0])
        self.blockSignals(False)

    def _choose_value(self, index: int) -> None:
        if index < len(self._qualities):
            self._choose(self._qualities[index])

    def x_of(self, index: int) -> float:
        """The place of a stop, px from the left."""
        last = len(self._qualities) - 1
        share = index / last if last > 0 else 0.5
        return _MARGIN_PX + share * (self.width() - 2 * _MARGIN_PX)

    def quality_at(self, x: float) -> Quality | None:
        """The quality whose stop is nearest to a place."""
        return min(self._qualities, key=lambda one: abs(self.x_of(one.index) - x), default=None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(self.quality_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(self.quality_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and self._shown is not None:
            index = min(max(self._shown.index + step, 0), len(self._qualities) - 1)
            self._choose(self._qualities[index])
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # it scrolls the panel

    def event(self, event: QEvent) -> bool:
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right)
            and not event.modifiers()
        ):
            event.accept()
            return True
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            quality = self.quality_at(event.pos().x())
            if quality is not None:
                QToolTip.showText(
                    event.globalPos(), quality_tooltip(quality, len(self._qualities)), self
                )
            return True
        return super().event(event)

    def _choose(self, quality: Quality | None) -> None:
        if quality is not None and (quality != self._shown or self._auto):
            self._shown, self._auto = quality, False
            self.chosen.emit(quality)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.outline))
        width = self.width() - 2 * _MARGIN_PX
        painter.drawRoundedRect(QRectF(_MARGIN_PX, _TRACK_Y - 2, width, 4), 2, 2)
        if self._shown is not None and self._qualities:
            painter.setBrush(QColor(look.accent))
            reach = self.x_of(self._shown.index) - _MARGIN_PX
            painter.drawRoundedRect(QRectF(_MARGIN_PX, _TRACK_Y - 2, reach, 4), 2, 2)
        names = quality_names(len(self._qualities))
        for quality in self._qualities:
            self._draw_stop(painter, quality, names[quality.index], look)
        if self._qualities:
            painter.setPen(QColor(look.muted))
            unit = QRectF(0, _TRACK_Y + 12 + 2 * _LINE_PX, self.width(), _LINE_PX)
            painter.drawText(unit, Qt.AlignmentFlag.AlignCenter, "Mbit/s")
        if self.hasFocus():
            draw_focus_ring(painter, self.rect(), look)

    def _draw_stop(self, painter: QPainter, quality: Quality, name: str, look: theme.Theme) -> None:
        here = quality == self._shown
        centre = QPointF(self.x_of(quality.index), _TRACK_Y)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.surface))
        painter.drawEllipse(centre, 7, 7)
        painter.setBrush(QColor(look.accent if here else look.muted))
        painter.drawEllipse(centre, _KNOB_PX if here else 4, _KNOB_PX if here else 4)
        if not (here or self._has_room(quality)):
            return
        painter.setPen(QColor(look.text if here else look.muted))
        label = QRectF(centre.x() - _LABEL_PX / 2, _TRACK_Y + 12, _LABEL_PX, _LINE_PX)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, name)
        painter.setPen(QColor(look.muted))
        rate = short_bitrate_text(quality.bitrate_bps)
        painter.drawText(label.translated(0, _LINE_PX), Qt.AlignmentFlag.AlignCenter, rate)

    def _has_room(self, quality: Quality) -> bool:
        """Whether the label of a stop that is not chosen fits beside the others."""
        last = len(self._qualities) - 1
        gap_px = (self.width() - 2 * _MARGIN_PX) / max(last, 1)
        if gap_px >= _LABEL_PX - 8:
            return True
        chosen_px = self.x_of(self._shown.index) if self._shown is not None else -_LABEL_PX
        clear = abs(self.x_of(quality.index) - chosen_px) >= _LABEL_PX
        return quality.index in (0, last) and clear
