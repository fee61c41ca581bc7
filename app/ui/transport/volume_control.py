"""Volume and mute, in the transport bar of scenes that have sound."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import ICON_PX, icon

_SLIDER_PX = 64
_STEPS = 100


class VolumeControl(QWidget):
    """`volume_chosen` fires with 0 .. 1, `mute_toggled` for the button. Hidden without sound."""

    volume_chosen = Signal(float)
    mute_toggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._silent = False
        self.mute = QToolButton()
        self.mute.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Space belongs to playing
        self.mute.setAccessibleName(tr("Mute (Ctrl+M)"))
        self.mute.setToolTip(tr("Mute (Ctrl+M)"))
        self.mute.setIconSize(QSize(ICON_PX, ICON_PX))
        self.mute.clicked.connect(self.mute_toggled)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setFixedWidth(_SLIDER_PX)
        self.slider.setRange(0, _STEPS)
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider.setToolTip(tr("Volume (Shift+Up, Shift+Down)"))
        self.slider.setAccessibleName(tr("Volume"))
        self.slider.valueChanged.connect(lambda value: self.volume_chosen.emit(value / _STEPS))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.mute)
        row.addWidget(self.slider)
        self.hide()

    def show_sound(self, volume: float, muted: bool, problem: str) -> None:
        """Show the settings, and why nothing is heard."""
        self._silent = muted or volume == 0.0 or bool(problem)
        self.slider.blockSignals(True)
        self.slider.setValue(round(volume * _STEPS))
        self.slider.blockSignals(False)
        hint = tr("Unmute (Ctrl+M)") if muted else tr("Mute (Ctrl+M)")
        self.mute.setToolTip(problem or hint)
        self.mute.setAccessibleName(hint)
        self.refresh_icons()

    def refresh_icons(self) -> None:
        """Draw the icon in the colours of the current theme."""
        self.mute.setIcon(icon("sound-off" if self._silent else "sound", theme.current()))
