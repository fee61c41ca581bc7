"""A surfaceless EGL context: OpenGL 4.1 core without display, window or Qt.

libEGL is called through ctypes, not through PyOpenGL's EGL module: PyOpenGL picks one window-system
platform per process at its first import, and that choice must stay Qt's. The functions that
PyOpenGL then calls (glDrawArrays and others) go through libglvnd, which dispatches to the context
that is current on the calling thread, EGL's or GLX's. So PYOPENGL_PLATFORM need not be set.

A thread has one current context for both GLX and EGL: make this one current only on a thread on
which no window draws (`renderer.backends.opengl` keeps a thread of its own for that).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Iterator
from ctypes import c_char_p, c_int32, c_uint, c_void_p
from typing import Any

from streamstgs.renderer.errors import BackendUnavailable

_OPENGL_API, _EXTENSIONS = 0x30A2, 0x3055
_PLATFORM_DEVICE, _PLATFORM_SURFACELESS = 0x313F, 0x31DD
_CUDA_DEVICE_NV = 0x323A
_SURFACE_TYPE, _RENDERABLE_TYPE, _OPENGL_BIT, _NONE = 0x3033, 0x3040, 0x0008, 0x3038
_MAJOR, _MINOR, _PROFILE_MASK, _CORE_PROFILE_BIT = 0x3098, 0x30FB, 0x30FD, 0x1
_GL_RENDERER = 0x1F01
_CONFIG = (_SURFACE_TYPE, 0, _RENDERABLE_TYPE, _OPENGL_BIT, _NONE)
_CORE_4_1 = (_MAJOR, 4, _MINOR, 1, _PROFILE_MASK, _CORE_PROFILE_BIT, _NONE)

_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "eglGetProcAddress": (c_void_p, [c_char_p]),
    "eglQueryString": (c_char_p, [c_void_p, c_int32]),
    "eglGetError": (c_int32, []),
    "eglInitialize": (c_uint, [c_void_p, c_void_p, c_void_p]),
    "eglBindAPI": (c_uint, [c_uint]),
    "eglChooseConfig": (c_uint, [c_void_p, c_void_p, c_void_p, c_int32, c_void_p]),
    "eglCreateContext": (c_void_p, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "eglDestroyContext": (c_uint, [c_void_p, c_void_p]),
    "eglMakeCurrent": (c_uint, [c_void_p, c_void_p, c_void_p, c_void_p]),
}
_EXTENSION_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "eglGetPlatformDisplayEXT": (c_void_p, [c_uint, c_void_p, c_void_p]),
    "eglQueryDevicesEXT": (c_uint, [c_int32, c_void_p, c_void_p]),
    "eglQueryDeviceAttribEXT": (c_uint, [c_void_p, c_int32, c_void_p]),
    "glGetString": (c_char_p, [c_uint]),
}


class EglContext:
    """An OpenGL 4.1 core context without a surface. Belongs to the thread that makes it current.

    Args:
        cuda_device: prefer the EGL device that is this CUDA device, so that interop can work.

    Raises:
        BackendUnavailable: no libEGL, or none of its displays gives such a context; says why.
    """

    def __init__(self, cuda_device: int | None = None) -> None:
        self._egl = _LibEgl()
        self._display, self._context = self._first_working(cuda_device)

    def make_current(self) -> None:
        """Make this context current on the calling thread.

        Raises:
            BackendUnavailable: the driver refuses, e.g. because a window's GLX context is current.
        """
        self._bind(self._context)

    def release_current(self) -> None:
        """Leave the calling thread without a context."""
        self._bind(None)

    def destroy(self) -> None:
        """Free the context; its textures and buffers go with it."""
        self._egl.eglDestroyContext(self._display, self._context)

    def renderer_name(self) -> str:
        """GL_RENDERER of this context, which must be current."""
        return self._egl.extension("glGetString")(_GL_RENDERER).decode(errors="replace")

    def _bind(self, context: int | None) -> None:
        self._egl.eglBindAPI(_OPENGL_API)  # a per-thread setting
        if not self._egl.eglMakeCurrent(self._display, None, None, context):
            raise BackendUnavailable(
                f"EGL refuses to make its context current ({self._egl.error()}); "
                "another window-system context may be current on this thread"
            )

    def _first_working(self, cuda_device: int | None) -> tuple[int, int]:
        """(display, context) of the first display that gives an OpenGL 4.1 core context.

        Displays are never terminated: EGL hands out one per process and device, so another
        context may live on it.
        """
        reasons = []
        for name, display in self._egl.displays(cuda_device):
            context = self._egl.new_context(display)
            if context:
                return display, context
            reasons.append(f"{name}: {self._egl.error()}")
        raise BackendUnavailable(
            "EGL gives no OpenGL 4.1 core context without a display "
            f"({'; '.join(reasons) or 'it offers no surfaceless display'})"
        )


def gl_renderer_name() -> str | None:
    """GL_RENDERER of the surfaceless context; None if this machine has no such context.

    `is_software_renderer` tells hardware from software by it. The context is current only on a
    short-lived thread, so no context of the caller is disturbed.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, thread_name_prefix="gl-probe") as executor:
        return executor.submit(_probe).result()


