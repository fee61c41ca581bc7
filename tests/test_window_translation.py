"""Texts of the window: none is written past the translation, and the catalogues know all."""

from __future__ import annotations

import ast
import re
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget
from streamstgs.app import translation
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.translation import mark, set_translator, tr, translated_again
from streamstgs.app.ui import language
from streamstgs.app.ui.commands import GESTURES
from streamstgs.app.ui.dialogs import AboutDialog, OpenUrlDialog, ShortcutsDialog, key_name
from streamstgs.app.ui.export_dialog import ExportDialog

from scripts import translate
from tests.window_driver import OpenWindow, live

pytest_plugins = ["tests.window_fixtures"]
ROOT = Path(__file__).resolve().parent.parent
WIDGETS = {"QLabel", "QPushButton", "QCheckBox", "QAction", "QMenu", "QGroupBox", "QFileDialog"}
METHODS = {"setText", "setToolTip", "setWindowTitle", "setAccessibleName", "setPlaceholderText"}
METHODS |= {
    "setTitle",
    "setAccessibleDescription",
    "setItemText",
    "addItem",
    "addAction",
    "addMenu",
}
METHODS |= {"addRow", "addTab", "getOpenFileName", "getExistingDirectory", "setStatusTip"}
SETTERS = WIDGETS | METHODS | {"muted_label", "notify", "warn", "show_persistent"}
OWN_NAMES = {"Mbit/s", "StreamSTGS Player", "English", "Deutsch"}
OF_QT = {"Open", "Cancel", "Close"}  # standard buttons: Qt translates them
KEYS = "PgUp|PgDown|Del|Alt|Ctrl|Shift|Return|Space|Backspace|Home|End|Esc|Tab|F1|F11"
KEYS += "|Left|Right|Up|Down|."


@pytest.fixture(autouse=True)
def english(qt: QApplication) -> Iterator[None]:
    yield
    language.install(qt, language.ENGLISH)
    set_translator(None)


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """(file, call, name of the function) of all calls in the sources with texts."""
    for name in translate.sources():
        file = ROOT / name
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                function = node.func
                if isinstance(function, ast.Name):
                    yield file, node, function.id
                elif isinstance(function, ast.Attribute):
                    yield file, node, function.attr


def literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def written_texts() -> set[str]:
    found = set()
    for _, call, name in calls():
        if name in ("tr", "mark") and call.args and (text := literal(call.args[0])) is not None:
            found.add(text)
    return found


def placeholders(text: str) -> set[tuple[str | None, str | None]]:
    return {(name, form) for _, name, form, _ in string.Formatter().parse(text) if name is not None}


def messages(code: str) -> dict[str, str]:
    """Translations of a catalogue by their English text."""
    tree = ElementTree.parse(translate.CATALOGUES / f"{code}.ts")
    return {
        message.findtext("source") or "": message.findtext("translation") or ""
        for message in tree.iter("message")
    }


def test_no_text_is_composed_before_its_translation() -> None:
    """An f-string given to `tr` is never found in a catalogue."""
    wrong = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file, call, name in calls()
        if name in ("tr", "mark") and call.args and isinstance(call.args[0], ast.JoinedStr)
    ]
    assert wrong == []


def test_no_widget_gets_a_text_past_the_translation() -> None:
    wrong = []
    for file, call, name in calls():
        if name not in SETTERS or "app/ui" not in str(file):
            continue
        for argument in call.args:
            parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
            texts = [text for part in parts if (text := literal(part)) is not None]
            if any(is_words(text) for text in texts):
                wrong.append(f"{file.relative_to(ROOT)}:{call.lineno} {texts}")
    assert wrong == []


def is_words(text: str) -> bool:
    """Whether a text has a word that a translator would change."""
    bare = re.sub(r"<[^>]*(>|$)|^'>|&\w+;", "", text).strip(" …")
    keys = re.fullmatch(rf"(({KEYS})(\+|, |$))*", bare) is not None
    names = bare in OWN_NAMES or bare.startswith(("http", "PNG (*", "--:")) or keys
    return not names and sum(character.isalpha() for character in bare) > 2


def test_catalogues_have_all_texts_of_the_sources() -> None:
    """`python scripts/translate.py` mends it."""
    for catalogue in translate.CATALOGUES.glob("*.ts"):
        assert written_texts() == set(messages(catalogue.stem))


@pytest.mark.parametrize("code", [code for code in language.LANGUAGES if code != "en"])
def test_translations_keep_the_placeholders(code: str) -> None:
    wrong = [
        text
        for text, translated in messages(code).items()
        if translated and placeholders(text) != placeholders(translated)
    ]
    assert wrong == []


@pytest.mark.parametrize("code", [code for code in language.LANGUAGES if code != "en"])
def test_no_text_lacks_a_translation(code: str) -> None:
    """Translate what `python scripts/translate.py` counts."""
    assert translate.unfinished(translate.CATALOGUES / f"{code}.ts") == []


@pytest.mark.parametrize("code", [code for code in language.LANGUAGES if code != "en"])
def test_translations_differ_where_the_english_does(code: str) -> None:
    """Else a change of language could not find back from the shown text."""
    known: dict[str, str] = {}
    same = []
    for text, translated in messages(code).items():
        other = known.setdefault(translated, text)
        if translated and other != text:
            same.append((text, other))
    assert same == []


