"""The renderer adapter in use, and its replacement by another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from streamstgs.app.player.viewer.open_scene import OpenPlayback
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.drawing.backend_selection import BackendSelection
from streamstgs.app.ui.drawing.gl_probe import WindowGl
from streamstgs.app.ui.viewport.viewport import Viewport

if TYPE_CHECKING:  # it loads torch, and the window is on the screen before that
    import torch
    from streamstgs.app.ui.drawing.renderer_adapter import RendererAdapter


class ActiveRenderer(QObject):
    """Owner: the GUI thread. Scenes can be opened once it knows the device for their data.

    Args:
        model: Told of the device, the renderer's name and its warnings.
        viewport: Gets the surface of the adapter.
        selection: Makes adapters.
        open_playback: Starts the playback of a location; called after `start`.
    """

    changed = Signal(object)  # the new RendererAdapter
    painted = Signal(object)  # Timing of an image that reached the screen
    examined = Signal(object)  # reasons by the names of backends that cannot run here
    compiling = Signal(bool)  # whether a faster renderer is compiled, before it takes over

    def __init__(
        self,
        model: ViewerModel,
        viewport: Viewport,
        selection: BackendSelection,
        open_playback: OpenPlayback,
    ) -> None:
        super().__init__()
        self._model, self._viewport, self._selection = model, viewport, selection
        self._statistics, self._open_playback = model.statistics, open_playback
        self._backend: str | None = None  # the name that was asked for; None chooses
        self._started = False
        self._drew_in_window = False  # before a comparison that needs another adapter
        self.adapter: RendererAdapter | None = None  # written by `set_adapter` and `close`
        selection.chosen.connect(self.set_adapter)
        selection.refused.connect(model.warn)
        selection.examined.connect(self.examined)
        selection.compiling.connect(self.compiling)

    def start(self) -> None:
        """Load the backend; scenes open at once if their device does not depend on it."""
        import torch

        self._started = True
        self._selection.ask(self._backend)
        if self.adapter is not None or not torch.cuda.is_available():
            self._model.allow_opening(self._open_playback)

    def set_backend(self, name: str | None) -> None:
        """Ask for another backend (None chooses); it takes over once it is loaded."""
        self._backend = name
        if self._started:
            self._selection.ask(name)

    @property
    def window_gl(self) -> WindowGl:
        """The OpenGL of windows."""
        return self._selection.window_gl

    def examine(self) -> None:
        """Find out in a thread which backends this machine can run; `examined` follows once."""
        self._selection.examine()

    def restart(self) -> None:
        """Load the backend that was asked for once more, as when no picture comes from it."""
        self.set_backend(self._backend)

    def set_comparing(self, on: bool) -> None:
        """Draw with an adapter that can compare; the OpenGL of the window itself cannot."""
        self._selection.draws_images = on
        changes = self.adapter is not None and (on != self.adapter.compares)
        if self._started and changes and (on or self._drew_in_window):
            self._drew_in_window = on
            self._selection.ask(self._backend)

    @property
    def device(self) -> torch.device | str:
        """The device for the decoded data of scenes."""
        return self.adapter.device if self.adapter is not None else "cpu"

    def set_adapter(self, adapter: RendererAdapter) -> None:
        """Draw with another adapter from now on."""
        former, self.adapter = self.adapter, adapter
        if former is not None:  # its surface may be painted once more
            former.painted.disconnect(self.painted)
        adapter.painted.connect(self.painted)
        adapter.failed.connect(self._model.warn)
        self._viewport.set_surface(adapter.surface)
        self._statistics.set_renderer(adapter.backend_name, adapter.reason, adapter.presenter)
        self.changed.emit(adapter)
        if former is not None:
            former.close()
            if former.device != adapter.device:
                self._model.reopen()
        self._model.allow_opening(self._open_playback)

    def close(self) -> None:
        """Stop drawing; a backend that is still being loaded is closed when it is ready."""
        self._selection.close()
        adapter, self.adapter = self.adapter, None
        if adapter is not None:
            adapter.close()
