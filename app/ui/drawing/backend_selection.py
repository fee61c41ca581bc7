"""Backend selection: makes the renderer adapter for the name of a backend.

Backends are loaded in a thread, as they look for devices; then their surface is made in the GUI
thread. Where the loops of the cpu backend must be compiled first, OpenGL draws meanwhile, also
emulated OpenGL.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from streamstgs.app.translation import tr
from streamstgs.app.ui.drawing.gl_probe import WindowGl, probe
from streamstgs.renderer.backends import BackendChoice, available_backends, choose_backend
from streamstgs.renderer.errors import RenderError
from streamstgs.renderer.loop_compiler import LoopCompiler, compiler

if TYPE_CHECKING:  # it loads torch, and the window is on the screen before that
    from streamstgs.app.ui.drawing.renderer_adapter import RendererAdapter
    from streamstgs.renderer.backends.base import Backend

log = logging.getLogger(__name__)

_FIRST_PICTURE_S = 5.0  # so long compiling waits for the first picture at most


@dataclass(frozen=True)
class _Answer:
    """The result of the thread: a choice, or None to draw with the window's own OpenGL."""

    serial: int
    choice: BackendChoice | None
    reason: str
    problem: str = ""
    slow: bool = False  # it draws only until the next answer


class BackendSelection(QObject):
    """`chosen` follows `ask`; a newer request cancels an older one. Owner: the GUI thread.

    While the cpu backend is compiled, `chosen` brings a slow adapter first.

    Args:
        window_gl: The OpenGL of windows; None probes it.
        loops: Compiles loops for the CPU.
    """

    chosen = Signal(object)  # RendererAdapter
    refused = Signal(str)  # why this backend cannot draw; `chosen` follows nevertheless
    examined = Signal(object)  # reasons by the names of backends that cannot run here
    compiling = Signal(bool)  # whether the cpu backend is compiled, before it can draw
    _compiling = Signal(bool)
    _answered = Signal(object)
    _obstacles = Signal(object)

    def __init__(
        self,
        window_gl: WindowGl | None = None,
        loops: LoopCompiler = compiler,
    ) -> None:
        super().__init__()
        self._loops = loops
        self.window_gl = window_gl if window_gl is not None else probe()
        self.draws_images = False  # whether no adapter may draw in the window itself
        self._serial = 0
        self._examined = False
        self._closed = False
        self._painted = threading.Event()  # a slow adapter has shown its first picture
        self._compiling.connect(self.compiling, Qt.ConnectionType.QueuedConnection)
        self._obstacles.connect(self.examined, Qt.ConnectionType.QueuedConnection)
        self._answered.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def may_use_opengl(self, name: str | None) -> bool:
        """Whether the adapter of this backend may show its images with the window's OpenGL."""
        return _is_hardware(self.window_gl) or (name == "opengl" and bool(self.window_gl.renderer))

    def close(self) -> None:
        """Ignore the answers that are still to come."""
        self._serial += 1
        self._closed = True
        self._painted.set()
        self._loops.stop()

    def ask(self, name: str | None) -> None:
        """Load a backend in a thread; None chooses the fastest."""
        self._serial += 1
        threading.Thread(
            target=self._look, args=(self._serial, name), name="choose-backend", daemon=True
        ).start()

    def examine(self) -> None:
        """Try to load every backend, once, in a thread; `examined` follows."""
        if not self._examined:
            self._examined = True
            # No daemon: the end of the program waits, else C++ aborts where it is cut off.
            threading.Thread(target=self._examine, name="examine-backends").start()

    def _examine(self) -> None:
        """The thread boundary: a backend that fails in an unexpected way cannot run either."""
        obstacles: dict[str, str] = {}
        try:
            for name, reason in available_backends():
                in_window = name == "opengl" and bool(self.window_gl.renderer)
                if reason is not None and not in_window:
                    obstacles[name] = reason
        except Exception:
            if not self._closed:  # a program that ends starts no threads, so backends fail then
                log.exception("looking for backends")
        if not self._closed:
            self._obstacles.emit(obstacles)

    def _look(self, serial: int, name: str | None) -> None:
        """The thread boundary: every error becomes an answer."""
        try:
            for answer in self._answers(serial, name):
                self._deliver(answer)
        except Exception as error:
            if self._closed:
                return
            log.exception("choosing a backend")
            choice = ready_to_draw("cpu")
            self._deliver(_Answer(serial, choice, choice.reason, _refusal(name, error)))

    def _deliver(self, answer: _Answer) -> None:
        if not self._closed:
            self._answered.emit(answer)
        elif answer.choice is not None:  # no event loop is left that would take it
            answer.choice.backend.close()

    def _answers(self, serial: int, name: str | None) -> Iterator[_Answer]:
        """The backend to draw with; before it, while it is compiled, another one."""
        gl, problem = self.window_gl, ""
        in_window = not self.draws_images
        if in_window and name == "opengl" and gl.renderer:
            self._compile_field()
            yield _Answer(serial, None, f"opengl: chosen by hand, {gl.renderer}")
            return
        try:
            choice = choose_backend(name)
        except RenderError as error:
            choice, problem = choose_backend("cpu"), _refusal(name, error)
        slow = name is None and choice.backend.name in ("cpu", "opengl")
        if in_window and slow and _is_hardware(gl):
            choice.backend.close()
            self._compile_field()
            yield _Answer(serial, None, f"opengl: {gl.renderer}")
            return
        yield from self._while_compiling(serial, choice.backend)
        if not self._closed:  # it would compile here
            choice.backend.warm_up()
        yield _Answer(serial, choice, choice.reason, problem)

    def _while_compiling(self, serial: int, backend: Backend) -> Iterator[_Answer]:
        """Another backend until the loops of this one are compiled; nothing where they are."""
        if backend.device.type != "cpu":
            return
        if backend.name != "cpu":
            self._compile_field()
            return
        if not self._loops.begin(drawing=True):
            return
        self._compiling.emit(True)
        try:
            yield _Answer(
                serial, choose_backend("opengl"), "opengl: until cpu is compiled", slow=True
            )
            self._painted.wait(_FIRST_PICTURE_S)  # it needs all cores
        except RenderError as error:
            log.info("nothing draws until the loops are compiled: %s", error)
        self._loops.go()
        self._loops.wait()
        self._compiling.emit(False)

    def _compile_field(self) -> None:
        """Compile what moves the Gaussians, beside a backend that needs nothing else compiled."""
        self._loops.begin(drawing=False)
        self._loops.go()

    def _take(self, answer: _Answer) -> None:
        if answer.serial != self._serial:
            if answer.choice is not None:
                answer.choice.backend.close()
            return
        if answer.problem:
            self.refused.emit(answer.problem)
        adapter = self._adapter(answer)
        adapter.slow = answer.slow
        if answer.slow:
            adapter.painted.connect(lambda _: self._painted.set())
        self.chosen.emit(adapter)

    def _adapter(self, answer: _Answer) -> RendererAdapter:
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


def _refusal(name: str | None, error: Exception) -> str:
    if name is None:
        return tr("No renderer is ready: {error}. The processor (cpu) draws instead.", error=error)
    return tr(
        "The renderer {name} cannot draw here: {error}. The processor (cpu) draws instead.",
        name=name,
        error=error,
    )


def _is_hardware(gl: WindowGl) -> bool:
    return bool(gl.renderer) and not gl.software
