"""`streamstgs render`: a film or a picture, without a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro
from streamstgs.app.console import say
from streamstgs.cli.options import (
    BackendOption,
    FramesOption,
    OutputOption,
    RungOption,
    SceneArgument,
    option,
)
from streamstgs.cli.parsing import chosen_frames, parse_size

SizeOption = Annotated[str | None, option("WxH", "Size of the picture, px.", "that of the capture")]


@dataclass(frozen=True)
class Render:
    """Write a film or a picture of a scene, without a window."""

    scene: SceneArgument
    camera: Annotated[str, tyro.conf.arg(metavar="orbit|PRESET|FILE.json")]
    """An orbit, a camera of the scene by its name, or a file with a camera path."""
    output: OutputOption
    """An .mp4 or a .png."""
    size: SizeOption = None
    frames: FramesOption = None
    rung: RungOption = None
    backend: BackendOption = None

    def run(self) -> int:
        from streamstgs.app.player.export.render import render_scene

        frames = chosen_frames(self.scene, self.frames, self.rung)
        size = parse_size(self.size) if self.size else None
        report = render_scene(
            self.scene, self.camera, self.output, size, self.backend, self.rung, frames
        )
        width, height = report.size
        say(f"{report.pictures} pictures of {width}x{height} px by {report.reason}")
        print(report.path)
        return 0
