"""Arguments that several commands take, and how an optional argument states its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import tyro


def option(metavar: str, help_text: str, default: str) -> Any:
    """An argument that may be omitted; `default` tells what happens then."""
    return tyro.conf.arg(
        metavar=metavar, help=help_text, help_behavior_hint=f"(default: {default})"
    )


def flag(help_text: str) -> Any:
    """A switch that is off unless it is given."""
    return tyro.conf.arg(help=help_text, help_behavior_hint="(default: off)")


SCENE_HELP = (
    "The scene is a .stgs file, a scene directory, a splat file of another program, a folder or "
    "ZIP archive with one splat file for each frame, or the URL of any of these; write the number "
    "of a frame in a URL as %04d."
)
SceneArgument = Annotated[
    str,
    tyro.conf.Positional,
    tyro.conf.arg(
        metavar="SCENE",
        help=SCENE_HELP,
    ),
]
OutputOption = Annotated[Path, tyro.conf.arg(metavar="PATH", aliases=["-o"])]
BackendOption = Annotated[
    str | None,
    option(
        "NAME",
        "Render with this backend: gsplat, opengl, cpu or reference.",
        "the fastest of this machine",
    ),
]
FramesOption = Annotated[
    str | None,
    option("A:B:STEP", "Use only these content frames, written like a slice in Python.", "all"),
]
QpOption = Annotated[
    int | None,
    option(
        "QP",
        "Show the quality with this quantiser; `streamstgs info` lists those of a scene.",
        "the best quality",
    ),
]
SceneFpsOption = Annotated[
    float | None,
    option(
        "FPS",
        "Play so many content frames per second; for splat files, which do not tell it.",
        "30, or as the scene says",
    ),
]
JsonOption = Annotated[Path | None, option("FILE", "Write the figures to this JSON file.", "off")]
