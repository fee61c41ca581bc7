"""The time code of the transport bar: a text that a click turns into a field."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFontDatabase, QFontMetrics, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget
from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.fields import Field, mark_wrong
from streamstgs.app.ui.transport.timecode import format_time, parse_time


class TimeLabel(QWidget):
    """Position, duration and frame; `sought` fires with the seconds that were typed.

    `roomy` tells whether the frame number has room.
    """

    sought = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fps = 30.0
        self.roomy = True
        self.label = QLabel()
        self.field = Field()
        self.label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.label.setTextFormat(Qt.TextFormat.RichText)
        self.label.setToolTip(tr("Click to type a time (1:02.5) or a frame (87f)"))
        self.label.setCursor(Qt.CursorShape.IBeamCursor)
        self.label.installEventFilter(self)
        self.label.setAccessibleName(tr("Time"))
        self.label.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.field.setAccessibleName(tr("Time"))
        self.field.setToolTip(tr("A time (1:02.5) or a frame (87f). Enter goes there."))
        self.setFocusProxy(self.label)
        self.field.installEventFilter(self)
        self.field.returnPressed.connect(self._take)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.label)
        self._stack.addWidget(self.field)
        self._use_even_digits()
        self.set_roomy(True)
        self.clear()

    def _use_even_digits(self) -> None:
        """Take a fixed-pitch font, so that changing digits do not move the text."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        self.label.setFont(font)
        self.field.setFont(font)

    def set_roomy(self, roomy: bool) -> None:
        """Reserve the width of the longest text, with the frame number or without."""
        self.roomy = roomy
        longest = "00:00.00 / 00:00.00" + ("  #0000" if roomy else "")
        room = QFontMetrics(self.label.font()).horizontalAdvance(longest)
        self.setFixedSize(room + theme.GRID_PX, theme.TARGET_PX)

    def show_status(self, status: PlaybackStatus) -> None:
        self._fps = status.fps or self._fps
        muted = theme.current().muted
        frame = f"&nbsp;&nbsp;#{status.frame}" if self.roomy else ""
        self.label.setText(
            f"<b>{format_time(status.position_s)}</b>"
            f"<span style='color:{muted}'> / {format_time(status.duration_s)}{frame}</span>"
        )

    def clear(self) -> None:
        self.label.setText(
            f"<span style='color:{theme.current().muted}'>--:--.-- / --:--.--</span>"
        )
        self._stack.setCurrentWidget(self.label)

    def edit(self) -> None:
        self.field.setText(self._label_time())
        mark_wrong(self.field, False)
        self._stack.setCurrentWidget(self.field)
        self.field.setFocus()
        self.field.selectAll()

    def _label_time(self) -> str:
        text = self.label.text()
        return text[3 : text.index("</b>")] if text.startswith("<b>") else ""

    def _take(self) -> None:
        try:
            time_s = parse_time(self.field.text(), self._fps)
        except ValueError:
            mark_wrong(self.field, True)
            return
        self.sought.emit(time_s)
        self._leave()

    def _leave(self) -> None:
        self._stack.setCurrentWidget(self.label)
        window = self.window()
        window.setFocus()

    def _edit_by_key(self, event: QKeyEvent) -> bool:
        """Enter on the text, which Tab reaches, does what a click does."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or event.modifiers():
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
        elif event.type() == QEvent.Type.KeyPress and self.isEnabled():
            self.edit()
        return True

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if watched is self.label and isinstance(event, QMouseEvent):
            if event.type() == QEvent.Type.MouseButtonRelease and self.isEnabled():
                self.edit()
        elif watched is self.label and isinstance(event, QKeyEvent):
            return self._edit_by_key(event)
        elif watched is self.field and event.type() == QEvent.Type.FocusOut:
            self._stack.setCurrentWidget(self.label)
        elif (
            watched is self.field
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() == Qt.Key.Key_Escape
        ):
            self._leave()
            return True
        return False