@pytest.mark.parametrize("code", [code for code in language.LANGUAGES if code != "en"])
def test_compiled_catalogue_is_that_of_the_source(code: str, tmp_path: Path) -> None:
    catalogue = translate.CATALOGUES / f"{code}.ts"
    try:
        translate.compile_catalogue(catalogue, tmp_path / "new.qm")
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"pyside6-lrelease cannot run: {error}")
    assert (tmp_path / "new.qm").read_bytes() == catalogue.with_suffix(".qm").read_bytes()


def test_values_are_put_in_after_the_translation() -> None:
    assert tr("Saved {path}", path="/a {b}") == "Saved /a {b}"
    set_translator(lambda text, comment: {"Saved {path}": "{path} gespeichert"}.get(text, text))
    assert tr("Saved {path}", path="/a {b}") == "/a {b} gespeichert"


def test_wrong_placeholders_of_a_translation_show_english() -> None:
    set_translator(lambda text, comment: "{other} {path!x}")
    assert tr("Saved {path}", path="a") == "Saved a"


def test_a_shown_text_is_translated_again_with_its_values() -> None:
    inner = tr("Quality")
    shown = tr("{quality} comes next.", quality=inner)
    set_translator(lambda text, comment: f"[{text}]")
    assert translated_again(shown) == "[[Quality] comes next.]"
    assert translated_again("a title") == "a title"


def test_texts_with_many_values_do_not_grow_for_ever() -> None:
    for number in range(4 * translation.REMEMBERED_PER_TEXT):
        tr(mark("{rate:.0f} images/s"), rate=1000 + number)
    assert translated_again("1000 images/s") == "1000 images/s"
    set_translator(lambda text, comment: f"[{text}]")
    assert translated_again("1000 images/s") == "1000 images/s"  # forgotten
    last = 1000 + 4 * translation.REMEMBERED_PER_TEXT - 1
    assert translated_again(f"{last} images/s") == f"[{last} images/s]"


def texts_of(root: QWidget) -> set[str]:
    """Everything that a widget and those in it say."""
    found = set()
    for widget in [root, *root.findChildren(QWidget)]:
        found |= {widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()}
        if isinstance(widget, QLabel | QAbstractButton):
            found.add(widget.text())
        if isinstance(widget, QComboBox):
            found |= {widget.itemText(place) for place in range(widget.count())}
        found |= {action.text() for action in widget.actions()}
    return {text for text in found if is_words(text)}


@pytest.mark.window
def test_every_text_of_the_window_goes_through_the_translation(open_window: OpenWindow) -> None:
    """In a language that puts each text in brackets, no text is without them."""
    set_translator(lambda text, comment: f"⟦{text}⟧")
    window = open_window(start=False)
    dialogs = [
        OpenUrlDialog(window),
        ShortcutsDialog(window),
        ExportDialog(window, (640, 360), 24.0, 2, Look("depth")),
        AboutDialog(window, tr("Run from source"), None),
    ]
    bare = {text for text in texts_of(window) if "⟦" not in text}
    for dialog in dialogs:
        dialog.close()
    assert bare - OF_QT == set()


@pytest.mark.window
def test_the_panel_is_wide_enough_for_every_language(open_window: OpenWindow) -> None:
    window = open_window(start=False)
    for code in language.LANGUAGES:
        window.set_language(code)
        live(50)
        content = window.panel.widget()
        assert content.minimumSizeHint().width() <= window.panel.viewport().width(), code


@pytest.mark.window
def test_keys_are_named_as_on_the_keyboard(qt: QApplication) -> None:
    assert key_name("Ctrl+Shift+Left") == "Ctrl+Shift+←"
    assert [key_name(key) for key in ("+", ",", "Space", "PgUp", "Up")] == [
        "+", ",", "Space", "PgUp", "↑"
    ]  # fmt: skip
    language.install(qt, "de")
    assert key_name("Ctrl+Shift+S") == "Strg+Umschalt+S"


@pytest.mark.window
@pytest.mark.parametrize("code", language.LANGUAGES)
def test_f1_lists_every_key_of_the_window(open_window: OpenWindow, code: str) -> None:
    window = open_window(start=False)
    window.set_language(code)
    dialog = ShortcutsDialog(window)
    listed = [re.sub(r"<[^>]*>", "", label.text()) for label in dialog.findChildren(QLabel)]
    shown = " ".join(listed).replace("&lt;", "<").replace("&gt;", ">")
    for name, action in window.commands.actions.items():
        if name.startswith("preset_"):
            continue
        for shortcut in action.shortcuts():
            assert key_name(shortcut.toString()) in shown, name
    for gesture, meaning in GESTURES:
        assert tr(gesture) in listed
        assert tr(meaning) in listed
    dialog.close()


@pytest.mark.window
def test_language_changes_in_the_open_window(open_window: OpenWindow, qt: QApplication) -> None:
    window = open_window(start=False)
    before = texts_of(window.bar) | texts_of(window.panel.appearance)
    box = window.panel.appearance.boxes["language"]
    box.setCurrentIndex(box.findData("de"))
    box.activated.emit(box.currentIndex())
    assert qt.findChild(language.Language).code == "de"
    assert window.commands.menus["File"].title() == "&" + language_text("File")
    assert window.bar.play.toolTip() != ""
    box.setCurrentIndex(box.findData("en"))
    box.activated.emit(box.currentIndex())
    assert texts_of(window.bar) | texts_of(window.panel.appearance) == before


def language_text(text: str) -> str:
    return messages("de")[text] or text
