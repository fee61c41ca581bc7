"""Line edits and combo boxes of the side panel."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QStandardItemModel,
    QWheelEvent,
)
from PySide6.QtWidgets import QComboBox, QLineEdit
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import pixmap

LABEL_COLUMN_PX = 80  # names before fields line up over all sections
_OWN_KEYS = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Escape, Qt.Key.Key_Up, Qt.Key.Key_Down)
_CHEVRON_PX = 16


class Field(QLineEdit):
    """A line edit that keeps Tab, Esc and the arrow keys from the player while it has the focus.

    `left` fires when the focus leaves it. Esc leaves it and discards what was typed.
    """

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setModified(False)
            self.window().setFocus()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        elsewhere = Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason
        if event.reason() not in elsewhere:
            self.left.emit()

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _OWN_KEYS
        ):
            event.accept()
            return True
        return super().event(event)


class Choice(QComboBox):
    """A combo box with our chevron; the wheel over it scrolls the panel instead of choosing."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumContentsLength(8)  # long entries must not widen the panel
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def set_item_enabled(self, place: int, enabled: bool) -> None:
        """Let an entry be chosen or not; a disabled one is grey."""
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        model.item(place).setEnabled(enabled)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        look = theme.current()
        tint = look.muted if self.isEnabled() else look.border
        chevron = pixmap("chevron-down", tint, _CHEVRON_PX, 2)
        painter = QPainter(self)
        x, y = self.width() - _CHEVRON_PX - 6, (self.height() - _CHEVRON_PX) // 2
        painter.drawPixmap(x, y, _CHEVRON_PX, _CHEVRON_PX, chevron)


def mark_wrong(field: QLineEdit, wrong: bool) -> None:
    """Mark a field whose text cannot be used, or remove the mark (the style sheet draws it)."""
    if bool(field.property("wrong")) == wrong:
        return
    field.setProperty("wrong", wrong)
    field.style().unpolish(field)
    field.style().polish(field)
