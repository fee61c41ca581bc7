"""Opens the window, or writes a video where no window can open. Needs no parser of options."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from streamstgs.app.console import say
from streamstgs.cli.parsing import UsageError

if TYPE_CHECKING:
    from streamstgs.app.player.compare.ground_truth import GroundTruth

BUNDLED_SCENE = Path(__file__).resolve().parents[1] / "assets" / "dungeon.stgs"
PREVIEWS = Path("renders")
LATENCIES = (0.5, 60.0)  # seconds behind the newest segment of a live scene
SPEEDS = (0.1, 8.0)  # of `Playback`, which loads torch


@dataclass(frozen=True)
class Window:
    """The window with a scene. The fields are those of `cli.open.Open`, which describes them."""

    scene: str | None = None
    backend: str | None = None
    no_cache: bool = False
    scene_fps: float | None = None
    capture: Path | None = None
    fullscreen: bool = False
    loop: Literal["on", "off"] | None = None
    start: str | None = None
    camera: str | None = None
    speed: float | None = None
    latency: float | None = None

    def run(self) -> int:
        """Show the window until it is closed; returns the exit status."""
        from streamstgs.app.display import DisplayProbe
        from streamstgs.app.ui.preloader import load_libraries, load_window

        self.check()
        probe = DisplayProbe()
        location = self.scene or bundled_scene()
        gc.disable()  # loading leaves nothing to collect; the window switches it on again
        if probe.pending:
            with contextlib.suppress(ImportError):  # the probe finds the same, and says what to do
                load_window()
        problem = probe.problem()
        load_libraries()
        if problem is not None:
            gc.enable()
            return preview(location, self.backend, problem)
        from streamstgs.app.ui.application import WindowSettings, run
        from streamstgs.app.ui.first_scene import FirstSceneSettings

        first = FirstSceneSettings(
            self.fullscreen,
            None if self.start is None else parse_start(self.start),
            self.speed,
            None if self.loop is None else self.loop == "on",
            self.camera,
        )
        settings = WindowSettings(
            self.backend,
            not self.no_cache,
            self.scene_fps,
            open_capture=open_capture,
            capture=self.capture,
            latency_s=self.latency,
        )
        return run(location, settings, first)

    def check(self) -> None:
        """Refuse values that make no sense, before anything is opened. Raises UsageError."""
        if self.speed is not None and not SPEEDS[0] <= self.speed <= SPEEDS[1]:
            raise UsageError(f"--speed {self.speed:g} is not within {SPEEDS[0]:g} to {SPEEDS[1]:g}")
        low, high = LATENCIES
        if self.latency is not None and not low <= self.latency <= high:
            raise UsageError(f"--latency {self.latency:g} is not within {low:g} to {high:g}")
        parse_start(self.start)


def parse_start(text: str | None) -> float:
    """Content seconds of `12.5` or `1:02.5`; 0 for None.

    Raises:
        UsageError: The text is no time.
    """
    from streamstgs.app.ui.transport.timecode import parse_time

    try:
        if text is not None and text.strip("0123456789:., "):
            raise ValueError
        return 0.0 if text is None else parse_time(text, 1.0)
    except ValueError:
        raise UsageError(f"--start {text!r} is no time; write seconds or 1:02.5") from None


def bundled_scene() -> str:
    """Path of the scene that comes with the program."""
    if not BUNDLED_SCENE.exists():
        raise UsageError(
            f"the bundled scene {BUNDLED_SCENE} is missing; name one: streamstgs SCENE"
        )
    return str(BUNDLED_SCENE)


def open_capture(folder: Path) -> GroundTruth:
    """A capture to compare scenes with. Raises CaptureError."""
    from streamstgs.api.capture_truth import CaptureTruth

    return CaptureTruth.open(folder)


def preview(location: str, backend: str | None, problem: str) -> int:
    """Write a video and an image instead of opening the window."""
    from streamstgs.app.player.export.render import render_preview

    say(f"No window: {problem}. Rendering an orbit of the playing scene instead.")
    for path in render_preview(location, PREVIEWS, backend):
        print(path)
    return 0
