"""From the name of a backend to a painter: which backend, and which way to the screen.

Backends are loaded in a thread (they compile, they look for devices); widgets are made in the GUI
thread when the backend is there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from streamstgs.app.ui.drawing.gl_probe import WindowGl, probe
from streamstgs.renderer.backends import BackendChoice, choose_backend
from streamstgs.renderer.errors import RenderError

if TYPE_CHECKING:  # painters need torch, and the window is there before torch is
    from streamstgs.app.ui.drawing.renderer_adapter import RendererAdapter

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Answer:
    """What the thread found: a choice, or None to draw with the window's own OpenGL."""

    serial: int
    choice: BackendChoice | None
    reason: str
    problem: str = ""


class BackendSelection(QObject):
    """Owner: the GUI thread. `ask`, and `chosen` follows; a newer question voids an older one.

    Args:
        window_gl: the OpenGL of windows; None asks for it.
        choose: gives the backend of a name; called in a thread. None: `ready_to_draw`.
    """

    chosen = Signal(object)  # RendererAdapter
    refused = Signal(str)  # why the asked-for backend cannot be; `chosen` follows nevertheless
    _answered = Signal(object)

    def __init__(
        self,
        window_gl: WindowGl | None = None,
        choose: Callable[[str | None], BackendChoice] | None = None,
    ) -> None:
        super().__init__()
        self._choose = choose or ready_to_draw
        self.window_gl = window_gl if window_gl is not None else probe()
        self._serial = 0
        self._answered.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def may_use_opengl(self, name: str | None) -> bool:
        """Whether the painter of this name may show its pictures with the window's OpenGL."""
        return _is_hardware(self.window_gl) or (name == "opengl" and bool(self.window_gl.renderer))

    def close(self) -> None:
        """Answers that are still to come find nobody."""
        self._serial += 1

    def ask(self, name: str | None) -> None:
        self._serial += 1
        threading.Thread(
            target=self._look, args=(self._serial, name), name="choose-backend", daemon=True
        ).start()

    def _look(self, serial: int, name: str | None) -> None:
        """The thread boundary: whatever happens becomes an answer."""
        try:
            self._answered.emit(self._answer(serial, name))
        except Exception as error:
            log.exception("choosing a backend")
            problem = f"{name or 'The renderer'} cannot draw here: {error}"
            self._answered.emit(self._fallback(serial, problem))

    def _answer(self, serial: int, name: str | None) -> _Answer:
        gl = self.window_gl
        if name == "opengl" and gl.renderer:
            return _Answer(serial, None, f"opengl: chosen by hand, {gl.renderer}")
        try:
            choice = self._choose(name)
        except RenderError as error:
            if name is None:
                raise
            return self._fallback(serial, f"{name} cannot draw here: {error}")
        if name is None and choice.backend.name in ("cpu", "opengl") and _is_hardware(gl):
            choice.backend.close()
            return _Answer(serial, None, f"opengl: {gl.renderer}")
        return _Answer(serial, choice, choice.reason)

    def _fallback(self, serial: int, problem: str) -> _Answer:
        choice = self._choose("cpu")
        return _Answer(serial, choice, choice.reason, problem)

    def _take(self, answer: _Answer) -> None:
        if answer.serial != self._serial:
            if answer.choice is not None:
                answer.choice.backend.close()
            return
        if answer.problem:
            self.refused.emit(answer.problem)
        self.chosen.emit(self._painter(answer))

    def _painter(self, answer: _Answer) -> RendererAdapter:
        from streamstgs.app.ui.drawing.raster_surface import RasterSurface
        from streamstgs.app.ui.drawing.renderer_adapter import ImageAdapter

        if answer.choice is None:
            from streamstgs.app.ui.drawing.opengl_adapter import OpenGLAdapter

            return OpenGLAdapter(answer.reason)
        backend = answer.choice.backend
        if not _is_hardware(self.window_gl):
            return ImageAdapter(backend, answer.reason, RasterSurface())
        from streamstgs.app.ui.drawing.texture_surface import TextureSurface

        to_host = backend.device.type != "cuda"
        return ImageAdapter(backend, answer.reason, TextureSurface(backend.device), to_host)


def ready_to_draw(name: str | None) -> BackendChoice:
    """The backend of `choose_backend`, once all that it draws with is compiled or loaded."""
    choice = choose_backend(name)
    choice.backend.warm_up()
    return choice


def _is_hardware(gl: WindowGl) -> bool:
    return bool(gl.renderer) and not gl.software
