"""The live badge, in the transport bar of scenes that grow: it goes to the live edge."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget
from streamstgs.app.player.live.follower import LiveStatus
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme


class LiveButton(QToolButton):
    """Filled while playback follows the live edge, hollow after a pause or a seek."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("live")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoRaise(True)
        self.setToolTip(tr("Go to the live edge (Ctrl+End)"))
        self.hide()

    def show_status(self, live: LiveStatus | None) -> None:
        """Show where the position is; nothing for a scene that is complete."""
        self.setVisible(live is not None)
        if live is None:
            return
        dot, color = ("●", theme.current().accent) if live.following else ("○", "palette(text)")
        text = f"{dot} {tr('Live')}"
        style = f"QToolButton#live {{ color: {color}; font-weight: bold; }}"
        if (self.text(), self.styleSheet()) == (text, style):
            return  # a new style sheet is costly, and a status comes 30 times a second
        self.setText(text)
        self.setStyleSheet(style)
        hint = tr("Live") if live.following else tr("Go to the live edge (Ctrl+End)")
        self.setToolTip(hint)
        self.setAccessibleName(hint)
