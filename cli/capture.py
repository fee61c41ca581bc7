"""`streamstgs capture`: check a capture, calibrate videos of a static rig, or film a scene."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro
from streamstgs.app.console import ProgressLine, check_figures_path, say, write_figures
from streamstgs.cli.options import (
    BackendOption,
    FramesOption,
    JsonOption,
    SceneArgument,
    SceneFpsOption,
    flag,
    option,
)
from streamstgs.cli.parsing import UsageError, parse_size
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.rig.config import RigConfig, SceneRigConfig

SheetOption = Annotated[
    Path | None,
    option("FILE.png", "Write an image with a frame of each camera to this file.", "off"),
]


@dataclass(frozen=True)
class Check:
    """Tell what of a capture will be read, and whether poses and times of its cameras fit."""

    data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
    """Folder of the capture."""
    sheet: SheetOption = None
    json: JsonOption = None
    frame: int = 0
    """Frame that is shown and whose features are matched."""
    no_poses: Annotated[
        tyro.conf.FlagCreatePairsOff[bool], flag("Do not match features to check poses.")
    ] = False
    no_sync: Annotated[
        tyro.conf.FlagCreatePairsOff[bool], flag("Do not compare motion to check times.")
    ] = False
    capture: CaptureConfig = field(default_factory=CaptureConfig)

    def run(self) -> int:
        check_figures_path(self.json)
        from streamstgs.trainer.capture_check.check import CheckConfig, check_folder
        from streamstgs.trainer.capture_check.report import for_people

        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        report = check_folder(
            self.data,
            CheckConfig(self.capture, self.frame, self.sheet, not self.no_poses, not self.no_sync),
        )
        write_figures(self.json, report.figures())
        print(for_people(report))
        return 0 if report.is_good else 1


def _new_folder(text: str) -> Any:
    """The option -o of a command that makes a capture."""
    return tyro.conf.arg(name="output", metavar="DIR", aliases=["-o"], help=text)


@dataclass(frozen=True)
class FromVideos:
    """Calibrate videos of cameras that stand still, and write them as a capture."""

    videos: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="VIDEO", help="Videos, one of each camera; or folders with them."),
    ]
    out: Annotated[
        Path,
        _new_folder("Write cameras.json, points and the videos to this new folder."),
    ]
    rig: Annotated[RigConfig, tyro.conf.arg(name="")] = field(default_factory=RigConfig)

    def run(self) -> int:
        if not self.videos:
            raise UsageError("name the videos, or a folder that holds them")
        from streamstgs.trainer.rig.from_videos import calibrate_videos

        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        calibrate_videos(self.videos, self.out, self.rig)
        say(f"{self.out} is calibrated. Check it next: streamstgs capture check {self.out}")
        if self.rig.capture.ignore_start:
            say("Give the option --capture.ignore-start there, too.")
        return 0


@dataclass(frozen=True)
class FromScene:
    """Render a scene from cameras around it, and write the pictures as a capture to train on.

    This is experimental. It serves sequences of splat files whose Gaussians do not correspond,
    which `streamstgs encode` refuses."""

    scene: SceneArgument
    out: Annotated[
        Path,
        _new_folder("Write cameras.json, points and the pictures to this new folder."),
    ]
    size: Annotated[
        str, option("WIDTHxHEIGHT", "Write pictures of this size in pixels.", "800x800")
    ] = "800x800"
    frames: FramesOption = None
    scene_fps: SceneFpsOption = None
    backend: BackendOption = None
    rig: Annotated[SceneRigConfig, tyro.conf.arg(name="")] = field(default_factory=SceneRigConfig)

    def run(self) -> int:
        size = parse_size(self.size)
        if not min(size):
            raise UsageError(f"{self.size!r} has no pixels")
        from streamstgs.app.player.export.render import parse_frames
        from streamstgs.codec.formats.registry import open_reader
        from streamstgs.trainer.rig.from_scene import capture_of_scene
        from streamstgs.trainer.trajectory_fit.frames import TrackedFrames

        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        with open_reader(self.scene, fps=self.scene_fps) as reader:
            chosen = parse_frames(self.frames, reader.info.frame_count)
            capture_of_scene(
                TrackedFrames(reader, chosen),
                reader.info.meta,
                self.out,
                self.rig,
                size,
                self.backend,
                ProgressLine(),
            )
        say(f"{self.out} is a capture. Train on it next: streamstgs train {self.out} -o run")
        return 0


@dataclass(frozen=True)
class Capture:
    """Check a capture before training, or make one: of videos of a static rig, or of a scene."""

    action: tyro.conf.OmitSubcommandPrefixes[
        Annotated[Check, tyro.conf.subcommand(name="check")]
        | Annotated[FromVideos, tyro.conf.subcommand(name="from-videos")]
        | Annotated[FromScene, tyro.conf.subcommand(name="from-scene")]
    ]

    def run(self) -> int:
        return self.action.run()
