"""`streamstgs convert`: write splat files of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from streamstgs.app.console import ProgressLine, say
from streamstgs.cli.options import FramesOption, SceneArgument, SceneFpsOption, option
from streamstgs.cli.parsing import UsageError, parse_box

FrameOption = Annotated[
    int | None, option("N", "Write this content frame to the file, counted from 0.", "the first")
]
TimeOption = Annotated[
    float | None,
    option("S", "Write the frame at this time in seconds to the file.", "the first frame"),
    tyro.conf.arg(name="time"),
]
CropOption = Annotated[
    str | None,
    option(
        "X0,Y0,Z0,X1,Y1,Z1",
        "Leave out Gaussians whose centre lies outside of this box, in world units. Write an "
        "equals sign before negative numbers: --crop=-1,-1,-1,1,1,1.",
        "off",
    ),
]
DecimateOption = Annotated[
    float | None,
    option("SHARE", "Keep this share of the Gaussians, the most important ones.", "all of them"),
]


FormatOption = Annotated[
    Literal["ply", "compressed.ply", "spz", "sog", "splat"] | None,
    option("FORMAT", "Write the files of a folder in this format.", "ply"),
]


@dataclass(frozen=True)
class Convert:
    """Write splat files of a scene for other programs: one frame as a file, or all frames as a
    folder or a .4dgs file. Scenes and splat files of all kinds can be read."""

    scene: SceneArgument
    output: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """Write one frame to a file whose name ends in .ply, .compressed.ply, .spz, .sog or .splat; all
    frames to a file whose name ends in .4dgs; or, with a name without an ending, a folder with a
    file for each frame."""
    frame: FrameOption = None
    time_s: TimeOption = None
    frames: FramesOption = None
    crop: CropOption = None
    decimate: DecimateOption = None
    format: FormatOption = None
    scene_fps: SceneFpsOption = None

    def run(self) -> int:
        from streamstgs.app.player.export.render import parse_frames
        from streamstgs.codec.formats.convert import (
            FOURDGS,
            ConvertSettings,
            convert_frame,
            convert_scene,
        )
        from streamstgs.codec.formats.registry import open_reader

        settings = ConvertSettings(
            crop=None if self.crop is None else parse_box(self.crop),
            keep=1.0 if self.decimate is None else self.decimate,
            suffix=f".{self.format or 'ply'}",
        )
        is_folder = not self.output.suffix
        is_scene = is_folder or self.output.suffix.lower() == FOURDGS
        self._check(is_folder, is_scene)
        with open_reader(self.scene, fps=self.scene_fps) as reader:
            if is_scene:
                line = ProgressLine()
                chosen = parse_frames(self.frames, reader.info.frame_count)
                name = self.output.name
                count = convert_scene(
                    reader,
                    self.output,
                    chosen,
                    settings,
                    lambda done, total: line(f"{name}: frame {done} of {total}", done / total),
                )
                say(f"Wrote {count} frames at {reader.info.meta.fps:g} frames per second.")
            else:
                frame = self.frame or 0
                if self.time_s is not None:
                    frame = int(self.time_s * reader.info.meta.fps + 1e-4)
                    frame = min(max(frame, 0), reader.info.frame_count - 1)
                count = convert_frame(reader, frame, self.output, settings)
                say(f"Wrote {count} Gaussians of frame {frame}.")
        print(self.output)
        return 0

    def _check(self, is_folder: bool, is_scene: bool) -> None:
        """Raise UsageError for options that do not fit to the output."""
        if self.frame is not None and self.time_s is not None:
            raise UsageError("give either --frame or --time")
        if is_scene and (self.frame is not None or self.time_s is not None):
            raise UsageError(
                f"{self.output} holds all frames; --frame and --time need a file of one"
            )
        if not is_scene and self.frames is not None:
            raise UsageError(f"{self.output} holds one frame; --frames needs a folder or .4dgs")
        if not is_folder and self.format is not None:
            raise UsageError(f"{self.output} names a file; --format is for the files of a folder")
