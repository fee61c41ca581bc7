"""`streamstgs render`: write a video or an image of a scene, without a window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from streamstgs.app.console import say
from streamstgs.app.player.rendering.view_settings import VIEW_MODES, Look, ViewMode
from streamstgs.cli.options import (
    BackendOption,
    FramesOption,
    OutputOption,
    QpOption,
    SceneArgument,
    SceneFpsOption,
    flag,
    option,
)
from streamstgs.cli.parsing import UsageError, parse_box, parse_frame_choice, parse_size

SizeOption = Annotated[
    str | None,
    option("WxH", "Render images of this width and height in px.", "the size of the capture"),
]

TimeTrackOption = Annotated[
    Path | None,
    option(
        "FILE.json",
        "Show the content times of this time track file: hold, slow, reverse, ramp or loop.",
        "the scene once, at its own speed",
    ),
]
FpsOption = Annotated[
    float | None,
    option("FPS", "Write this number of frames per second.", "the rate of the scene"),
]
DurationOption = Annotated[
    float | None,
    option(
        "SECONDS",
        "Write a video of this length.",
        "that of the time track, else of the camera path, else of the scene",
    ),
]
FormatOption = Annotated[
    Literal["h264", "hevc", "av1", "prores", "gif", "webp", "png", "exr"] | None,
    option(
        "FORMAT",
        "Write this format: h264, hevc, av1, prores, gif, webp, png or exr.",
        "as the name of the output says; h264 for .mp4",
    ),
]
SupersamplingOption = Annotated[
    int,
    option("N", "Render N times N pixels for each pixel, 1 to 8, and write their mean.", "1"),
]
TransparentOption = Annotated[
    bool,
    flag("Leave the background out; for the formats prores, webp, png and exr."),
]
ModeOption = Annotated[
    ViewMode,
    option("MODE", f"Show this in place of colours: {', '.join(VIEW_MODES[1:])}.", "color"),
]
ExposureOption = Annotated[
    float,
    option("STOPS", "Brighten by so many stops, -4 to 4; each doubles the colours.", "0"),
]
SplatSizeOption = Annotated[
    float,
    option("FACTOR", "Draw Gaussians of this size, times their own, 0.05 to 4.", "1"),
]
CropOption = Annotated[
    str | None,
    option(
        "X0,Y0,Z0,X1,Y1,Z1",
        "Show only Gaussians whose centres are in this box of world coordinates; write an equals "
        "sign before negative numbers: --crop=-1,-1,-1,1,1,1.",
        "all",
    ),
]
BackgroundOption = Annotated[
    str,
    option(
        "COLOR",
        "Put this colour behind the scene: scene, black, white or #rrggbb.",
        "scene, which is the scene's own",
    ),
]


@dataclass(frozen=True)
class Render:
    """Write a video or an image of a scene, without a window."""

    scene: SceneArgument
    camera: Annotated[str, tyro.conf.arg(metavar="orbit|PRESET|FILE.json")]
    """The camera orbits the scene, stays at a named camera of the scene, or follows a camera path
    file of this program, nerfstudio or SuperSplat."""
    output: OutputOption
    """Write this file: a video if its name ends in .mp4, .mov, .gif or .webp, an image if it ends
    in .png or .exr. With the format png or exr, any other name is a folder of images."""
    size: SizeOption = None
    frames: FramesOption = None
    time_track: TimeTrackOption = None
    fps: FpsOption = None
    duration: DurationOption = None
    format: FormatOption = None
    supersampling: SupersamplingOption = 1
    transparent: TransparentOption = False
    mode: ModeOption = "color"
    exposure: ExposureOption = 0.0
    splat_size: SplatSizeOption = 1.0
    crop: CropOption = None
    background: BackgroundOption = "scene"
    qp: QpOption = None
    backend: BackendOption = None
    scene_fps: SceneFpsOption = None

    def run(self) -> int:
        from streamstgs.app.player.export.render import render_scene
        from streamstgs.app.player.export.settings import ExportSettings
        from streamstgs.app.player.time_track import read_time_track

        frames = parse_frame_choice(self.scene, self.frames, self.qp)
        size = parse_size(self.size) if self.size else None
        settings = ExportSettings(
            size,
            self.fps,
            self.duration,
            self.supersampling,
            self.format,
            self.transparent,
            self._look(),
        )
        report = render_scene(
            self.scene,
            self.camera,
            self.output,
            size,
            self.backend,
            self.qp,
            frames,
            settings=settings,
            time_track=read_time_track(self.time_track) if self.time_track else None,
            scene_fps=self.scene_fps,
        )
        width, height = report.size
        count = "1 frame" if report.frames == 1 else f"{report.frames} frames"
        say(f"Rendered {count} of {width}x{height} px with {report.reason}")
        print(report.path)
        return 0

    def _look(self) -> Look:
        """What is shown. Raises UsageError."""
        box = None if self.crop is None else parse_box(self.crop)
        crop = None if box is None else (box[:3], box[3:])
        try:
            return Look(self.mode, self.exposure, self.splat_size, crop, self.background)
        except ValueError as error:
            raise UsageError(str(error)) from None
