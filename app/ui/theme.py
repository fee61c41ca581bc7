"""Dark and light theme: neutral surfaces and one accent, on Qt's Fusion style.

Every pair of text and surface below has a contrast of 4.5:1 or more (tests/test_window_parts.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

_ICONS = Path(__file__).resolve().parents[2] / "assets" / "icons"
GRID_PX = 8  # distances are multiples of this, or of its half
TARGET_PX = 32  # the smallest size of a button
FOCUS_PX = 2  # the ring around the control that has the keyboard
SPEED_PX = 52  # fits every speed, so that the bar does not move


class ThemeChoice(Enum):
    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"
    CONTRAST = "contrast"


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb. `surface` is behind the controls, `raised` is of fields and buttons.

    `border` separates areas; `outline` shows where a control is, with a contrast of 3:1 or more.
    """

    dark: bool
    window: str
    surface: str
    raised: str
    hover: str
    border: str
    outline: str
    text: str
    muted: str
    accent: str
    on_accent: str
    danger: str


DARK = Theme(
    dark=True,
    window="#121417",
    surface="#1b1e23",
    raised="#262a31",
    hover="#30353d",
    border="#383e47",
    outline="#7b8490",
    text="#eceef1",
    muted="#a7aeb9",
    accent="#5cb3ff",
    on_accent="#06121f",
    danger="#ff8f85",
)
LIGHT = Theme(
    dark=False,
    window="#eceef1",
    surface="#f8f9fa",
    raised="#ffffff",
    hover="#e3e6ea",
    border="#ccd1d8",
    outline="#7d8590",
    text="#17191c",
    muted="#59616c",
    accent="#0b62bd",
    on_accent="#ffffff",
    danger="#b3261e",
)
CONTRAST = Theme(
    dark=True,
    window="#000000",
    surface="#000000",
    raised="#000000",
    hover="#333333",
    border="#ffffff",
    outline="#ffffff",
    text="#ffffff",
    muted="#e6e6e6",
    accent="#ffd60a",
    on_accent="#000000",
    danger="#ff9a91",
)
THEMES = (DARK, LIGHT, CONTRAST)
# All themes have the same neutral dark around the image, and the same overlays over it.
VIEWPORT_BACKGROUND = "#0c0d0f"
OVERLAY_TEXT = "#f2f3f5"
OVERLAY_MUTED = "#b4bac4"


