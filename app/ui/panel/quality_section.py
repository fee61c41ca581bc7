"""The quality that plays, and why."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget
from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.ui.panel.quality_slider import QualitySlider, bitrate_text
from streamstgs.app.ui.panel.section import Section, muted_label


class QualitySection(Section):
    """`chosen` fires with the quality, or None for automatic."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Quality", parent)
        self.slider = QualitySlider()
        self.auto = QCheckBox("Auto")
        self.auto.setToolTip("Choose the quality by throughput and buffer (A)")
        self._headline = QLabel()
        self._reason = muted_label()
        self._status: PlaybackStatus | None = None
        row = QHBoxLayout()
        row.addWidget(self._headline, stretch=1)
        row.addWidget(self.auto)
        self.body.addLayout(row)
        self.slider.setToolTip("Quantiser (QP) above, bits per second below; Up and Down keys")
        self.body.addWidget(self.slider)
        self.body.addWidget(self._reason)
        self.slider.chosen.connect(self.chosen.emit)
        self.auto.clicked.connect(self._auto_clicked)
        self.clear()

    def _auto_clicked(self, on: bool) -> None:
        if self._status is not None:
            self.chosen.emit(None if on else self._status.quality)

    def clear(self) -> None:
        self._status = None
        self.slider.show_qualities((), None, False)
        self._headline.setText("–")
        self._reason.setText("The qualities of the scene appear here.")
        self.set_usable(False)

    def show_status(self, status: PlaybackStatus) -> None:
        self._status = status
        self.set_usable(bool(status.qualities))
        self.slider.show_qualities(status.qualities, status.quality, status.auto)
        self.auto.setChecked(status.auto)
        if status.quality is not None:
            rate = bitrate_text(status.bitrate_bps)
            self._headline.setText(f"<b>{rate}</b>&nbsp; QP {status.quality.qp}")
        self._reason.setText(explanation(status))


def explanation(status: PlaybackStatus) -> str:
    """Which quality was chosen last, on what grounds, and why."""
    reason = status.quality_reason or "lower QP is better and costs more"
    lines = [reason[0].upper() + reason[1:]]
    if status.throughput_bps > 0:
        rate = bitrate_text(status.throughput_bps)
        lines.append(f"Now {rate}, {status.ahead_s:.1f} s ahead")
    if status.chosen_quality is not None and status.chosen_quality != status.quality:
        lines.append(f"QP {status.chosen_quality.qp} comes next")
    return "\n".join(lines)
