"""The side panel: Quality, Camera, Scene, Display and Statistics, each foldable."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.measuring.history import Sample
from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.player.viewer.quality_selection import QualitySelection
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.appearance_section import AppearanceSection
from streamstgs.app.ui.panel.camera_section import CameraSection
from streamstgs.app.ui.panel.display_section import DisplaySection
from streamstgs.app.ui.panel.quality_section import QualitySection
from streamstgs.app.ui.panel.scene_section import SceneSection
from streamstgs.app.ui.panel.section import Section
from streamstgs.app.ui.panel.statistics_rows import Rows
from streamstgs.app.ui.panel.statistics_section import StatisticsSection
from streamstgs.app.ui.preferences import Preferences
from streamstgs.codec.package.scene_meta import CameraPreset

WIDTH_PX = 304
_ADVANCED_KEY = "panel/Advanced"


class SidePanel(QScrollArea):
    """Holds the sections, passes on what is done in them, and remembers which are folded."""

    asked = Signal(str)  # the name of a command
    quality_chosen = Signal(object)  # Quality
    automatic_toggled = Signal()
    preset_chosen = Signal(int)
    camera_typed = Signal(tuple, tuple, float, float)  # position, target, fov_y_rad, roll_rad
    display_changed = Signal(str, str)  # setting, value

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
        self.scene = SceneSection()
        self.display = DisplaySection()
        self.appearance = AppearanceSection()
        self.statistics = StatisticsSection()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.GRID_PX, theme.GRID_PX, theme.GRID_PX, theme.GRID_PX)
        column.setSpacing(0)
        for section in self.sections:
            column.addWidget(section)
            self._remember_folding(section, preferences)
        self._remember_advanced(preferences)
        column.addStretch(1)
        self.setWidget(content)
        self.quality.quality_chosen.connect(self.quality_chosen)
        self.quality.automatic_toggled.connect(self.automatic_toggled)
        self.camera.asked.connect(self.asked)
        self.camera.preset_chosen.connect(self.preset_chosen)
        self.camera.moved.connect(self.camera_typed)
        self.scene.asked.connect(self.asked)
        self.display.changed.connect(self.display_changed)
        self.appearance.changed.connect(self.display_changed)

    @property
    def sections(self) -> tuple[Section, ...]:
        return (
            self.quality,
            self.camera,
            self.scene,
            self.display,
            self.appearance,
            self.statistics,
        )

    @property
    def advanced_shown(self) -> bool:
        """Whether the advanced statistics are unfolded."""
        return self.statistics.advanced_shown

    def show_quality(self, quality: QualitySelection, status: PlaybackStatus) -> None:
        """Show the quality on the screen and the choice of it."""
        self.quality.show_status(quality, status)

    def show_camera(self, camera: CameraController) -> None:
        """Show the pose of the camera."""
        if camera.available:
            self.camera.show_camera(camera)

    def set_presets(self, presets: tuple[CameraPreset, ...]) -> None:
        """Offer the named views of a scene."""
        self.camera.set_presets(presets)

    def show_statistics(self, basic: Rows, advanced: Rows) -> None:
        """Show measurements."""
        self.statistics.show_rows(basic, advanced)

    def show_history(self, samples: Sequence[Sample], qualities: int) -> None:
        """Plot measurements of the last two minutes, unless the section is folded."""
        if not self.statistics.is_folded:
            self.statistics.plots.show_samples(samples, qualities)

    def show_backend(self, name: str, reason: str) -> None:
        """Show the renderer in use."""
        self.display.show_backend(name, reason)

    def select_backend(self, name: str) -> None:
        """Show which renderer was asked for."""
        self.display.select("backend", name)

    def restore_display(self, preferences: Preferences) -> None:
        """Show the remembered display settings."""
        self.display.restore(preferences)
        self.appearance.restore(preferences)

    def _remember_folding(self, section: Section, preferences: Preferences) -> None:
        key = f"panel/{section.title}"
        section.set_folded(preferences.flag(key, False))
        section.folded.connect(lambda folded: preferences.set(key, folded))

    def _remember_advanced(self, preferences: Preferences) -> None:
        self.statistics.set_advanced_folded(preferences.flag(_ADVANCED_KEY, True))
        self.statistics.advanced_folded.connect(lambda on: preferences.set(_ADVANCED_KEY, on))

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the current theme."""
        for section in self.sections:
            section.refresh_icons()