def is_software_renderer(renderer_name: str) -> bool:
    """True for the GL_RENDERER of a driver that draws on the CPU."""
    software = ("llvmpipe", "softpipe", "swrast", "swr ", "software", "gdi generic", "swiftshader")
    return any(word in renderer_name.lower() for word in software)


def _probe() -> str | None:
    try:
        context = EglContext()
    except BackendUnavailable:
        return None
    try:
        context.make_current()
        name = context.renderer_name()
        context.release_current()
        return name
    except BackendUnavailable:
        return None
    finally:
        context.destroy()


class _LibEgl:
    """The few functions of libEGL needed here, with their C signatures."""

    def __init__(self) -> None:
        self._library = _load_library()
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def extension(self, name: str) -> Any:
        """A function libEGL gives by name only; BackendUnavailable where it lacks it."""
        address = self.eglGetProcAddress(name.encode())
        if not address:
            raise BackendUnavailable(f"libEGL lacks {name}")
        result, arguments = _EXTENSION_SIGNATURES[name]
        return ctypes.CFUNCTYPE(result, *arguments)(address)

    def error(self) -> str:
        return f"EGL error 0x{self.eglGetError():04x}"

    def displays(self, cuda_device: int | None) -> Iterator[tuple[str, int]]:
        """(name, initialised display), the likeliest to be hardware first."""
        extensions = (self.eglQueryString(None, _EXTENSIONS) or b"").decode().split()
        if "EGL_EXT_platform_base" not in extensions:
            raise BackendUnavailable("libEGL is too old: it lacks EGL_EXT_platform_base")
        candidates: list[tuple[str, int, int | None]] = []
        if "EGL_EXT_platform_device" in extensions and "EGL_EXT_device_base" in extensions:
            devices = self._devices(cuda_device)
            candidates += [(f"device {i}", _PLATFORM_DEVICE, d) for i, d in enumerate(devices)]
        if "EGL_MESA_platform_surfaceless" in extensions:
            candidates.append(("surfaceless Mesa", _PLATFORM_SURFACELESS, None))
        for name, platform, native in candidates:
            display = self.extension("eglGetPlatformDisplayEXT")(platform, native, None)
            if display and self.eglInitialize(display, None, None):
                yield name, display

    def _devices(self, cuda_device: int | None) -> list[int]:
        """All EGL devices; the one that is `cuda_device` first."""
        query = self.extension("eglQueryDevicesEXT")
        count = c_int32()
        if not query(0, None, ctypes.byref(count)) or count.value < 1:
            return []
        handles = (c_void_p * count.value)()
        if not query(count.value, handles, ctypes.byref(count)):
            return []
        devices = [handle for handle in handles[: count.value] if handle]
        return sorted(devices, key=lambda device: self._cuda_index(device) != cuda_device)

    def _cuda_index(self, device: int) -> int | None:
        """CUDA device index of an EGL device (EGL_NV_device_cuda), None where it is none."""
        index = ctypes.c_ssize_t(-1)
        ask = self.extension("eglQueryDeviceAttribEXT")
        found = ask(device, _CUDA_DEVICE_NV, ctypes.byref(index))
        return index.value if found else None

    def new_context(self, display: int) -> int | None:
        """An OpenGL 4.1 core context, or None (then `error` says why)."""
        config, count = c_void_p(), c_int32()
        attributes = (c_int32 * len(_CONFIG))(*_CONFIG)
        self.eglBindAPI(_OPENGL_API)
        if not self.eglChooseConfig(
            display, attributes, ctypes.byref(config), 1, ctypes.byref(count)
        ):
            return None
        version = (c_int32 * len(_CORE_4_1))(*_CORE_4_1)
        return self.eglCreateContext(display, config if count.value else None, None, version)


def _load_library() -> ctypes.CDLL:
    name = "libEGL.so.1" if sys.platform.startswith("linux") else ctypes.util.find_library("EGL")
    if name is None:
        raise BackendUnavailable("this system has no libEGL (OpenGL without a window needs it)")
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        raise BackendUnavailable(f"libEGL does not load ({error}); install libegl1") from error
