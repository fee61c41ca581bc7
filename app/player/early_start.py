"""What takes longest before the first picture, begun in threads while the window is being loaded.

Loading the renderer is mostly Python and decoding mostly is not, so that on two cores both go on
beside the main thread, which in the meantime imports Qt and builds the window.
"""

from __future__ import annotations

import threading

import torch

from app.player.playback import Playback, PlaybackSettings
from codec.scene import OpenSettings
from renderer.backends import BackendChoice, choose_backend


class EarlyBackend:
    """Chooses a backend in a thread, and compiles or loads what it draws with.

    A call has the signature of `renderer.backends.choose_backend` and waits for the thread; the
    backend is handed over once, later calls choose another one.

    Args:
        name: as in `choose_backend`.
    """

    def __init__(self, name: str | None) -> None:
        self._name = name
        self._choice: BackendChoice | None = None
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = threading.Thread(
            target=self._load, name="early-backend", daemon=True
        )
        self._thread.start()

    def __call__(self, name: str | None = None) -> BackendChoice:
        """Raises BackendUnavailable as `choose_backend` does."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None or name != self._name:
            return warmed_up(choose_backend(name))
        thread.join()
        if self._choice is None:
            raise self._error or RuntimeError("the renderer was not loaded")
        return self._choice

    def _load(self) -> None:
        try:
            self._choice = warmed_up(choose_backend(self._name))
        except Exception as error:  # raised again where the backend is asked for
            self._error = error


def warmed_up(choice: BackendChoice) -> BackendChoice:
    """The choice, once its backend is ready to draw at full speed."""
    warm_up = getattr(choice.backend, "warm_up", None)
    if warm_up is not None:
        warm_up()
    return choice


class EarlyPlayback:
    """Opens a scene and decodes its beginning, before anybody knows how it is to be played.

    With a GPU that could draw it nothing is begun: the planes may have to go there.

    Args:
        location: path of a .stgs file or a directory, or an URL.
        opening: patience with servers, what is kept of their scenes.
    """

    def __init__(self, location: str, opening: OpenSettings | None = None) -> None:
        settings = PlaybackSettings(opening=opening or OpenSettings())
        self._playback = None if torch.cuda.is_available() else Playback(location, settings)

    def take(self, location: str, settings: PlaybackSettings) -> Playback | None:
        """The playback, once, if it is that of `location`; from now on it follows `settings`."""
        playback = self._playback
        if playback is None or playback.location != location:
            return None
        self._playback = None
        playback.set_loop(settings.loop)
        playback.set_speed(settings.speed)
        if playback.opened is None or settings.rung in (None, *playback.opened.rungs):
            playback.set_rung(settings.rung)
        return playback

    def close(self) -> None:
        """Let go of the scene if nobody took it."""
        if self._playback is not None:
            self._playback.close()
            self._playback = None
