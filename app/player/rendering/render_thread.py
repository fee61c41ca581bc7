"""A thread that renders the newest request, so that rendering never holds up the window."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

import torch
from streamstgs.app.player.compare.two_sides import OtherSide
from streamstgs.app.player.rendering.frame_renderer import RenderedFrame, Renderer, RenderRequest
from streamstgs.app.player.rendering.stereo import same_eyes
from streamstgs.app.player.status import PlaybackError, PlaybackFrame
from streamstgs.app.translation import tr
from streamstgs.renderer import Camera, RenderSettings

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
OnRendered = Callable[[RenderedFrame], None]


class RenderThread:
    """Renders the newest request and never queues an older one. Any thread may call its methods.

    Args:
        make_renderer: Called in the thread; raises RenderError where nothing can render. The
            thread closes the renderer at its end.
        on_frame: Called in the thread when a frame is ready (wake the window with a signal).
    """

    def __init__(
        self, make_renderer: Callable[[], Renderer], on_frame: Callable[[], None] = lambda: None
    ) -> None:
        self._make_renderer = make_renderer
        self._on_frame = on_frame
        # The condition guards every field below.
        self._changed = threading.Condition()
        self._request: RenderRequest | None = None  # the newest; written by `show`
        self._started: RenderRequest | None = None  # the last one the thread started on
        self._frame: RenderedFrame | None = None  # ready; written by the thread, taken by callers
        self._single: deque[tuple[RenderRequest, OnRendered]] = deque()  # of `render_once`
        self._events: list[PlaybackError] = []
        self._skipped = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def show(
        self,
        frame: PlaybackFrame,
        camera: Camera,
        settings: RenderSettings,
        other: OtherSide | None = None,
    ) -> None:
        """Ask for an image; does nothing if the last request asked for the same.

        Args:
            other: What it is compared with.
        """
        with self._changed:
            same_other = self._request is not None and self._request.other is other
            if same_other and not _changes(self._request, frame, camera, settings):
                return
            self._skipped += self._skips_one(frame)
            self._request = RenderRequest(frame, camera, settings, other)
            if self._frame and self._frame.request.frame.serial < frame.serial:
                self._frame = None
            self._changed.notify_all()

    def render_once(self, request: RenderRequest, on_rendered: OnRendered) -> None:
        """Render one image beside the running ones, such as to save it; it is never skipped.

        Args:
            on_rendered: Called in the thread with the frame, which `take_frame` never returns.
        """
        with self._changed:
            self._single.append((request, on_rendered))
            self._changed.notify_all()

    def take_frame(self) -> RenderedFrame | None:
        """The newest finished frame, once; None if no frame was finished since the last call."""
        with self._changed:
            taken, self._frame = self._frame, None
            return taken

    @property
    def skipped_frames(self) -> int:
        """Content frames that were asked for and replaced by newer ones before their turn."""
        with self._changed:
            return self._skipped

    def take_events(self) -> list[PlaybackError]:
        """The errors since the last call."""
        with self._changed:
            taken, self._events = self._events, []
            return taken

    def wait(self, timeout_s: float) -> bool:
        """Wait until a frame can be taken; for tests and offline use."""
        with self._changed:
            return self._changed.wait_for(lambda: self._frame is not None, timeout_s)

    def close(self) -> bool:
        """End the thread; returns whether it ended in time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_TIMEOUT_S)
        return not self._thread.is_alive()

    def _skips_one(self, frame: PlaybackFrame) -> bool:
        """Whether a content frame that waits for its turn is replaced by this one.

        A moment between two frames that is replaced by a later one is no frame that is skipped.
        """
        waiting, started = self._request, self._started
        if waiting is None or _is_same_frame(waiting.frame, frame):
            return False
        return started is None or not _is_same_frame(waiting.frame, started.frame)

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        """The thread boundary: every error becomes an event."""
        renderer: Renderer | None = None
        try:
            renderer = self._make_renderer()
            while job := self._wait_for_job():
                request, deliver = job
                deliver(renderer.render(request))
        except Exception as error:
            log.exception("render thread")
            message = tr(
                "The picture cannot be drawn: {error}. Choose another renderer.", error=error
            )
            with self._changed:
                self._events.append(PlaybackError(message, True))
                self._changed.notify_all()
            self._on_frame()
        finally:
            if renderer is not None:
                renderer.close()

    def _wait_for_job(self) -> tuple[RenderRequest, OnRendered] | None:
        """The next request and the receiver of its frame; None at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._single or self._request is not self._started
            )
            if self._closed:
                return None
            if self._single:
                return self._single.popleft()
            assert self._request is not None
            self._started = self._request
            return self._request, self._publish

    def _publish(self, frame: RenderedFrame) -> None:
        with self._changed:
            newest = self._request
            if newest is None or frame.request.frame.serial < newest.frame.serial:
                return  # there was a seek since: this frame is from before it
            self._frame = frame
            self._changed.notify_all()
        self._on_frame()


def _is_same_frame(one: PlaybackFrame, other: PlaybackFrame) -> bool:
    """Whether both are moments of the same content frame, of the same seek and segment."""
    same = one.index == other.index and one.gop is other.gop and one.serial == other.serial
    return one is other or (same and one.frame != other.frame)


def _changes(
    old: RenderRequest | None, frame: PlaybackFrame, camera: Camera, settings: RenderSettings
) -> bool:
    if old is None or old.frame is not frame or old.settings != settings:
        return True
    if not same_eyes(camera, old.camera):
        return True
    return not _same(camera, old.camera)


def _same(a: Camera, b: Camera) -> bool:
    size = (a.width, a.height) == (b.width, b.height)
    return size and torch.equal(a.viewmat, b.viewmat) and torch.equal(a.K, b.K)
