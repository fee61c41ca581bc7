"""`streamstgs [SCENE]`: open the window, or write a video where no window can open."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from streamstgs.app.console import say
from streamstgs.cli.options import SCENE_HELP, BackendOption, SceneFpsOption, flag, option
from streamstgs.cli.parsing import UsageError

BUNDLED_SCENE = Path(__file__).resolve().parents[1] / "assets" / "tokyo.stgs"
PREVIEWS = Path("renders")


@dataclass(frozen=True)
class Open:
    """Open a scene in the window. This command runs when no command is named. On a machine without
    a display it writes a short video instead."""

    scene: Annotated[
        str | None,
        tyro.conf.Positional,
        option(
            "[SCENE]",
            SCENE_HELP,
            "the bundled scene",
        ),
    ] = None
    backend: BackendOption = None
    no_cache: Annotated[
        tyro.conf.FlagCreatePairsOff[bool], flag("Keep no fetched files on disk.")
    ] = False
    scene_fps: SceneFpsOption = None

    def run(self) -> int:
        from streamstgs.app.display import DisplayProbe
        from streamstgs.app.ui.preloader import load_meanwhile

        probe = DisplayProbe()
        location = self.scene or bundled_scene()
        gc.disable()  # loading leaves nothing to collect; the window switches it on again
        load_meanwhile()  # the probe takes as long
        problem = probe.problem()
        if problem is not None:
            gc.enable()
            return preview(location, self.backend, problem)
        from streamstgs.app.ui.application import WindowSettings, run

        return run(location, WindowSettings(self.backend, not self.no_cache, self.scene_fps))


def bundled_scene() -> str:
    """Path of the scene that comes with the program."""
    if not BUNDLED_SCENE.exists():
        raise UsageError(
            f"the bundled scene {BUNDLED_SCENE} is missing; name one: streamstgs SCENE"
        )
    return str(BUNDLED_SCENE)


def preview(location: str, backend: str | None, problem: str) -> int:
    """Write a video and an image instead of opening the window."""
    from streamstgs.app.player.export.render import render_preview

    say(f"No window: {problem}. Rendering an orbit of the playing scene instead.")
    for path in render_preview(location, PREVIEWS, backend):
        print(path)
    return 0
