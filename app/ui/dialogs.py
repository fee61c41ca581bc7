"""The small dialogs: open a URL, keyboard and mouse, about."""

from __future__ import annotations

import html
from urllib.parse import urlsplit

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import commands, theme
from streamstgs.app.ui.icons import pixmap
from streamstgs.app.ui.preferences import APPLICATION_NAME
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.streaming.address import is_file_url

_ARROWS = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}
_MOUSE = mark("Mouse")
_MARGIN_PX = 3 * theme.GRID_PX


class OpenUrlDialog(QDialog):
    """Asks for the address of a scene; `url` is the result."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Open URL"))
        self.field = QLineEdit()
        self.field.setPlaceholderText("https://example.org/scene/")
        self.field.setMinimumWidth(420)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        for one in self.buttons.buttons():
            one.setIcon(QIcon())
        self.field.textChanged.connect(self._check)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        column.setSpacing(2 * theme.GRID_PX)
        meaning = tr("Address of a scene, a splat file, or frames such as clip/frame_%04d.ply")
        self.field.setAccessibleName(meaning)
        self.problem = QLabel()
        self.problem.setProperty("muted", True)
        self.problem.setWordWrap(True)
        column.addWidget(QLabel(meaning))
        column.addWidget(self.field)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)
        self._check()

    @property
    def url(self) -> str:
        return self.field.text().strip()

    def _check(self) -> None:
        """Enable Open, or say why it is grey."""
        opening = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        problem = address_problem(self.url)
        opening.setEnabled(not problem)
        opening.setDefault(True)
        opening.setToolTip(problem)
        self.problem.setText(problem)


def address_problem(text: str) -> str:
    """Why a text is no http(s) address with a host and no file: address; empty if it is one."""
    if not text:
        return tr("Type or paste an address.")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return tr("This is no address. Check its brackets and its port.")
    if is_file_url(text) or (parts.scheme in ("http", "https") and host):
        return ""
    if parts.scheme in ("http", "https"):
        return tr("The address names no server.")
    if parts.scheme and "://" in text:
        return tr(
            "Addresses with {scheme}: cannot be opened. Use https:, http: or file:.",
            scheme=parts.scheme,
        )
    return tr("The address should begin with https:// or http://.")


class ShortcutsDialog(QDialog):
    """Lists all keys and gestures, from the table in `app.ui.commands`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard and mouse"))
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        table = self._table()
        area.setWidget(table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
        wanted = table.sizeHint()
        room = parent.screen().availableSize()
        self.resize(
            min(wanted.width() + 2 * theme.GRID_PX, room.width() - 64),
            min(wanted.height() + theme.GRID_PX, room.height() - 96),
        )

    def _table(self) -> QWidget:
        table = QWidget()
        row = QHBoxLayout(table)
        row.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        row.setSpacing(5 * theme.GRID_PX)
        groups: dict[str, list[tuple[str, str]]] = {}
        for group, keys, meaning in commands.shortcut_rows(key_name):
            groups.setdefault(group, []).append((keys, meaning))
        groups[_MOUSE] = [(tr(gesture), tr(meaning)) for gesture, meaning in commands.GESTURES]
        row.addLayout(self._column({k: groups[k] for k in ("Playback", "File")}))
        row.addLayout(self._column({k: groups[k] for k in ("Camera", "View", "Help", _MOUSE)}))
        return table

    def _column(self, groups: dict[str, list[tuple[str, str]]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * theme.GRID_PX)
        grid.setVerticalSpacing(6)
        for title, rows in groups.items():
            heading = QLabel(f"<b>{tr(title)}</b>")
            heading.setContentsMargins(0, theme.GRID_PX if grid.rowCount() > 1 else 0, 0, 2)
            grid.addWidget(heading, grid.rowCount(), 0, 1, 2)
            for keys, meaning in rows:
                line = grid.rowCount()
                shown = QLabel(_muted_html(keys))
                shown.setTextFormat(Qt.TextFormat.RichText)
                grid.addWidget(shown, line, 0)
                grid.addWidget(QLabel(meaning), line, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        return grid


def key_name(key: str) -> str:
    """A shortcut as the keyboard of this system and language writes it, with arrows as signs."""
    native = QKeySequence.SequenceFormat.NativeText
    modifiers, plus, last = key.rpartition("+") if len(key) > 1 else ("", "", key)
    if last not in _ARROWS:
        return QKeySequence(key).toString(native)
    held = QKeySequence(f"{modifiers}+A").toString(native).removesuffix("A") if plus else ""
    return held + _ARROWS[last]


def _muted_html(keys: str) -> str:
    muted = theme.current().muted
    return f"<span style='color:{muted}'>{html.escape(keys)}</span>"


class AboutDialog(QDialog):
    """Shows the version, the credits of the scene and the licences."""

    def __init__(self, parent: QWidget, version: str, meta: SceneMeta | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About {program}", program=APPLICATION_NAME))
        row = QHBoxLayout(self)
        row.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        row.setSpacing(_MARGIN_PX)
        picture = QLabel()
        picture.setPixmap(pixmap("app", "#ffffff", 72, 2))
        row.addWidget(picture, alignment=Qt.AlignmentFlag.AlignTop)
        self.text = QLabel(about_html(version, meta))
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setOpenExternalLinks(True)
        self.text.setMinimumWidth(400)
        column = QVBoxLayout()
        column.setSpacing(2 * theme.GRID_PX)
        column.addWidget(self.text)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        row.addLayout(column)


def about_html(version: str, meta: SceneMeta | None) -> str:
    """The text of the About box. Scene data is untrusted: it is escaped."""
    muted = theme.current().muted
    parts = [
        f"<h2 style='margin:0'>{APPLICATION_NAME}</h2>",
        f"<p style='color:{muted}; margin-top:2px'>{html.escape(version)}</p>",
        "<p>" + tr("Plays dynamic Gaussian scenes from files and servers.") + "<br>",
        tr("Method:") + " Ke, Liu, Zhou, Qiu, StreamSTGS, "
        "<a href='https://arxiv.org/abs/2511.06046'>arXiv 2511.06046</a>.</p>",
    ]
    if meta is not None:
        credit = [f"<b>{html.escape(meta.title)}</b>"]
        credit += [html.escape(text) for text in (meta.attribution, meta.licence) if text]
        parts.append(f"<p><span style='color:{muted}'>" + tr("This scene") + "</span><br>")
        parts.append("<br>".join(credit) + "</p>")
    parts.append(
        f"<p><span style='color:{muted}'>"
        + tr("Software")
        + "</span><br>Apache License 2.0. "
        + tr(
            "Made with {libraries}.",
            libraries="Qt (LGPL), PyTorch, gsplat, NumPy, PyAV, imagecodecs, gaussforge",
        )
        + "</p>"
    )
    return "".join(parts)
