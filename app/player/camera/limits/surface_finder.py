"""Finds the surfaces of the shown scene, which keep its camera off them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled

if TYPE_CHECKING:
    from streamstgs.app.player.camera.limits.camera_limits import CameraLimits
    from streamstgs.app.player.status import PlaybackFrame
    from streamstgs.codec.package.scene_meta import SceneMeta

log = logging.getLogger(__name__)

MORE = 1.25  # times as many Gaussians as before are looked at again: layers arrive one by one


class SurfaceFinder:
    """Looks for surfaces in a thread of its own. Owner: the thread of the viewer model."""

    def __init__(self) -> None:
        self._limits: CameraLimits | None = None  # those that `_seen` belongs to
        self._seen = 0  # Gaussians that were looked at
        self._thread: threading.Thread | None = None
        self._cancel = CancelToken()

    def look(self, limits: CameraLimits, frame: PlaybackFrame, meta: SceneMeta) -> None:
        """Start to look if this frame has many Gaussians that were not looked at."""
        gop = frame.gop
        count = len(gop.static) + len(gop.canonical)
        if limits is not self._limits:
            self._limits, self._seen = limits, 0
        if self.busy or count <= MORE * self._seen:
            return
        self._seen = count
        self._thread = threading.Thread(
            target=_find, args=(limits, frame, meta, self._cancel), name="surfaces", daemon=True
        )
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether it is looking."""
        return self._thread is not None and self._thread.is_alive()

    def cancel(self) -> None:
        """End a look early, for good."""
        self._cancel.cancel()

    def wait(self, timeout_s: float) -> None:
        """Wait for the end of a look that was started."""
        if self._thread is not None:
            self._thread.join(timeout_s)


def _find(limits: CameraLimits, frame: PlaybackFrame, meta: SceneMeta, cancel: CancelToken) -> None:
    from streamstgs.app.player.camera.limits.surfaces import find_surfaces

    try:
        gaussians = frame.gop.gaussians_at(frame.frame)
        limits.surfaces = find_surfaces(gaussians, meta.center, meta.radius, meta.up, cancel)
    except Cancelled:
        log.debug("surfaces: cancelled")
    except Exception:  # the thread boundary: the camera is limited by what was filmed alone
        log.exception("surfaces")
