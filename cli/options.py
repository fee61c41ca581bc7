"""Arguments that several commands take, and how one says that an option may be left out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import tyro


def option(metavar: str, meaning: str, default: str) -> Any:
    """An option that may be left out; `default` says what happens then."""
    return tyro.conf.arg(metavar=metavar, help=meaning, help_behavior_hint=f"(default: {default})")


SceneArgument = Annotated[
    str,
    tyro.conf.Positional,
    tyro.conf.arg(metavar="SCENE", help="A .stgs, a directory or an URL."),
]
OutputOption = Annotated[Path, tyro.conf.arg(metavar="PATH", aliases=["-o"])]
BackendOption = Annotated[
    str | None, option("NAME", "gsplat, opengl, cpu or reference.", "the best here")
]
FramesOption = Annotated[
    str | None, option("A:B:STEP", "Content frames, as a slice in Python.", "all")
]
RungOption = Annotated[int | None, option("QP", "Quality of the feature video.", "the best")]
JsonOption = Annotated[Path | None, option("FILE", "Write the figures here as JSON.", "not")]
