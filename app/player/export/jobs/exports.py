"""The exports of a viewer: videos and splat files, one after the other in a thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal
from streamstgs.app.player.errors import NoSceneError

if TYPE_CHECKING:  # they load torch, and a window has a model before that
    from streamstgs.app.player.export.jobs.scene_export import SceneExport
    from streamstgs.app.player.export.queue import ExportQueue, ExportRequest, QueuedExport
    from streamstgs.app.player.playback import Playback
    from streamstgs.codec.formats.convert import ConvertSettings
    from streamstgs.codec.package.scene_meta import SceneMeta


class ShownScene(Protocol):
    """A scene that is shown, such as `viewer.open_scene.OpenScene`."""

    location: str
    playback: Playback | None

    @property
    def meta(self) -> SceneMeta | None:
        """Facts about the scene; None until it is open."""
        ...


class Exports:
    """Queues exports of the shown scene. Owner: the thread of the viewer model.

    Example:
        export = model.exports.scene("frame.spz")
        export.wait()

    Args:
        shown: Returns the shown scene; None without one.
    """

    changed = Signal(object)  # a QueuedExport; emitted mostly in the thread of the queue

    def __init__(self, shown: Callable[[], ShownScene | None]) -> None:
        self._shown = shown
        self._queue: ExportQueue | None = None

    def scene(
        self, out: Path | str, settings: ConvertSettings | None = None, whole: bool = False
    ) -> QueuedExport:
        """Write the shown scene as splat files: its present frame, or all of its frames.

        Args:
            out: A file whose name ends in .ply, .compressed.ply, .spz, .sog or .splat; with
                `whole`, a folder or a file whose name ends in .4dgs.
            settings: What is left out, and the format in a folder; None for all, as .ply.
            whole: Whether all frames are written.

        Raises:
            NoSceneError: No scene is shown.
        """
        from streamstgs.app.player.export.jobs.scene_export import SceneExport
        from streamstgs.app.player.frame_pipeline import is_frames
        from streamstgs.codec.formats.convert import ConvertSettings

        scene = self._shown()
        if scene is None or scene.playback is None or scene.meta is None:
            raise NoSceneError("No scene is open. Open one before it is exported.")
        asked = settings or ConvertSettings()
        frame = None if whole else scene.playback.status().frame
        return self.add(
            SceneExport(
                location=scene.location,
                out=Path(out),
                frame=frame,
                settings=asked if asked.up is not None else replace(asked, up=scene.meta.up),
                fps=scene.meta.fps if is_frames(scene.location) else None,
                opening=scene.playback.settings.opening,
            )
        )

    def add(self, request: ExportRequest | SceneExport) -> QueuedExport:
        """Append an export; it begins when those before it have ended."""
        from streamstgs.app.player.export.queue import ExportQueue

        if self._queue is None:
            self._queue = ExportQueue()
            self._queue.changed.connect(self._pass_on)
        return self._queue.add(request)

    def _pass_on(self, export: QueuedExport) -> None:
        # Connecting `changed.emit` itself would emit: psygnal takes it for a signal of Qt, and
        # calls it with numbers to learn what it accepts.
        self.changed.emit(export)

    @property
    def all(self) -> tuple[QueuedExport, ...]:
        """All exports in their order, with those that have ended."""
        return self._queue.exports if self._queue is not None else ()

    def cancel(self) -> None:
        """Cancel all exports; nothing is left of them."""
        for export in self.all:
            export.cancel()

    def close(self) -> None:
        """Cancel all exports, and wait for the end of their thread."""
        if self._queue is not None:
            self._queue.close()
