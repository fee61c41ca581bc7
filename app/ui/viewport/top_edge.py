"""Keeps what lies at the upper edge of the picture from covering one another."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget
from streamstgs.app.ui import theme

MARGIN_PX = 12
_MOVES = (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.Resize)


class TopEdge(QObject):
    """Lays out bars and the statistics at the upper edge of a widget. Owner: the GUI thread.

    Bars are centred, one below the other, in the order in which they were added. The corner widget
    lies at the left, and goes below all bars where it would cover one of them. Each gives itself
    its size.

    Args:
        host: Carries all of them.
        corner: The widget at the left.
    """

    def __init__(self, host: QWidget, corner: QWidget) -> None:
        super().__init__(host)
        self._host, self._corner = host, corner
        self._bars: list[QWidget] = []
        for widget in (host, corner):
            widget.installEventFilter(self)

    def add(self, bar: QWidget) -> None:
        """Place a bar below those that were added before."""
        self._bars.append(bar)
        bar.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Lay out again when one of them appears, disappears or changes its size."""
        if event.type() in _MOVES:
            self.place()
        return False

    def place(self) -> None:
        """Move all visible widgets to their places."""
        top = MARGIN_PX
        shown = [bar for bar in self._bars if bar.isVisible()]
        for bar in shown:
            bar.move((self._host.width() - bar.width()) // 2, top)
            top += bar.height() + theme.GRID_PX
        corner = self._corner
        corner.move(2 * theme.GRID_PX, 2 * theme.GRID_PX)
        if any(bar.geometry().intersects(corner.geometry()) for bar in shown):
            corner.move(2 * theme.GRID_PX, top)
