"""`streamstgs [SCENE]`: open the window, or write a video where no window can open."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from streamstgs.app.console import say
from streamstgs.cli.options import SCENE_HELP, BackendOption, SceneFpsOption, flag, option
from streamstgs.cli.parsing import UsageError
from streamstgs.cli.window import Window

if TYPE_CHECKING:
    from streamstgs.app.player.kiosk.settings import KioskSettings

StartOption = Annotated[
    str | None,
    option("TIME", "Start at this content time, such as 12.5 or 1:02.5.", "where it was left"),
]
SpeedOption = Annotated[
    float | None,
    option("FACTOR", "Play at this speed, 0.1 to 8.", "the remembered speed"),
]
LatencyOption = Annotated[
    float | None,
    option(
        "SECONDS",
        "Stay so far behind the newest segment of a live scene, 0.5 to 60; less is sooner, more "
        "outlasts late segments.",
        "4",
    ),
]
LoopOption = Annotated[
    Literal["on", "off"] | None,
    option("on|off", "Start the scene again at its end, or stop there.", "as remembered"),
]
CameraOption = Annotated[
    str | None,
    option(
        "CAMERA",
        "Move the camera until somebody takes it: `orbit`, the name of a view of the scene, or a "
        "camera path file.",
        "the opening view; in a kiosk an orbit",
    ),
]
KioskOption = Annotated[
    tuple[str, ...] | None,
    option(
        "SCENE [SCENE ...]",
        "Play these scenes, or those of one playlist file such as booth.toml, in full screen; "
        "visitors can take over, and Ctrl+Shift+Q is the only way out.",
        "off",
    ),
]
CaptureOption = Annotated[
    Path | None,
    option("DIR", "Compare the scene with this capture, from the views of its cameras.", "off"),
]
LogOption = Annotated[
    Path | None,
    option("FILE", "Write the log of the kiosk to this file.", "kiosk.log in the user's logs"),
]


@dataclass(frozen=True)
class Open(Window):
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
    capture: CaptureOption = None
    fullscreen: Annotated[
        tyro.conf.FlagCreatePairsOff[bool], flag("Give the picture the whole screen.")
    ] = False
    loop: LoopOption = None
    start: StartOption = None
    camera: CameraOption = None
    speed: SpeedOption = None
    latency: LatencyOption = None
    kiosk: KioskOption = None
    log: LogOption = None

    def run(self) -> int:
        if self.kiosk is None:
            return super().run()
        self.check()
        return self._run_kiosk(self.kiosk)

    def check(self) -> None:
        """See `Window.check`; also refuses options that contradict each other."""
        super().check()
        if self.kiosk is None:
            if self.log is not None:
                raise UsageError("--log belongs to --kiosk; add it, or leave --log out")
            return
        others = {"SCENE": self.scene, "--start": self.start, "--speed": self.speed}
        others |= {"--capture": None if self.capture is None else str(self.capture)}
        others |= {"--loop": self.loop, "--fullscreen": self.fullscreen or None}
        others |= {"--latency": self.latency}
        given = [name for name, value in others.items() if value is not None]
        if given:
            raise UsageError(f"--kiosk has its own playlist; leave out {', '.join(given)}")

    def _run_kiosk(self, places: Sequence[str]) -> int:
        from streamstgs.app.display import DisplayProbe
        from streamstgs.app.player.kiosk.host.log import default_log, start_log, stop_log
        from streamstgs.app.player.kiosk.host.supervisor import supervise
        from streamstgs.app.player.kiosk.settings import kiosk_settings

        settings = kiosk_settings(places, self.camera)
        problem = DisplayProbe().problem()
        if problem is not None:
            raise UsageError(f"--kiosk needs a display: {problem}")
        log_file = self.log or default_log()
        handler = start_log(log_file)
        say(f"The kiosk ends with Ctrl+Shift+Q. Its log is {log_file}.")
        try:
            return supervise(kiosk_process, (settings, self.backend, not self.no_cache, log_file))
        finally:
            stop_log(handler)


def kiosk_process(
    settings: KioskSettings, backend: str | None, keeps_fetched: bool, log_file: Path
) -> int:
    """Run the kiosk in this process; returns the exit status."""
    from streamstgs.app.ui.preloader import load_libraries, load_window
    from streamstgs.cli.command_line import prepare_process

    prepare_process()
    gc.disable()  # as for the usual window
    load_libraries()
    load_window()
    from streamstgs.app.ui.application import WindowSettings
    from streamstgs.app.ui.kiosk.kiosk_window import run_kiosk

    return run_kiosk(settings, WindowSettings(backend, keeps_fetched), log_file)
