"""The welcome page: bundled and recent scenes with their posters, and ways to open another one."""

from __future__ import annotations

import html
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QIcon, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import pixmap
from streamstgs.app.ui.viewport.overlay_style import OVERLAY_STYLE
from streamstgs.app.ui.viewport.poster_view import decoded
from streamstgs.app.ui.watching.bundled import bundled_scenes
from streamstgs.app.ui.watching.thumbnails import SIZE_PX, Thumbnails, thumbnail
from streamstgs.codec.poster import Poster
from streamstgs.codec.scene_index import IndexedScene, SceneIndex
from streamstgs.codec.streaming.address import is_url, redact_credentials

RECENT_MAX = 6
_GAP_PX = 12
_STYLE = f"""
QToolButton#scene {{ color: {theme.OVERLAY_TEXT}; background: {theme.DARK.raised};
  border: 1px solid {theme.DARK.border}; border-radius: 8px; padding: 6px; }}
QToolButton#scene:hover {{ background: {theme.DARK.hover}; }}
QToolButton#scene:focus {{ border-color: {theme.DARK.accent}; }}
QScrollArea, QWidget#page {{ background: transparent; border: 0; }}
"""


class WelcomePage(QWidget):
    """Covers the viewport while no scene is open. Owner: the GUI thread.

    Args:
        host: The widget that shows pictures.
    """

    asked = Signal(str)  # the name of a command
    chosen = Signal(str)  # the location of a scene

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self.setStyleSheet(OVERLAY_STYLE + _STYLE)
        self._cards: dict[str, list[QToolButton]] = {}
        self._grids: list[tuple[QGridLayout, list[QToolButton]]] = []
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._thumbnails = Thumbnails(self)
        self._thumbnails.found.connect(self._show_scene)
        host.installEventFilter(self)
        self.hide()

    @property
    def locations(self) -> list[str]:
        """The scenes that it offers."""
        return list(self._cards)

    def show_page(self, recent: list[str], index: SceneIndex | None = None) -> None:
        """Offer the bundled scenes and these recent ones; before them those of an index."""
        bundled = bundled_scenes()
        others = [place for place in recent if place not in bundled][:RECENT_MAX]
        self._cards, self._grids = {}, []
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        margin = 3 * theme.GRID_PX
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(_GAP_PX)
        column.addWidget(_title(tr("Welcome")))
        column.addWidget(_muted(tr("Drop scenes here, or choose one. Several play in turn.")))
        column.addLayout(self._open_row())
        if index is not None:
            column.addWidget(_title(index.title or redact_credentials(index.location)))
            column.addLayout(self._grid([(of.location, _index_name(of)) for of in index.scenes]))
        for heading, places in ((tr("Comes with the player"), bundled), (tr("Recent"), others)):
            if places:
                column.addWidget(_title(heading))
                column.addLayout(self._grid([(place, _file_name(place)) for place in places]))
        column.addStretch(1)
        self._scroll.setWidget(page)
        self._place()
        self.show()
        self.raise_()
        local = [place for place in (*bundled, *others) if not is_url(place)]
        self._thumbnails.look_for(local, self.devicePixelRatioF())

    def card(self, location: str) -> QToolButton:
        """The button of a scene."""
        return self._cards[location][0]

    def _open_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.GRID_PX)
        for text, command in (
            (tr("Open file…"), "open_file"),
            (tr("Open folder…"), "open_folder"),
            (tr("Open URL…"), "open_url"),
        ):
            button = QPushButton(text)
            button.setObjectName("primary" if command == "open_file" else "secondary")
            button.clicked.connect(lambda _=False, name=command: self.asked.emit(name))
            row.addWidget(button)
        row.addStretch(1)
        return row

    def show_index_poster(self, scene: IndexedScene, jpeg: bytes) -> None:
        """Show the picture of a scene of the index; one that is none is left out."""
        if scene.poster is None:
            return
        width, height = scene.poster.width, scene.poster.height
        poster = Poster(jpeg, width, height, 1.0, 1.0, width / height, (0.0, 0.0, 0.0))
        image = decoded(poster)
        if image is not None:
            size = SIZE_PX * self.devicePixelRatioF()
            self._show_poster(scene.location, thumbnail(poster, image, size))

    def _grid(self, places: list[tuple[str, str]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(_GAP_PX)
        cards = [self._card(place, name) for place, name in places]
        self._grids.append((grid, cards))
        return grid

    def _card(self, location: str, name: str) -> QToolButton:
        card = QToolButton()
        card.setObjectName("scene")
        _set_name(card, name)
        # As markup, for Qt would otherwise guess whether the text is some.
        card.setToolTip(f"<span>{html.escape(redact_credentials(location))}</span>")
        card.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        card.setIconSize(SIZE_PX)
        card.setIcon(QIcon(_without_poster()))
        card.clicked.connect(lambda _=False: self.chosen.emit(location))
        self._cards.setdefault(location, []).append(card)
        return card

    def _show_scene(self, location: str, image: QImage, title: str) -> None:
        """Show what was read of a scene: its picture, and its title in place of the file name."""
        self._show_poster(location, image)
        if title.strip():
            for card in self._cards.get(location, ()):
                _set_name(card, title)

    def _show_poster(self, location: str, image: QImage) -> None:
        image.setDevicePixelRatio(image.width() / SIZE_PX.width())
        for card in self._cards.get(location, ()):
            card.setIcon(QIcon(QPixmap.fromImage(image)))

    def _place(self) -> None:
        """Fill the viewport; the number of columns depends on its width."""
        self.setGeometry(self._host.rect())
        self._scroll.setGeometry(self.rect())
        card_px = SIZE_PX.width() + 14 + _GAP_PX
        columns = max((self.width() - 6 * theme.GRID_PX) // card_px, 1)
        for grid, cards in self._grids:
            for number, card in enumerate(cards):
                grid.addWidget(card, number // columns, number % columns)
            grid.setColumnStretch(columns, 1)

    def hideEvent(self, event: QHideEvent) -> None:
        self._thumbnails.cancel()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the picture."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.VIEWPORT_BACKGROUND)


def _set_name(card: QToolButton, name: str) -> None:
    shown = card.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, 200)
    card.setText(shown.replace("&", "&&"))  # one alone marks a key
    card.setAccessibleName(name)


def _file_name(location: str) -> str:
    return Path(location.rstrip("/")).stem if location.rstrip("/") else location


def _index_name(scene: IndexedScene) -> str:
    """The name of a scene of an index, and whether it is live or how long it is."""
    name = scene.title or _file_name(scene.location)
    if scene.live:
        return f"{name} · {tr('Live')}"
    if scene.duration_s is None:
        return name
    minutes, seconds = divmod(round(scene.duration_s), 60)
    return f"{name} · {minutes}:{seconds:02d}"


def _title(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)  # scene data is untrusted
    label.setObjectName("title")
    return label


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("muted")
    label.setWordWrap(True)
    return label


def _without_poster() -> QPixmap:
    """What stands for a scene without a poster."""
    blank = QPixmap(SIZE_PX)
    blank.fill(Qt.GlobalColor.transparent)
    sign = pixmap("film", theme.OVERLAY_MUTED, 40, 1)
    painter = QPainter(blank)
    middle = QSize(blank.width() - 40, blank.height() - 40) / 2
    painter.drawPixmap(middle.width(), middle.height(), 40, 40, sign)
    painter.end()
    return blank
