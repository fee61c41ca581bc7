"""Films on the disk: one file for the film of each scene, with its undo."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from streamstgs.app.player.film.history import TEXT_CHARS_MAX, FilmHistory
from streamstgs.app.translation import tr
from streamstgs.codec.errors import WriteError
from streamstgs.codec.output import output_file
from streamstgs.codec.streaming.address import without_password

log = logging.getLogger(__name__)


class FilmStore:
    """Loads the film of a scene that is entered, and writes it after every edit.

    A damaged or missing file is an empty film. One that cannot be read, as another version may have
    written it, is put aside before the first edit takes its place. Owner: the thread of the viewer
    model.

    Args:
        history: Of the film that is edited.
        folder: Where the files are; made when the first film is written.
        warn: Called with a text for a person when a film cannot be kept; not again until it can.
    """

    def __init__(
        self, history: FilmHistory, folder: Path, warn: Callable[[str], None] = lambda text: None
    ) -> None:
        self._history, self._folder = history, folder
        self._warn, self._warned = warn, False
        self._file: Path | None = None  # of the shown scene
        self._unread = False  # whether it holds something else than a film
        history.changed.connect(self._write)

    def enter_scene(self, location: str) -> None:
        """Show the film of a scene; edits go to its file from now on."""
        key = without_password(location).encode("utf-8", "surrogatepass")
        file = self._folder / f"{hashlib.sha256(key).hexdigest()[:32]}.json"
        if file == self._file:
            return
        self._file = None
        self._unread = not self._history.read_json(_text(file))
        if self._unread:
            log.warning("the film in %s cannot be read", file)
        self._file = file

    def _write(self) -> None:
        if self._file is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._unread:
                with contextlib.suppress(FileNotFoundError):
                    self._file.replace(self._file.with_suffix(".unread"))
                self._unread = False
            with output_file(self._file) as partial:
                partial.write_text(self._history.to_json(), encoding="utf-8")
        except (WriteError, OSError) as error:
            log.warning("the film cannot be kept: %s", error)
            if not self._warned:
                self._warn(
                    tr("The film cannot be kept: {error}. Save the camera path.", error=error)
                )
            self._warned = True
        else:
            self._warned = False


def _text(file: Path) -> str:
    """The text of a file; that of an empty film if there is none."""
    try:
        if file.stat().st_size > TEXT_CHARS_MAX:
            return ""
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return FilmHistory.EMPTY
    except (OSError, ValueError):
        return ""
