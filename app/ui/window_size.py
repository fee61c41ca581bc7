"""The size of the window: it fits the screen with its frame, and a narrow one folds the panel."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRect, QSize
from PySide6.QtWidgets import QWidget

USUAL_SIZE = QSize(1280, 800)
FRAME_PX = QSize(16, 48)  # room for borders and title bar, which are unknown before it is shown
FOLD_BELOW_PX = 700  # a narrower window has no room for picture and panel


def first_size(available: QRect) -> QSize:
    """The size of a window that is shown for the first time.

    Args:
        available: The part of the screen that windows may use, frames included.
    """
    room = available.size() - FRAME_PX
    return USUAL_SIZE.boundedTo(room) if not available.isEmpty() else USUAL_SIZE


class PanelFolding(QObject):
    """Hides the side panel while the window is narrow, and shows it again afterwards.

    A person who opens the panel of a narrow window keeps it open.

    Args:
        central: Its width decides.
        is_open: Whether the panel is open.
        show: Opens or closes it without remembering that.
    """

    def __init__(
        self, central: QWidget, is_open: Callable[[], bool], show: Callable[[bool], None]
    ) -> None:
        super().__init__(central)
        self._central, self._is_open, self._show = central, is_open, show
        self._narrow = False
        self._folded = False  # the panel was closed here
        central.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fold or unfold when the width has passed the limit."""
        if event.type() == QEvent.Type.Resize:
            narrow = self._central.width() < FOLD_BELOW_PX
            if narrow is not self._narrow:
                self._narrow = narrow
                self._fold(narrow)
        return False

    def _fold(self, narrow: bool) -> None:
        if narrow and self._is_open():
            self._folded = True
            self._show(False)
        elif not narrow and self._folded:
            self._folded = False
            self._show(True)
