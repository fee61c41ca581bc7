"""From a content frame and a camera to an image: moves the Gaussians, then rasterises them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.compare import two_sides
from streamstgs.app.player.compare.two_sides import OtherSide
from streamstgs.app.player.rendering.stage_timer import DeviceFence
from streamstgs.app.player.rendering.stereo import StereoCamera
from streamstgs.app.player.rendering.view_settings import ViewPass, ViewSettings
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.renderer import Camera, Gaussians, Gop, RenderSettings
from streamstgs.renderer.backends.base import Backend, to_rgb8
from streamstgs.renderer.field_inference import GopDeformer
from streamstgs.renderer.thread_pool import ThreadPool


class Deformer(Protocol):
    """Moves the Gaussians of one GOP; see `renderer.field_inference.GopDeformer`."""

    def gaussians_at(self, frame: float) -> Gaussians: ...


MakeDeformer = Callable[[Gop, ThreadPool], Deformer]


@dataclass(frozen=True)
class RenderRequest:
    """What an image shall show; equal requests give equal images."""

    frame: PlaybackFrame
    camera: Camera
    settings: RenderSettings
    other: OtherSide | None = None  # what it is compared with


@dataclass(frozen=True)
class RenderedFrame:
    """A finished image.

    Args:
        rgb8: [H, W, 3] uint8, contiguous, never written again. A NumPy array, or a tensor on the
            backend's device if the renderer does not copy to the host. None if it only deforms.
        request: What it shows.
        gaussians: A copy of the Gaussians that were rendered; empty unless asked for.
        settings: Those that a backend gets beside the Gaussians.
        psnr_db: How much both sides of a comparison differ; None without one.
        deform_ms: Time to move the Gaussians, 0 if only the camera changed.
        raster_ms: Time to rasterise, with the copy to the host.
    """

    rgb8: Any
    request: RenderRequest
    gaussians: Gaussians
    deform_ms: float
    raster_ms: float
    settings: RenderSettings = field(default_factory=RenderSettings)
    psnr_db: float | None = None


class Renderer(Protocol):
    """What a `RenderThread` runs; made, used and closed in that thread."""

    def render(self, request: RenderRequest) -> RenderedFrame:
        """Raises RenderError."""
        ...

    def close(self) -> None: ...


class FrameDeformer:
    """Moves the Gaussians to a frame and renders no image, for surfaces that rasterise themselves.

    Implements `Renderer`. Belongs to one thread.

    Args:
        make_deformer: Makes the deformer of a GOP, which is kept until another GOP is asked for;
            it runs in the thread pool of this object.
    """

    def __init__(self, make_deformer: MakeDeformer = GopDeformer) -> None:
        self._make_deformer = make_deformer
        self._pool = ThreadPool(None, "deform")
        self._gop: Gop | None = None
        self._deformer: Deformer | None = None
        self._moved: tuple[float, Gaussians] | None = None  # frame in the GOP, Gaussians there
        self._copy = Gaussians.empty()  # of those moved last
        self._copy_is_of: PlaybackFrame | None = None
        self._pass = ViewPass()

    def close(self) -> None:
        """End the threads that deform; nothing can be rendered afterwards."""
        self._pool.close()

    def gaussians(self, gop: Gop, frame: float) -> tuple[Gaussians, bool]:
        """The Gaussians at a frame of a GOP, and whether this call moved them.

        Between two whole frames, features are interpolated.

        They are overwritten when the next frame is asked for.
        """
        if gop is not self._gop or self._deformer is None:
            self._gop, self._deformer = gop, self._make_deformer(gop, self._pool)
            self._moved = None
        if self._moved is not None and self._moved[0] == frame:
            return self._moved[1], False
        self._moved = (frame, self._deformer.gaussians_at(frame))
        return self._moved[1], True

    def render(self, request: RenderRequest) -> RenderedFrame:
        """A frame without an image, with a copy of its Gaussians as its settings show them."""
        start_s = time.perf_counter()
        gaussians, fresh = self.gaussians(request.frame.gop, request.frame.frame)
        deform_ms = 1000 * (time.perf_counter() - start_s) if fresh else 0.0
        if isinstance(request.settings, ViewSettings):
            shown, settings = self.prepared(gaussians, request)
            return RenderedFrame(None, request, shown.clone(), deform_ms, 0.0, settings)
        if fresh or self._copy_is_of is not request.frame:
            self._copy, self._copy_is_of = gaussians.clone(), request.frame
        return RenderedFrame(None, request, self._copy, deform_ms, 0.0, request.settings)

    def prepared(
        self, gaussians: Gaussians, request: RenderRequest
    ) -> tuple[Gaussians, RenderSettings]:
        """The Gaussians of a request as its settings show them, and settings for a backend."""
        return self._pass.prepared(gaussians, request.camera, request.settings, request.frame)


class FrameRenderer(FrameDeformer):
    """Renders images with a backend; deforms only if the frame changed. Belongs to one thread.

    Args:
        backend: Used by the thread that calls `render`.
        make_deformer: As of `FrameDeformer`.
        to_host: Whether images are copied to the host. If not, `raster_ms` ends when the work is
            queued, and at most one image is queued behind the one being rendered.
        keep_gaussians: Whether rendered frames carry a copy of the Gaussians.
        owns_backend: Whether `close` closes the backend.
    """

    def __init__(
        self,
        backend: Backend,
        make_deformer: MakeDeformer = GopDeformer,
        to_host: bool = True,
        keep_gaussians: bool = False,
        owns_backend: bool = False,
    ) -> None:
        super().__init__(make_deformer)
        self.backend = backend
        self._to_host = to_host
        self._keep_gaussians = keep_gaussians
        self._owns_backend = owns_backend
        self._fence = DeviceFence(backend.device)
        self._beside: FrameDeformer | None = None  # of the other side of a comparison

    def close(self) -> None:
        """End the threads that deform, and the backend if it is owned."""
        super().close()
        if self._beside is not None:
            self._beside.close()
        if self._owns_backend:
            self.backend.close()

    def render(self, request: RenderRequest) -> RenderedFrame:
        """Deform if needed, then rasterise. Raises RenderError."""
        start_s = time.perf_counter()
        gaussians, fresh = self.gaussians(request.frame.gop, request.frame.frame)
        moved_s = time.perf_counter()
        if fresh and self._keep_gaussians:
            self._copy = gaussians.clone()
        rgb8 = self._image(*self.prepared(gaussians, request), request.camera)
        apart: float | None = None
        if request.other is not None:
            rgb8, apart = self._with_other(rgb8, request, request.other)
        return RenderedFrame(
            rgb8,
            request,
            self._copy,
            deform_ms=1000 * (moved_s - start_s) if fresh else 0.0,
            raster_ms=1000 * (time.perf_counter() - moved_s),
            psnr_db=apart,
        )

    def _with_other(self, rgb8: Any, request: RenderRequest, other: OtherSide) -> tuple[Any, float]:
        """An image together with what it is compared with, and their PSNR in dB."""
        if other.picture is not None:
            beside = two_sides.placed(other.picture, rgb8)
            apart = two_sides.psnr_db(two_sides.cut(rgb8, other.picture), other.picture.rgb8)
            return two_sides.composed(rgb8, beside, other.layout, other.share), apart
        assert other.frame is not None
        if self._beside is None:
            self._beside = FrameDeformer(self._make_deformer)
        gaussians, _ = self._beside.gaussians(other.frame.gop, other.frame.frame)
        asked = RenderRequest(other.frame, request.camera, request.settings)
        beside = self._image(*self._beside.prepared(gaussians, asked), request.camera)
        apart = two_sides.psnr_db(rgb8, beside)
        return two_sides.composed(rgb8, beside, other.layout, other.share), apart

    def _image(self, gaussians: Gaussians, settings: RenderSettings, camera: Camera) -> Any:
        if isinstance(camera, StereoCamera):
            return self._both_eyes(gaussians, settings, camera)
        if self._to_host:
            return render_rgb8(self.backend, gaussians, camera, settings)
        image = self.backend.render(gaussians, camera, settings)
        self._fence.swap()
        return to_rgb8(image)

    def _both_eyes(
        self, gaussians: Gaussians, settings: RenderSettings, camera: StereoCamera
    ) -> Any:
        images = [(self._image(gaussians, settings, eye), x, y) for eye, x, y in camera.places]
        first = images[0][0]
        shape = (camera.height, camera.width, 3)
        whole = np.zeros(shape, np.uint8) if self._to_host else first.new_zeros(shape)
        for image, x, y in images:
            whole[y : y + image.shape[0], x : x + image.shape[1]] = image
        return whole


def render_rgb8(
    backend: Backend, gaussians: Gaussians, camera: Camera, settings: RenderSettings
) -> NDArray[np.uint8]:
    """[H, W, 3] uint8 image on the host, rounded."""
    return np.ascontiguousarray(backend.render_rgb8(gaussians, camera, settings).cpu().numpy())
