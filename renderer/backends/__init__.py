"""Lists the backends, checks which of them this machine can run, and chooses the fastest.

    gsplat      CUDA; the fastest
    opengl      any GPU, also software OpenGL
    cpu         compiled loops; needs neither GPU nor display
    reference   small differentiable PyTorch; exact but slow, made for tests and training

Other packages can add backends (`renderer.backends.plugins`). A backend is loaded when it is
chosen: `import streamstgs.renderer.backends` loads none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from glob import glob
from typing import TYPE_CHECKING

from streamstgs.renderer.backends.plugins import find_plugins, load_plugin
from streamstgs.renderer.errors import BackendUnavailable

if TYPE_CHECKING:
    from streamstgs.renderer.backends.base import Backend

# A GPU driver of Linux, or of Windows around a WSL, makes one of these files. A machine without any
# need not start OpenGL only to learn that it is emulated.
GPU_DEVICES = ("/dev/dri/render*", "/dev/nvidia[0-9]*", "/dev/dxg", "/dev/mali*", "/dev/kgsl*")


@dataclass(frozen=True)
class BackendChoice:
    """A backend ready to draw.

    Args:
        backend: belongs to the caller, who closes it.
        reason: why it was chosen, one line for users.
    """

    backend: Backend
    reason: str


def choose_backend(name: str | None = None) -> BackendChoice:
    """The backend with this name, or the fastest of this machine if `name` is None.

    Raises:
        BackendUnavailable: no backend has this name, or the machine cannot run it; says why.
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


def backend_names() -> list[str]:
    """Names of all backends, the own ones first. Loads none of them."""
    return [*_LOADERS, *find_plugins(taken=_LOADERS)[0]]


def available_backends() -> list[tuple[str, str | None]]:
    """(name, reason why this machine cannot run it) of each backend; None if it can.

    Backends of other packages follow the own ones; a broken one has a reason, too.
    """
    refused = find_plugins(taken=_LOADERS)[1]
    return [*((name, _obstacle(name)) for name in backend_names()), *refused.items()]


def _obstacle(name: str) -> str | None:
    try:
        _load(name).close()
    except BackendUnavailable as obstacle:
        return str(obstacle)
    return None


def _best_on_cuda() -> BackendChoice:
    backend = _load("gsplat")
    import torch

    return BackendChoice(backend, f"gsplat: {torch.cuda.get_device_name()} with CUDA")


def _best_on_gpu() -> BackendChoice:
    """OpenGL on a GPU; where it is emulated, the cpu backend is about three times faster."""
    if sys.platform == "linux" and not any(map(glob, GPU_DEVICES)):
        raise BackendUnavailable("there is no GPU")
    from streamstgs.renderer.present.egl_context import is_software_renderer

    backend = _load("opengl")
    driver = backend.capabilities.driver
    if is_software_renderer(driver):
        backend.close()
        raise BackendUnavailable("software OpenGL would be slower")
    return BackendChoice(backend, f"opengl: {driver}")


def _load(name: str) -> Backend:
    try:
        if name in _LOADERS:
            return _LOADERS[name]()
        plugins, _ = find_plugins(taken=_LOADERS)
        if name in plugins:
            return load_plugin(plugins[name])
    except ImportError as error:
        raise BackendUnavailable(f"{name} cannot be loaded: {error}") from error
    known = ", ".join((*_LOADERS, *plugins))
    raise BackendUnavailable(f"there is no backend {name!r}; choose one of {known}")


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
