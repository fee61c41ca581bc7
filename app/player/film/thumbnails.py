"""Thumbnails: small images of any frame of the open scene, made in a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.export.frame_source import SceneFrames
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import CodecError
from streamstgs.codec.formats.reader import SceneReader
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.streaming.address import is_url
from streamstgs.renderer import Camera, RenderError
from streamstgs.renderer.backends import choose_backend

log = logging.getLogger(__name__)
KEPT = 256  # images
CLOSE_TIMEOUT_S = 5.0
Image = NDArray[np.uint8]
Key = tuple[int, bytes, int, int]


class Thumbnails:
    """Renders the newest request on the processor, from a reader of its own.

    It never touches the threads that play. Scenes of servers have no thumbnails, because each would
    be fetched twice. Any thread may call its methods.

    Args:
        location: Path of the scene.
        fps: Content frames per second of a scene that does not tell them; None for 30.
        on_ready: Called in the thread when an image is ready.
    """

    def __init__(
        self, location: str, fps: float | None = None, on_ready: Callable[[], None] = lambda: None
    ) -> None:
        self._location, self._fps, self._on_ready = location, fps, on_ready
        self._closing = CancelToken()
        self._changed = threading.Condition()  # guards everything below
        self._wanted: tuple[Key, int, Camera] | None = None
        self._images: OrderedDict[Key, Image] = OrderedDict()
        self._thread: threading.Thread | None = None

    def get(self, frame: int, camera: Camera) -> Image | None:
        """The [H, W, 3] uint8 image of a content frame; None while it is not rendered.

        The newest request that cannot be answered is rendered next, and `on_ready` tells.
        """
        key = (frame, camera.viewmat.numpy().tobytes(), camera.width, camera.height)
        with self._changed:
            if key in self._images:
                return self._images[key]
            if self._closing.cancelled or is_url(self._location):
                return None
            self._wanted = (key, frame, camera)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="thumbnails", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return None

    def close(self) -> None:
        """End the thread without waiting for it."""
        self._closing.cancel()
        with self._changed:
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the end of the thread after `close`."""
        if self._thread is not None:
            self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        """The thread boundary: a scene without thumbnails plays nevertheless."""
        try:
            scene = open_reader(self._location, self._closing, self._fps)
            try:
                self._render(scene)
            finally:
                scene.close()
        except (CodecError, RenderError, OSError) as error:
            log.info("no thumbnails of %s: %s", self._location, error)
        except Exception:
            log.exception("thumbnails")

    def _render(self, scene: SceneReader) -> None:
        renderer = FrameRenderer(choose_backend("cpu").backend, owns_backend=True)
        frames = SceneFrames(scene, scene.qualities[0], renderer.backend, renderer)
        try:
            while (wanted := self._next()) is not None:
                key, frame, camera = wanted
                image = frames.rgb8(float(frame), camera)
                with self._changed:
                    self._images[key] = image
                    while len(self._images) > KEPT:
                        self._images.popitem(last=False)
                self._on_ready()
        finally:
            renderer.close()

    def _next(self) -> tuple[Key, int, Camera] | None:
        """The newest request, after waiting for one; None once the thread shall end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing.cancelled or self._wanted is not None)
            taken, self._wanted = self._wanted, None
            return None if self._closing.cancelled else taken
