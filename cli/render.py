"""`streamstgs render`: write a video or an image of a scene, without a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro
from streamstgs.app.console import say
from streamstgs.cli.options import (
    BackendOption,
    FramesOption,
    OutputOption,
    QpOption,
    SceneArgument,
    option,
)
from streamstgs.cli.parsing import parse_frame_choice, parse_size

SizeOption = Annotated[
    str | None,
    option("WxH", "Render images of this width and height in px.", "the size of the capture"),
]


@dataclass(frozen=True)
class Render:
    """Write a video or an image of a scene, without a window."""

    scene: SceneArgument
    camera: Annotated[str, tyro.conf.arg(metavar="orbit|PRESET|FILE.json")]
    """The camera orbits the scene, stays at a named camera of the scene, or follows a camera path
    file."""
    output: OutputOption
    """Write this file: a video if its name ends in .mp4, an image if it ends in .png."""
    size: SizeOption = None
    frames: FramesOption = None
    qp: QpOption = None
    backend: BackendOption = None

    def run(self) -> int:
        from streamstgs.app.player.export.render import render_scene

        frames = parse_frame_choice(self.scene, self.frames, self.qp)
        size = parse_size(self.size) if self.size else None
        report = render_scene(
            self.scene, self.camera, self.output, size, self.backend, self.qp, frames
        )
        width, height = report.size
        count = "1 frame" if report.frames == 1 else f"{report.frames} frames"
        say(f"Rendered {count} of {width}x{height} px with {report.reason}")
        print(report.path)
        return 0
