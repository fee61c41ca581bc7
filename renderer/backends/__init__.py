"""Which backends there are, which of them this machine can run, and which is the best here.

    gsplat      CUDA; the fastest
    opengl      any GPU, also software OpenGL
    cpu         compiled loops; no GPU and no display needed
    reference   small differentiable PyTorch; exact but slow, made for tests and training

A backend is loaded when it is chosen, so that `import renderer.backends` needs none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from glob import glob
from typing import TYPE_CHECKING

from streamstgs.renderer.errors import BackendUnavailable

if TYPE_CHECKING:
    from streamstgs.renderer.backends.base import Backend

# One of these is there where Linux, or Windows around it, has a driver for a GPU. Looking for them
# saves a machine without one the start of software OpenGL only to learn that it is software.
GPU_DEVICES = ("/dev/dri/render*", "/dev/nvidia[0-9]*", "/dev/dxg", "/dev/mali*", "/dev/kgsl*")
SOFTWARE_OPENGL = ("llvmpipe", "softpipe", "swrast", "software")


@dataclass(frozen=True)
class BackendChoice:
    """A backend ready to draw, and one sentence for people on why it is this one."""

    backend: Backend
    reason: str


def choose_backend(name: str | None = None) -> BackendChoice:
    """The backend called `name`, or the fastest one of this machine.

    Raises:
        BackendUnavailable: there is no such backend, or the machine cannot run it; says why.
    """
    if name is not None:
        return BackendChoice(_load(name), f"{name}: chosen by hand")
    obstacles = []
    for best in (_best_on_cuda, _best_on_gpu):
        try:
            return best()
        except BackendUnavailable as obstacle:
            obstacles.append(str(obstacle))
    return BackendChoice(_load("cpu"), f"cpu: {'; '.join(obstacles)}")


def available_backends() -> list[tuple[str, str | None]]:
    """Each backend's name, and why this machine cannot run it (None: it can)."""
    return [(name, _obstacle(name)) for name in _LOADERS]


def _obstacle(name: str) -> str | None:
    try:
        close_backend(_load(name))
    except BackendUnavailable as obstacle:
        return str(obstacle)
    return None


def _best_on_cuda() -> BackendChoice:
    backend = _load("gsplat")
    import torch

    return BackendChoice(backend, f"gsplat: {torch.cuda.get_device_name()} with CUDA")


def _best_on_gpu() -> BackendChoice:
    """OpenGL, but not where it is emulated: there the cpu backend is about three times faster."""
    if sys.platform == "linux" and not any(map(glob, GPU_DEVICES)):
        raise BackendUnavailable("there is no GPU")
    backend = _load("opengl")
    driver = str(getattr(backend, "renderer_name", "OpenGL"))
    if any(word in driver.lower() for word in SOFTWARE_OPENGL):
        close_backend(backend)
        raise BackendUnavailable("software OpenGL would be slower")
    return BackendChoice(backend, f"opengl: {driver}")


def _load(name: str) -> Backend:
    if name not in _LOADERS:
        known = ", ".join(_LOADERS)
        raise BackendUnavailable(f"there is no backend {name!r}; choose one of {known}")
    try:
        return _LOADERS[name]()
    except ImportError as error:
        raise BackendUnavailable(f"{name} cannot be loaded: {error}") from error


def close_backend(backend: Backend) -> None:
    """Let go of what a backend holds beside memory, such as threads or an OpenGL context."""
    close = getattr(backend, "close", None)
    if close is not None:
        close()


def _gsplat() -> Backend:
    from streamstgs.renderer.backends.gsplat_cuda import GsplatBackend

    return GsplatBackend()


def _opengl() -> Backend:
    from streamstgs.renderer.backends.opengl import OpenGLBackend

    return OpenGLBackend()


def _cpu() -> Backend:
    from streamstgs.renderer.backends.cpu.backend import CpuBackend

    return CpuBackend()


def _reference() -> Backend:
    from streamstgs.renderer.backends.reference import ReferenceBackend

    return ReferenceBackend()


_LOADERS: dict[str, Callable[[], Backend]] = {
    "gsplat": _gsplat,
    "opengl": _opengl,
    "cpu": _cpu,
    "reference": _reference,
}
