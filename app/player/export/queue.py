"""Exports that run one after the other in a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from psygnal import Signal
from streamstgs.app.player.camera.path import CameraPath
from streamstgs.app.player.errors import PlayerError
from streamstgs.app.player.export.jobs.scene_export import SceneExport
from streamstgs.app.player.export.progress import ExportProgress, timed
from streamstgs.app.player.export.render import render_scene
from streamstgs.app.player.export.settings import ExportSettings
from streamstgs.app.player.time_track import TimeCurve
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, CodecError
from streamstgs.renderer import RenderError

log = logging.getLogger(__name__)


class ExportState(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = (ExportState.DONE, ExportState.FAILED, ExportState.CANCELLED)


@dataclass(frozen=True)
class ExportRequest:
    """Everything that an export of a video needs to know.

    Args:
        location: Path of a .stgs file or a directory, or a URL.
        camera: A camera path such as `CameraTrack.path(aspect)`, or as of `render_scene`.
        out: The file or folder to write.
        settings: How it is written.
        time_track: Content time of the video; None plays the scene once.
        backend: The name of a renderer, None for the fastest.
        qp: The QP of a quality, None for the best.
    """

    location: str
    camera: str | CameraPath
    out: Path
    settings: ExportSettings = field(default_factory=ExportSettings)
    time_track: TimeCurve | None = None
    backend: str | None = None
    qp: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out))  # scripts write texts, too


class QueuedExport:
    """An export in an `ExportQueue`. Written by the queue; any thread may read and cancel it.

    Attributes:
        request: What is exported.
        state: What the export is doing.
        progress: How far it is.
        error: Why it failed, for a person; empty if it did not.
    """

    def __init__(self, request: ExportRequest | SceneExport) -> None:
        self.request = request
        self.state = ExportState.QUEUED
        self.progress = ExportProgress()
        self.error = ""
        self.token = CancelToken()
        self.finished = threading.Event()

    def cancel(self) -> None:
        """End the export, also before it began; nothing is left of it."""
        self.token.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the export is done, failed or cancelled; False when the time is over."""
        return self.finished.wait(timeout_s)


class ExportQueue:
    """Runs exports in the order in which they were added. Thread-safe.

    Example:
        queue = ExportQueue()
        export = queue.add(ExportRequest("scene.stgs", track.path(16 / 9), Path("video.mp4")))
        export.wait()
        queue.close()

    `changed` is emitted with an export whose state or progress is another one, mostly from the
    thread of the queue. A window must pass it on to its own thread.

    Args:
        render: Writes a video; `render_scene` but in tests.
    """

    changed = Signal(QueuedExport)

    def __init__(self, render: Callable[..., Any] = render_scene) -> None:
        self._render = render
        self._lock = threading.Condition()  # guards the fields below
        self._exports: list[QueuedExport] = []
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def exports(self) -> tuple[QueuedExport, ...]:
        """All exports in their order, with those that have ended."""
        with self._lock:
            return tuple(self._exports)

    def add(self, request: ExportRequest | SceneExport) -> QueuedExport:
        """Append an export; it begins when those before it have ended.

        Raises:
            PlayerError: The queue is closed.
        """
        export = QueuedExport(request)
        with self._lock:
            if self._closed:
                raise PlayerError("The export queue is closed.")
            self._exports.append(export)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="export", daemon=True)
                self._thread.start()
            self._lock.notify_all()
        self.changed.emit(export)
        return export

    def clear_finished(self) -> None:
        """Forget the exports that have ended."""
        with self._lock:
            self._exports = [export for export in self._exports if export.state not in FINAL]

    def close(self) -> None:
        """Cancel all exports, and wait for the end of the thread."""
        with self._lock:
            self._closed = True
            exports, thread = list(self._exports), self._thread
            self._lock.notify_all()
        for export in exports:
            export.cancel()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while (export := self._next()) is not None:
            self._export(export)
            export.finished.set()

    def _next(self) -> QueuedExport | None:
        """The first export that has not begun; None once the queue is closed and none is left."""
        with self._lock:
            while True:
                for export in self._exports:
                    if export.state is ExportState.QUEUED:
                        return export
                if self._closed:
                    return None
                self._lock.wait()

    def _export(self, export: QueuedExport) -> None:
        request = export.request

        def report(progress: ExportProgress) -> None:
            export.progress = progress
            self._tell(export)

        try:
            export.token.raise_if_cancelled(f"exporting {request.out.name}")
            self._enter(export, ExportState.RUNNING)
            if isinstance(request, SceneExport):
                request.run(timed(report), export.token)
            else:
                self._render(
                    request.location,
                    request.camera,
                    request.out,
                    backend=request.backend,
                    qp=request.qp,
                    progress=timed(report),
                    settings=request.settings,
                    time_track=request.time_track,
                    cancel=export.token,
                )
            self._enter(export, ExportState.DONE)
        except Cancelled:
            self._enter(export, ExportState.CANCELLED)
        except (CodecError, RenderError, PlayerError, OSError) as error:
            self._fail(export, str(error))
        except Exception as error:  # the queue goes on with the next export
            log.exception("An export failed")
            self._fail(export, f"The export failed unexpectedly: {error}")

    def _fail(self, export: QueuedExport, error: str) -> None:
        export.error = error
        self._enter(export, ExportState.FAILED)

    def _enter(self, export: QueuedExport, state: ExportState) -> None:
        with self._lock:
            export.state = state
        self._tell(export)

    def _tell(self, export: QueuedExport) -> None:
        """Emit `changed`; an error of a listener ends no export."""
        try:
            self.changed.emit(export)
        except Exception:
            log.exception("A listener of the export queue failed")
