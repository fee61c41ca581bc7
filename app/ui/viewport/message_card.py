"""The card in the middle of the viewport: no scene open, opening, or an error."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import pixmap
from streamstgs.app.ui.viewport.overlay_style import OVERLAY_STYLE, paint_card
from streamstgs.app.ui.viewport.spinner import Spinner
from streamstgs.codec.streaming.address import redact_credentials

_WIDTH_PX = 440
_EDGE_PX = 16
_MARGIN_PX = 4 * theme.GRID_PX


class MessageCard(QWidget):
    """A heading, a sentence and buttons in the middle of the picture's place.

    `asked` carries command names, or "try_again", "cancel" and "dismiss".
    """

    asked = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self.setStyleSheet(OVERLAY_STYLE)
        self._picture = QLabel()
        self._spinner = Spinner(40)
        self._title = QLabel()
        self._title.setObjectName("title")
        self._text = QLabel()
        self._text.setObjectName("muted")
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(theme.GRID_PX)
        for label in (self._picture, self._title, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(label is not self._picture)
            label.setTextFormat(Qt.TextFormat.PlainText)  # scene data is untrusted
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        column.setSpacing(12)
        column.addWidget(self._picture)
        column.addWidget(self._spinner, alignment=Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addSpacing(theme.GRID_PX)
        column.addLayout(self._buttons)
        self._quiet = False
        self.hide()

    def set_quiet(self, quiet: bool) -> None:
        """Show nothing but `show_waiting` from now on, as in a kiosk; buttons lead out of it."""
        self._quiet = quiet

    def show_waiting(self, text: str) -> None:
        """Show that something is under way, without buttons."""
        self._place("", tr("One moment, please"), text, ())

    @property
    def title(self) -> str:
        return self._title.text()

    @property
    def text(self) -> str:
        return self._text.text()

    def show_empty(self) -> None:
        """Invite to open a scene."""
        self._show(
            "film",
            tr("Open a scene"),
            tr("Drop a scene, a splat file such as .ply or .spz, or a folder here, or choose one."),
            (
                (tr("Open file…"), "open_file"),
                (tr("Open folder…"), "open_folder"),
                (tr("URL…"), "open_url"),
            ),
        )

    def show_opening(self, location: str) -> None:
        """Show that a scene is being opened."""
        self._show("", tr("Opening"), redact_credentials(location), ((tr("Cancel"), "cancel"),))

    def show_error(self, title: str, message: str, dismissable: bool) -> None:
        """Show an error.

        Args:
            title: What happened.
            message: Details, then what to do.
            dismissable: Whether a scene behind the card can be gone back to.
        """
        back = ((tr("Back to the scene"), "dismiss"),) if dismissable else ()
        buttons = ((tr("Try again"), "try_again"), (tr("Open another…"), "open_file"), *back)
        self._show("warning", title, message, buttons)

    def _show(
        self, icon_name: str, title: str, text: str, buttons: tuple[tuple[str, str], ...]
    ) -> None:
        if not self._quiet:
            self._place(icon_name, title, text, buttons)

    def _place(
        self, icon_name: str, title: str, text: str, buttons: tuple[tuple[str, str], ...]
    ) -> None:
        self._picture.setVisible(bool(icon_name))
        if icon_name:
            tint = theme.DARK.danger if icon_name == "warning" else theme.OVERLAY_MUTED
            self._picture.setPixmap(pixmap(icon_name, tint, 40, 2))
        self._spinner.set_running(not icon_name)
        self._title.setText(title)
        self._text.setText(_breakable(text))
        self._set_buttons(buttons)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.show()
        self._column.invalidate()  # not in `place`: it asks for a layout, which calls that
        self.place()
        self.raise_()

    def _set_buttons(self, buttons: tuple[tuple[str, str], ...]) -> None:
        while (item := self._buttons.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._buttons.addStretch(1)
        for place, (text, command) in enumerate(buttons):
            button = QPushButton(text)
            primary = place == 0 and command != "cancel"
            button.setObjectName("primary" if primary else "secondary")
            button.clicked.connect(lambda _=False, name=command: self.asked.emit(name))
            self._buttons.addWidget(button)
            button.ensurePolished()  # `place` needs its width, with the padding of the style
        self._buttons.addStretch(1)

    def put_away(self) -> None:
        """Hide the card."""
        self._spinner.set_running(False)
        self.hide()

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.place()  # the height of the wrapped text is known now
        return handled

    def place(self) -> None:
        """Move to the middle of the parent."""
        room = self._host.size()
        widest = room.width() - 2 * _EDGE_PX
        width = min(max(_WIDTH_PX, self._fit_buttons(widest)), widest)
        wanted = self._column.totalHeightForWidth(width)
        height = min(max(wanted, self.minimumSizeHint().height()), room.height())
        x, y = (room.width() - width) // 2, (room.height() - height) // 2
        self.setGeometry(x, max(y, 0), width, height)

    def _fit_buttons(self, widest: int) -> int:
        """Lay out the buttons within a width of the card, px; returns the width that they need.

        Where one row is too wide, the card has narrower margins, and at last one column. Nothing is
        set that stays the same, because that would ask for another layout.
        """
        items = (self._buttons.itemAt(place) for place in range(self._buttons.count()))
        widgets = [item.widget() for item in items if item is not None]
        widths = [widget.sizeHint().width() for widget in widgets if widget is not None]
        row_px = sum(widths) + self._buttons.spacing() * max(len(widths) - 1, 0)
        margin = _MARGIN_PX if row_px + 2 * _MARGIN_PX <= widest else _MARGIN_PX // 2
        fits = row_px + 2 * margin <= widest
        ways = QBoxLayout.Direction
        way = ways.LeftToRight if fits else ways.TopToBottom
        if self._buttons.direction() != way:
            self._buttons.setDirection(way)
        if self._column.contentsMargins().left() != margin:
            self._column.setContentsMargins(margin, margin, margin, margin)
        return row_px + 2 * margin

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=14)


def _breakable(text: str) -> str:
    """Let long paths wrap at their slashes."""
    return text.replace("/", "/\u200b")
