"""`streamstgs [SCENE]`: the window; a film where no window can open."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from streamstgs.app.console import say
from streamstgs.cli.options import BackendOption, option
from streamstgs.cli.parsing import UsageError

BUNDLED_SCENE = Path(__file__).resolve().parents[1] / "assets" / "tokyo.stgs"
PREVIEWS = Path("renders")


@dataclass(frozen=True)
class Open:
    """Open the window on a scene; without SCENE on the bundled one. This is what happens when no
    command is named. Without a display a short film is made instead."""

    scene: Annotated[
        str | None,
        tyro.conf.Positional,
        option("[SCENE]", "A .stgs, a directory or an URL.", "the bundled one"),
    ] = None
    backend: BackendOption = None
    no_cache: tyro.conf.FlagCreatePairsOff[bool] = False
    """Keep nothing of fetched scenes on disk."""

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

        return run(location, WindowSettings(self.backend, keeps_fetched=not self.no_cache))


def bundled_scene() -> str:
    """Where the scene that travels with the program lies."""
    if not BUNDLED_SCENE.exists():
        raise UsageError(
            f"the bundled scene {BUNDLED_SCENE} is missing; name one: streamstgs SCENE"
        )
    return str(BUNDLED_SCENE)


def preview(location: str, backend: str | None, problem: str) -> int:
    """What a machine without a display gets instead of the window."""
    from streamstgs.app.player.export.render import render_preview

    say(f"No window: {problem}. Rendering an orbit of the playing scene instead.")
    for path in render_preview(location, PREVIEWS, backend):
        print(path)
    return 0
