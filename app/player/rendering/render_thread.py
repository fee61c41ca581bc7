"""Pictures from a thread of its own, for backends that hand back an image.

A backend that draws straight into the window's OpenGL context (opengl, gsplat with interop) has no
use for this; those that make pictures elsewhere (cpu, reference, gsplat with a host copy) would
hold up the window if they drew in its thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.app.player.rendering.stage_timer import DeviceFence
from streamstgs.app.player.status import PlaybackError, PlaybackFrame
from streamstgs.renderer import Camera, Gaussians, Gop, RenderSettings
from streamstgs.renderer.backends import close_backend
from streamstgs.renderer.backends.base import Backend
from streamstgs.renderer.field_inference import GopDeformer
from streamstgs.renderer.thread_pool import ThreadPool
from torch import Tensor

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0


class Deformer(Protocol):
    """Moves the Gaussians of one GOP; see `renderer.field_inference.GopDeformer`."""

    def gaussians_at(self, frame: float) -> Gaussians: ...


MakeDeformer = Callable[[Gop, ThreadPool], Deformer]


@dataclass(frozen=True)
class RenderRequest:
    """What a picture shall show; equal requests give equal pictures."""

    frame: PlaybackFrame
    camera: Camera
    settings: RenderSettings


@dataclass(frozen=True)
class RenderedFrame:
    """A finished picture.

    Args:
        rgb8: [H, W, 3] uint8, contiguous; nobody writes to it any more. A NumPy array, or a
            tensor on the backend's device where the host copy was declined.
        request: what it shows.
        gaussians: what was drawn, a copy of its own; empty where that was declined.
        deform_ms: time to move the Gaussians, 0 when only the camera changed.
        raster_ms: time to draw, with the copy to the host.
    """

    rgb8: Any
    request: RenderRequest
    gaussians: Gaussians
    deform_ms: float
    raster_ms: float


class FrameRenderer:
    """Request -> picture, in the calling thread; deforms only when the frame changed.

    Owner: whoever owns the backend, and closes both.

    Args:
        backend: belongs to the thread that calls `draw`.
        make_deformer: gives the deformer of a GOP, kept while the GOP is the same; the crew is
            that of the source.
        to_host: whether pictures are copied to the host; if not, `raster_ms` ends when the work
            is queued, and one picture at most is queued behind the one that is being drawn.
        keep_gaussians: whether pictures carry a copy of the Gaussians; the deformer writes its
            own again for the next frame.
    """

    def __init__(
        self,
        backend: Backend,
        make_deformer: MakeDeformer = GopDeformer,
        to_host: bool = True,
        keep_gaussians: bool = False,
    ) -> None:
        self.backend = backend
        self._to_host = to_host
        self._keep_gaussians = keep_gaussians
        self._kept = Gaussians.empty()
        self._fence = DeviceFence(backend.device)
        self._make_deformer = make_deformer
        self._crew = ThreadPool(None, "deform")
        self._gop: Gop | None = None
        self._deformer: Deformer | None = None
        self._moved: tuple[int, Gaussians] | None = None  # frame in the GOP, Gaussians there

    def close(self) -> None:
        """End the helpers that deform. Nothing can be drawn afterwards."""
        self._crew.close()

    def draw(self, request: RenderRequest) -> RenderedFrame:
        """Deform if needed, then draw. Raises RenderError."""
        start_s = time.perf_counter()
        gaussians, fresh = self.gaussians(request.frame.gop, request.frame.frame)
        moved_s = time.perf_counter()
        if fresh and self._keep_gaussians:
            self._kept = _snapshot(gaussians)
        rgb8 = self._pixels(gaussians, request)
        return RenderedFrame(
            rgb8,
            request,
            self._kept,
            deform_ms=1000 * (moved_s - start_s) if fresh else 0.0,
            raster_ms=1000 * (time.perf_counter() - moved_s),
        )

    def _pixels(self, gaussians: Gaussians, request: RenderRequest) -> Any:
        if self._to_host:
            return draw_rgb8(self.backend, gaussians, request.camera, request.settings)
        picture = self.backend.render(gaussians, request.camera, request.settings)
        self._fence.swap()
        return rounded(picture)

    def gaussians(self, gop: Gop, frame: int) -> tuple[Gaussians, bool]:
        """The Gaussians at a frame, and whether they had to be moved for it."""
        if gop is not self._gop or self._deformer is None:
            self._gop, self._deformer = gop, self._make_deformer(gop, self._crew)
            self._moved = None
        if self._moved is not None and self._moved[0] == frame:
            return self._moved[1], False
        self._moved = (frame, self._deformer.gaussians_at(frame))
        return self._moved[1], True


class RenderThread:
    """A thread that always draws the newest request and never queues an older one.

    Owner of the backend and of the Gaussians is the thread; requests and finished pictures cross
    over under one lock. Any thread may call the methods.

    Args:
        choose_backend: called in the thread; raises RenderError when there is none.
        on_picture: called in the thread when a picture is there (wake the window with a signal).
        make_deformer: as of `FrameRenderer`.
        to_host: false leaves pictures on the backend's device, for interop with OpenGL.
        keep_gaussians: whether pictures carry a copy of what was drawn.
    """

    def __init__(
        self,
        choose_backend: Callable[[], Backend],
        on_picture: Callable[[], None] = lambda: None,
        make_deformer: MakeDeformer = GopDeformer,
        to_host: bool = True,
        keep_gaussians: bool = True,
    ) -> None:
        self._to_host = to_host
        self._keep_gaussians = keep_gaussians
        self._choose_backend = choose_backend
        self._on_picture = on_picture
        self._make_deformer = make_deformer
        self._changed = threading.Condition()
        self._request: RenderRequest | None = None
        self._newest: RenderRequest | None = None  # taken up last
        self._picture: RenderedFrame | None = None
        self._stills: deque[tuple[RenderRequest, Callable[[RenderedFrame], None]]] = deque()
        self._events: list[PlaybackError] = []
        self._skipped = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    def show(self, frame: PlaybackFrame, camera: Camera, settings: RenderSettings) -> None:
        """Ask for a picture; does nothing when this is what was asked for last."""
        with self._changed:
            if not _changes(self._request, frame, camera, settings):
                return
            self._skipped += self._overtakes(frame)
            self._request = RenderRequest(frame, camera, settings)
            if self._picture and self._picture.request.frame.serial < frame.serial:
                self._picture = None
            self._changed.notify_all()

    def draw_still(self, request: RenderRequest, on_drawn: Callable[[RenderedFrame], None]) -> None:
        """Draw one picture besides the running ones, such as to save it; nothing overtakes it.

        Args:
            on_drawn: called in the thread, with a picture that `take_picture` never gives.
        """
        with self._changed:
            self._stills.append((request, on_drawn))
            self._changed.notify_all()

    def take_picture(self) -> RenderedFrame | None:
        """The newest finished picture, once; None when there is none since the last call."""
        with self._changed:
            taken, self._picture = self._picture, None
            return taken

    @property
    def skipped_frames(self) -> int:
        """Content frames that were asked for but overtaken before they could be drawn."""
        return self._skipped

    def take_events(self) -> list[PlaybackError]:
        """What went wrong since the last call."""
        with self._changed:
            taken, self._events = self._events, []
            return taken

    def wait(self, timeout_s: float) -> bool:
        """Wait until a picture is ready to be taken; for tests and headless use."""
        with self._changed:
            return self._changed.wait_for(lambda: self._picture is not None, timeout_s)

    def close(self) -> bool:
        """End the thread; returns whether it ended in time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_TIMEOUT_S)
        return not self._thread.is_alive()

    def _overtakes(self, frame: PlaybackFrame) -> bool:
        """Whether a content frame that waits to be drawn is given up for this one."""
        waiting, taken_up = self._request, self._newest
        if waiting is None or waiting.frame is frame:
            return False
        return taken_up is None or waiting.frame is not taken_up.frame

    def _run(self) -> None:
        """The thread boundary: whatever happens inside ends up as an event."""
        backend: Backend | None = None
        try:
            backend = self._choose_backend()
            self._draw_with(backend)
        except Exception as error:
            log.exception("picture thread")
            message = f"The picture cannot be drawn: {error}. Choose another renderer."
            with self._changed:
                self._events.append(PlaybackError(message, True))
                self._changed.notify_all()
            self._on_picture()
        finally:
            if backend is not None:
                close_backend(backend)

    def _draw_with(self, backend: Backend) -> None:
        source = FrameRenderer(backend, self._make_deformer, self._to_host, self._keep_gaussians)
        try:
            while job := self._wait_for_job():
                request, deliver = job
                deliver(source.draw(request))
        finally:
            source.close()

    def _wait_for_job(self) -> tuple[RenderRequest, Callable[[RenderedFrame], None]] | None:
        """What to draw next and where the picture goes; None at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._stills or self._request is not self._newest
            )
            if self._closed:
                return None
            if self._stills:
                return self._stills.popleft()
            assert self._request is not None
            self._newest = self._request
            return self._request, self._publish

    def _publish(self, picture: RenderedFrame) -> None:
        with self._changed:
            newest = self._request
            if newest is None or picture.request.frame.serial < newest.frame.serial:
                return  # a seek came in between: this picture is from before it
            self._picture = picture
            self._changed.notify_all()
        self._on_picture()


def draw_rgb8(
    backend: Backend, gaussians: Gaussians, camera: Camera, settings: RenderSettings
) -> NDArray[np.uint8]:
    """[H, W, 3] uint8 picture on the host, rounded; by the backend itself where it offers that."""
    direct: Any = getattr(backend, "render_rgb8", None)
    picture = (direct or backend.render)(gaussians, camera, settings)
    if isinstance(picture, Tensor):
        picture = (rounded(picture) if picture.is_floating_point() else picture).cpu().numpy()
    return np.ascontiguousarray(picture)


def rounded(picture: Tensor) -> Tensor:
    """Float picture 0..1 -> uint8 on the same device; what is brighter than white is clipped."""
    return (picture.clamp(0.0, 1.0) * 255.0 + 0.5).to(torch.uint8)


def _snapshot(gaussians: Gaussians) -> Gaussians:
    return Gaussians(*(getattr(gaussians, field.name).clone() for field in fields(Gaussians)))


def _changes(
    old: RenderRequest | None, frame: PlaybackFrame, camera: Camera, settings: RenderSettings
) -> bool:
    if old is None or old.frame is not frame or old.settings != settings:
        return True
    size = (camera.width, camera.height) == (old.camera.width, old.camera.height)
    same = size and torch.equal(camera.viewmat, old.camera.viewmat)
    return not (same and torch.equal(camera.K, old.camera.K))
