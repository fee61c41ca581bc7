"""The side panel: Quality, Camera, Display and Statistics, each foldable."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.camera_section import CameraSection
from streamstgs.app.ui.panel.display_section import DisplaySection
from streamstgs.app.ui.panel.quality_section import QualitySection
from streamstgs.app.ui.panel.section import Section
from streamstgs.app.ui.panel.statistics_section import StatisticsSection
from streamstgs.app.ui.preferences import Preferences

WIDTH_PX = 296


class SidePanel(QScrollArea):
    """Holds the sections and remembers which are folded."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setFixedWidth(WIDTH_PX)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.quality = QualitySection()
        self.camera = CameraSection()
        self.display = DisplaySection()
        self.statistics = StatisticsSection()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.GRID_PX, theme.GRID_PX, theme.GRID_PX, theme.GRID_PX)
        column.setSpacing(0)
        for section in self.sections:
            column.addWidget(section)
            self._remember_folding(section, preferences)
        column.addStretch(1)
        self.setWidget(content)

    @property
    def sections(self) -> tuple[Section, ...]:
        return (self.quality, self.camera, self.display, self.statistics)

    def _remember_folding(self, section: Section, preferences: Preferences) -> None:
        key = f"panel/{section.title}"
        section.set_folded(preferences.flag(key, False))
        section.folded.connect(lambda folded: preferences.set(key, folded))

    def refresh_icons(self) -> None:
        for section in self.sections:
            section.refresh_icons()
