"""Translates the texts of the screen. It knows no Qt: the window sets the translator.

Write every text that a person reads as `tr("Saved {path}", path=path)`. A text of a table that is
made before the window is wrapped in `mark`, and in `tr` where it is shown. The argument must be one
literal: `scripts/translate.py` finds the texts by reading the sources.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Callable

log = logging.getLogger(__name__)

Translator = Callable[[str, str], str]  # (text, comment) -> the text in the language of the screen
REMEMBERED_PER_TEXT = 256  # results with different values


class _Texts:
    """The translator in use, and what it returned lately. Any thread may use it."""

    def __init__(self) -> None:
        self.translate: Translator | None = None
        self.shown: dict[str, tuple[str, str, dict[str, object]]] = {}
        self._lately: defaultdict[str, deque[str]] = defaultdict(deque)
        self._lock = threading.Lock()

    def remember(self, shown: str, text: str, comment: str, values: dict[str, object]) -> None:
        """Record what a text became; texts whose values change all the time forget old ones."""
        if shown in self.shown:
            return
        with self._lock:
            lately = self._lately[text]
            lately.append(shown)
            self.shown[shown] = (text, comment, values)
            if len(lately) > REMEMBERED_PER_TEXT:
                self.shown.pop(lately.popleft(), None)


_texts = _Texts()


def tr(text: str, comment: str = "", /, **values: object) -> str:
    """The text in the language of the screen; English before `set_translator`.

    Args:
        text: English, a literal. `{name}` stands for a value.
        comment: Tells two meanings of the same English text apart, for translators.
        values: Put in place of their names; numbers may have a format, as in "{rate:.1f}".
    """
    shown = text if _texts.translate is None else _texts.translate(text, comment)
    if values:
        shown = _filled(shown, text, values)
    _texts.remember(shown, text, comment, values)
    return shown


def mark(text: str, comment: str = "", /) -> str:
    """The text itself: marks a literal that is given to `tr` where it is shown."""
    return text


def set_translator(translate: Translator | None) -> None:
    """Translate with this function from now on; None shows English."""
    _texts.translate = translate


def translated_again(shown: str) -> str:
    """A text that `tr` returned before, in the present language; another text stays as it is."""
    known = _texts.shown.get(shown)
    if known is None:
        return shown
    text, comment, values = known
    again = {k: translated_again(v) if isinstance(v, str) else v for k, v in values.items()}
    return tr(text, comment, **again)


def _filled(shown: str, text: str, values: dict[str, object]) -> str:
    try:
        return shown.format(**values)
    except (KeyError, IndexError, ValueError):
        log.warning("the translation of %r has wrong placeholders", text)
        return text.format(**values)
