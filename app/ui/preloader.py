"""Preloader: imports torch and the player in a thread, while the window shows the poster.

Python runs one thread at a time, so the window with the poster comes first; then a thread imports,
while the GUI thread keeps answering.
"""

from __future__ import annotations

import builtins
import ctypes
import importlib
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

_RTLD_NOW = 2
PLAYER_MODULES = (
    "torch",
    "streamstgs.app.player.playback",
    "streamstgs.app.player.rendering.render_thread",
    "streamstgs.app.player.camera.orbit",
)


class Preloader:
    """Imports modules in a thread.

    Args:
        done: Called in the thread at the end, also after an error: the next import of the module
            raises it again.
        modules: The modules to import.
    """

    def __init__(self, done: Callable[[], None], modules: Sequence[str] = PLAYER_MODULES) -> None:
        self._done = done
        self._modules = modules

    def begin(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._load, name="preload", daemon=True).start()

    def _load(self) -> None:
        try:
            for module in self._modules:
                importlib.import_module(module)
        except Exception:  # the thread boundary
            log.exception("loading the player")
        self._done()


def load_window() -> None:
    """Import the window, and undo what PySide6 does to `import`.

    PySide6 reads the source of each module that is imported after it, to find out whether it has
    `from __feature__ import`; nothing here has. That is a tenth of the time to import torch.
    """
    usual = builtins.__import__
    try:
        importlib.import_module("streamstgs.app.ui.application")
    finally:
        builtins.__import__ = usual


def load_libraries() -> None:
    """Load shared libraries that are needed with and without a window, in a thread."""
    threading.Thread(target=_load_libraries, name="libraries", daemon=True).start()


def _load_libraries() -> None:
    """Load with `dlopen`, which lets Python run meanwhile; an import would not.

    Only on Linux. An error is reported by the later import.
    """
    if sys.platform != "linux":
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    for library in filter(None, (_llvm(), _torch())):
        dlopen(bytes(library), _RTLD_NOW)


def _llvm() -> Path | None:
    folder = _folder("llvmlite")
    return folder and folder / "binding" / "libllvmlite.so"


def _torch() -> Path | None:
    """The library of torch; None with CUDA, whose libraries would delay loading Qt."""
    folder = _folder("torch")
    if folder is None or (folder / "lib" / "libtorch_cuda.so").exists():
        return None
    return folder / "lib" / "libtorch_python.so"


def _folder(package: str) -> Path | None:
    spec = find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
