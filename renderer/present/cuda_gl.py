"""Presents from CUDA: the picture goes into the OpenGL texture without leaving the GPU.

It needs OpenGL on the NVIDIA GPU of the picture, so it is refused on hybrid laptops whose window is
on the integrated GPU, and with WSL2, VirtualGL and software OpenGL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from OpenGL import GL
from streamstgs.renderer.errors import InteropUnavailable
from streamstgs.renderer.present.base import Picture, Presenter, display_bytes
from streamstgs.renderer.present.gl_errors import gl_errors_as_render_errors
from torch import Tensor


class CudaGlPresenter(Presenter):
    """Copies pictures from CUDA memory into a registered texture.

    Pictures must be complete in the order of torch's current stream; nothing waits on the CPU.

    Args:
        device: the CUDA device of the pictures.

    Raises:
        InteropUnavailable: no cuda.bindings, or the current OpenGL context is not on `device`.
    """

    name = "CUDA-OpenGL interop"

    def __init__(self, device: torch.device) -> None:
        self._cudart = _import_cudart()
        _require_nvidia_context()
        self._device = torch.device("cuda", _device_index(device))
        with torch.cuda.device(self._device):
            # cuda-python brings a CUDA runtime of its own, which must sit on torch's device too.
            self._call("cudaSetDevice", self._device.index)
            _require_shared_gpu(self._cudart, self._device.index)
        super().__init__()
        self._resource: Any = None
        self._rgba = torch.empty(0)
        try:
            self._fit(1, 1)  # fails here, not at the first picture, if interop does not work
        except InteropUnavailable:
            super().release()
            raise

    @gl_errors_as_render_errors()
    def present(self, picture: Picture) -> int:
        data = display_bytes(picture)
        height, width = data.shape[:2]
        with torch.cuda.device(self._device):
            self._fit(width, height)
            if data.stride() != (4 * width, 4, 1) or data.device != self._device:
                data = self._padded(data)
            self._copy_to_texture(data)
        return self._texture.texture

    def release(self) -> None:
        with torch.cuda.device(self._device):
            self._unregister()
        super().release()

    def _fit(self, width: int, height: int) -> None:
        """Texture and registration for this size."""
        if (width, height) == self._texture.size_px and self._resource is not None:
            return
        self._unregister()
        self._texture.resize(width, height)
        write_discard = self._cudart.cudaGraphicsRegisterFlags.cudaGraphicsRegisterFlagsWriteDiscard
        self._resource = self._call(
            "cudaGraphicsGLRegisterImage",
            *(self._texture.texture, int(GL.GL_TEXTURE_2D), int(write_discard)),
        )

    def _padded(self, data: Tensor) -> Tensor:
        """The picture in pixels of four bytes, in memory that is written again by the next one."""
        if self._rgba.shape[:2] != data.shape[:2]:
            size = (*data.shape[:2], 4)
            self._rgba = torch.full(size, 255, dtype=torch.uint8, device=self._device)
        self._rgba[..., :3] = data
        return self._rgba[..., :3]

    def _copy_to_texture(self, data: Tensor) -> None:
        """Copy pixels of four bytes, the fourth being 255.

        Queued on torch's stream: OpenGL commands after the unmapping see the picture.
        """
        height, width = data.shape[:2]
        stream = torch.cuda.current_stream(self._device).cuda_stream
        with self._mapped_array(stream) as array:
            self._call(
                "cudaMemcpy2DToArrayAsync",
                *(array, 0, 0, data.data_ptr(), 4 * width, 4 * width, height),
                *(self._cudart.cudaMemcpyKind.cudaMemcpyDeviceToDevice, stream),
            )

    @contextmanager
    def _mapped_array(self, stream: int) -> Iterator[Any]:
        """The texture as a CUDA array; OpenGL must not touch it meanwhile."""
        self._call("cudaGraphicsMapResources", 1, self._resource, stream)
        try:
            yield self._call("cudaGraphicsSubResourceGetMappedArray", self._resource, 0, 0)
        finally:
            self._call("cudaGraphicsUnmapResources", 1, self._resource, stream)

    def _unregister(self) -> None:
        if self._resource is not None:
            resource, self._resource = self._resource, None
            self._call("cudaGraphicsUnregisterResource", resource)

    def _call(self, name: str, *arguments: Any) -> Any:
        return _checked(self._cudart, name, *arguments)


def _import_cudart() -> ModuleType:
    """The CUDA runtime of cuda-python, 12.3 and newer or older."""
    try:
        from cuda.bindings import runtime

        return runtime
    except ImportError:
        pass
    try:
        from cuda import cudart

        return cudart
    except ImportError as error:
        raise InteropUnavailable("the package cuda-python is not installed") from error


def _device_index(device: torch.device) -> int:
    if device.type != "cuda" or not torch.cuda.is_available():
        raise InteropUnavailable(f"pictures on {device} are not in CUDA memory")
    return torch.cuda.current_device() if device.index is None else device.index


def _require_nvidia_context() -> None:
    """Raise unless OpenGL is NVIDIA's; CUDA calls may crash with the OpenGL of another vendor."""
    vendor = GL.glGetString(GL.GL_VENDOR)
    if not vendor:
        raise InteropUnavailable("no OpenGL context is current")
    if b"nvidia" not in vendor.lower():
        renderer = GL.glGetString(GL.GL_RENDERER).decode(errors="replace")
        raise InteropUnavailable(f"OpenGL runs on {renderer}, not on the CUDA device")


def _require_shared_gpu(cudart: ModuleType, index: int) -> None:
    """Raise unless the current OpenGL context runs on CUDA device `index`."""
    every_device = cudart.cudaGLDeviceList.cudaGLDeviceListAll
    count, devices = _checked(cudart, "cudaGLGetDevices", torch.cuda.device_count(), every_device)
    if index not in [int(device) for device in devices[: int(count)]]:
        raise InteropUnavailable(f"OpenGL does not run on CUDA device {index}")


def _checked(cudart: ModuleType, name: str, *arguments: Any) -> Any:
    """Result of a runtime call: None, one value, or a tuple.

    Raises:
        InteropUnavailable: the call failed, or this CUDA does not have it.
    """
    try:
        status, *results = getattr(cudart, name)(*arguments)
    except (AttributeError, RuntimeError) as error:
        raise InteropUnavailable(f"{name} cannot be called: {error}") from error
    if int(status) != 0:
        raise InteropUnavailable(f"{name} failed: {status.name}")
    return results[0] if len(results) == 1 else (tuple(results) or None)
