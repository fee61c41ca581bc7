"""An export of a scene as splat files, as a queue runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from streamstgs.app.player.export.progress import ReportProgress
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.formats.convert import ConvertSettings, convert_frame, convert_scene
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.scene import OpenSettings


@dataclass(frozen=True)
class SceneExport:
    """Everything that an export of splat files needs to know.

    Args:
        location: Path or URL of the scene, which is opened again.
        out: The file or folder to write; its name chooses the format.
        frame: Content frame of a file; None writes all frames, to a folder or a .4dgs file.
        settings: What is left out, and the format in a folder.
        fps: Content frames per second of a scene that does not tell them; None for its own.
        opening: Patience with servers, and the cache.
    """

    location: str
    out: Path
    frame: int | None = None
    settings: ConvertSettings = field(default_factory=ConvertSettings)
    fps: float | None = None
    opening: OpenSettings = field(default_factory=OpenSettings)

    def run(self, progress: ReportProgress, cancel: CancelToken) -> None:
        """Write the file or folder; nothing is left of it after an error.

        Raises:
            CodecError: The scene cannot be read or written, or `cancel`.
        """
        with open_reader(self.location, cancel, self.fps, self.opening) as reader:
            if self.frame is None:
                frames = range(reader.info.frame_count)
                convert_scene(reader, self.out, frames, self.settings, progress, cancel)
            else:
                convert_frame(reader, self.frame, self.out, self.settings, cancel)
                progress(1, 1)
