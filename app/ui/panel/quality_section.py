"""Quality: the quality on the screen, the slider, and automatic choice."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget
from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.player.viewer.quality_selection import QualitySelection
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui.panel.quality_names import bitrate_text, quality_name, quality_words
from streamstgs.app.ui.panel.quality_slider import QualitySlider
from streamstgs.app.ui.panel.section import Section, muted_label


class QualitySection(Section):
    """`quality_chosen` fires with the chosen `Quality`, `automatic_toggled` for the check box."""

    quality_chosen = Signal(object)
    automatic_toggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(mark("Quality"), parent)
        self.slider = QualitySlider()
        self.auto = QCheckBox(tr("Automatic"))
        self.auto.setToolTip(tr("Choose the best quality that the network can carry (A)"))
        self._headline = QLabel()
        self._note = muted_label()
        row = QHBoxLayout()
        row.addWidget(self._headline, stretch=1)
        row.addWidget(self.auto)
        self.body.addLayout(row)
        self.body.addWidget(self.slider)
        self.body.addWidget(self._note)
        self.slider.chosen.connect(self.quality_chosen)
        self.auto.clicked.connect(lambda _: self.automatic_toggled.emit())
        self.clear()

    def clear(self) -> None:
        """Show that no scene is open."""
        self.slider.show_qualities((), None, False)
        self._headline.setText("–")
        self._note.setText(tr("Open a scene to choose its quality."))
        self.set_usable(False)

    def show_status(self, quality: QualitySelection, status: PlaybackStatus) -> None:
        """Show the selection of quality and what it depends on."""
        shown, available = quality.shown, quality.available
        self.set_usable(bool(available))
        self.slider.show_qualities(available, shown, status.auto)
        self.auto.setChecked(status.auto)
        if shown is not None:
            name, rate = quality_name(shown, len(available)), bitrate_text(shown.bitrate_bps)
            self._headline.setText(f"<b>{name}</b>&nbsp; {rate}")
        self._note.setText(explanation(quality, status))


def explanation(quality: QualitySelection, status: PlaybackStatus) -> str:
    """Sentences on why this quality is on the screen."""
    if len(quality.available) == 1:
        return tr("This scene has one quality.")
    if not status.auto:
        words = quality_words(quality.shown, quality.available[-1]) if quality.shown else ""
        chosen = tr("Chosen by you. Better quality needs a faster network.")
        return f"{words}\n{chosen}" if words else chosen
    lines = []
    if status.throughput_bps > 0:
        text = tr(
            "The network carries {rate}; {ahead:.1f} s are loaded ahead.",
            rate=bitrate_text(status.throughput_bps),
            ahead=status.ahead_s,
        )
        lines.append(text)
    else:
        lines.append(tr("Chosen for this computer and network."))
    coming = quality.coming
    if coming is not None and coming != quality.shown:
        name = quality_name(coming, len(quality.available))
        lines.append(tr("{quality} comes next.", quality=name))
    return "\n".join(lines)
