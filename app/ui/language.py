"""The language of the window: loads catalogues and shows all texts again when it changes."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QWidget,
)
from streamstgs.app.translation import set_translator, translated_again

log = logging.getLogger(__name__)

CATALOGUES = Path(__file__).resolve().parents[2] / "assets" / "translations"
SYSTEM, ENGLISH = "system", "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch"}  # each in its own words


class Language(QObject):
    """The translators of an application. Owner: the GUI thread.

    Args:
        application: Gets the translators.
    """

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._loaded: list[QTranslator] = []
        self.code = ENGLISH

    def use(self, choice: str) -> None:
        """Show all texts in a language of `LANGUAGES`; `SYSTEM` takes that of the desktop."""
        code = resolve(choice)
        if code == self.code:
            return
        self.code = code
        for former in self._loaded:
            self._application.removeTranslator(former)
        self._loaded = [] if code == ENGLISH else self._load(code)
        set_translator(_translate if self._loaded else None)
        for widget in self._application.allWidgets():
            show_again(widget)

    def _load(self, code: str) -> list[QTranslator]:
        """The catalogues of Qt's own dialogs and of the window, as far as they can be read."""
        qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        loaded = []
        for file in (f"{qt}/qtbase_{code}.qm", str(CATALOGUES / f"{code}.qm")):
            translator = QTranslator(self)
            if translator.load(file):
                self._application.installTranslator(translator)
                loaded.append(translator)
            else:
                log.warning("the translation %s cannot be read", file)
        return loaded


def install(application: QApplication, choice: str) -> None:
    """Show the texts of the application in a language; open windows change at once."""
    language = application.findChild(Language) or Language(application)
    language.use(choice)


def resolve(choice: str) -> str:
    """The code of a language for a choice; English where there is no translation."""
    if choice == SYSTEM:
        choice = QLocale.languageToCode(QLocale.system().language())
    return choice if choice in LANGUAGES else ENGLISH


def show_again(widget: QWidget) -> None:
    """Put the texts of one widget and its actions into the present language.

    Texts that did not come from `tr`, such as a title of a scene, stay.
    """
    widget.setWindowTitle(translated_again(widget.windowTitle()))
    widget.setToolTip(translated_again(widget.toolTip()))
    widget.setAccessibleName(translated_again(widget.accessibleName()))
    widget.setAccessibleDescription(translated_again(widget.accessibleDescription()))
    if isinstance(widget, QLabel | QAbstractButton):
        widget.setText(translated_again(widget.text()))
    elif isinstance(widget, QLineEdit):
        widget.setPlaceholderText(translated_again(widget.placeholderText()))
    elif isinstance(widget, QComboBox):
        widget.setPlaceholderText(translated_again(widget.placeholderText()))
        for place in range(widget.count()):
            widget.setItemText(place, translated_again(widget.itemText(place)))
    elif isinstance(widget, QMenu):
        title = widget.title()
        key = "&" if title.startswith("&") else ""
        widget.setTitle(key + translated_again(title.removeprefix("&")))
    for action in widget.actions():
        _show_action_again(action)
    widget.update()


def _show_action_again(action: QAction) -> None:
    action.setText(translated_again(action.text()))
    action.setToolTip(translated_again(action.toolTip()))


def _translate(text: str, comment: str) -> str:
    return QCoreApplication.translate("", text, comment or None)  # type: ignore[arg-type]
