"""What takes longest before the first picture: loading torch and what draws with it.

Importing is Python, of which one thread runs at a time. The window that shows a poster comes first;
then a thread imports, while the GUI thread keeps answering.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

# Large, and needed by each other's Python in this order: package, library in it.
_LIBRARIES = (("torch", "lib/libtorch_python.so"), ("llvmlite", "binding/libllvmlite.so"))
_RTLD_NOW = 2
PLAYER_MODULES = ("torch", "app.player.playback", "app.player.pictures", "app.player.orbit_camera")


class EarlyStart:
    """Imports modules in a thread, the libraries behind them in another.

    Args:
        done: called in the thread when all is there, or when it failed: whoever imports again
            learns why.
        modules: what to import.
    """

    def __init__(self, done: Callable[[], None], modules: Sequence[str] = PLAYER_MODULES) -> None:
        self._done = done
        self._modules = modules

    def begin(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._load, name="early-start", daemon=True).start()

    def _load(self) -> None:
        try:
            for module in self._modules:
                importlib.import_module(module)
        except Exception:  # the thread boundary
            log.exception("loading the player")
        self._done()


def load_libraries() -> threading.Thread:
    """Begin to load shared libraries that importing will need, without holding up Python.

    An import loads them with Python standing still; `dlopen` called by itself leaves it running.
    Only on Linux, and where it fails the import says why.
    """
    thread = threading.Thread(target=_load_libraries, name="libraries", daemon=True)
    thread.start()
    return thread


def _load_libraries() -> None:
    if sys.platform != "linux":
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    for package, library in _LIBRARIES:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            dlopen(bytes(Path(spec.origin).parent / library), _RTLD_NOW)