def viewport_background_rgb() -> tuple[float, float, float]:
    """`VIEWPORT_BACKGROUND` as (red, green, blue), 0..1."""
    red, green, blue = (int(VIEWPORT_BACKGROUND[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def resolve(choice: ThemeChoice) -> Theme:
    """The theme for a choice; `SYSTEM` is that of the desktop, dark if unknown."""
    if choice is ThemeChoice.SYSTEM:
        light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
        return LIGHT if light else DARK
    return {ThemeChoice.LIGHT: LIGHT, ThemeChoice.CONTRAST: CONTRAST}.get(choice, DARK)


def current() -> Theme:
    """The theme of the application's palette."""
    window = QGuiApplication.palette().window().color()
    known = [theme for theme in THEMES if theme.window == window.name()]
    return known[0] if known else DARK if window.lightness() < 128 else LIGHT


def install(app: QApplication, theme: Theme) -> None:
    """Set the theme of the application; open windows change at once."""
    app.setStyle("Fusion")
    app.setPalette(palette(theme))
    app.setStyleSheet(style_sheet(theme))


def palette(theme: Theme) -> QPalette:
    """The palette of a theme."""
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.raised,
        QPalette.ColorRole.AlternateBase: theme.surface,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.muted,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.danger,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.Accent: theme.accent,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.Light: theme.hover,
        QPalette.ColorRole.Midlight: theme.hover,
        QPalette.ColorRole.Mid: theme.outline,
        QPalette.ColorRole.Dark: theme.outline,
        QPalette.ColorRole.Shadow: theme.window,
    }
    made = QPalette()
    for role, colour in roles.items():
        made.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        faded = QColor(theme.muted)
        faded.setAlpha(140)
        made.setColor(QPalette.ColorGroup.Disabled, role, faded)
    return made


def style_sheet(theme: Theme) -> str:
    """The style sheet for shapes and states that a palette does not cover."""
    t = theme
    check = (_ICONS / ("check.svg" if theme.dark else "check-white.svg")).as_posix()
    return f"""
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border};
  padding: 4px 8px; }}
QMenuBar {{ background: {t.surface}; color: {t.text}; border: 0; padding: 2px 4px; }}
QMenuBar::item {{ padding: 6px 10px; border-radius: 6px; background: transparent; }}
QMenuBar::item:selected, QMenuBar::item:pressed {{ background: {t.hover}; color: {t.text}; }}
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
QMenu::item {{ padding: 7px 24px 7px 12px; border-radius: 4px; min-width: 140px; }}
QMenu::item:selected {{ background: {t.hover}; color: {t.text}; }}
QMenu::item:disabled {{ color: {t.muted}; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
QMenu::indicator {{ width: 16px; height: 16px; margin-left: 8px; }}
#bar, #panel, #film {{ background: {t.surface}; }}
QToolButton {{ border: {FOCUS_PX}px solid transparent; border-radius: 6px;
  background: transparent; color: {t.text};
  min-width: {TARGET_PX}px; min-height: {TARGET_PX}px; padding: 0; }}
QToolButton:hover {{ background: {t.hover}; }}
QToolButton:focus {{ border-color: {t.accent}; }}
QToolButton:pressed {{ background: {t.hover}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton#speed {{ min-width: {SPEED_PX}px; }}
QToolButton#section {{ text-align: left; font-weight: 600; padding: 0 4px; }}
QPushButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.outline};
  border-radius: 6px; padding: 0 12px; min-height: 30px; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:focus {{ border: {FOCUS_PX}px solid {t.accent}; padding: 0 11px; }}
QPushButton:pressed {{ background: {t.hover}; }}
QPushButton:default {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton:disabled {{ background: {t.raised}; color: {t.muted}; border-color: {t.border}; }}
QLineEdit, QComboBox, QAbstractSpinBox {{ background: {t.raised}; color: {t.text};
  border: 1px solid {t.outline}; border-radius: 6px; padding: 0 8px; min-height: 28px;
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{
  border: {FOCUS_PX}px solid {t.accent}; padding: 0 7px; }}
QLineEdit[wrong="true"] {{ border-color: {t.danger}; }}
QComboBox::drop-down {{ border: 0; width: 24px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; color: {t.text};
  border: 1px solid {t.border}; selection-background-color: {t.hover};
  selection-color: {t.text}; outline: 0; }}
QComboBox QAbstractItemView::item {{ min-height: 28px; padding: 0 8px; }}
QCheckBox {{ min-height: 28px; spacing: 8px; border: {FOCUS_PX}px solid transparent;
  border-radius: 6px; padding-right: 4px; }}
QCheckBox::indicator {{ width: 16px; height: 16px; border: 1px solid {t.outline};
  border-radius: 4px; background: {t.raised}; }}
QCheckBox::indicator:checked {{ background: {t.accent}; border-color: {t.accent};
  image: url("{check}"); }}
QCheckBox::indicator:disabled {{ border-color: {t.border}; background: transparent; }}
QCheckBox:focus {{ border-color: {t.accent}; }}
QLabel:focus {{ border: {FOCUS_PX}px solid {t.accent}; border-radius: 4px; }}
QLabel[muted="true"] {{ color: {t.muted}; }}
QScrollArea {{ border: 0; background: {t.surface}; }}
QScrollArea > QWidget > QWidget {{ background: {t.surface}; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {t.outline}; border-radius: 3px; min-height: 32px;
  margin: 2px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
"""
